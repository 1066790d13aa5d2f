"""References to photos of every source: the data set, a user's own gallery photos, or a custom test set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from flowers_core.errors import FlowersError

Source = Literal["oxford", "user", "custom"]

# Twelve digits are far more than any data set needs and far fewer than Python refuses to convert.
_ADDRESS = re.compile(r"(?:(?P<source>user|custom):(?P<collection>[^:]+):)?(?P<id>[0-9]{1,12})")


class PhotoRefError(FlowersError):
    """A text refers to no photo."""


@dataclass(frozen=True, order=True)
class PhotoRef:
    """A reference to one photo.

    Ids of different sources, or of different collections of one source, have nothing to do with each other.

    Attributes:
        source: "oxford" for the data set, "user" for photos that a person added to a model's gallery, "custom" for
            photos of a custom test set.
        id: the photo's number within its source and collection.
        collection: for "user" the name of the model, for "custom" the name of the test set; empty for "oxford".
    """

    source: Source
    id: int
    collection: str = ""

    @property
    def address(self) -> str:
        """The reference in a page's address: `17`, `user:efficientnet_lite0:3`, `custom:meadow:4`."""
        return str(self.id) if self.source == "oxford" else f"{self.source}:{self.collection}:{self.id}"

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


def oxford(photo_id: int) -> PhotoRef:
    """The reference to a photo of the data set by its number, 1…8189."""
    return PhotoRef("oxford", int(photo_id))


def shortened(text: str, longest: int = 40) -> str:
    """The beginning of a text, short enough for a sentence.

    Args:
        text: any text, for example out of an address.
        longest: the most characters; an ellipsis stands for the rest.
    """
    return text if len(text) <= longest else f"{text[:longest]}…"
