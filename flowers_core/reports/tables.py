"""Markdown tables and the figures in them."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, with all columns but the first two aligned to the right.

    Args:
        header: the columns' names.
        rows: as many cells each as the header has.
    """
    lines = [header, ["---" if position < 2 else "---:" for position in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def percent(fraction: float) -> str:
    """A fraction, 0…1, in per cent with two decimals, without the sign."""
    return f"{100 * fraction:.2f}"


def percent_or_dash(fraction: float | None) -> str:
    """A fraction in per cent, or a dash where it is not known."""
    return "—" if fraction is None else percent(fraction)


def megabytes(count: int) -> str:
    """Bytes in megabytes with two decimals."""
    return f"{count / 1e6:.2f}"
