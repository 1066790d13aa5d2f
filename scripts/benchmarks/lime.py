"""Explain the same photos with our LIME and with the lime package.

    flowers benchmarks lime BUNDLE

Both explain the INT8 model's answers on test photos spread over the classes, with interleaved timing. On a few photos
the package also asks Keras' `predict`, as it mostly does. Once the times are taken, both go on with more seeds. The
five strongest superpixels of each pair of seeds are compared, each over its own superpixels. Only the first part needs
a quiet machine: a quarter of an hour on two processor cores. With the defaults the second part takes an hour more.
The record goes into the bundle, for `results.md`.
"""

import argparse
import time

import numpy as np

from flowers_core.data.batches import stratified_sample
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.explain.lime.comparison import BackendRuns, Pixels, lime_backends, lime_record
from flowers_core.explain.metrics.agreement import top_superpixel_overlap
from flowers_core.explain.metrics.faithfulness import curves, in_model_frame
from flowers_core.explain.records.lime import LIME_FILE, OURS, PACKAGE, PACKAGE_ON_KERAS, LimeRecord
from flowers_core.inference.bundle import load_bundle, model_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.typed_json import to_json
from scripts.benchmarks.machine import machine
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser

SEEDED = (OURS, PACKAGE)  # what is quick enough to be judged by its maps, too, and by more than one seed


def main() -> None:
    """Parse the command line. Measure, print the table and keep the record in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = dataset_of(bundle, options.data)
    photos = stratified_sample(flowers, options.split, options.photos, options.seed).tolist()
    order = np.random.default_rng(options.seed).permutation(photos).tolist()
    more_seeds, with_keras = set(order[: options.alike_photos]), set(order[: options.keras_photos])
    runtime = Runtime(bundle.path(model_file("int8")))
    per_position = not options.regression
    backends = lime_backends(
        bundle, runtime, options.package_samples, keras=bool(with_keras), per_position=per_position
    )
    found = {name: BackendRuns() for name in backends}
    asked: dict[int, tuple[Pixels, int]] = {}
    temperature = bundle.calibration.temperature if bundle.calibration else 1.0

    for photo in progress(photos, "photos"):
        pixels = model_input(open_photo(flowers.path(photo)).pixels, bundle.crop_rule).pixels
        label = int(runtime.logits(pixels[None])[0].argmax()) + 1
        asked[photo] = pixels, label
        if photo == photos[0]:
            # What is loaded and allocated at the first call is no part of any explanation.
            for warm_up in SEEDED:
                backends[warm_up](pixels, label, 0)
        for name, explain in backends.items():
            if name != PACKAGE_ON_KERAS or photo in with_keras:
                start = time.perf_counter()
                found[name].maps[photo] = explain(pixels, label, 0)
                found[name].seconds[photo] = time.perf_counter() - start
        maps = [found[name].maps[photo] for name in SEEDED]
        heats = [in_model_frame(one, len(pixels)) for one in maps]
        seen = curves(runtime.logits, pixels, heats, maps[0].target, temperature)
        for name, curve in zip(SEEDED, seen, strict=True):
            found[name].curves[photo] = curve
    for photo in progress([photo for photo in photos if photo in more_seeds], "photos with more seeds"):
        for name in SEEDED:
            again = [backends[name](*asked[photo], seed) for seed in range(1, options.seeds)]
            found[name].stability[photo] = top_superpixel_overlap([found[name].maps[photo], *again])
    record = lime_record(
        found,
        machine=machine(),
        split=options.split,
        seed=options.seed,
        seeds=options.seeds,
        per_position=per_position,
    )
    _print(record)
    if not options.dry_run:
        BundleWriter.open(bundle.folder).add_json(LIME_FILE, to_json(record))


def _print(record: LimeRecord) -> None:
    print(f"{'LIME':24} {'photos':>6} {'seconds':>8} {'÷ ours':>7} {'deletion':>9} {'insertion':>9} {'stability':>11}")
    for name, backend in record.backends.items():
        faithful = [
            f"{figure.value:9.3f}" if figure else f"{'–':>9}" for figure in (backend.deletion, backend.insertion)
        ]
        stability = f"{backend.stability.value:11.3f}" if backend.stability else f"{'–':>11}"
        quick = f"{backend.seconds.value:8.3f} {backend.times_ours.value:7.1f}"
        print(f"{name:24} {backend.photos:6} {quick} {' '.join(faithful)} {stability}")
    print(f"Forward passes of ours: {record.samples:.0f} in the median; converged: {100 * record.converged:.0f} %.")
    for what, how, gain in (("Deletion", "less", record.deletion_gain), ("Stability", "more", record.stability_gain)):
        if gain:
            print(f"{what} of ours is {how} than the package's by {gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}].")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--photos", type=int, default=50, help="photos, spread over the classes (default: 50)")
    parser.add_argument("--alike-photos", type=int, default=50, help="of them with more seeds (default: 50)")
    parser.add_argument("--seeds", type=int, default=10, help="seeds on each of those (default: 10)")
    parser.add_argument("--keras-photos", type=int, default=5, help="of them with Keras, 0 for none (default: 5)")
    parser.add_argument(
        "--package-samples", type=int, default=1000, help="forward passes of the package (default: 1000, as its)"
    )
    parser.add_argument("--regression", action="store_true", help="ours by one regression, not one model a position")
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="default: test")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
