"""Taxonomy of the classes: English name → scientific name, genus and family.

`taxonomy.csv` holds the taxonomy of the 102 Oxford flowers, as far as the photos support it. The English names are the
data set's own, spelling included. The Latin names say what the photos show. Where that differs from the English name
("watercress" is garden nasturtium), a note says so. A class has a species or hybrid if its photos show only that one,
except for strays; a genus if they show several species; and only a family if they show several genera.

Species and genera follow Plants of the World Online (Royal Botanic Gardens, Kew), families APG IV (2016). Where the
split of a genus is still disputed in print (Cirsium and Lophiolepis), the established name stays.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowers_core.storage.typed_json import from_json, to_json

#: In the place of a family, for a class that somebody taught a model without saying more than its name.
UNKNOWN_FAMILY = "family not known"

_TABLE = Path(__file__).with_name("taxonomy.csv")


@dataclass(frozen=True)
class Taxon:
    """One class of the data set.

    Attributes:
        label: 1…k.
        name: the data set's own English name.
        scientific_name: the species or hybrid; None where the class is a group of them.
        genus: None where the class spans several genera.
        family: always known for the data set's own classes, else `UNKNOWN_FAMILY`.
        note: a sentence if the photos show another plant than the English name says; else None.
        other_names: the class's names in other copies of the data set.
    """

    label: int
    name: str
    scientific_name: str | None
    genus: str | None
    family: str
    note: str | None = None
    other_names: tuple[str, ...] = ()

    @property
    def known_family(self) -> str | None:
        """The family; None where nobody said it."""
        return None if self.family == UNKNOWN_FAMILY else self.family

    @property
    def latin(self) -> str:
        """The most exact Latin name known: "Iris pseudacorus", "Rosa (genus)" or "Bromeliaceae"."""
        if self.scientific_name:
            return self.scientific_name
        return f"{self.genus} (genus)" if self.genus else self.family


class Taxonomy:
    """The classes in order of label. `taxonomy[label]` is a class; an unknown label raises KeyError."""

    def __init__(self, taxa: tuple[Taxon, ...]) -> None:
        if [taxon.label for taxon in taxa] != list(range(1, len(taxa) + 1)):
            raise ValueError("A taxonomy holds each label from 1 on once, in order.")
        self._taxa = taxa
        self.names: tuple[str, ...] = tuple(taxon.name for taxon in taxa)

    def __getitem__(self, label: int) -> Taxon:
        if not 1 <= label <= len(self._taxa):
            raise KeyError(f"There is no label {label}; labels run from 1 to {len(self._taxa)}.")
        return self._taxa[label - 1]

    def __len__(self) -> int:
        return len(self._taxa)

    def __iter__(self) -> Iterator[Taxon]:
        return iter(self._taxa)


@functools.cache
def load_taxonomy() -> Taxonomy:
    """The 102 classes of the Oxford flowers, read once from the table beside this module."""
    return Taxonomy(tuple(_taxon(row, int(row["label"])) for row in _rows(_TABLE)))


def taxonomy_of(names: Sequence[str], known: Taxonomy | None = None) -> Taxonomy:
    """The taxonomy of classes of these names, with a family that is not known for names that `known` lacks.

    Args:
        names: of the classes, in order of label.
        known: taxa of some of them; None for Oxford's.
    """
    known = known or load_taxonomy()
    if tuple(names) == known.names:
        return known
    by_name = {taxon.name: taxon for taxon in known}
    return Taxonomy(
        tuple(
            replace(by_name.get(name, Taxon(label, name, None, None, UNKNOWN_FAMILY)), label=label)
            for label, name in enumerate(names, 1)
        )
    )


def taxonomy_values(taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """A taxonomy as JSON values, which `taxonomy_from` reads."""
    return [to_json(taxon) for taxon in taxonomy]


def taxonomy_from(values: Any) -> Taxonomy:
    """A taxonomy from its JSON values. Raises JsonValueError or ValueError if they are none."""
    return Taxonomy(from_json(tuple[Taxon, ...], values))


def read_taxonomy(table: Path, names: Sequence[str]) -> Taxonomy:
    """The taxonomy that a data set brings.

    Args:
        table: CSV in UTF-8 with the columns name and family. The columns scientific_name, genus, note and other_names
            (separated by "; ") are optional.
        names: the data set's classes in order of label. Other classes in the table are ignored.

    Raises:
        ValueError: the file is not such a table, lacks a class, or lacks a class's family. The message is a sentence.
    """
    try:
        rows = {(row.get("name") or "").strip(): row for row in _rows(table)}
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{table} cannot be read as a table in UTF-8, with commas: {error}.") from error
    for name in names:
        if not (rows.get(name, {}).get("family") or "").strip():
            raise ValueError(
                f"{table} does not say the family of the class '{name}'; it needs the columns name, family."
            )
    return Taxonomy(tuple(_taxon(rows[name], label) for label, name in enumerate(names, 1)))


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def _taxon(row: Mapping[str, str], label: int) -> Taxon:
    return Taxon(
        label=label,
        name=row["name"].strip(),
        scientific_name=row.get("scientific_name") or None,
        genus=row.get("genus") or None,
        family=row["family"].strip(),
        note=row.get("note") or None,
        other_names=tuple(filter(None, (row.get("other_names") or "").split("; "))),
    )
