"""The ablation table of `results.md`: what each part of the recipe contributes."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import table

#: The run that the ablations vary.
BASE = "efficientnet_lite0_1020"


def ablation_note(records: Sequence[RunRecord]) -> str:
    """What the ablation table shows, and how much two runs differ by the seed alone."""
    note = (
        f"Each run differs from the baseline `{BASE}` in what the second column says (`flowers study ablate`). The "
        "baseline comes first, then the best of the others. Figures are on the validation photos: float32 for top-1, "
        "INT8 for the mean over the corruptions. Runs with several seeds have means with standard deviations. *Δ vs "
        "baseline* is the mean difference from the baseline's runs with the same seeds. *WiSE-FT α* is the "
        "interpolation between the probed (0) and the fine-tuned (1) weights that validation chose."
    )
    base = _find(records, BASE)
    seeds = list(_recipes(records, base)[()].values()) if base else []
    if len(seeds) < 2:
        return note
    chance = f"{sqrt(2) * stdev(_top1(run) for run in seeds):.2f} points"
    corrupted = [figure for run in seeds if (figure := _corrupted(run)) is not None]
    if len(corrupted) > 1:
        chance += f", on corrupted photos by {sqrt(2) * stdev(corrupted):.2f}"
    return (
        f"{note} By the spread of the baseline, two runs that differ in the seed alone differ by {chance} (one "
        "standard deviation of a difference). A difference of less than twice that, seen with a single seed, may be "
        "chance. The same seed gives other weights on another kind of processor, too."
    )


def ablation_table(records: Sequence[RunRecord]) -> str:
    """A row for the baseline and each recipe that differs from it, over its seeds; "" without a baseline."""
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
                _delta(by_seed, first, _top1),
                _mean([_corrupted(run) for run in runs]),
                _delta(by_seed, first, _corrupted),
                ", ".join(f"{alpha:.1f}" for run in runs if (alpha := run.training.wise_ft_alpha) is not None),
            )
        )
    delta = "Δ vs baseline"
    header = ("run", "differs in", "seeds", "top-1", delta, "corrupted, mean", delta, "WiSE-FT α")
    return table(header, [[cell or "—" for cell in row] for row in rows])


def _recipes(records: Sequence[RunRecord], base: RunRecord) -> dict[tuple[str, ...], dict[int, RunRecord]]:
    """The runs of each recipe by seed, keyed by the recipe's differences; the baseline's key is ().

    Of several runs with one seed, the first counts.
    """
    recipes: dict[tuple[str, ...], dict[int, RunRecord]] = {}
    for record in [base, *_siblings(records, base)]:
        changed = tuple(f"{key} {_settings(record)[key]}" for key in _differences(record, base) if key != "seed")
        recipes.setdefault(changed, {}).setdefault(record.training.seed or 0, record)
    return recipes


def _top1(record: RunRecord) -> float:
    return 100 * float(record.training.validation_top1 or 0.0)


def _corrupted(record: RunRecord) -> float | None:
    figures = record.corruptions.get("int8", {}).get("validation")
    return 100 * figures.mean if figures else None


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    spread = f" ± {stdev(known):.2f}" if len(known) > 1 else ""
    return f"{fmean(known):.2f}{spread}" if known else ""


def _delta(
    runs: Mapping[int, RunRecord], first: Mapping[int, RunRecord], figure: Callable[[RunRecord], float | None]
) -> str:
    """The mean difference over the seeds that both recipes have, with its sign."""
    if runs is first:
        return ""
    pairs = [(figure(run), figure(first[seed])) for seed, run in runs.items() if seed in first]
    deltas = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
    return f"{fmean(deltas):+.2f}" if deltas else ""


def _find(records: Sequence[RunRecord], name: str) -> RunRecord | None:
    return next((record for record in records if record.name == name), None)


def _siblings(records: Sequence[RunRecord], base: RunRecord) -> list[RunRecord]:
    """The other fine-tuned runs of the same network on the same photos.

    A run of another input size is one of them only if nothing else differs but the seed.
    """
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
    """The settings that differ; what the baseline's recipe does not know yet was off in it."""
    ours, theirs = _settings(record), _settings(base)
    return [key for key in ours if (key in theirs or ours[key]) and ours[key] != theirs.get(key)]


def _settings(record: RunRecord) -> Mapping[str, Any]:
    """The recipe, with the names of its augmentation and teachers, and the input's side in pixels."""
    training = record.training
    augmentation = training.command.options.get("augmentation", "crops")
    teachers = " and ".join(teacher.name for teacher in training.teachers) or "none"
    return {**training.recipe, "augmentation": augmentation, "teachers": teachers, "size": record.size}
