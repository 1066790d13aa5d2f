"""Measure how faithful, stable and quick each method of explanation is.

    flowers evaluate_explanations efficientnet_lite0_joined

Every method explains what the model predicts on a stratified sample of test photos. Faithfulness, stability and time of
each map are kept in a file photo by photo, so that a run that was broken off is resumed. With the sanity check they
make the table that is printed, written, and kept in the bundle, for the pages and `results.md`.

Some of the photos are looked at more closely: what is removed is filled in from around it (ROAD), noise is added that
may change the answer, and the map is compared with Oxford's segmentations where they are on disk.

Most flowers are in the middle of their photo, and a map of the middle scores well. `--off-centre` cuts each photo so
that its middle lies near a corner, and keeps a record of its own. `--split validation` is for choosing between methods;
it prints its table and leaves the bundle as it is.
"""

import argparse
from pathlib import Path
from typing import Any

from flowers_core.data.batches import stratified_sample
from flowers_core.explain.method_evaluation import FORMAT, sanity_checks, score_methods
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import scorecard
from flowers_core.explain.records.methods import EXPLANATIONS_FILE, OFF_CENTRE_FILE, MethodRecord
from flowers_core.inference.bundle import load_bundle, model_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.reports.default_method import default_sentence
from flowers_core.reports.explanations import explanations_table
from flowers_core.storage.files import sha256_of, write_table
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser

# The reference takes a hundred times as long as the rest; it runs when it is asked for by name.
_DEFAULT_METHODS = tuple(name for name in METHODS if not name.endswith("_reference"))
# It is what is shown where no method beats the middle of the photo, so every record holds it.
_CLOSED_FORM = "cam"


def main() -> None:
    """Parse the command line, score what is missing, write the table."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    bundle.require_unseen(options.split)
    flowers = dataset_of(bundle, options.data)
    digest = sha256_of(bundle.path(model_file(FORMAT)))[:12]  # a model made anew starts a record of its own
    ends = ("-off-centre" if options.off_centre else "") + ("" if options.split == "test" else f"-{options.split}")
    folder = options.out / f"explanations-{bundle.name}-{digest}{ends}"

    def drawn(count: int) -> list[int]:
        """As many photos, the fewer always among the more."""
        ids: list[int] = stratified_sample(flowers, options.split, count, options.seed).tolist()
        return ids

    photos, closely = drawn(options.photos), drawn(min(options.closer_photos, options.photos))
    scores = score_methods(
        bundle,
        flowers,
        photos,
        options.methods,
        folder / "scores.jsonl",
        closely=closely,
        off_centre=options.off_centre,
        time_anew=options.time_anew,
        track=progress,
    )
    # What a map makes of shuffled layers does not depend on where the flower is.
    few = [] if options.off_centre else drawn(min(options.sanity_photos, options.photos))
    found = sanity_checks(bundle, flowers, few, options.methods, folder / "sanity.json", track=progress)
    correlations, rises = (
        {name: found[name][key] for name in options.methods if key in found.get(name, {})}
        for key in ("0", "complexity_rise")  # the head alone shuffled: the least change that a map must follow
    )
    evaluated = MethodRecord(len(photos), options.seed, scorecard(scores), correlations, len(closely), rises)
    _write(folder, evaluated, options.split)
    if options.split == "test":
        kept = OFF_CENTRE_FILE if options.off_centre else EXPLANATIONS_FILE
        BundleWriter.open(bundle.folder).add_json(kept, to_json(evaluated))
        print("Kept in the bundle.", default_sentence(evaluated), sep="\n")


def _write(folder: Path, record: MethodRecord, split: str) -> None:
    """Print the tables, and write all figures as CSV."""
    print(f"{record.photos} {split} photos, {record.closely} of them looked at closely; means with 95 % intervals")
    print(explanations_table(record))
    keys = list(dict.fromkeys(key for figures in record.figures.values() for key in figures))
    rows: list[list[Any]] = [
        [
            name,
            *(end for key in keys for end in (vars(figures[key]).values() if key in figures else (None,) * 3)),
            record.sanity.get(name),
            record.complexity_rise.get(name),
        ]
        for name, figures in record.figures.items()
    ]
    header = ["method", *(f"{key}{end}" for key in keys for end in ("", "_low", "_high")), "sanity", "complexity_rise"]
    write_table(folder / "table.csv", header, rows)
    print(f"Written to {folder / 'table.csv'}.")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--photos", type=at_least(1), default=51, help="how many photos, spread over the classes (default: 51)"
    )
    parser.add_argument("--closer-photos", type=at_least(0), default=24, help="of them looked at closely (default: 24)")
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="whose photos (default: test)")
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=list(METHODS),
        default=list(_DEFAULT_METHODS),
        help=f"beside {_CLOSED_FORM}, which is always measured",
    )
    parser.add_argument(
        "--sanity-photos", type=at_least(0), default=3, help="of them for the sanity check (default: 3)"
    )
    parser.add_argument("--off-centre", action="store_true", help="cut each photo so that its middle is near a corner")
    parser.add_argument(
        "--time-anew", action="store_true", help="time the methods again, as after a run beside other work"
    )
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=Path("evaluations"), metavar="DIR", help="where records are kept (evaluations/)"
    )
    options = parser.parse_args()
    options.methods = list(dict.fromkeys([_CLOSED_FORM, *options.methods]))
    return options


if __name__ == "__main__":
    run(main)
