"""Evaluates methods of explanation on a sample of photos: scores and a sanity check. A run can be resumed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import ModelInput, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import Photo, open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.data.segmentations import flower_mask
from flowers_core.explain.attributions.gradients import Gradients
from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.closer_look import CloserLook
from flowers_core.explain.metrics.faithfulness import Baselines
from flowers_core.explain.metrics.input_noise import with_input_noise
from flowers_core.explain.metrics.scorecard import BASELINES, Score, baseline_scores, score
from flowers_core.explain.subject import Subject
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.files import write_json
from flowers_core.storage.json_lines import JsonLines, read_json_lines
from flowers_core.storage.typed_json import read_json

FORMAT = "int8"
#: Side of an off-centre part, as a fraction of the photo's short side, and where in it the photo's middle lies.
CORNER_PART, MIDDLE_AT = 5 / 7, 0.7

_Pixel = TypeVar("_Pixel", np.uint8, np.bool_)


def score_methods(
    bundle: Bundle,
    flowers: Dataset,
    photos: Sequence[int],
    methods: Sequence[str],
    path: Path,
    *,
    closely: Collection[int] = (),
    off_centre: bool = False,
    time_anew: bool = False,
    track: Track = untracked,
) -> list[Score]:
    """The score of every method, and of every baseline, on every photo.

    Args:
        bundle: whose INT8 model is explained; methods that need gradients take its Keras classifier.
        flowers: the data set.
        photos: ids of its photos.
        methods: names, as in `METHODS`.
        path: a JSON Lines file. Each score is added as soon as it is known; scores in it are not computed again.
        closely: the photos among them that are looked at closely too (`metrics.closer_look`).
        off_centre: whether each photo is cut so that its middle lies near a corner (`corner_part`).
        time_anew: whether to time each method again on each photo, as after a run beside other work.
        track: shows progress over the photos.

    Returns:
        The scores photo by photo, in the order of `methods` and then of `BASELINES`.
    """
    known: dict[tuple[int, str], Score] = {}
    for values in read_json_lines(path):
        try:
            found = Score.from_json(values)
        except TypeError:
            continue  # written by an older version
        if found.road is not None or found.photo_id not in closely:
            known[found.photo_id, found.method] = found
    rows = [*methods, *BASELINES]
    missing = [(photo, [name for name in rows if (photo, name) not in known]) for photo in photos]
    missing = [(photo, names) for photo, names in missing if names]
    if missing or time_anew:
        scorer = _Scorer(bundle, closely, off_centre)
        with JsonLines(path) as lines:
            for photo, names in track(missing, "photos", len(missing)):
                for found in scorer.scores(flowers, photo, names):
                    known[found.photo_id, found.method] = found
                    lines.add(found.to_json())
            for photo in track(photos, "photos timed", len(photos)) if time_anew else ():
                for name, seconds in scorer.seconds(flowers, photo, methods).items():
                    known[photo, name] = replace(known[photo, name], seconds=seconds)
                    lines.add(known[photo, name].to_json())
    return [known[photo, name] for photo in photos for name in rows]


def sanity_checks(
    bundle: Bundle,
    flowers: Dataset,
    photos: Sequence[int],
    methods: Sequence[str],
    path: Path,
    *,
    track: Track = untracked,
) -> dict[str, dict[str, float]]:
    """Compare each method's map with that of the same network with shuffled layers (`metrics.sanity`).

    Args:
        bundle: whose Keras classifier is shuffled. Without a classifier nothing is computed.
        flowers: the data set.
        photos: ids of its photos. Without photos nothing is computed.
        methods: names, as in `METHODS`.
        path: a JSON file. Each method's result is kept as soon as it is known; methods in it are not computed again.
        track: shows progress over the methods.

    Returns:
        Everything that the file holds afterwards: method → fraction of shuffled layers, as text → rank correlation with
        the trained network's map; and "complexity_rise" with all layers shuffled, if the map is not constant.
    """
    known: dict[str, dict[str, float]] = read_json(path) if path.is_file() else {}
    missing = [METHODS[name] for name in methods if name not in known]
    if not missing or not photos or not bundle.has(CLASSIFIER_FILE):
        return known
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.explain.metrics.sanity import sanity_check
    from flowers_core.networks.classifier import load_classifier

    classifier = load_classifier(bundle.path(CLASSIFIER_FILE))
    inputs: list[NDArray[np.uint8]] = [
        model_input(open_photo(flowers.path(photo)).pixels, bundle.crop_rule).pixels for photo in photos
    ]
    answers = classifier.predict(np.stack(inputs).astype(np.float32), verbose=0).argmax(axis=1) + 1
    subjects = [(pixels, ClassTarget(int(answer))) for pixels, answer in zip(inputs, answers, strict=True)]
    for method in track(missing, "sanity check", len(missing)):
        found = sanity_check(classifier, [method], subjects)[method.name]
        known[method.name] = {
            f"{fraction:g}": changed.agreement.rank_correlation for fraction, changed in found.items()
        }
        if (rise := found[1.0].complexity_rise) is not None:
            known[method.name]["complexity_rise"] = rise
        write_json(path, known)
    return known


def corner_part(pixels: NDArray[_Pixel], corner: int) -> NDArray[_Pixel]:
    """The part of a photo at one of its corners, in which the photo's middle, and so most flowers, lie off the centre.

    Args:
        pixels: (h, w, 3), or a mask (h, w).
        corner: 0…3: top left, top right, bottom left, bottom right.

    Returns:
        A square of CORNER_PART of the photo's short side, with the photo's middle MIDDLE_AT of the side from two edges.
    """
    height, width = pixels.shape[:2]
    down, right = divmod(corner, 2)
    side = round(CORNER_PART * min(height, width))
    top = max(0, round(height / 2 - (1 - MIDDLE_AT if down else MIDDLE_AT) * side))
    left = max(0, round(width / 2 - (1 - MIDDLE_AT if right else MIDDLE_AT) * side))
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


class _Scorer:
    """Scores methods that explain the class predicted by the INT8 model."""

    def __init__(self, bundle: Bundle, closely: Collection[int], off_centre: bool) -> None:
        self._bundle, self._closely, self._off_centre = bundle, closely, off_centre
        self._runtime = open_runtime(bundle, FORMAT)
        self._head = bundle.head()[0]
        self._temperature = bundle.calibration.temperature if bundle.calibration else 1.0
        self._gradients = cache(self._build_gradients) if bundle.has(CLASSIFIER_FILE) else None

    def seconds(self, flowers: Dataset, photo_id: int, names: Sequence[str]) -> dict[str, float]:
        """How long each of the named methods takes on one photo, for the predicted class."""
        pixels = self._pixels(open_photo(flowers.path(photo_id)), photo_id)
        seen = model_input(pixels, self._bundle.crop_rule)
        subject, target = self._subject(seen, (pixels.shape[1], pixels.shape[0]))
        return {name: METHODS[name].explain(subject, target, seed=0).seconds for name in names}

    def _pixels(self, photo: Photo, photo_id: int) -> NDArray[np.uint8]:
        """What is scored of a photo."""
        return corner_part(photo.pixels, photo_id % 4) if self._off_centre else photo.pixels

    def scores(self, flowers: Dataset, photo_id: int, names: Sequence[str]) -> Iterator[Score]:
        """The scores of the named methods and baselines on one photo, for the predicted class."""
        photo = open_photo(flowers.path(photo_id))
        pixels = self._pixels(photo, photo_id)
        seen = model_input(pixels, self._bundle.crop_rule)
        subject, target = self._subject(seen, (pixels.shape[1], pixels.shape[0]))
        noisy = with_input_noise(seen.pixels, photo_id)
        noisy_subject = subject.with_pixels(noisy, self._runtime.forward(noisy[None]).features[0])
        closer = None
        if photo_id in self._closely:
            closer = CloserLook(subject, target, self._mask(flowers, photo_id, photo), seed=photo_id)
        baselines: Baselines | None = None
        # Any method's score brings the baselines' with it. The closed form is the cheapest method.
        for name in [name for name in names if name in METHODS] or ["cam"]:
            asked = closer if name in names else None
            found, baselines = score(METHODS[name], subject, noisy_subject, target, photo_id, baselines, asked)
            if name in names:
                yield found
        assert baselines is not None
        if set(BASELINES) & set(names):
            yield from (found for found in baseline_scores(photo_id, baselines, closer) if found.method in names)

    def _mask(self, flowers: Dataset, photo_id: int, photo: Photo) -> NDArray[np.bool_] | None:
        """The flower on what is scored of a photo; None where there is no segmentation."""
        if not isinstance(flowers, OxfordFlowers):
            return None
        mask = flower_mask(flowers.root, photo_id, photo)
        return corner_part(mask, photo_id % 4) if mask is not None and self._off_centre else mask

    def _subject(self, seen: ModelInput, photo_size: tuple[int, int]) -> tuple[Subject, ClassTarget]:
        forward = self._runtime.forward(seen.pixels[None])
        subject = Subject(
            pixels=seen.pixels,
            box=seen.box,
            photo_size=photo_size,
            features=forward.features[0],
            head=self._head,
            logits=self._runtime.logits,
            feature_maps=self._runtime.features,
            forward=self._runtime.forward,
            temperature=self._temperature,
            gradients=self._gradients,
        )
        return subject, ClassTarget(int(forward.logits[0].argmax()) + 1)

    def _build_gradients(self) -> Gradients:
        from flowers_core.networks import start_tensorflow

        start_tensorflow(quietly=True)
        from flowers_core.networks.classifier import load_classifier

        gradients = Gradients(load_classifier(self._bundle.path(CLASSIFIER_FILE)))
        # The first call traces the graphs; that time must not count as a method's.
        blank = np.zeros((gradients.input_size, gradients.input_size, 3), np.uint8)
        gradients.at_layer(blank, ClassTarget(1))
        gradients.at_photo(blank[None].astype(np.float32), ClassTarget(1))
        return gradients
