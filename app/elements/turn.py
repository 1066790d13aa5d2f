"""A turn at what takes seconds: until it comes, a bar says how many are before."""

from contextlib import AbstractContextManager

from streamlit.delta_generator import DeltaGenerator

from app.resources.turns import heavy_work


def turn(bar: DeltaGenerator, what: str) -> AbstractContextManager[None]:
    """Wait until those who came before are done, then work to the end of the block.

    Args:
        bar: a progress bar, which shows the place in line.
        what: is waited for, such as a method's title.
    """

    def show(before: int) -> None:
        bar.progress(0.0, waiting_words(before, what))

    return heavy_work().turn(show)


def waiting_words(before: int, what: str) -> str:
    """What is said to somebody who waits.

    Args:
        before: how many come before.
        what: is waited for.
    """
    others = "one other person is" if before == 1 else f"{before} other people are"
    return f"{what}: {others} before you. It begins by itself when it is your turn."
