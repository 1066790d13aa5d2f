"""The table of `results.md` that compares this project's LIME with the `lime` package."""

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.lime import PACKAGE, LimeRecord
from flowers_core.reports.tables import table


def lime_note() -> str:
    """What the table of LIME backends shows."""
    return (
        "This project's LIME, and the `lime` package with its defaults (quickshift, 1000 samples) on the same INT8 "
        "model and on Keras' `predict`. Timings are interleaved (`flowers benchmarks lime`). *Seconds* for one "
        "explanation and their ratio *÷ ours* on the same photo are medians. The other figures are means. All have "
        "95 % bootstrap intervals over photos. *Deletion* and *insertion* are as above. *Top-5 stability* is the "
        "Jaccard index of the five strongest superpixels of two seeds; each backend uses its own superpixels."
    )


def lime_sentence(record: LimeRecord) -> str:
    """Where the table was measured, and how ours compares with the package."""
    how = ", with a model for each position," if record.per_position else ""
    sentence = (
        f"{record.backends[PACKAGE].photos} photos of the {record.split} split (seed {record.seed}), {record.machine}. "
        f"Ours{how} took a median of {record.samples:.0f} perturbation samples. The ranking converged for "
        f"{100 * record.converged:.0f} % of the photos. The deletion gain is {_interval(record.deletion_gain)}"
    )
    if record.stability_gain is not None:
        sentence += (
            f", and the stability gain is {_interval(record.stability_gain)} on {record.stability_photos} photos with "
            f"{record.seeds} seeds each"
        )
    return sentence + ". A gain above 0 favours ours."


def lime_table(record: LimeRecord) -> str:
    """A row for each backend; "—" for what was not measured."""
    rows = [
        (
            name,
            str(backend.photos),
            *(
                _interval(figure) if figure else "—"
                for figure in (
                    backend.seconds,
                    backend.times_ours,
                    backend.deletion,
                    backend.insertion,
                    backend.stability,
                )
            ),
        )
        for name, backend in record.backends.items()
    ]
    return table(("LIME", "photos", "seconds", "÷ ours", "deletion", "insertion", "top-5 stability"), rows)


def _interval(figure: Interval) -> str:
    digits = 1 if abs(figure.value) >= 1 else 3
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
