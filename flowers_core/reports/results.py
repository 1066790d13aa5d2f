"""The tables of `results.md` and of the README, made from the records in the bundles: no number is typed by hand."""

from collections.abc import Sequence
from dataclasses import asdict

from flowers_core.data.audit.near_duplicates import near_duplicate_rule
from flowers_core.errors import FlowersError
from flowers_core.inference.records.metrics import Accuracy
from flowers_core.reports.ablation import ablation_note, ablation_table
from flowers_core.reports.confidence import (
    confidence_note,
    confidence_table,
    novelty_note,
    novelty_sentences,
    novelty_table,
)
from flowers_core.reports.corruptions import robustness_note, robustness_table
from flowers_core.reports.default_method import default_sentence
from flowers_core.reports.explanations import explanations_note, explanations_table
from flowers_core.reports.external import outside_note, outside_table
from flowers_core.reports.goals import goals_table
from flowers_core.reports.lime import lime_note, lime_sentence, lime_table
from flowers_core.reports.multi_crop import multi_crop_note, multi_crop_table
from flowers_core.reports.published import PUBLISHED, published_table
from flowers_core.reports.run_records import RunRecord, evaluated
from flowers_core.reports.speed import speed_note, speed_table
from flowers_core.reports.tables import megabytes, percent, percent_or_dash, table
from flowers_core.reports.training_speed import TrainingSpeed, training_speed_text

README_BEGINS, README_ENDS = "<!-- results begin -->", "<!-- results end -->"


class ResultsError(FlowersError):
    """A document or record that the tables cannot be made from; the message says what is missing."""


def results_document(records: Sequence[RunRecord], speed: TrainingSpeed | None = None) -> str:
    """The whole of `results.md` for the runs that are on record; speed: of training, where that was measured."""
    shipped = [record for record in records if record.shipped]
    parts = [
        "# Results",
        "Made from the bundles' and the other runs' records by `flowers write_results`; edited by nobody. "
        "Official split of the Oxford 102 Category Flower Dataset: top-1 counts every photo alike, *per class* is the "
        "mean of the classes' recalls. The line that made each run is at the end.",
        "## Test split",
        split_table(shipped),
        "*Top-1 alone* leaves out the test photos whose file is also, byte for byte, a training or validation photo. "
        f"{near_copies_note(records)}"
        "*ECE* is the expected calibration error in 15 bins, with the temperature fitted on the validation photos as "
        "they are and spoilt as people's are: stated probabilities are too modest here rather than too bold there. "
        "*Raw* is without it. *Agreement* is the share of photos that get the same answer as from the model's first "
        "row.",
        "Runs whose models are not shipped:",
        split_table([record for record in records if not record.shipped]),
        "## Aims",
        "What this project set out to reach on the test split, and what it reached.",
        goals_table(records),
        "## Validation split",
        "Every choice was made on these photos, by models that had not learnt from them.",
        validation_table(records),
        "## Photos as people take them",
        robustness_note(),
        robustness_table(records),
        *(["## Photos from outside", outside_note(), outside] if (outside := outside_table(records)) else []),
        *(["## A closer look", multi_crop_note(), closer] if (closer := multi_crop_table(shipped)) else []),
        *(["## Confidence", confidence_note(), confidence] if (confidence := confidence_table(shipped)) else []),
        *(
            ["## What is no flower", novelty_note(), scores, novelty_sentences(shipped)]
            if (scores := novelty_table(shipped))
            else []
        ),
        *(["## Speed and memory", speed_note(), speeds] if (speeds := speed_table(shipped)) else []),
        *(["## Training on two cores", training_speed_text(speed)] if speed else []),
        *_explanations(shipped),
        *_lime(shipped),
        "## What each part of the recipe is worth",
        ablation_note(records),
        ablation_table(records),
        "## Published before",
        "The student project that this one grew from, same split, 1020 training photos, and this project's runs of the "
        "same networks, and of others by the same recipe. InceptionV3 is cut at its block mixed8 here. *Frozen*: the "
        "head alone has learnt. *Same recipe* is both its phases (`flowers train --recipe published`), with learning "
        "rates below the upper bounds of range tests, and with epochs of this project's own: neither was published.",
        published_table(records),
        "## How each run was made",
        *(_recipe(record) for record in records),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _explanations(records: Sequence[RunRecord]) -> list[str]:
    """The section on explanations; nothing where no model's were evaluated."""
    parts = []
    for record in records:
        if record.explanations is not None:
            told = f"**{record.name}**, INT8. {default_sentence(record.explanations)}"
            parts += [told, explanations_table(record.explanations)]
    return ["## Which explanation to trust", explanations_note(), *parts] if parts else []


def _lime(records: Sequence[RunRecord]) -> list[str]:
    """The section on LIME; nothing where it was not measured."""
    measured = [record.lime for record in records if record.lime is not None]
    told = [part for lime in measured for part in (lime_sentence(lime), lime_table(lime))]
    return ["## LIME against the package", lime_note(), *told] if told else []


def readme_table(records: Sequence[RunRecord]) -> str:
    """The short table for the README: the models shipped, and the best published one."""
    best = max((row for row in PUBLISHED if row.precision == "int8"), key=lambda row: row.after)
    rows = [
        (
            record.name,
            precision,
            megabytes(record.model_bytes[precision]),
            str(record.training.photos),
            percent(figures["test"].top1),
            percent(figures["test"].balanced_accuracy),
        )
        for record in records
        if record.shipped
        for precision, figures in evaluated(record)
    ]
    rows.append((f"{best.model}, published", best.precision, f"{best.megabytes:.1f}", "1020", percent(best.after), "—"))
    return table(("model", "precision", "MB", "training photos", "top-1", "per class"), rows)


def with_table(document: str, rows: str) -> str:
    """A document with the table between its two markers replaced. Raises ResultsError when it has no such place."""
    before, begins, rest = document.partition(README_BEGINS)
    _, ends, after = rest.partition(README_ENDS)
    if not begins or not ends:
        raise ResultsError(f"The document has no place for the table: {README_BEGINS} … {README_ENDS}.")
    return f"{before}{README_BEGINS}\n{rows}\n{README_ENDS}{after}"


def near_copies_note(records: Sequence[RunRecord]) -> str:
    """What the column without near copies leaves out; nothing where no record has it."""
    rules = {
        near_duplicate_rule(asdict(alone.rule)): None
        for record in records
        for _, figures in evaluated(record)
        if (alone := figures["test"].without_near_duplicates)
    }
    return f"*No near copy* leaves out those too that have a near copy there. {' '.join(rules)} " if rules else ""


def split_table(records: Sequence[RunRecord]) -> str:
    """Every model and precision on the test photos; nothing where there is none."""
    tests = [(record, precision, figures["test"]) for record in records for precision, figures in evaluated(record)]
    near = any(test.without_near_duplicates for _, _, test in tests)
    rows = [
        (
            record.name,
            precision,
            megabytes(record.model_bytes[precision]),
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
        for record, precision, test in tests
    ]
    header = ("model", "precision", "MB", "training photos", "top-1", "per class", "top-5", "top-1 alone")
    last = ("ECE", "raw", "agreement")
    return table((*header, *(["no near copy"] if near else []), *last), rows) if rows else ""


def validation_table(records: Sequence[RunRecord]) -> str:
    """Every model and precision on the validation photos; none for a model that was trained on them."""
    rows = [
        (
            record.name,
            precision,
            percent(figures["validation"].top1),
            percent(figures["validation"].top5),
        )
        for record in records
        if "validation" not in record.training.splits
        for precision, figures in evaluated(record)
    ]
    return table(("model", "precision", "top-1", "top-5"), rows)


def _recipe(record: RunRecord) -> str:
    training = record.training
    seeded = "no seed: nothing is drawn at random" if training.seed is None else f"seed {training.seed}"
    pixels = "" if record.size is None else f"{record.size} × {record.size} pixels, "
    members = "".join(f"; {name} by `{command.line()}`" for name, command in training.member_commands.items())
    return (
        f"**{record.name}** — {training.method} on {training.photos} photos "
        f"({' + '.join(training.splits)}), {pixels}{seeded}: `{training.command.line()}`{members}"
    )


def _top1_of(figures: Accuracy | None) -> str:
    return percent(figures.top1) if figures else "—"
