"""The tables of `results.md` and of the README, made from the records in the bundles: no number is typed by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowers_core.bundle import PRECISIONS, Bundle

README_BEGINS, README_ENDS = "<!-- results begin -->", "<!-- results end -->"


class ResultsError(ValueError):
    """A document or record that the tables cannot be made from; the message says what is missing."""


@dataclass(frozen=True)
class Published:
    """A figure of the student project that this one grew from: top-1 on the official test split, 1020 training photos.

    before, after: without and with the last layers unfrozen. megabytes: of the file, where it was given.
    """

    model: str
    precision: str
    before: float | None
    after: float
    megabytes: float | None = None


PUBLISHED = (
    Published("VGG16", "Keras", 0.8037, 0.8291),
    Published("ResNet50", "Keras", 0.7441, 0.8446),
    Published("InceptionV3", "Keras", 0.8333, 0.8614, 80.6),
    Published("InceptionV3", "float32", None, 0.8614, 42.2),
    Published("InceptionV3", "float16", None, 0.8612, 21.1),
    Published("InceptionV3", "int8", None, 0.8611, 10.9),
)


def results_document(bundles: Sequence[Bundle]) -> str:
    """The whole of `results.md` for the bundles that are at hand."""
    parts = [
        "# Results",
        "Made from the bundles' records by `python -m scripts.write_results`; edited by nobody. Official split of the "
        "Oxford 102 Category Flower Dataset: top-1 counts every photo alike, *per class* is the mean of the classes' "
        "recalls.",
        "## Test split",
        split_table(bundles),
        "*Top-1 alone* leaves out the test photos whose file is also, byte for byte, a training or validation photo. "
        "*ECE* is the expected calibration error in 15 bins, with the temperature fitted on the validation photos, and "
        "*raw* without it. *Agreement* is the share of photos that get the same answer as from the model's first row.",
        "## Validation split",
        "Every choice was made on these photos.",
        validation_table(bundles),
        "## Published before",
        "The student project that this one grew from, same split, 1020 training photos.",
        published_table(),
        "## How each model was made",
        *(_recipe(bundle) for bundle in bundles),
    ]
    return "\n\n".join(parts) + "\n"


def readme_table(bundles: Sequence[Bundle]) -> str:
    """The short table for the README: the models shipped, and the best published one."""
    best = max((row for row in PUBLISHED if row.precision == "int8"), key=lambda row: row.after)
    rows = [
        (
            bundle.name,
            precision,
            _megabytes(bundle.manifest["model_bytes"][precision]),
            str(bundle.manifest["training"]["training_images"]),
            percent(figures["test"]["top1"]),
            percent(figures["test"]["per_class"]),
        )
        for bundle in bundles
        for precision, figures in _evaluated(bundle)
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


def split_table(bundles: Sequence[Bundle]) -> str:
    """Every model and precision on the test photos."""
    rows = [
        (
            bundle.name,
            precision,
            _megabytes(bundle.manifest["model_bytes"][precision]),
            str(bundle.manifest["training"]["training_images"]),
            percent(test["top1"]),
            percent(test["per_class"]),
            percent(test["top5"]),
            percent(test["without_duplicates"]["top1"]),
            percent(test["ece"]),
            percent(test["ece_uncalibrated"]),
            percent(test["agreement"]),
        )
        for bundle in bundles
        for precision, figures in _evaluated(bundle)
        for test in [figures["test"]]
    ]
    header = ("model", "precision", "MB", "training photos", "top-1", "per class", "top-5", "top-1 alone", "ECE", "raw")
    return table((*header, "agreement"), rows)


def validation_table(bundles: Sequence[Bundle]) -> str:
    """Every model and precision on the validation photos; none for a model that was trained on them."""
    rows = [
        (
            bundle.name,
            precision,
            percent(figures["validation"]["top1"]),
            percent(figures["validation"]["top5"]),
        )
        for bundle in bundles
        if "validation" not in bundle.manifest["training"]["splits"]
        for precision, figures in _evaluated(bundle)
    ]
    return table(("model", "precision", "top-1", "top-5"), rows)


def published_table() -> str:
    """The figures to compare with."""
    rows = [
        (
            row.model,
            row.precision,
            "—" if row.megabytes is None else f"{row.megabytes:.1f}",
            "—" if row.before is None else percent(row.before),
            percent(row.after),
        )
        for row in PUBLISHED
    ]
    return table(("model", "precision", "MB", "top-1, frozen", "top-1, unfrozen"), rows)


def _recipe(bundle: Bundle) -> str:
    training: Mapping[str, Any] = bundle.manifest["training"]
    seed = training.get("seed")
    return (
        f"**{bundle.name}** — {training['method']} on {training['training_images']} photos "
        f"({' + '.join(training['splits'])}), {bundle.crop_rule.size} × {bundle.crop_rule.size} pixels, "
        f"{'no seed: nothing is drawn at random' if seed is None else f'seed {seed}'}: `{training['command']}`"
    )


def _evaluated(bundle: Bundle) -> Iterable[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    """The precisions that have test figures, from the most exact to the smallest."""
    return ((name, bundle.metrics[name]) for name in PRECISIONS if "test" in bundle.metrics.get(name, {}))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first two are set to the right."""
    lines = [header, ["---" if position < 2 else "---:" for position in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def percent(share: float) -> str:
    """A share in [0, 1] in per cent with two decimals, without the sign."""
    return f"{100 * share:.2f}"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f}"
