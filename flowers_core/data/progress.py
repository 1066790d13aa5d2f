"""Progress of long work: the work passes its steps through a function, as through `tqdm`, that may show them."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Yields the given steps unchanged, and may show how many are done."""

    def __call__(self, steps: Iterable[T], title: str, total: int | None = None, /) -> Iterable[T]:
        """Yield the same steps.

        Args:
            steps: the steps of the work.
            title: what the steps do.
            total: how many steps there will be; None if that is not known.
        """


def untracked(steps: Iterable[T], title: str, total: int | None = None, /) -> Iterable[T]:
    """The steps themselves: the `Track` of work that nobody watches.

    Args:
        steps: the steps of the work.
        title: not used.
        total: not used.
    """
    del title, total
    return steps
