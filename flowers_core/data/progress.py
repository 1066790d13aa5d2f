"""How long work lets somebody watch it: a function that the work hands its steps through, as `tqdm` takes them."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Yields the steps that it is given, unchanged, and may show how far they are."""

    def __call__(self, steps: Iterable[T], title: str, total: int | None = None, /) -> Iterable[T]:
        """The same steps; `title` says what they are, `total` how many there will be."""


def untracked(steps: Iterable[T], title: str, total: int | None = None, /) -> Iterable[T]:
    """The steps, with nobody watching: what a `Track` is where none is given."""
    del title, total
    return steps
