"""Unpack a bundle that `flowers pack` made into one file.

    flowers unpack flowers.zip

Nothing in the file is believed: every digest is checked, and where anything does not fit, nothing is kept. A digest
says that the bundle arrived as it was packed, not who packed it; unpack what comes from people you trust.
"""

from pathlib import Path

from flowers_core.inference.archive import describe_origin, unpack_bundle
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import run, verb_parser


def main() -> None:
    """Parse the command line and make the bundle."""
    parser = verb_parser(__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the packed bundle")
    parser.add_argument(
        "--models",
        type=Path,
        default=default_models_dir(),
        metavar="DIR",
        help="folder of the bundles (default: FLOWERS_MODELS_DIR, or models)",
    )
    parser.add_argument("--override", action="store_true", help="replace a bundle of the same name")
    options = parser.parse_args()
    if not options.file.is_file():
        parser.error(f"there is no file {options.file}")
    bundle = unpack_bundle(options.file, options.models, override=options.override)
    print(f"{bundle.folder}: {len(bundle.class_names)} classes. {describe_origin(bundle.manifest)}")


if __name__ == "__main__":
    run(main)
