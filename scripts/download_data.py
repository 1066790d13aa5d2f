"""Fetch the Oxford 102 flowers (345 MB), and their segmentations if asked.

    flowers download_data [--segmentations]

Run it again after it was broken off: it goes on from there. Where the dataset is whole, it does nothing. With
--segmentations it goes on to fetch Oxford's automatic segmentations (203 MB), by which the app says how much of a heat
map lies on the flower.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence

from flowers_core.data.download.oxford import OXFORD_MD5, OXFORD_URL, download_dataset, download_segmentations
from flowers_core.data.oxford import OxfordFlowers
from scripts.options.command import add_data_option, run, verb_parser
from scripts.options.download_bars import Bars


def main(arguments: Sequence[str] | None = None, checksums: Mapping[str, str] = OXFORD_MD5) -> None:
    """Parse the command line, download, say what is there now.

    Args:
        arguments: the command line's words; by default those of the process.
        checksums: MD5 of each file.
    """
    parser = verb_parser(__doc__)
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
    with Bars() as bars:
        fetched = download(options.data, options.url, bars.show, checksums=checksums)
    flowers = OxfordFlowers(options.data)
    print(f"{len(flowers)} {what} {'are now' if fetched else 'were there already,'} in {options.data}.")


if __name__ == "__main__":
    run(main)
