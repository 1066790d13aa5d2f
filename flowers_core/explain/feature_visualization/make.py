"""Make the pictures of a bundle, one after another: a run that is broken off goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from flowers_core.data.batches import input_batches
from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import CropRule
from flowers_core.data.progress import Track, untracked
from flowers_core.explain.feature_visualization.pictures import ModelPictures, as_webp, load_pictures
from flowers_core.explain.feature_visualization.spectrum import Spectrum, mean_spectrum
from flowers_core.explain.feature_visualization.visualize import FeatureVisualizer, Options
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle
from flowers_core.inference.bundle_writer import BundleWriter

#: Side of the pictures in pixels, and the photos whose spectrum they have.
SIDE, _SPLIT = 224, "train"
#: So many pictures are made at most where the first is not recognized, and what share of its crops must be.
ATTEMPTS, _RECOGNIZED = 4, 0.6
#: A picture's place among the directions, and its file → the share of its crops that the model names rightly.
Recognition = Callable[[int, bytes], float]


def make_pictures(
    bundle: Bundle,
    file_name: str,
    directions: npt.NDArray[np.floating],
    visualizer: Callable[[], FeatureVisualizer],
    *,
    options: Options,
    recognition: Recognition | None = None,
    seed: int = 0,
    track: Track = untracked,
) -> ModelPictures:
    """Make what a file of pictures lacks, and write it after each picture.

    Args:
        bundle: the model; the file goes into its folder.
        file_name: of the pictures.
        directions: (n, c), one for each picture.
        visualizer: builds what makes them; it is not called where none is lacking.
        options: of the visualizer.
        recognition: tells whether the model names a picture; where it does not, others are made, and the one that it
            names best is kept. None keeps the first.
        seed: of all pictures; each has a seed of its own from it.
        track: shows progress over the pictures.

    Returns:
        All n pictures.
    """
    attempts = {"attempts": ATTEMPTS} if recognition else {}
    made_with = {"model": bundle.digest(CLASSIFIER_FILE), "side": SIDE, "seed": seed, **asdict(options), **attempts}
    name = json.dumps(made_with)
    found = load_pictures(bundle.path(file_name)) if bundle.has(file_name) else ModelPictures(name)
    if found.made_with != name:
        found = ModelPictures(name)
    lacking = [index for index in range(len(directions)) if index not in found.pictures]
    if not lacking:
        return found
    maker = visualizer()
    for index in track(lacking, "pictures", len(lacking)):
        began = time.process_time()
        found.pictures[index] = _picture(maker, directions[index], index, seed, recognition)
        found.seconds[index] = time.process_time() - began
        BundleWriter.open(bundle.folder).add_npz(file_name, compressed=False, **found.arrays())
    return found


def _picture(
    maker: FeatureVisualizer,
    direction: npt.NDArray[np.floating],
    index: int,
    seed: int,
    recognition: Recognition | None,
) -> bytes:
    made: list[tuple[float, bytes]] = []
    for attempt in range(ATTEMPTS):
        own_seed = np.random.SeedSequence([seed, index, attempt] if attempt else [seed, index]).generate_state(1)[0]
        picture = as_webp(maker.visualize(direction, int(own_seed)))
        if recognition is None:
            return picture
        made.append((recognition(index, picture), picture))
        if made[-1][0] >= _RECOGNIZED:
            break
    return max(made, key=lambda each: each[0])[1]


def class_directions(head: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """What speaks for each class rather than for the others, (classes, c): weights less their mean over the classes.

    Args:
        head: (c, classes), the linear layer's weights.
    """
    return (head - head.mean(axis=1, keepdims=True)).T


def photo_spectrum(dataset: Dataset, *, track: Track = untracked) -> Spectrum:
    """The spectrum of the training photos at the pictures' size.

    Args:
        dataset: the photos.
        track: shows progress over the batches.
    """
    ids = dataset.split_ids(_SPLIT)
    batches = input_batches(dataset, ids, CropRule(SIDE))
    return mean_spectrum(track(batches, "spectrum", -(-len(ids) // 32)))


def visualizer_of(bundle: Bundle, spectrum: Spectrum, options: Options) -> FeatureVisualizer:
    """What makes pictures of directions in a bundle's embedding.

    Args:
        bundle: with its Keras classifier.
        spectrum: of photos.
        options: how a picture is optimized.

    Raises:
        BundleError: the bundle comes without its Keras classifier.
    """
    path = bundle.path(CLASSIFIER_FILE)
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    import keras

    from flowers_core.networks.backbones import build_backbone
    from flowers_core.networks.classifier import EMBEDDING, build_classifier, load_classifier

    stored = load_classifier(path)
    backbone = build_backbone(bundle.manifest.backbone, weights_dir=None, size=options.side)
    resized = build_classifier(backbone, stored.output_shape[-1])
    resized.set_weights(stored.get_weights())
    return FeatureVisualizer(keras.Model(resized.input, resized.get_layer(EMBEDDING).output), spectrum, options)
