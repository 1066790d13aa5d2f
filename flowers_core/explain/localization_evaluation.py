"""Evaluates localization on the whole test split: how much of the evidence lies on the flower. A run can be resumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.data.segmentations import flower_mask
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.metrics.localization import Localization, localize
from flowers_core.explain.records.localization import LocalizationRecord
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.json_lines import JsonLines, read_json_lines

FORMAT = "int8"

# The predicted label (0 if the model did not run), and the localization (None if there is none).
_Found = tuple[int, Localization | None]


def evaluate_localization(
    bundle: Bundle, flowers: OxfordFlowers, path: Path, *, track: Track = untracked
) -> LocalizationRecord:
    """The localization of the closed form's map on every test photo.

    Args:
        bundle: whose INT8 model predicts.
        flowers: the data set, with Oxford's segmentations.
        path: a JSON Lines file. Each photo's figures are added as soon as they are known; photos in it are not computed
            again.
        track: shows progress over the photos.

    Returns:
        The record of all test photos, by id.
    """
    known: dict[int, _Found] = {}
    for values in read_json_lines(path):
        try:
            photo_id, predicted, figures = values
            known[int(photo_id)] = int(predicted), None if figures is None else Localization(*map(float, figures))
        except (ValueError, TypeError):
            continue  # written by an older version
    missing = [photo_id for photo_id in flowers.split_ids("test").tolist() if photo_id not in known]
    with JsonLines(path) as lines:
        for photo_id, (predicted, found) in _measured(bundle, flowers, track(missing, "photos", len(missing))):
            known[photo_id] = predicted, found
            lines.add([photo_id, predicted, None if found is None else [found.mass, found.area]])
    return _record(flowers, known)


def _measured(bundle: Bundle, flowers: OxfordFlowers, photo_ids: Iterable[int]) -> Iterator[tuple[int, _Found]]:
    runtime, head = open_runtime(bundle, FORMAT), bundle.head()[0]
    for photo_id in photo_ids:
        photo = open_photo(flowers.path(photo_id))
        mask = flower_mask(flowers.root, photo_id, photo)
        if mask is None:
            yield photo_id, (0, None)
            continue
        seen = model_input(photo.pixels, bundle.crop_rule)
        forward = runtime.forward(seen.pixels[None])
        predicted = int(forward.logits[0].argmax()) + 1
        explained = class_evidence(
            forward.features[0], head, predicted, box=seen.box, photo_size=(photo.width, photo.height)
        )
        yield photo_id, (predicted, localize(explained, mask))


def _record(flowers: OxfordFlowers, known: Mapping[int, _Found]) -> LocalizationRecord:
    rows = [
        (photo_id, flowers.label_of(photo_id), predicted, found.mass, found.area)
        for photo_id, (predicted, found) in sorted(known.items())
        if found is not None
    ]
    ids, labels, predicted, mass, area = np.array(rows, np.float64).reshape(-1, 5).T
    return LocalizationRecord(
        ids=ids.astype(np.int64),
        labels=labels.astype(np.int64),
        predicted=predicted.astype(np.int64),
        mass=mass.astype(np.float32),
        area=area.astype(np.float32),
        left_out=len(known) - len(rows),
    )
