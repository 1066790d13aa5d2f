"""The table of `results.md` that sets what the best models reached on people's photos beside the targets."""

from collections.abc import Iterator, Sequence

from flowers_core.inference.bundle import DEFAULT_BUNDLE
from flowers_core.inference.records.confidence import ConfidenceFigures
from flowers_core.inference.records.near_novelty import NearNoveltyRecord
from flowers_core.reports.ablation import BASE
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

#: What is measured, the target, what was reached, and whether that is enough.
_Row = tuple[str, str, str, bool]
#: One network with two branches: on the training photos alone, and on the validation photos, too.
_BRANCHES_1020, _BRANCHES = "efficientnet_lite0_1020_joined", "efficientnet_lite0_joined"
#: The same, learnt from all photos but one half of the test photos, which judge it: the default's network.
_BRANCHES_HALF = "all_but_half_0_joined"
_SMALL = "small and off-centre"
_FORMAT = "int8"


def doubt_goals_note(records: Sequence[RunRecord]) -> str:
    """What the table shows, and what the misses have in common."""
    tests = {record.name: record.metrics.get(_FORMAT, {}).get("test") for record in records}
    alone, together, branches = (tests.get(name) for name in (BASE, "ensemble", _BRANCHES_1020))
    why = (
        f"Of 1020 photos three kinds of networks learn to name {percent(together.top1)} % of the test photos rightly "
        f"together, the best of them alone {percent(alone.top1)} %. Teaching one network by two others, larger inputs "
        "and a larger EfficientNet-Lite did not bring that into one (docs/TRAINING.md); a branch for each of two kinds "
        f"of views, and twice as many epochs, bring {percent(branches.top1)} %. "
        if alone and together and branches
        else ""
    )
    half = (
        f"{_BRANCHES_HALF} is the default's network without one half of the test photos, and is measured on that half, "
        "its confidence by cross-fitting. "
        if any(record.name == _BRANCHES_HALF for record in records)
        else ""
    )
    return (
        "Targets for accuracy on photos as people take them, and for honesty about each, on test photos in INT8 from "
        f"one look, and on other people's photos of its flowers. {half}{why}How many answers can be given without "
        "doubt depends on that accuracy. A set always holds the answer, so on clean photos it covers more than was "
        "asked for where more of the answers are right."
    )


def doubt_goals_table(records: Sequence[RunRecord], near: Sequence[NearNoveltyRecord]) -> str:
    """A row for each target; "" where nothing was measured.

    Args:
        records: of all runs.
        near: what was measured with flowers that were left out of training.
    """
    by_name = {record.name: record for record in records}
    found = [
        *((name, row) for name in (BASE, _BRANCHES_1020) for row in _accuracy(by_name.get(name), "test", 0.946, None)),
        *((_BRANCHES, row) for row in _people(by_name.get(_BRANCHES), "test")),
        *((_BRANCHES_HALF, row) for row in _people(by_name.get(_BRANCHES_HALF), "validation")),
        *((DEFAULT_BUNDLE, row) for row in _external(by_name.get(DEFAULT_BUNDLE))),
        *((_trainings(record), row) for record in near if record.protocol == "trained" for row in _near(record)),
    ]
    rows = [(name, what, target, reached, "yes" if met else "no") for name, (what, target, reached, met) in found]
    return table(("model", "figure", "target", "reached", "met"), rows) if rows else ""


def _trainings(record: NearNoveltyRecord) -> str:
    return f"{len(record.draws)} trainings without some flowers"


def _accuracy(record: RunRecord | None, split: str, top1: float, balanced: float | None) -> Iterator[_Row]:
    found = record.metrics.get(_FORMAT, {}).get(split) if record else None
    if record is None or found is None:
        return
    photos = f"learnt from {record.training.photos} photos"
    yield _least(f"{photos}: top-1", top1, found.top1)
    if balanced is not None:
        yield _least(f"{photos}: balanced accuracy", balanced, found.balanced_accuracy)


def _people(record: RunRecord | None, split: str) -> Iterator[_Row]:
    if record is None:
        return
    yield from _accuracy(record, split, 0.973, 0.98)
    corrupted = record.corruptions.get(_FORMAT, {}).get(split)
    if corrupted is not None:
        yield _least("corrupted: top-1, mean over the corruptions", 0.92, corrupted.mean)
        yield _least("corrupted: top-1, small and off-centre", 0.75, corrupted.top1[_SMALL])
    if record.confidence is None:
        return
    kinds = record.confidence.figures.get(split, {})
    for kind, ece in (("clean", 0.01), ("corrupted", 0.015)):
        if kind in kinds:
            yield from _calibration(kind, kinds[kind], ece)
    if "clean" in kinds:
        clean = kinds["clean"]
        yield _least("sure, of all answers", 0.92, clean.sure)
        yield _least("right, of the sure ones", 0.995, clean.sure_top1 or 0.0)
        covers = abs(clean.set_coverage - 0.95) <= 0.01
        yield "clean: sets hold the true class", "95 ± 1", percent(clean.set_coverage), covers
        yield "clean: classes in a set, mean", "≤ 1.6", f"{clean.set_size:.2f}", clean.set_size <= 1.6
    if "corrupted" in kinds:
        yield _least("corrupted: sets hold the true class", 0.93, kinds["corrupted"].set_coverage)
    for figures in record.confidence.novelty_figures.values():
        score = figures.scores["familiarity"]
        yield _least("no flower: AUROC", 0.995, score.auroc)
        yield _most("no flower: FPR at 95 % TPR", 0.02, score.fpr)
        sure = figures.others_sure
        yield f"no flower: named without doubt, of {figures.others}", "≤ 1", str(sure), sure <= 1


def _external(record: RunRecord | None) -> Iterator[_Row]:
    if record is None:
        return
    for looks, found in (("one look", record.external), ("all looks", record.external_looks)):
        if found is not None:
            flowers = found.flowers
            wrong = flowers.high_confidence_errors / flowers.photos
            yield _least(f"{flowers.photos} external flowers, {looks}: top-1", 0.70, flowers.top1)
            yield _least(f"{flowers.photos} external flowers, {looks}: top-5", 0.88, flowers.top5)
            yield f"{flowers.photos} external flowers, {looks}: wrong at 90 %", "< 1.00", percent(wrong), wrong < 0.01


def _calibration(kind: str, figures: ConfidenceFigures, ece: float) -> Iterator[_Row]:
    yield _most(f"{kind}: ECE", ece, figures.ece)
    low, high = 1000 * figures.aurc_gain_low, 1000 * figures.aurc_gain_high
    better = f"{kind}: AURC below that of the top probability, interval in thousandths"
    yield better, "above 0", f"{low:.2f} to {high:.2f}", low > 0


def _near(record: NearNoveltyRecord) -> Iterator[_Row]:
    chosen = record.chosen
    if chosen is None:
        return
    found = [draw.scores[chosen] for draw in record.draws]
    yield _least("flowers left out of training: AUROC", 0.93, sum(one.auroc for one in found) / len(found))
    yield _most("flowers left out of training: FPR at 95 % TPR", 0.30, sum(one.fpr for one in found) / len(found))


def _least(what: str, target: float, reached: float) -> _Row:
    return what, f"≥ {percent(target)}", percent(reached), reached >= target


def _most(what: str, target: float, reached: float) -> _Row:
    return what, f"≤ {percent(target)}", percent(reached), reached <= target
