"""Pack a bundle into one file to give away.

    flowers pack efficientnet_lite0_joined flowers.zip

Each file is checked against the bundle's manifest first. `flowers unpack` makes a bundle of it again.
"""

from pathlib import Path

from flowers_core.inference.archive import describe_origin, pack_bundle
from flowers_core.inference.bundle import load_bundle
from scripts.options.command import add_bundle_argument, run, verb_parser


def main() -> None:
    """Parse the command line and write the archive."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write, or a folder to write it in")
    parser.add_argument("--override", action="store_true", help="replace the file where it is there already")
    options = parser.parse_args()
    bundle = load_bundle(options.bundle)
    out = options.out / f"{bundle.name}.zip" if options.out.is_dir() else options.out
    if out.exists() and not options.override:
        parser.error(f"{out} is there already: add --override to replace it, or name another file")
    pack_bundle(bundle, out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB. {describe_origin(bundle.manifest)}")


if __name__ == "__main__":
    run(main)
