"""Measure how faithful, stable and quick each method of explanation is.

    flowers evaluate_explanations efficientnet_lite0

Every method explains what the model predicts on a stratified sample of test photos. Faithfulness, stability and time of
each map are kept in a file photo by photo, so that a run that was broken off is resumed. With the sanity check they
make the table that is printed, written, and kept in the bundle, for the pages and `results.md`.

Most flowers are in the middle of their photo, and a map of the middle scores well. `--off-centre` cuts each photo so
that its middle lies near a corner, and keeps a record of its own.
"""

import argparse
from pathlib import Path
from typing import Any

from flowers_core.data.batches import stratified_sample
from flowers_core.data.open_dataset import open_dataset
from flowers_core.explain.method_evaluation import FORMAT, sanity_checks, score_methods
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import FIGURES, scorecard
from flowers_core.explain.records.methods import EXPLANATIONS_FILE, OFF_CENTRE_FILE, MethodRecord
from flowers_core.inference.bundle import load_bundle, model_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.reports.default_method import default_sentence
from flowers_core.storage.files import sha256_of, write_table
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser

# The reference takes a hundred times as long as the rest; it runs when it is asked for by name.
_DEFAULT_METHODS = tuple(name for name in METHODS if not name.endswith("_reference"))
_SHOWN = ("deletion", "insertion", "stability")


def main() -> None:
    """Parse the command line, score what is missing, write the table."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = open_dataset(options.data)
    digest = sha256_of(bundle.path(model_file(FORMAT)))[:12]  # a model made anew starts a record of its own
    folder = options.out / f"explanations-{bundle.name}-{digest}{'-off-centre' if options.off_centre else ''}"
    photos = stratified_sample(flowers, "test", options.photos, options.seed).tolist()
    scores = score_methods(
        bundle,
        flowers,
        photos,
        options.methods,
        folder / "scores.jsonl",
        off_centre=options.off_centre,
        track=progress,
    )
    # What a map makes of shuffled layers does not depend on where the flower is.
    few = [] if options.off_centre else photos[: options.sanity_photos]
    sanity = sanity_checks(bundle, flowers, few, options.methods, folder / "sanity.json", track=progress)
    # The head alone shuffled: the least change that a map of the model must follow.
    checks = {name: check["0"] for name, check in sanity.items() if name in options.methods and "0" in check}
    evaluated = MethodRecord(len(photos), options.seed, scorecard(scores), checks)
    _write(folder, evaluated)
    BundleWriter.open(bundle.folder).add_json(
        OFF_CENTRE_FILE if options.off_centre else EXPLANATIONS_FILE, to_json(evaluated)
    )
    print(default_sentence(evaluated))


def _write(folder: Path, record: MethodRecord) -> None:
    rows: list[list[Any]] = []
    print(f"{record.photos} test photos; means with 95 % intervals")
    print(f"{'method':20} {'deletion':>20} {'insertion':>20} {'stability':>20} {'sanity':>7} {'seconds':>8}")
    for name, figures in record.figures.items():
        check = record.sanity.get(name)
        shown = [f"{figures[key].value:.3f} [{figures[key].low:.3f}, {figures[key].high:.3f}]" for key in _SHOWN]
        print(
            f"{name:20} " + " ".join(f"{text:>20}" for text in shown),
            f"{'–' if check is None else f'{check:.2f}':>7} {figures['seconds'].value:8.3f}",
        )
        rows.append([name, *(value for key in FIGURES for value in vars(figures[key]).values()), check])
    header = ["method", *(f"{key}{end}" for key in FIGURES for end in ("", "_low", "_high")), "sanity"]
    write_table(folder / "table.csv", header, rows)
    print(f"Written to {folder / 'table.csv'} and into the bundle.")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--photos", type=at_least(1), default=51, help="test photos, spread over the classes (default: 51)"
    )
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(_DEFAULT_METHODS))
    parser.add_argument(
        "--sanity-photos", type=at_least(0), default=3, help="of them for the sanity check (default: 3)"
    )
    parser.add_argument("--off-centre", action="store_true", help="cut each photo so that its middle is near a corner")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=Path("evaluations"), metavar="DIR", help="where records are kept (evaluations/)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
