"""Explain the same photos with our LIME and with the lime package.

    flowers benchmarks lime BUNDLE

Both explain what the INT8 model answers on test photos spread over the classes, in turns; on a few photos the package
also asks Keras' `predict`, as everybody does. Once the times are taken both go on with more seeds, and the five
strongest superpixels of each pair of seeds are compared, each over its own superpixels. The machine has to be quiet for
the first part only, a quarter of an hour on two processor cores; with the defaults the second takes an hour more. The
record goes into the bundle, for `results.md`.
"""

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.lime.explain import explain_lime
from flowers_core.explain.lime.reference import explain_lime_reference
from flowers_core.explain.lime.regression import SEGMENTS
from flowers_core.explain.lime.superpixels import Segmentation
from flowers_core.explain.metrics.agreement import top_superpixel_overlap
from flowers_core.explain.metrics.faithfulness import Curves, curves, in_model_frame
from flowers_core.explain.metrics.interval import Interval, bootstrap
from flowers_core.explain.records.lime import (
    LIME_FILE,
    OURS,
    PACKAGE,
    PACKAGE_ON_KERAS,
    LimeBackend,
    LimeRecord,
)
from flowers_core.explain.subject import Logits, Subject
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, BundleWriter, load_bundle, model_file
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.typed_json import to_json
from scripts.benchmarks.turns import machine
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser

SEEDED = (OURS, PACKAGE)  # what is quick enough to be judged by its maps, too, and by more than one seed

Pixels = NDArray[np.uint8]
Explain = Callable[[Pixels, int, int], Explanation]  # pixels, label, seed


@dataclass
class _Found:
    """What one way found, photo by photo."""

    seconds: dict[int, float] = field(default_factory=dict)
    maps: dict[int, Explanation] = field(default_factory=dict)
    curves: dict[int, Curves] = field(default_factory=dict)
    alike: dict[int, float] = field(default_factory=dict)


def main() -> None:
    """Parse the command line. Measure, print the table and keep the record in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = OxfordFlowers(options.data)
    photos = stratified_sample(flowers, options.split, options.photos, options.seed).tolist()
    order = np.random.default_rng(options.seed).permutation(photos).tolist()
    more_seeds, with_keras = set(order[: options.alike_photos]), set(order[: options.keras_photos])
    runtime = Runtime(bundle.path(model_file("int8")))
    ways = _ways(bundle, runtime, options.package_samples, keras=bool(with_keras), by_place=not options.regression)
    found = {name: _Found() for name in ways}
    asked: dict[int, tuple[Pixels, int]] = {}
    temperature = bundle.calibration.temperature if bundle.calibration else 1.0

    for photo in progress(photos, "photos"):
        pixels = model_input(open_photo(flowers.path(photo)).pixels, bundle.crop_rule).pixels
        label = int(runtime.logits(pixels[None])[0].argmax()) + 1
        asked[photo] = pixels, label
        if photo == photos[0]:
            # What is loaded and allocated at the first call is no part of any explanation.
            for warm_up in SEEDED:
                ways[warm_up](pixels, label, 0)
        for name, explain in ways.items():
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
            again = [ways[name](*asked[photo], seed) for seed in range(1, options.seeds)]
            found[name].alike[photo] = top_superpixel_overlap([found[name].maps[photo], *again])
    record = _record(options, found)
    _print(record)
    if not options.dry_run:
        BundleWriter.open(bundle.folder).add_json(LIME_FILE, to_json(record))


def _ways(bundle: Bundle, runtime: Runtime, samples: int, *, keras: bool, by_place: bool) -> dict[str, Explain]:
    size = bundle.crop_rule.size
    head = bundle.head()[0]

    def subject(pixels: Pixels, logits: Logits) -> Subject:
        return Subject(
            pixels=pixels,
            box=(0.0, 0.0, float(size), float(size)),
            photo_size=(size, size),
            features=np.empty((0, 0, len(head))),  # LIME makes its own
            head=head,
            logits=logits,
            feature_maps=runtime.features,
            forward=runtime.forward if by_place else None,
            temperature=bundle.calibration.temperature if bundle.calibration else 1.0,
            segmentation=Segmentation() if by_place else Segmentation(segments=SEGMENTS),
        )

    def package(logits: Logits) -> Explain:
        def explain(pixels: Pixels, label: int, seed: int) -> Explanation:
            with contextlib.redirect_stderr(io.StringIO()):  # the package draws a bar of its own for each explanation
                return explain_lime_reference(subject(pixels, logits), ClassTarget(label), samples=samples, seed=seed)

        return explain

    def ours(pixels: Pixels, label: int, seed: int) -> Explanation:
        return explain_lime(subject(pixels, runtime.logits), ClassTarget(label), seed=seed)

    ways: dict[str, Explain] = {OURS: ours, PACKAGE: package(runtime.logits)}
    if keras:
        from flowers_core.networks import start_tensorflow

        start_tensorflow(quietly=True)
        from flowers_core.networks.classifier import load_classifier

        classifier = load_classifier(bundle.path(CLASSIFIER_FILE))

        def predict(photos: Pixels) -> NDArray[np.float32]:
            return classifier.predict(photos.astype(np.float32), verbose=0)

        predict(np.zeros((10, size, size, 3), np.uint8))  # traces the graph
        ways[PACKAGE_ON_KERAS] = package(predict)
    return ways


def _record(options: argparse.Namespace, found: dict[str, _Found]) -> LimeRecord:
    ours, package = found[OURS], found[PACKAGE]
    runs = list(ours.maps.values())
    ways = {}
    for name, way in found.items():
        ratios = [seconds / ours.seconds[photo] for photo, seconds in way.seconds.items()]
        ways[name] = LimeBackend(
            photos=len(way.seconds),
            seconds=bootstrap(list(way.seconds.values()), np.median),
            times_ours=bootstrap(ratios, np.median),
            deletion=_interval([curve.deletion_auc for curve in way.curves.values()]),
            insertion=_interval([curve.insertion_auc for curve in way.curves.values()]),
            stability=_interval(list(way.alike.values())),
        )
    less = [package.curves[photo].deletion_auc - curve.deletion_auc for photo, curve in ours.curves.items()]
    more = [alike - package.alike[photo] for photo, alike in ours.alike.items()]
    return LimeRecord(
        machine=machine(),
        split=options.split,
        seed=options.seed,
        seeds=options.seeds,
        per_position=not options.regression,
        stability_photos=len(more),
        samples=float(np.median([int(run.settings["samples"]) for run in runs])),
        converged=float(np.mean([bool(run.settings["converged"]) for run in runs])),
        backends=ways,
        deletion_gain=bootstrap(less),
        stability_gain=_interval(more),
    )


def _interval(values: list[float]) -> Interval | None:
    """The mean with its interval; None where nothing was measured."""
    return bootstrap(values) if values else None


def _print(record: LimeRecord) -> None:
    print(
        f"{'LIME':24} {'photos':>6} {'seconds':>8} {'÷ ours':>7} {'deletion':>9} {'insertion':>9} {'top 5 alike':>11}"
    )
    for name, way in record.backends.items():
        faithful = [f"{figure.value:9.3f}" if figure else f"{'–':>9}" for figure in (way.deletion, way.insertion)]
        alike = f"{way.stability.value:11.3f}" if way.stability else f"{'–':>11}"
        quick = f"{way.seconds.value:8.3f} {way.times_ours.value:7.1f}"
        print(f"{name:24} {way.photos:6} {quick} {' '.join(faithful)} {alike}")
    print(f"Looks taken by ours: {record.samples:.0f} in the median; settled: {100 * record.converged:.0f} %.")
    for what, gain in (("Deletion less than", record.deletion_gain), ("Top 5 alike more than", record.stability_gain)):
        if gain:
            print(f"{what} the package's by {gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}].")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--photos", type=int, default=50, help="photos, spread over the classes (default: 50)")
    parser.add_argument("--alike-photos", type=int, default=50, help="of them with more seeds (default: 50)")
    parser.add_argument("--seeds", type=int, default=10, help="seeds on each of those (default: 10)")
    parser.add_argument("--keras-photos", type=int, default=5, help="of them with Keras, 0 for none (default: 5)")
    parser.add_argument(
        "--package-samples", type=int, default=1000, help="looks of the package (default: 1000, as its)"
    )
    parser.add_argument(
        "--regression", action="store_true", help="ours by regression, which does not watch every place apart"
    )
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="default: test")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
