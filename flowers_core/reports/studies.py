"""The tables of `results.md` that compare runs: aims, robustness, what each part of the recipe is worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.metrics.scorecard import BASELINES
from flowers_core.explain.records.lime import PACKAGE, LimeRecord
from flowers_core.explain.records.methods import MethodRecord
from flowers_core.inference.manifest import Timing
from flowers_core.reports.run_records import RunRecord, evaluated
from flowers_core.reports.tables import percent, percent_or_dash, table

# The run that the ablations vary.
BASE = "efficientnet_lite0_1020"


@dataclass(frozen=True)
class Goal:
    """An aim for one run: at least so much top-1 and per-class accuracy, at most so many megabytes."""

    what: str
    run: str
    precision: str
    top1: float
    per_class: float | None = None
    megabytes: float | None = None


GOALS = (
    Goal("InceptionV3 cut at mixed8, 1020 photos", "inception_v3", "float32", 0.91),
    Goal("EfficientNet-Lite0, 1020 photos", BASE, "int8", 0.91, 0.925, 5.0),
    Goal("EfficientNet-Lite0, 2040 photos", "efficientnet_lite0", "int8", 0.945, None, 4.3),
    Goal("an ensemble, 1020 photos", "ensemble", "float32", 0.94),
    Goal("as small as it goes, 1020 photos", "efficientnet_lite0_small", "int8", 0.88, None, 2.5),
)


def goals_table(records: Sequence[RunRecord]) -> str:
    """Each aim beside what its run reached."""
    by_name = {record.name: record for record in records}
    rows = []
    for goal in GOALS:
        record = by_name.get(goal.run)
        test = record.metrics.get(goal.precision, {}).get("test") if record else None
        wanted = [f"top-1 ≥ {percent(goal.top1)}"]
        if goal.per_class is not None:
            wanted.append(f"per class ≥ {percent(goal.per_class)}")
        if goal.megabytes is not None:
            wanted.append(f"≤ {goal.megabytes:g} MB")
        if record is None or test is None:
            rows.append((goal.what, goal.run, ", ".join(wanted), "—", "—", "—"))
            continue
        megabytes = f"{record.model_bytes[goal.precision] / 1e6:.2f}" if goal.precision in record.model_bytes else "—"
        reached = (percent(test.top1), percent(test.balanced_accuracy), megabytes)
        rows.append((goal.what, f"{goal.run}, {goal.precision}", ", ".join(wanted), *reached))
    return table(("aim", "run", "wanted", "top-1", "per class", "MB"), rows)


def robustness_note() -> str:
    """What the table below it shows."""
    return (
        "Top-1 on photos of a split spoilt in fourteen ways: small in the frame, several, cut off, back light, colour "
        "cast, blur, noise and more (`scripts.evaluate --corruptions`); of the test split a sample of ten a class. "
        "*Misleading* is the share of answers that are wrong and given with a calibrated probability of at least 90 %. "
        "Choices were made by the validation rows."
    )


def robustness_table(records: Sequence[RunRecord]) -> str:
    """Mean and worst kind of every precision and split, of the runs that answered the test photos too."""
    rows = [
        (
            record.name,
            precision,
            split,
            str(figures.photos),
            percent(figures.mean),
            percent(figures.top1[figures.worst]),
            figures.worst,
            percent_or_dash(figures.high_confidence_errors),
            percent_or_dash(figures.ece),
        )
        for record in records
        if any(evaluated(record))
        for precision, splits in record.corruptions.items()
        for split, figures in splits.items()
    ]
    return table(("model", "precision", "split", "photos", "mean", "worst", "worst kind", "misleading", "ECE"), rows)


def speed_note() -> str:
    """What the table below it shows."""
    return (
        "One photo at a time, all ways of running a model in turns (`scripts.benchmarks inference`): median and 95th "
        "percentile in milliseconds, once with one thread and once with as many as the machine has cores (two where "
        "that was not noted). *÷ int8* is the ratio to INT8 with the same number of threads, which carries over to "
        "other machines. TensorFlow, too, is held to one thread for the first, in a process of its own, and left to "
        "itself for the second. *First answer* counts from a process in which nothing is imported, *memory* is the "
        "most that such a process holds (Linux, VmHWM)."
    )


def speed_table(records: Sequence[RunRecord]) -> str:
    """Every way of running each model that was timed, with one thread and with all cores; nothing where none was."""
    rows = []
    for record in records:
        latency = record.latency
        paths, first, peak = latency.paths, latency.seconds_to_first_answer, latency.peak_megabytes
        cores = latency.cores or 2
        # A way's name without its threads; Keras' names say none where it takes all cores.
        for way in dict.fromkeys(name.rpartition(", ")[0] or name for name in paths):
            single = paths.get(f"{way}, 1 thread")
            every = single if cores == 1 else paths.get(f"{way}, {cores} threads")
            all_cores = paths.get(way, every)
            alone = "keras" if way == "keras predict" else way
            rows.append(
                (
                    record.name,
                    way,
                    *_timed(single, single.ratio_to_int8 if single else None),
                    *_timed(all_cores, all_cores.ratio_to_int8_same_threads if all_cores else None),
                    f"{first[alone]:.1f}" if alone in first else "—",
                    f"{peak[alone]:.0f}" if alone in peak else "—",
                )
            )
    timed = ("ms", "95 %", "÷ int8")
    header = (
        *("model", "way", *(f"{name}, 1 thread" for name in timed), *(f"{name}, all cores" for name in timed)),
        *("first answer, s", "memory, MB"),
    )
    return table(header, rows) if rows else ""


def _timed(found: Timing | None, ratio: float | None) -> tuple[str, str, str]:
    """Median, 95th percentile and ratio; older records compared with INT8 on one thread only."""
    if found is None:
        return "—", "—", "—"
    return f"{found.median_ms:.1f}", f"{found.p95_ms:.1f}", "—" if ratio is None else f"{ratio:.1f}"


def explanations_note() -> str:
    """What the table below it shows."""
    return (
        "How the ways to explain an answer compare on a stratified sample of test photos "
        "(`scripts.evaluate_explanations`), means with 95 % bootstrap intervals. *Deletion*: mean probability "
        "while the photo is taken away, the map's brightest parts first, low is good; *insertion*: while it comes "
        "back, high is good (Petsiuk et al. 2018, arXiv 1806.07421). *Stability*: rank correlation with a second "
        "run on the photo with invisible noise. *Sanity*: rank correlation with the map of the same model with its "
        "head shuffled (Adebayo et al. 2018, arXiv 1810.03292), near 1 the map ignores what was learnt."
    )


def explanations_table(record: MethodRecord) -> str:
    """One row a method, the widest gap between insertion and deletion first, then the baselines."""
    rows = []
    for name in (*record.methods, *(name for name in BASELINES if name in record.figures)):
        figures = record.figures[name]
        shown = [
            f"{figures[key].value:.3f} [{figures[key].low:.3f}, {figures[key].high:.3f}]"
            for key in ("deletion", "insertion", "stability")
        ]
        known = name in METHODS
        sanity = f"{record.sanity[name]:.2f}" if name in record.sanity else "—"
        rows.append((name, *shown, sanity, f"{figures['seconds'].value:.3f}" if known else "—"))
    return table(("method", "deletion", "insertion", "stability", "sanity", "seconds"), rows)


def lime_note() -> str:
    """What the tables below it show."""
    return (
        "This project's LIME, and the `lime` package with its defaults (quickshift, 1000 samples) on the same INT8 "
        "model and on Keras' `predict`, in turns (`scripts.benchmarks lime`). *Seconds* of one explanation, and *÷ "
        "ours* on the same photo, are medians, the rest means, with 95 % bootstrap intervals over photos. *Deletion* "
        "and *insertion* are as above; *top 5 alike* is the Jaccard index of the five strongest superpixels of two "
        "seeds, each way over its own superpixels."
    )


def lime_sentence(record: LimeRecord) -> str:
    """Where the table was measured, and what it says of ours against the package."""
    how = ", place by place," if record.per_position else ""
    told = (
        f"{record.backends[PACKAGE].photos} photos of the {record.split} split (seed {record.seed}), {record.machine}. "
        f"Ours{how} took {record.samples:.0f} looks in the median; for {100 * record.converged:.0f} % of the photos "
        f"the ranking was settled. Its deletion is lower by {_interval(record.deletion_gain)}"
    )
    if record.stability_gain is not None:
        told += (
            f", and on {record.stability_photos} photos with {record.seeds} seeds each its top 5 are more alike by "
            f"{_interval(record.stability_gain)}"
        )
    return told + "."


def lime_table(record: LimeRecord) -> str:
    """One row a way; "—" for what was not measured of it."""
    rows = [
        (
            name,
            str(way.photos),
            *(
                _interval(figure) if figure else "—"
                for figure in (way.seconds, way.times_ours, way.deletion, way.insertion, way.stability)
            ),
        )
        for name, way in record.backends.items()
    ]
    return table(("LIME", "photos", "seconds", "÷ ours", "deletion", "insertion", "top 5 alike"), rows)


def _interval(figure: Interval) -> str:
    digits = 1 if abs(figure.value) >= 1 else 3
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def ablation_note(records: Sequence[RunRecord]) -> str:
    """What the table below it shows, and how far two runs are apart that differ in nothing but the seed."""
    note = (
        f"Runs that differ from `{BASE}` in what the second column says (`scripts.study.ablate`), best first, on the "
        "validation photos: float32 for top-1, INT8 for the spoilt ones. Where there are several seeds, means with "
        "standard deviations; *less the first* is the mean difference from the first row's runs with the same seeds. "
        "*Share* is how far from the probed to the fine-tuned weights validation chose to go."
    )
    base = _find(records, BASE)
    seeds = list(_recipes(records, base)[()].values()) if base else []
    if len(seeds) < 2:
        return note
    chance = f"{sqrt(2) * stdev(_top1(run) for run in seeds):.2f} points"
    spoilt = [figure for run in seeds if (figure := _spoilt(run)) is not None]
    if len(spoilt) > 1:
        chance += f", on spoilt photos {sqrt(2) * stdev(spoilt):.2f}"
    return (
        f"{note} By the spread of the first row two runs that differ in the seed alone are apart by {chance} (one "
        "standard deviation of a difference): what a single seed shows within twice that may be chance. A run made "
        "again with its seed on another kind of processor ends elsewhere too."
    )


def ablation_table(records: Sequence[RunRecord]) -> str:
    """The base recipe and those that differ from it in more than the seed, each over its seeds."""
    base = _find(records, BASE)
    if base is None:
        return ""
    recipes = _recipes(records, base)
    first = recipes.pop(())
    others = sorted(recipes.items(), key=lambda recipe: -fmean(_top1(run) for run in recipe[1].values()))
    rows = []
    for changed, by_seed in [((), first), *others]:
        runs = [by_seed[seed] for seed in sorted(by_seed)]
        rows.append(
            (
                runs[0].name,
                ", ".join(changed).replace("_", " ") or "—",
                ", ".join(str(seed) for seed in sorted(by_seed)),
                _mean([_top1(run) for run in runs]),
                _less(by_seed, first, _top1),
                _mean([_spoilt(run) for run in runs]),
                _less(by_seed, first, _spoilt),
                ", ".join(f"{alpha:.1f}" for run in runs if (alpha := run.training.wise_ft_alpha) is not None),
            )
        )
    header = ("run", "differs in", "seeds", "top-1", "less the first", "spoilt, mean", "less the first", "share")
    return table(header, [[cell or "—" for cell in row] for row in rows])


def _recipes(records: Sequence[RunRecord], base: RunRecord) -> dict[tuple[str, ...], dict[int, RunRecord]]:
    """The runs of each recipe by seed, by what it differs in; () for the base's own. Of one seed the first counts."""
    recipes: dict[tuple[str, ...], dict[int, RunRecord]] = {}
    for record in [base, *_siblings(records, base)]:
        changed = tuple(f"{key} {_settings(record)[key]}" for key in _differences(record, base) if key != "seed")
        recipes.setdefault(changed, {}).setdefault(record.training.seed or 0, record)
    return recipes


def _top1(record: RunRecord) -> float:
    return 100 * float(record.training.validation_top1 or 0.0)


def _spoilt(record: RunRecord) -> float | None:
    figures = record.corruptions.get("int8", {}).get("validation")
    return 100 * figures.mean if figures else None


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    spread = f" ± {stdev(known):.2f}" if len(known) > 1 else ""
    return f"{fmean(known):.2f}{spread}" if known else ""


def _less(
    runs: Mapping[int, RunRecord], first: Mapping[int, RunRecord], figure: Callable[[RunRecord], float | None]
) -> str:
    """The mean difference over the seeds that both have, with its sign."""
    if runs is first:
        return ""
    pairs = [(figure(run), figure(first[seed])) for seed, run in runs.items() if seed in first]
    less = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
    return f"{fmean(less):+.2f}" if less else ""


def _find(records: Sequence[RunRecord], name: str) -> RunRecord | None:
    return next((record for record in records if record.name == name), None)


def _siblings(records: Sequence[RunRecord], base: RunRecord) -> list[RunRecord]:
    """The other fine-tuned runs of the same network on the same photos; of another size only if all else is alike."""
    return [
        record
        for record in records
        if record is not base
        and record.backbone == base.backbone
        and record.training.recipe is not None
        and record.training.splits == base.training.splits
        and (record.size == base.size or set(_differences(record, base)) <= {"size", "seed"})
    ]


def _differences(record: RunRecord, base: RunRecord) -> list[str]:
    ours, theirs = _settings(record), _settings(base)
    return [key for key in ours if ours[key] != theirs.get(key)]


def _settings(record: RunRecord) -> Mapping[str, Any]:
    """The recipe with its augmentation and its teachers by name, and the side of the input in pixels."""
    training = record.training
    augmentation = training.command.options.get("augmentation", "crops")
    teachers = " and ".join(teacher.name for teacher in training.teachers) or "none"
    return {**training.recipe, "augmentation": augmentation, "teachers": teachers, "size": record.size}
