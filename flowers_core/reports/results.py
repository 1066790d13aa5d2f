"""`results.md` and the README's table, made from the records in the bundles: no number is typed by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from flowers_core.data.audit.near_duplicates import near_duplicate_rules
from flowers_core.errors import FlowersError
from flowers_core.inference.records.metrics import Accuracy
from flowers_core.inference.records.near_novelty import NearNoveltyRecord
from flowers_core.reports.ablation import ablation_note, ablation_table
from flowers_core.reports.confidence import (
    confidence_note,
    confidence_table,
    novelty_note,
    novelty_sentences,
    novelty_table,
)
from flowers_core.reports.corruptions import corruptions_note, corruptions_table
from flowers_core.reports.default_method import default_sentence
from flowers_core.reports.doubt_goals import doubt_goals_note, doubt_goals_table
from flowers_core.reports.explanation_goals import explanation_goals_note, explanation_goals_table
from flowers_core.reports.explanations import explanations_note, explanations_table, off_centre_sentence
from flowers_core.reports.exports import ExportRecord, exports_note, exports_table
from flowers_core.reports.external import external_note, external_table
from flowers_core.reports.goals import goals_table
from flowers_core.reports.held_out_halves import held_out_halves_note, held_out_halves_table
from flowers_core.reports.large_galleries import LargeGalleryRecord, large_galleries_text
from flowers_core.reports.lime import lime_note, lime_sentence, lime_table
from flowers_core.reports.multi_crop import multi_crop_text
from flowers_core.reports.near_novelty import near_novelty_note, near_novelty_table
from flowers_core.reports.own_photos import TrainedOnPhotos, own_photos_note, own_photos_table
from flowers_core.reports.published import PUBLISHED, published_table
from flowers_core.reports.representers import representers_note, representers_table
from flowers_core.reports.run_records import RunRecord, evaluated
from flowers_core.reports.several_photos import several_photos_note, several_photos_table
from flowers_core.reports.speed import speed_note, speed_table
from flowers_core.reports.tables import megabytes, percent, percent_or_dash, table
from flowers_core.reports.teaching import teaching_note, teaching_table
from flowers_core.reports.training_speed import TrainingSpeed, training_speed_text

README_BEGINS, README_ENDS = "<!-- results begin -->", "<!-- results end -->"


class ResultsError(FlowersError):
    """A document that has no place for a table; the message says what is missing."""


def results_document(
    records: Sequence[RunRecord],
    speed: TrainingSpeed | None = None,
    near: tuple[NearNoveltyRecord, ...] = (),
    exports: ExportRecord | None = None,
    large: LargeGalleryRecord | None = None,
    own_photos: Mapping[str, Mapping[str, TrainedOnPhotos]] | None = None,
) -> str:
    """The whole of `results.md`.

    Args:
        records: every run on record, the shipped ones first.
        speed: of training, where it was measured.
        near: what was measured with flowers that were left out of training.
        exports: how exported models answer, where it was measured.
        large: what galleries of very many photos take, likewise.
        own_photos: data set → way of training → result.
    """
    shipped = [record for record in records if record.shipped]
    parts = [
        "# Results",
        "`flowers write_results` makes this page from the records of all runs; do not edit it. Where a "
        "section says nothing else, its photos are those of the official splits of the Oxford 102 Category Flower "
        "Dataset. Accuracies and calibration errors are in per cent. "
        "*Top-1* weights every photo alike. *Balanced accuracy* is the mean recall over the classes. The command that "
        "made each run is at the end.",
        "## Test split",
        split_table(shipped),
        "*Top-1 without exact duplicates* leaves out test photos whose file is, byte for byte, a training or "
        f"validation photo too. {near_duplicates_note(records)}"
        "*ECE* is the expected calibration error in 15 bins. Its temperature is fitted to validation photos, clean and "
        "corrupted, so the probabilities of clean photos are too low rather than those of corrupted photos too high. "
        "*ECE uncalibrated* is without temperature scaling. *Agreement* is the fraction of photos with the same "
        "prediction as the model's first row.",
        "Runs whose models are not shipped:",
        split_table([record for record in records if not record.shipped]),
        "## Goals",
        "The targets that this project set itself on the test split, and what it reached.",
        goals_table(records),
        "## Validation split",
        "Every choice was made on these photos, with models that had not learnt from them.",
        validation_table(records),
        "## Corrupted photos",
        corruptions_note(),
        corruptions_table(records),
        *(["## External photos", external_note(), external] if (external := external_table(records)) else []),
        *(
            ["## Learning from the test photos too", held_out_halves_note(), halves, *map(_sibling_sentence, records)]
            if (halves := held_out_halves_table(records))
            else []
        ),
        *(["## Multi-crop", crops] if (crops := multi_crop_text(records)) else []),
        *(
            ["## Several photos of one plant", several_photos_note(), plants]
            if (plants := several_photos_table(records))
            else []
        ),
        *(["## Confidence", confidence_note(records), confidence] if (confidence := confidence_table(records)) else []),
        *(
            ["## Photos without a flower", novelty_note(), scores, novelty_sentences(records)]
            if (scores := novelty_table(records))
            else []
        ),
        *(
            ["## People’s photos and doubt: targets", doubt_goals_note(records), wanted]
            if (wanted := doubt_goals_table(records, near))
            else []
        ),
        *(["## Teaching", teaching_note(), lessons] if (lessons := teaching_table(records)) else []),
        *(
            ["## Flowers left out of training", near_novelty_note(near), left]
            if (left := near_novelty_table(near))
            else []
        ),
        *(["## Speed and memory", speed_note(), speeds] if (speeds := speed_table(shipped)) else []),
        *(
            ["## On phones, in browsers, in other runtimes", exports_note(exports), exports_table(exports)]
            if exports
            else []
        ),
        *(["## Large galleries", large_galleries_text(large)] if large else []),
        *(["## Training on two cores", training_speed_text(speed)] if speed else []),
        *(
            ["## Training on photos of one’s own", own_photos_note(), own_photos_table(own_photos)]
            if own_photos
            else []
        ),
        *_explanations(records),
        *_lime(records),
        *(
            ["## Training photos that decided", representers_note(), shares]
            if (shares := representers_table(records))
            else []
        ),
        *(
            ["## Explanations: targets", explanation_goals_note(), goals]
            if (goals := explanation_goals_table(records))
            else []
        ),
        "## Ablations of the recipe",
        ablation_note(records),
        ablation_table(records),
        "## Published figures",
        "The figures of the student project that this one grew from, on the same split with 1020 training photos, and "
        "those of this project's runs of the same networks and of the same recipe. Here InceptionV3 ends at its block "
        "mixed8. *Frozen* is after head warm-up, before any other layer learns. *Same recipe* has both phases "
        "(`flowers train --recipe published`). Its learning rates stay below the upper bounds of range tests, and its "
        "number of epochs is this project's own, since neither was published.",
        published_table(records),
        "## How each run was made",
        *(_recipe(record) for record in records),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sibling_sentence(record: RunRecord) -> str:
    if not record.sibling:
        return ""
    return (
        f"**{record.name}** has learnt from all {record.training.photos} photos. On photos of the data set it has no "
        f"figures of its own; those of {record.sibling} stand for it, the same network without the test photos."
    )


def _explanations(records: Sequence[RunRecord]) -> list[str]:
    """The section on explanations; empty where no model's were evaluated."""
    parts = []
    for record in records:
        if record.explanations is not None:
            summary = f"**{record.name}**, INT8. {default_sentence(record.explanations)}"
            parts += [summary, explanations_table(record.explanations)]
        if record.off_centre is not None:
            parts += [off_centre_sentence(record.name, record.off_centre), explanations_table(record.off_centre)]
    return ["## Explanation methods", explanations_note(), *parts] if parts else []


def _lime(records: Sequence[RunRecord]) -> list[str]:
    """The section on LIME; empty where it was not measured."""
    measured = [record.lime for record in records if record.lime is not None]
    parts = [part for lime in measured for part in (lime_sentence(lime), lime_table(lime))]
    return ["## LIME against the package", lime_note(), *parts] if parts else []


def readme_table(records: Sequence[RunRecord]) -> str:
    """The README's table: the shipped models, and the best published INT8 model."""
    best = max((row for row in PUBLISHED if row.numeric_format == "int8"), key=lambda row: row.unfrozen)
    rows = [
        (
            record.name,
            numeric_format,
            megabytes(record.model_bytes[numeric_format]),
            str(record.training.photos),
            percent(figures["test"].top1),
            percent(figures["test"].balanced_accuracy),
        )
        for record in records
        if record.shipped
        for numeric_format, figures in evaluated(record)
    ]
    published = (f"{best.model}, published", best.numeric_format, f"{best.megabytes:.1f}", "1020")
    rows.append((*published, percent(best.unfrozen), "—"))
    return table(("model", "format", "MB", "training photos", "top-1", "balanced accuracy"), rows)


def with_table(document: str, rows: str) -> str:
    """A document with the table between its two markers replaced.

    Args:
        document: Markdown with `README_BEGINS` and, behind it, `README_ENDS`.
        rows: the new table.

    Raises:
        ResultsError: a marker is missing.
    """
    before, begins, rest = document.partition(README_BEGINS)
    _, ends, after = rest.partition(README_ENDS)
    if not begins or not ends:
        raise ResultsError(f"The document has no place for the table: {README_BEGINS} … {README_ENDS}.")
    return f"{before}{README_BEGINS}\n{rows}\n{README_ENDS}{after}"


def near_duplicates_note(records: Sequence[RunRecord]) -> str:
    """What the column without near-duplicates leaves out; "" where no record has the column."""
    rules = near_duplicate_rules(
        asdict(alone.rule)
        for record in records
        for _, figures in evaluated(record)
        if (alone := figures["test"].without_near_duplicates)
    )
    note = "*Top-1 without near-duplicates* also leaves out test photos with a near copy in those splits."
    return f"{note} {rules} " if rules else ""


def split_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and numeric format on the test photos; "" where there is none."""
    tests = [
        (record, numeric_format, figures["test"]) for record in records for numeric_format, figures in evaluated(record)
    ]
    near = any(test.without_near_duplicates for _, _, test in tests)
    rows = [
        (
            record.name,
            numeric_format,
            megabytes(record.model_bytes[numeric_format]),
            str(record.training.photos),
            percent(test.top1),
            percent(test.balanced_accuracy),
            percent(test.top5),
            _top1_of(test.without_duplicates),
            *([_top1_of(test.without_near_duplicates)] if near else []),
            percent(test.ece),
            percent_or_dash(test.ece_uncalibrated),
            percent_or_dash(test.agreement),
        )
        for record, numeric_format, test in tests
    ]
    header = (
        *("model", "format", "MB", "training photos", "top-1", "balanced accuracy", "top-5"),
        "top-1 without exact duplicates",
        *(["top-1 without near-duplicates"] if near else []),
        *("ECE", "ECE uncalibrated", "agreement"),
    )
    return table(header, rows) if rows else ""


def validation_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and numeric format on the validation photos, except for models that were trained on them."""
    rows = [
        (
            record.name,
            numeric_format,
            percent(figures["validation"].top1),
            percent(figures["validation"].top5),
        )
        for record in records
        if "validation" not in record.training.splits
        for numeric_format, figures in evaluated(record)
    ]
    return table(("model", "format", "top-1", "top-5"), rows)


def _recipe(record: RunRecord) -> str:
    training = record.training
    seeded = "no seed, since nothing is random" if training.seed is None else f"seed {training.seed}"
    pixels = "" if record.size is None else f"{record.size} × {record.size} pixels, "
    members = "".join(f"; {name} by `{command.line()}`" for name, command in training.member_commands.items())
    splits = " + ".join(training.splits) + _but(training.held_out_half)
    return (
        f"**{record.name}** — {training.method} on {training.photos} photos ({splits}), "
        f"{pixels}{seeded}: `{training.command.line()}`{members}"
    )


def _but(held_out_half: int | None) -> str:
    return "" if held_out_half is None else f", but half {held_out_half} of the test photos"


def _top1_of(figures: Accuracy | None) -> str:
    return percent(figures.top1) if figures else "—"
