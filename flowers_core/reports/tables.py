"""Markdown tables and the figures in them."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first two are set to the right."""
    lines = [header, ["---" if position < 2 else "---:" for position in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def percent(share: float) -> str:
    """A share in [0, 1] in per cent with two decimals, without the sign."""
    return f"{100 * share:.2f}"


def percent_or_dash(share: float | None) -> str:
    """A share in per cent, or a dash where it is not known."""
    return "—" if share is None else percent(share)


def megabytes(count: int) -> str:
    """Bytes in megabytes with two decimals."""
    return f"{count / 1e6:.2f}"
