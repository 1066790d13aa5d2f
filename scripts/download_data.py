"""Fetch the Oxford 102 flowers (345 MB): `python -m scripts.download_data`.

Run it again after it was broken off: it goes on from there. Where the dataset is whole, it does nothing. With
--segmentations it goes on to fetch Oxford's automatic segmentations (203 MB), by which the app says how much of a heat
map lies on the flower.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from tqdm import tqdm

from flowers_core.dataset import OxfordFlowers
from flowers_core.download import OXFORD_MD5, OXFORD_URL, Progress, download_dataset, download_segmentations
from scripts.command import add_data_option, run


def main(arguments: Sequence[str] | None = None, checksums: Mapping[str, str] = OXFORD_MD5) -> None:
    """Parse the command line, download, say what is there now."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument(
        "--url", default=OXFORD_URL, metavar="BASE", help=f"where the files lie (default: {OXFORD_URL})"
    )
    parser.add_argument("--segmentations", action="store_true", help="fetch the segmentations as well")
    options = parser.parse_args(arguments)
    _fetch(download_dataset, "photos", options, checksums)
    if options.segmentations:
        _fetch(download_segmentations, "segmentations", options, checksums)


def _fetch(download: Callable[..., bool], what: str, options: argparse.Namespace, checksums: Mapping[str, str]) -> None:
    with _Bars() as bars:
        fetched = download(options.data, options.url, bars.show, checksums=checksums)
    flowers = OxfordFlowers(options.data)
    print(f"{len(flowers)} {what} {'are now' if fetched else 'were there already,'} in {options.data}.")


class _Bars:
    """A progress bar on standard error for each step, one after the other."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._step: tuple[str, str] | None = None

    def __enter__(self) -> "_Bars":
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


if __name__ == "__main__":
    run(main)
