"""The 102 classes: English name → scientific name, genus and family, as far as the photos bear it out.

The English names are the dataset's own, spelling included. The Latin names say what the photos show, which is not
always what the English name says ("watercress" is garden nasturtium); a note says so where the two differ. A species
or hybrid is given only where the class's photos show, save for strays, that one; where they show several of a genus,
only the genus, and where several genera, only the family.

Species and genera follow Plants of the World Online (Royal Botanic Gardens, Kew), families APG IV (2016). Where the
split of a genus is still disputed in print (Cirsium and Lophiolepis), the established name stays.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("taxonomy.csv")


@dataclass(frozen=True)
class Taxon:
    """One class of the data set.

    Attributes:
        label: 1…k.
        name: the data set's own English name.
        scientific_name: the species or hybrid; None where the class is a group of them.
        genus: None where the class spans several genera.
        family: always known.
        note: a sentence where the photos show another plant than the English name says; else None.
        other_names: what other copies of the data set call it.
    """

    label: int
    name: str
    scientific_name: str | None
    genus: str | None
    family: str
    note: str | None = None
    other_names: tuple[str, ...] = ()

    @property
    def latin(self) -> str:
        """The most exact Latin name there is: "Iris pseudacorus", "Rosa (genus)" or "Bromeliaceae"."""
        if self.scientific_name:
            return self.scientific_name
        return f"{self.genus} (genus)" if self.genus else self.family


class Taxonomy:
    """The classes in order of label; `taxonomy[label]` is one of them (KeyError for a label that does not exist)."""

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
    """The 102 classes, read once from the table beside this module."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        return Taxonomy(
            tuple(
                Taxon(
                    label=int(row["label"]),
                    name=row["name"],
                    scientific_name=row["scientific_name"] or None,
                    genus=row["genus"] or None,
                    family=row["family"],
                    note=row["note"] or None,
                    other_names=tuple(filter(None, row["other_names"].split("; "))),
                )
                for row in csv.DictReader(table)
            )
        )
