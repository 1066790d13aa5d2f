"""Evidence of drawn photos by a tiny network: labels, groups, corruptions in turn, and a cache that spares the work."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.corruptions import CORRUPTIONS, corrupted
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.evaluation.evidence import NO_CLASS, Shown, clean_photos, corrupted_photos, observe
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.confidence import evidence_of
from flowers_core.inference.runtime import Runtime


def test_observed_photos_are_what_the_network_says_of_them(
    tiny_bundle: Path, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    bundle, ids = load_bundle(tiny_bundle), drawn_dataset.split_ids("train")
    found = observe(bundle, clean_photos(drawn_dataset, ids), key="training", cache=tmp_path)
    assert len(found) == len(ids) > 16  # more than one batch
    assert found.groups.tolist() == ids.tolist()
    assert found.labels.tolist() == [drawn_dataset.label_of(photo_id) for photo_id in ids]
    pixels = model_input(open_photo(drawn_dataset.path(int(ids[17]))).pixels, bundle.crop_rule).pixels
    alone = evidence_of(Runtime(bundle.path("int8.tflite")).forward(pixels[None]), *bundle.head())
    np.testing.assert_array_equal(found.evidence.logits[17], alone.logits[0])
    np.testing.assert_array_equal(found.evidence.embeddings[17], alone.embeddings[0])
    assert found.evidence.surest[17] == pytest.approx(alone.surest[0], abs=1e-5)
    assert found.right.tolist() == (found.evidence.logits.argmax(axis=1) + 1 == found.labels).tolist()

    def nothing() -> Iterator[Shown]:
        raise AssertionError("The cache has these photos.")
        yield

    again = observe(bundle, nothing(), key="training", cache=tmp_path)
    np.testing.assert_array_equal(again.evidence.logits, found.evidence.logits)
    np.testing.assert_array_equal(again.labels, found.labels)
    with pytest.raises(AssertionError, match="cache has"):
        observe(bundle, nothing(), key="others", cache=tmp_path)


def test_a_photo_is_also_read_as_if_its_class_were_not_known(
    tiny_bundle: Path, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    bundle, ids = load_bundle(tiny_bundle), drawn_dataset.split_ids("train")[:5]
    found = observe(bundle, clean_photos(drawn_dataset, ids), key="five", cache=tmp_path)
    weights, bias = bundle.head()
    runtime = Runtime(bundle.path("int8.tflite"))
    assert found.surest_without is not None
    for row, photo_id in enumerate(ids.tolist()):
        others = np.arange(len(bias)) != drawn_dataset.label_of(photo_id) - 1
        pixels = model_input(open_photo(drawn_dataset.path(photo_id)).pixels, bundle.crop_rule).pixels
        forward = runtime.forward(pixels[None])
        lacking = replace(forward, logits=forward.logits[:, others])
        alone = evidence_of(lacking, weights[:, others], bias[others])
        assert found.surest_without[row] == pytest.approx(alone.surest[0], abs=1e-5)
    again = observe(bundle, [], key="five", cache=tmp_path)
    np.testing.assert_array_equal(again.surest_without, found.surest_without)


def test_no_answer_to_a_picture_without_a_flower_is_right(tiny_bundle: Path) -> None:
    pictures = (Shown(np.full((40, 40, 3), grey, np.uint8), NO_CLASS, -1) for grey in (0, 90, 200))
    found = observe(load_bundle(tiny_bundle), pictures, key="grey")
    assert not found.right.any()
    assert found.surest_without is None  # none of them has a class that could be lacking


def test_every_corruption_is_equally_frequent(drawn_dataset: OxfordFlowers) -> None:
    # Fourteen photos under four corruptions each: each of the fourteen four times, and no photo one of them twice.
    ids = drawn_dataset.split_ids("train")[:14]
    shown = list(corrupted_photos(drawn_dataset, ids, 4))
    assert [one.group for one in shown] == np.repeat(ids, 4).tolist()
    counts = dict.fromkeys(CORRUPTIONS, 0)
    for photo_id in ids.tolist():
        pixels = open_photo(drawn_dataset.path(photo_id)).pixels
        versions = {kind: corrupted(pixels, kind, photo_id).tobytes() for kind in CORRUPTIONS}
        for one in shown:
            if one.group == photo_id:
                assert one.label == drawn_dataset.label_of(photo_id)
                kind = next(kind for kind, version in versions.items() if version == one.pixels.tobytes())
                counts[kind] += 1
                del versions[kind]
    assert set(counts.values()) == {4}
