"""What a bundle's record says about its models, as rows of a table. Nothing here is measured; it is only read."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from flowers_core.bundle import PRECISIONS, Bundle

COLUMNS = [
    "model",
    "precision",
    "megabytes",
    "top-1",
    "mean per class",
    "top-5",
    "calibration error",
    "milliseconds",
    "training photos",
]


def figure_table(bundles: tuple[Bundle, ...]) -> pd.DataFrame:
    """One row for each precision of each bundle that was evaluated or can be run; None where there is no figure."""
    rows = [_row(bundle, precision) for bundle in bundles for precision in PRECISIONS if _is_known(bundle, precision)]
    return pd.DataFrame(rows, columns=COLUMNS)


def duplicate_table(bundles: tuple[Bundle, ...]) -> pd.DataFrame:
    """Test accuracy with all photos and without those also in another split; no rows where there are none such."""
    rows = []
    for bundle in bundles:
        for precision in PRECISIONS:
            test = bundle.metrics.get(precision, {}).get("test", {})
            alone = test.get("without_duplicates")
            if alone and alone["images"] < test["images"]:
                rows.append(
                    {
                        "model": bundle.name,
                        "precision": precision,
                        "photos": test["images"],
                        "top-1": test["top1"],
                        "mean per class": test["per_class"],
                        "photos without": alone["images"],
                        "top-1 without": alone["top1"],
                        "mean per class without": alone["per_class"],
                    }
                )
    return pd.DataFrame(rows)


def definition_list(lines: list[tuple[str, str]]) -> str:
    """Names and values as HTML."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in lines)
    return f'<dl class="recipe">{items}</dl>'


def model_bytes(bundle: Bundle, precision: str) -> int | None:
    """Size of the TFLite file, also of one that was evaluated and then left out of the bundle."""
    entry = bundle.manifest["files"].get(f"{precision}.tflite", {})
    return entry.get("bytes", bundle.manifest.get("model_bytes", {}).get(precision))


def recipe(bundle: Bundle) -> list[tuple[str, str]]:
    """How the bundle was made, one line a choice, in words."""
    manifest = bundle.manifest
    found: list[tuple[str, Any]] = [
        ("backbone", manifest["backbone"]),
        ("input", f"{bundle.crop_rule.size} × {bundle.crop_rule.size} pixels, "
                  f"{bundle.crop_rule.crop_fraction:.0%} of the short side"),
        *_flat(manifest.get("training", {})),
        *_flat(manifest.get("calibration", {})),
        *_flat(manifest.get("data", {})),
    ]  # fmt: skip
    return [(name.replace("_", " "), _in_words(value)) for name, value in found if value is not None]


def _is_known(bundle: Bundle, precision: str) -> bool:
    return precision in bundle.precisions or precision in bundle.metrics


def _row(bundle: Bundle, precision: str) -> dict[str, Any]:
    test = bundle.metrics.get(precision, {}).get("test", {})
    size = model_bytes(bundle, precision)
    return {
        "model": bundle.name,
        "precision": precision,
        "megabytes": size / 1e6 if size else None,
        "top-1": test.get("top1"),
        "mean per class": test.get("per_class"),
        "top-5": test.get("top5"),
        "calibration error": test.get("ece"),
        "milliseconds": milliseconds(bundle.latency, precision),
        "training photos": bundle.manifest.get("training", {}).get("training_images"),
    }


def milliseconds(latency: Mapping[str, Any], precision: str) -> float | None:
    """Median time for one photo."""
    found = latency.get("milliseconds", latency).get(precision)
    return found.get("median") if isinstance(found, Mapping) else found


def _flat(record: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in record.items() if not isinstance(value, Mapping)]


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
