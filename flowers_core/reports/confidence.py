"""The tables of `results.md` on confidence, and on telling flowers from what is none."""

from collections.abc import Sequence

from flowers_core.inference.records.confidence import ConfidenceFigures, DetectionFigures
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

_SCORES = {
    "max_probability": "top probability",
    "energy": "energy (log-sum-exp)",
    "fdbd": "fDBD (arXiv 2312.11536)",
    "prototype_distance": "distance from the prototype",
    "familiarity": "distance and top probability",
    "confidence": "confidence",
}


def confidence_note() -> str:
    """What the table of confidence shows, and what was aimed at."""
    return (
        "The probability that an answer is right, from all that one INT8 pass tells (`flowers fit_confidence`): margin "
        "and log-odds of the logits, where the photo lies among the classes' training photos, and the surest position "
        "of the feature map. It is fitted to validation photos, as they are and corrupted, and to drawn pictures and "
        "crops of sample pictures; test photos are read once, for this table. *One temperature* is the top "
        "probability as it was calibrated before. *AURC* is the area under risk against coverage, in thousandths; "
        "*gain* the 95 % bootstrap interval of how much smaller it is. *Sure* are answers given without doubt. A *set* "
        "holds the answer and the classes that it may be confused with. Corrupted photos are a sample of ten a class, "
        "each under some of the fourteen corruptions. Aims: ECE of at most 1.0 clean and 1.5 corrupted; sure of 92 % "
        "of the test photos and right on 99.5 % of these; sets that hold the true class on 95 ± 1 % clean and on 93 % "
        "corrupted, of at most 1.6 classes."
    )


def confidence_table(records: Sequence[RunRecord]) -> str:
    """A row for each model, split and kind of photo; nothing where none was measured."""
    rows = [
        (record.name, f"{split}, {kind}", *_confidence_cells(figures))
        for record in records
        if record.confidence
        for split, kinds in record.confidence.figures.items()
        for kind, figures in kinds.items()
    ]
    header = (
        *("model", "photos", "number", "top-1", "ECE", "one temperature", "AURC", "one temperature", "gain"),
        *("sure", "right", "set holds", "set size"),
    )
    return table(header, rows) if rows else ""


def novelty_note() -> str:
    """What the table of scores shows, and what was aimed at."""
    return (
        "How well a score tells clean test photos from photos that show no flower. The latter are the external ones "
        "(`flowers study download_external`), to which nothing was fitted; the rule that joins distance and top "
        "probability was chosen on validation photos against drawn pictures and crops of sample pictures. *FPR* is "
        "the share of them that passes where 95 % of the flowers do. In brackets 95 % bootstrap intervals. Aims: AUROC "
        "of at least 99.5, FPR of at most 2, and at most one of them named without doubt."
    )


def novelty_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and score; nothing where none was measured."""
    rows = [
        (record.name, _SCORES.get(name, name), str(found.known), str(found.others), *_detection_cells(figures))
        for record in records
        if record.confidence
        for found in record.confidence.novelty_figures.values()
        for name, figures in found.scores.items()
    ]
    return table(("model", "score", "flowers", "others", "AUROC", "FPR at 95 % TPR"), rows) if rows else ""


def novelty_sentences(records: Sequence[RunRecord]) -> str:
    """How many pictures without a flower each model names without doubt, and how many it knows for what they are."""
    return " ".join(
        f"{record.name} names {found.others_sure} of the {found.others} without doubt; {found.others_flagged} look to "
        f"it like none of the flowers, as do {percent(1 - record.confidence.novelty.accepted)} % of the validation "
        "photos."
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
