"""Write results.md, the model card and the README's table from the records.

flowers write_results [--check]
"""

import sys
from pathlib import Path

from flowers_core.inference.bundle import list_bundles
from flowers_core.reports.exports import load_exports
from flowers_core.reports.large_galleries import load_large_galleries
from flowers_core.reports.model_card import cards
from flowers_core.reports.near_novelty import load_near_novelty
from flowers_core.reports.own_photos import load_own_photos
from flowers_core.reports.results import readme_table, results_document, with_table
from flowers_core.reports.run_records import list_records
from flowers_core.reports.training_speed import load_training_speed
from flowers_core.storage.files import write_text
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import run, verb_parser

_ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Parse the command line; write the documents, or only say whether they are up to date."""
    parser = verb_parser(__doc__)
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="folder of the bundles"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a table is out of date")
    options = parser.parse_args()

    bundles, records = list_bundles(options.models), list_records(options.models)
    readme = _ROOT / "README.md"
    wanted = {
        _ROOT / "results.md": results_document(
            records,
            load_training_speed(options.models),
            load_near_novelty(options.models),
            load_exports(options.models),
            load_large_galleries(options.models),
            load_own_photos(options.models),
        ),
        options.models / "README.md": cards(bundles),
        readme: with_table(readme.read_text(encoding="utf-8"), readme_table(records)),
    }
    for path, text in wanted.items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if options.check:
            sys.exit(f"{path.name} is out of date; `flowers write_results` writes it.")
        write_text(path, text)
        print(f"Wrote {path.name}.")


if __name__ == "__main__":
    run(main)
