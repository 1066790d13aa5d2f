"""A progress bar for each step of a download."""

import sys
from types import TracebackType

from tqdm import tqdm

from flowers_core.data.download.progress import Progress


class Bars:
    """A progress bar on standard error for each step, one after the other, where that is a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._step: tuple[str, str] | None = None

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, now: Progress) -> None:
        """Move the bar of this step, or begin one."""
        if self._bar is None or self._step != (now.step, now.name):
            self.__exit__(None, None, None)
            self._step = (now.step, now.name)
            self._bar = tqdm(
                desc=f"{now.step} {now.name}",
                total=now.total,
                initial=now.done if now.step == "fetching" else 0,
                unit=" photos" if now.step == "unpacking" else "B",
                unit_scale=now.step != "unpacking",
                unit_divisor=1000,
                disable=not sys.stderr.isatty(),
            )
        self._bar.total = now.total
        self._bar.update(now.done - self._bar.n)
