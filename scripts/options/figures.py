"""Figures of an evaluation, as a verb prints them."""

from collections.abc import Mapping

from flowers_core.inference.records.metrics import Accuracy, CorruptionMetrics


def print_table(rows: Mapping[tuple[str, str], Accuracy]) -> None:
    """One line for each numeric format and split."""
    print(f"{'format':10} {'split':10} {'photos':>6} {'top-1':>7} {'balanced':>9} {'top-5':>7} {'ECE':>6}")
    for (name, split), row in rows.items():
        figures = f"{row.top1:7.4f} {row.balanced_accuracy:9.4f} {row.top5:7.4f} {row.ece:6.4f}"
        print(f"{name:10} {split:10} {row.photos:6} {figures}")


def print_robustness(split: str, found: Mapping[str, CorruptionMetrics]) -> None:
    """One line for each numeric format and corruption, and one for each format in all.

    Args:
        split: of the photos.
        found: figures by numeric format.
    """
    for name, figures in found.items():
        for kind, top1 in figures.top1.items():
            wrong = figures.high_confidence_errors_by_corruption[kind]
            print(f"{name:8} {kind:24} {top1:7.4f}   wrong at 90 %: {wrong:.4f}")
        print(
            f"{name:8} {split}: mean {figures.mean:.4f}, worst {figures.top1[figures.worst]:.4f} ({figures.worst}), "
            f"wrong at 90 %: {figures.high_confidence_errors:.4f}"
        )
