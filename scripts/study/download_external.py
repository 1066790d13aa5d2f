"""Fetch other people's photos, of flowers and of none (926 MB).

    flowers study download_external

528 photos out of packages of desktop backgrounds from Ubuntu's archive (926 MB, of which 598 MB stay): 43 that show one
of the 102 flowers, in a folder a class, 234 that show no flower, and 251 others that show none and are for fitting. Run
it again after it was broken off: it goes on from there. `flowers study evaluate_external BUNDLE` measures a bundle by
the first two kinds; `flowers fit_confidence BUNDLE` fits rules to the last.
"""

from flowers_core.data.download.external import EXTERNAL_URL, download_external, external_packages
from scripts.options.command import add_external_option, run, verb_parser
from scripts.options.download_bars import Bars


def main() -> None:
    """Parse the command line, download, say what is there now."""
    parser = verb_parser(__doc__)
    add_external_option(parser)
    parser.add_argument(
        "--url", default=EXTERNAL_URL, metavar="BASE", help=f"the archive, or a mirror of it (default: {EXTERNAL_URL})"
    )
    options = parser.parse_args()
    with Bars() as bars:
        fetched = download_external(options.external, options.url, bars.show)
    count = sum(len(package.photos) for package in external_packages())
    print(f"{count} photos {'are now' if fetched else 'were there already,'} in {options.external}.")


if __name__ == "__main__":
    run(main)
