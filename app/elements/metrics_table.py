"""What a bundle's record says about its models, as tables. Nothing here is measured; it is only read."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from flowers_core.data.audit.near_duplicates import near_duplicate_rules
from flowers_core.inference.bundle import PRECISIONS, Bundle, model_file
from flowers_core.inference.commands import Command
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.latency import Latency
from flowers_core.inference.records.metrics import Accuracy, Metrics
from flowers_core.inference.records.training import DataFingerprint, ModelReference, Training

# What the columns mean, for the small print of their heads; those that are shares of 1.
MEANINGS = {
    "top-1": "Share of test photos whose first answer is right",
    "mean per class": "The same for each class, then averaged over the classes",
    "top-5": "Share with the right answer among the first five",
    "calibration error": "How far stated probabilities are from how often they come true, on average",
    "uncalibrated": "The same for the probabilities as they come out of the network",
    "agreement": "Share of test photos that get the same answer as from the model’s most exact precision",
    "MB": "Size of the model’s file",
    "memory, MB": "The most that a process holds which loads the model and answers for three photos",
    "times int8": "Time in relation to int8 on one thread, which carries over to other machines",
    "times int8, same threads": "Time in relation to int8 with as many threads, which carries over to other machines",
    "threads": "How many threads computed; Keras takes all cores where it is not held to one",
    "ms a photo": "Median time for one photo, one thread, on the machine named under Speed",
    "training photos": "Photos whose labels the model was fitted to",
}
WITHOUT: dict[str, Callable[[Metrics], Accuracy | None]] = {
    "without copies": lambda test: test.without_duplicates,
    "without near copies": lambda test: test.without_near_duplicates,
}
SHARES = ("top-1", "mean per class", "top-5", "calibration error", "uncalibrated", "agreement")
COUNTS = ("photos", "training photos", "threads")
WORDS = ("model", "precision", "way", "test photos")


def figure_table(bundles: tuple[Bundle, ...]) -> pd.DataFrame:
    """One row for each precision of each bundle that was evaluated or can be run. Shares are in [0, 1]. Times are left
    out where they come from different machines: beside each other they would tell nothing of the models."""
    rows = []
    alike = len({bundle.latency.processor for bundle in bundles if bundle.latency.paths}) == 1
    for bundle in bundles:
        for precision in PRECISIONS:
            if precision not in bundle.precisions and precision not in bundle.metrics:
                continue
            test = bundle.metrics.get(precision, {}).get("test")
            size = model_bytes(bundle, precision)
            rows.append(
                {
                    "model": bundle.name,
                    "precision": precision,
                    "MB": size / 1e6 if size else None,
                    "top-1": test and test.top1,
                    "mean per class": test and test.balanced_accuracy,
                    "top-5": test and test.top5,
                    "calibration error": test and test.ece,
                    "uncalibrated": test and test.ece_uncalibrated,
                    "agreement": test and test.agreement,
                    "ms a photo": milliseconds(bundle.latency, precision) if alike else None,
                    "training photos": bundle.manifest.training and bundle.manifest.training.photos,
                }
            )
    return pd.DataFrame(rows)


def duplicate_table(bundles: tuple[Bundle, ...]) -> pd.DataFrame:
    """Test accuracy with all photos, without those also in another split, and without those that have a near copy
    there, a row each; no rows for models whose record tells of none such."""
    rows = []
    for bundle in bundles:
        for precision in PRECISIONS:
            test = bundle.metrics.get(precision, {}).get("test")
            if test is None:
                continue
            without = {which: alone for which, subset in WITHOUT.items() if (alone := subset(test))}
            if any(alone.photos < test.photos for alone in without.values()):
                rows += [
                    {
                        "model": bundle.name,
                        "precision": precision,
                        "test photos": which,
                        "photos": found.photos,
                        "top-1": found.top1,
                        "mean per class": found.balanced_accuracy,
                    }
                    for which, found in ({"all": test} | without).items()
                ]
    return pd.DataFrame(rows)


def near_copy_rules(bundles: tuple[Bundle, ...]) -> str:
    """What counts as a near copy in the figures without them."""
    tests = (precision["test"] for bundle in bundles for precision in bundle.metrics.values() if "test" in precision)
    return near_duplicate_rules(asdict(alone.rule) for test in tests if (alone := test.without_near_duplicates))


def draw_figures(table: pd.DataFrame, alt: str) -> None:
    """A table of figures; columns in which nothing is known are left out.

    Args:
        table: one row a model and format.
        alt: what the table shows, for a screen reader.
    """
    shown = table.dropna(axis="columns", how="all").copy()
    for name in SHARES:
        if name in shown:
            shown[name] = 100 * shown[name]
    formats = dict.fromkeys(shown, "%.1f") | dict.fromkeys(SHARES, "%.2f %%") | dict.fromkeys(COUNTS, "%d")
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            name: st.column_config.NumberColumn(help=MEANINGS.get(name), format=formats.get(name))
            for name in shown
            if name not in WORDS
        },
        alt=alt,
    )


def model_bytes(bundle: Bundle, precision: str) -> int | None:
    """Size of the TFLite file, also of one that was evaluated and then left out of the bundle.

    Args:
        bundle: the model.
        precision: the model's numeric format, such as `int8`.

    Returns:
        Bytes; None where they are not on record.
    """
    entry = bundle.manifest.files.get(model_file(precision))
    return entry.bytes if entry else bundle.manifest.model_bytes.get(precision)


def milliseconds(latency: Latency, precision: str) -> float | None:
    """Median time for one photo on one thread.

    Args:
        latency: what was measured of the model.
        precision: the model's numeric format, such as `int8`.

    Returns:
        Milliseconds; None where it was not measured.
    """
    timing = latency.paths.get(f"{precision}, 1 thread")
    return timing.median_ms if timing else None


def speed_table(latency: Latency) -> pd.DataFrame:
    """Every way of running a model that was timed, in one run; no rows where none was."""
    peak = latency.peak_megabytes
    return pd.DataFrame(
        [
            {
                "way": way,
                "threads": found.threads,
                "median, ms": found.median_ms,
                "95 of 100 within, ms": found.p95_ms,
                "times int8": found.ratio_to_int8,
                "times int8, same threads": found.ratio_to_int8_same_threads,
                "memory, MB": peak.get("keras" if way == "keras predict" else way.removesuffix(", 1 thread")),
            }
            for way, found in latency.paths.items()
        ]
    )


def recipe(bundle: Bundle) -> list[tuple[str, str]]:
    """How the bundle was made, one line a choice, in words."""
    manifest, rule = bundle.manifest, bundle.crop_rule
    seen = "" if rule.crop_fraction == 1 else f", the middle {100 * rule.crop_fraction:.0f} % of the short side"
    found: list[tuple[str, Any]] = [
        ("backbone", manifest.backbone),
        ("input", f"{rule.size} × {rule.size} pixels{seen}"),
        *_flat(manifest.training),
        *_flat(manifest.calibration),
        *((f"data {name}", value) for name, value in _flat(manifest.data)),
    ]
    return [(name.replace("_", " "), _in_words(value)) for name, value in found if value is not None]


def definition_list(lines: list[tuple[str, str]]) -> str:
    """Names and values as HTML."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in lines)
    return f'<dl class="recipe">{items}</dl>'


def _flat(record: Training | Calibration | DataFingerprint | None) -> list[tuple[str, Any]]:
    """The entries that a line can hold."""
    if record is None:
        return []
    found = ((entry.name, getattr(record, entry.name)) for entry in fields(record))
    return [(name, value) for name, value in found if not isinstance(value, Mapping)]


def _in_words(value: Any) -> str:
    if isinstance(value, Command):
        return value.line()
    if isinstance(value, tuple):
        return ", ".join(each.name if isinstance(each, ModelReference) else str(each) for each in value) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
