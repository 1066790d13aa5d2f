"""How names and numbers are written, the same on every page."""

import re
from collections.abc import Sequence
from html import escape

from flowers_core.data.taxonomy import Taxon


def capital(name: str) -> str:
    """A name with a capital at its beginning, the rest as it is."""
    return name[:1].upper() + name[1:]


def plain(text: str) -> str:
    """A text from a visitor, such as a file's name or what an address says, as Markdown that shows just that text.

    Otherwise a name could bring a link, a picture from elsewhere, a formula or a colour.
    """
    quoted = re.sub(r"([\\`*_\[\]<>$~|#!]|:(?=\S))", r"\\\1", " ".join(text.split()))
    return re.sub(r"(www)(\.)", r"\1\\\2", quoted, flags=re.IGNORECASE)


def lower(sentence: str) -> str:
    """A sentence to go on after a colon."""
    return sentence[:1].lower() + sentence[1:]


def percent(share: float) -> str:
    """A share of 1 as a whole percentage, unbreakable. Never “100 %” or “0 %” of what is only nearly so."""
    if 0.995 <= share < 1:
        return ">\N{NO-BREAK SPACE}99\N{NO-BREAK SPACE}%"
    if 0 < share < 0.005:
        return "<\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}%"
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def listed(names: Sequence[str], joint: str) -> str:
    """Names as a list in a sentence.

    Args:
        names: at least one.
        joint: the word before the last name.

    Returns:
        With the joint "or": a; a or b; a, b or c.
    """
    return f" {joint} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def megabytes(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def latin(taxon: Taxon) -> str:
    """The most precise botanical name there is, as HTML: species and genus in italics, a family upright.

    Empty where not even the family is known.
    """
    text = escape(taxon.latin)
    if taxon.scientific_name:
        # The hybrid sign is not part of the italics.
        return "<i>" + text.replace("×", "</i>×<i>") + "</i>"
    if taxon.genus:
        return text.replace(escape(taxon.genus), f"<i>{escape(taxon.genus)}</i>", 1)
    return text if taxon.known_family else ""
