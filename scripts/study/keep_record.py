"""Keep the record of a run whose bundle is not shipped.

    flowers study keep_record BUNDLE

`results.md` is made from the shipped bundles and from these records, in `models/records/`.
"""

from pathlib import Path

from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.reports.run_records import record_of, save_record
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import bundle_folder, run, verb_parser


def main() -> None:
    """Parse the command line, write the records."""
    parser = verb_parser(__doc__)
    parser.add_argument("bundles", nargs="+", type=bundle_folder, metavar="BUNDLE", help="name or folder of a bundle")
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="folder of the bundles and records"
    )
    options = parser.parse_args()
    for folder in options.bundles:
        record = record_of(load_bundle(folder))
        if not record.metrics:
            raise BundleError(f"'{record.name}' has no figures yet; `flowers evaluate {record.name}` makes them.")
        print(f"Wrote {save_record(record, options.models)}.")


if __name__ == "__main__":
    run(main)
