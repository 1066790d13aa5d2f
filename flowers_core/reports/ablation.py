"""The table of `results.md` on what each part of the recipe is worth."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import table

#: The run that the ablations vary.
BASE = "efficientnet_lite0_1020"


def ablation_note(records: Sequence[RunRecord]) -> str:
    """What the table below it shows, and how far two runs are apart that differ in nothing but the seed."""
    note = (
        f"Runs that differ from `{BASE}` in what the second column says (`flowers study ablate`), best first, on the "
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
