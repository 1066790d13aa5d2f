"""References to photos of every source: a data set, a user's own gallery photos, a custom test set, a large gallery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from flowers_core.errors import FlowersError

Source = Literal["oxford", "dataset", "user", "custom", "gallery"]
#: Sources whose photos models learnt from.
DATA_SETS: tuple[Source, ...] = ("oxford", "dataset")

# Twelve digits are far more than any data set needs and far fewer than Python refuses to convert.
_ADDRESS = re.compile(r"(?:(?P<source>dataset|user|custom|gallery):(?P<collection>[^:]+):)?(?P<id>[0-9]{1,12})")


class PhotoRefError(FlowersError):
    """A text refers to no photo."""


@dataclass(frozen=True, order=True)
class PhotoRef:
    """A reference to one photo.

    Ids of different sources, or of different collections of one source, have nothing to do with each other.

    Attributes:
        source: "oxford" for Oxford's data set, "dataset" for another one, "user" for photos that a person added to a
            model's gallery, "custom" for photos of a custom test set, "gallery" for photos of a large gallery.
        id: the photo's number within its source and collection; 0 for "gallery".
        collection: for "dataset" the beginning of its fingerprint, for "user" the name of the model, for "custom" the
            name of the test set, for "gallery" the SHA-256 of the photo's file; empty for "oxford".
    """

    source: Source
    id: int
    collection: str = ""

    @property
    def address(self) -> str:
        """The reference in a page's address: `17`, `dataset:1a2b3c4d5e6f:17`, `user:efficientnet_lite0:3`, …"""
        return str(self.id) if self.source == "oxford" else f"{self.source}:{self.collection}:{self.id}"

    @property
    def photo_set(self) -> PhotoSet:
        """The photos that this one is one of."""
        return PhotoSet(self.source, self.collection)

    @classmethod
    def from_address(cls, text: str) -> PhotoRef:
        """The reference in a page's address, as `address` writes it.

        Args:
            text: any text from an address.

        Raises:
            PhotoRefError: the text refers to no photo.
        """
        found = _ADDRESS.fullmatch(text)
        if found:
            source = cast(Source, found["source"] or "oxford")
            return cls(source, int(found["id"]), found["collection"] or "")
        raise PhotoRefError(
            f"“{shortened(text)}” names no photo. An address names one as photo=17, photo=user:MODEL:3 or "
            "photo=custom:TESTSET:4."
        )

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class PhotoSet:
    """Photos that go by number, each number once.

    Attributes:
        source, collection: as in `PhotoRef`.
    """

    source: Source
    collection: str = ""

    def ref(self, photo_id: int) -> PhotoRef:
        """The reference to one of these photos by its number."""
        return PhotoRef(self.source, int(photo_id), self.collection)


#: Oxford's data set, in whatever copy.
OXFORD = PhotoSet("oxford")
# So many digits tell any two data sets of one machine apart, and an address with them stays short.
_DIGITS = 12


def photos_of_dataset(fingerprint: str) -> PhotoSet:
    """The photos of another data set than Oxford's.

    Args:
        fingerprint: the data set's `Dataset.fingerprint`, hexadecimal.
    """
    return PhotoSet("dataset", fingerprint[:_DIGITS])


def oxford(photo_id: int) -> PhotoRef:
    """The reference to a photo of Oxford's data set by its number, 1…8189."""
    return OXFORD.ref(photo_id)


def shortened(text: str, longest: int = 40) -> str:
    """The beginning of a text, short enough for a sentence.

    Args:
        text: any text, for example out of an address.
        longest: the most characters; an ellipsis stands for the rest.
    """
    return text if len(text) <= longest else f"{text[:longest]}…"
