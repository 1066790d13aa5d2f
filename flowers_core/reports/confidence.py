"""The tables of `results.md` on confidence and on novelty detection: flowers against pictures without one."""

from collections.abc import Sequence

from flowers_core.inference.records.confidence import ConfidenceFigures, DetectionFigures
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

SCORES = {
    "max_probability": "top probability",
    "energy": "energy (log-sum-exp)",
    "fdbd": "fDBD (arXiv 2312.11536)",
    "cosine": "cosine with the class",
    "fdbd_cosine": "fDBD times cosine with the class",
    "cosine_probability": "cosine with the class and top probability",
    "knn": "fifth nearest photo (arXiv 2204.06507)",
    "prototype_distance": "distance from the prototype",
    "familiarity": "distance and top probability",
    "confidence": "confidence",
}


def confidence_note(records: Sequence[RunRecord]) -> str:
    """What the table of confidence shows, to what the rules of the records were fitted, and the targets."""
    others = {r.name: r.confidence.source.others for r in records if r.confidence and r.confidence.figures}
    fewest, most = min(others.values(), default=0), max(others.values(), default=0)
    with_photos = " and ".join(name for name, count in others.items() if count > fewest)
    real = f", and for {with_photos} to {most - fewest} real photos without a flower" if with_photos else ""
    return (
        "*Confidence* is the probability that an answer is right, estimated from a single INT8 pass (`flowers "
        "fit_confidence`): from the margin and the log-odds of the logits, from where the photo lies among the "
        "classes' training photos, and from the most confident position of the feature map. It is fitted to "
        f"validation photos, clean and corrupted, to drawn pictures and to crops of sample pictures{real}. A model "
        "that has learnt the validation photos too takes the rules of its counterpart as they are. The test photos "
        "are read for this table alone, once, but for efficientnet_lite0_far: there a first reading, with signals "
        "standardized by each network's own training photos, had shown an ECE of 1.70 clean and 4.19 corrupted, far "
        "too confident, so its row is not blind. Rows of validation photos are cross-fitted: each half of them is "
        "judged by rules fitted to the other half. A model that has learnt half of the test photos has the other "
        "half for validation. *Temperature* columns have the same figure for the top probability after temperature "
        "scaling. *AURC* is the area under the risk–coverage curve, in thousandths. *AURC gain* is the 95 % "
        "bootstrap interval of its decrease. *Sure* is the fraction of answers given without doubt, and *right* the "
        "fraction of these that are right. A prediction set holds the answer and the classes that it may be "
        "confused with. The corrupted photos are a sample of ten a class, each under some of the fourteen "
        "corruptions. Targets: ECE of at most 1.0 clean and 1.5 corrupted; sure of 92 % of the test photos and "
        "right on 99.5 % of these; sets that hold the true class on 95 ± 1 % clean and on 93 % corrupted, of at "
        "most 1.6 classes."
    )


def confidence_table(records: Sequence[RunRecord]) -> str:
    """A row for each model, split and kind of photo; "" where none was measured."""
    rows = [
        (record.name, f"{split}, {kind}", *_confidence_cells(figures))
        for record in records
        if record.confidence
        for split, kinds in record.confidence.figures.items()
        for kind, figures in kinds.items()
    ]
    header = (
        *("model", "photos", "count", "top-1", "ECE", "ECE, temperature", "AURC", "AURC, temperature", "AURC gain"),
        *("sure", "right", "set coverage", "set size"),
    )
    return table(header, rows) if rows else ""


def novelty_note() -> str:
    """What the table of novelty scores shows, and the targets."""
    return (
        "How well a score separates clean test photos from photos that show no flower. The latter are external photos "
        "(`flowers study download_external`), and nothing was fitted to them. The rule that combines distance and top "
        "probability was chosen on validation photos against drawn pictures and crops of sample pictures. *FPR* is "
        "the fraction of photos without a flower that pass at the threshold that 95 % of the flowers pass. Brackets "
        "hold 95 % bootstrap intervals. Targets: AUROC of at least 99.5, FPR of at most 2, and at most one photo "
        "without a flower named without doubt."
    )


def novelty_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and score; "" where none was measured."""
    rows = [
        (record.name, SCORES.get(name, name), str(found.known), str(found.others), *_detection_cells(figures))
        for record in records
        if record.confidence
        for found in record.confidence.novelty_figures.values()
        for name, figures in found.scores.items()
    ]
    return table(("model", "score", "flowers", "no flower", "AUROC", "FPR at 95 % TPR"), rows) if rows else ""


def novelty_sentences(records: Sequence[RunRecord]) -> str:
    """How many pictures without a flower each model names without doubt, and how many its rule rejects."""
    return " ".join(
        f"{record.name} names {found.others_sure} of the {found.others} without doubt. To its rule, "
        f"{found.others_flagged} look like none of the flowers, as do "
        f"{percent(1 - record.confidence.novelty.accepted)} % of the validation photos."
        for record in records
        if record.confidence
        for found in record.confidence.novelty_figures.values()
    )


def _confidence_cells(figures: ConfidenceFigures) -> tuple[str, ...]:
    return (
        str(figures.photos),
        percent(figures.top1),
        percent(figures.ece),
        percent(figures.ece_temperature),
        f"{1000 * figures.aurc:.2f}",
        f"{1000 * figures.aurc_temperature:.2f}",
        f"{1000 * figures.aurc_gain_low:.2f} to {1000 * figures.aurc_gain_high:.2f}",
        percent(figures.sure),
        "—" if figures.sure_top1 is None else percent(figures.sure_top1),
        percent(figures.set_coverage),
        f"{figures.set_size:.2f}",
    )


def _detection_cells(figures: DetectionFigures) -> tuple[str, str]:
    return (
        f"{percent(figures.auroc)} ({percent(figures.auroc_low)} to {percent(figures.auroc_high)})",
        f"{percent(figures.fpr)} ({percent(figures.fpr_low)} to {percent(figures.fpr_high)})",
    )
