"""Let a model make a picture of what it looks for in each class and each concept.

    flowers visualize_features efficientnet_lite0_joined
    flowers visualize_features efficientnet_lite0_joined --concepts
    flowers visualize_features efficientnet_lite0_joined --measure

The pictures have the mean spectrum of the training photos, and only their phases are optimized. They go into the bundle
one by one, so that a run that was broken off goes on; the pages then need no data set. `--measure` shows the model
random crops of the class pictures, and keeps how many it names rightly for `results.md`.
"""

import argparse

import numpy as np
import numpy.typing as npt

from flowers_core.data.open_dataset import open_dataset
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.explain.feature_visualization.evaluation import answers_to_crops, measured
from flowers_core.explain.feature_visualization.make import (
    Recognition,
    class_directions,
    make_pictures,
    photo_spectrum,
    visualizer_of,
)
from flowers_core.explain.feature_visualization.pictures import (
    CLASS_PICTURES_FILE,
    CONCEPT_PICTURES_FILE,
    load_pictures,
)
from flowers_core.explain.feature_visualization.visualize import FeatureVisualizer, Options
from flowers_core.explain.method_evaluation import FORMAT
from flowers_core.explain.records.class_pictures import CLASS_PICTURE_RECORD_FILE
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser


def main() -> None:
    """Parse the command line; make the pictures that are lacking, or measure those of the classes."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if options.measure:
        _measure(bundle, options)
        return
    file_name = CONCEPT_PICTURES_FILE if options.concepts else CLASS_PICTURES_FILE
    directions = _concepts(bundle) if options.concepts else class_directions(bundle.head()[0])
    settings = Options(steps=options.steps)

    def visualizer() -> FeatureVisualizer:
        return visualizer_of(bundle, photo_spectrum(open_dataset(options.data), track=progress), settings)

    recognition = None if options.concepts else _recognition(bundle, options.seed)
    made = make_pictures(
        bundle,
        file_name,
        directions,
        visualizer,
        options=settings,
        recognition=recognition,
        seed=options.seed,
        track=progress,
    )
    size = sum(map(len, made.pictures.values()))
    minutes = sum(made.seconds.values()) / 60
    print(f"{len(made.pictures)} pictures, {size / 1e6:.1f} MB, {minutes:.1f} minutes of a core, in {bundle.folder}.")


def _recognition(bundle: Bundle, seed: int) -> Recognition:
    """By other crops than those that `--measure` draws."""
    runtime = open_runtime(bundle, FORMAT)

    def share(index: int, picture: bytes) -> float:
        answers = answers_to_crops(runtime, picture, np.random.default_rng([seed, index]))
        return float(np.mean(answers == index))

    return share


def _concepts(bundle: Bundle) -> npt.NDArray[np.float64]:
    if not bundle.has(CONCEPTS_FILE):
        raise BundleError(f"'{bundle.name}' has no concepts yet; `flowers fit_concepts {bundle.name}` fits them.")
    return load_concepts(bundle.path(CONCEPTS_FILE), bundle.head()[0]).dictionary.concepts


def _measure(bundle: Bundle, options: argparse.Namespace) -> None:
    if not bundle.has(CLASS_PICTURES_FILE):
        makes = f"`flowers visualize_features {bundle.name}` makes them"
        raise BundleError(f"'{bundle.name}' has no pictures of its classes yet; {makes}.")
    pictures = load_pictures(bundle.path(CLASS_PICTURES_FILE))
    record = measured(open_runtime(bundle, FORMAT), pictures, seed=options.seed, track=progress)
    BundleWriter.open(bundle.folder).add_json(CLASS_PICTURE_RECORD_FILE, to_json(record))
    for name, value in vars(record).items():
        print(f"{name}: {value}")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--concepts", action="store_true", help="pictures of the concepts instead of the classes")
    what.add_argument("--measure", action="store_true", help="measure the class pictures that the bundle has")
    parser.add_argument(
        "--steps", type=at_least(1), default=Options.steps, help=f"of the optimizer (default: {Options.steps})"
    )
    parser.add_argument("--seed", type=int, default=0, help="begins the pictures, draws the crops (default: 0)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
