"""Explain the same photos with this project and with tf-keras-vis.

    flowers benchmarks explain BUNDLE

TensorFlow computes on every core, so the forward pass of the closed form does too. The INT8 pass on one thread is a row
of its own, and so is the pass of the most exact model in the bundle.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.explain.explanation import Explanation
from flowers_core.inference.bundle import CLASSIFIER_FILE, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.storage.files import write_json
from scripts.benchmarks.explain_backends import ExplainBackends, explain_backends
from scripts.benchmarks.interleaved import interleaved_times, ratio
from scripts.benchmarks.machine import machine
from scripts.options.command import add_bundle_argument, add_data_option, at_least, run, verb_parser

_WARM_UP = 2


def main() -> None:
    """Parse the command line. Measure and print; every ratio is of neighbours in time."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = dataset_of(bundle, options.data)
    ids = np.random.default_rng(options.seed).permutation(flowers.split_ids("test"))
    photos = [
        model_input(open_photo(flowers.path(int(photo))).pixels, bundle.crop_rule).pixels
        for photo in ids[: _WARM_UP + options.rounds]
    ]
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.classifier import load_classifier

    classifier = load_classifier(bundle.path(CLASSIFIER_FILE))
    figures = {"machine": machine(), **_compare(explain_backends(bundle, classifier, photos), options.rounds)}
    if options.out:
        write_json(options.out, figures)


def _compare(backends: ExplainBackends, rounds: int) -> dict[str, Any]:
    total = _WARM_UP + rounds
    times = interleaved_times(
        {name: backends.keeping(name) for name in backends.calls}, range(total), warm_up=_WARM_UP, total=total
    )
    rows = {name: {"median_ms": float(np.median(taken))} for name, taken in times.items()}
    print(f"{'method':40} {'median ms':>10} {'tf-keras-vis ÷ it':>18} {'rank correlation':>17}")
    for name, row in rows.items():
        reference = backends.references.get(name)
        if reference is None:
            print(f"{name:40} {row['median_ms']:10.2f}")
            continue
        maps = zip(backends.maps[name], backends.maps[reference], strict=True)
        agreement = [_rank_correlation(one, other) for one, other in maps]
        row["times_as_fast"] = ratio(times[reference], times[name])
        row |= {"rank_correlation": float(np.mean(agreement)), "least_rank_correlation": float(min(agreement))}
        print(
            f"{name:40} {row['median_ms']:10.2f} {row['times_as_fast']:18.1f} "
            f"{row['rank_correlation']:8.4f} ≥ {min(agreement):.3f}"
        )
    return {"rounds": rounds, "methods": rows}


def _rank_correlation(one: Explanation, other: Explanation) -> float:
    """Spearman's correlation; the negative parts, which tf-keras-vis cuts off, count as nothing in both."""
    maps = [np.maximum(explained.contributions, 0).ravel() for explained in (one, other)]
    return float(spearmanr(*maps)[0])


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--rounds", type=at_least(1), default=20, help="test photos for each method (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
