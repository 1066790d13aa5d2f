"""The rule of several looks, fitted to drawn photos whose crops are right more often than they are sure, or less."""

from dataclasses import replace

import numpy as np
import pytest

from flowers_core.data.batches import input_batches
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.evidence import NO_CLASS, clean_photos
from flowers_core.evaluation.looks_fit import DoubtfulPhoto, doubtful_photos, fit_looks
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.looks_rule import LooksCertainty, LooksRule, combined
from flowers_core.inference.multi_crop import crop_boxes
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.paths import default_models_dir

_CLASSES, _CROPS = 5, 12


def _photo(generator: np.random.Generator, *, right: float, label: int | None = None, familiar: bool = True):
    """A photo whose whole is wrong half of the time and whose crops agree on a class, right in so many cases."""
    truth = int(generator.integers(1, _CLASSES + 1)) if label is None else label
    named = truth if truth and generator.random() < right else truth % _CLASSES + 1

    def saying(column: int, probability: float) -> np.ndarray:
        values = np.full(_CLASSES, (1 - probability) / (_CLASSES - 1))
        values[column] = probability
        return values

    whole = saying(int(generator.integers(0, _CLASSES)), 0.4)
    crops = np.stack([saying(named - 1, 0.8) for _ in range(_CROPS)])
    return DoubtfulPhoto(truth, whole, familiar, crops, np.ones(_CROPS, bool))


def _photos(count: int, seed: int, **options: float) -> list[DoubtfulPhoto]:
    generator = np.random.default_rng(seed)
    return [_photo(generator, **options) for _ in range(count)]


def _stated(rule, photos: list[DoubtfulPhoto]) -> tuple[float, float]:
    """The mean probability of the answers from all looks, and the share that is right."""
    found = [combined(photo.whole, photo.crops, rule) for photo in photos]
    rights = [p.argmax() + 1 == photo.label for p, photo in zip(found, photos, strict=True)]
    return float(np.mean([p.max() for p in found])), float(np.mean(rights))


@pytest.mark.parametrize("right", [0.7, 0.97])
def test_answers_are_as_sure_as_the_crops_are_right(right: float) -> None:
    rule = fit_looks(_photos(60, 0, right=right), _photos(60, 1, right=right), [])
    stated, found = _stated(rule, _photos(1000, 2, right=right))
    assert found == pytest.approx(right, abs=0.03)
    assert stated == pytest.approx(found, abs=0.05)


def test_without_doubt_is_named_what_is_nearly_always_right() -> None:
    always, often = _photos(30, 0, right=1.0), _photos(30, 1, right=0.8)
    assert fit_looks(always, always, []).sure_from < 1
    # Several looks ask for no less than one look does.
    held = fit_looks(always, always, [], least=0.9999)
    assert held.sure_from == 0.9999
    # Every answer has much the same probability, and too many are wrong: none is sure.
    rule = fit_looks(often, often, [])
    sure = [combined(photo.whole, photo.crops, rule).max() >= rule.sure_from for photo in often]
    assert np.mean(sure) < 0.3


def test_what_looks_like_no_flower_has_a_bar_of_its_own() -> None:
    strange, photos = _photos(25, 0, right=1.0, familiar=False), _photos(25, 1, right=1.0)
    assert fit_looks(photos + strange, photos, []).novel_sure_from < 1
    assert fit_looks(photos + strange, photos, [], least=0.9999).novel_sure_from == 0.9999
    # Too few photos of flowers tell nothing: none is named without doubt.
    assert fit_looks(photos + strange[:19], photos, []).novel_sure_from > 1


def _certain(rule: LooksRule, photo: DoubtfulPhoto) -> float:
    """How probable the answer to a photo whose crops say the same is right."""
    together = combined(photo.whole, photo.crops, rule)
    column = together.argmax()
    assert rule.certainty is not None
    likeness = photo.familiar_crops.mean()
    return float(rule.certainty.probability([together[column]], [photo.whole[column]], [1.0], [likeness])[0])


def test_crops_that_look_like_what_they_name_tell_flowers_from_other_pictures() -> None:
    strange, photos = _photos(25, 0, right=1.0, familiar=False), _photos(25, 1, right=1.0)
    # Of pictures without a flower all crops agree, too, but two look like what they name.
    others = [
        replace(photo, familiar_crops=np.arange(_CROPS) < 2)
        for photo in _photos(30, 2, right=0.0, label=NO_CLASS, familiar=False)
    ]
    rule = fit_looks(photos + strange, photos, others)
    assert max(_certain(rule, photo) for photo in others) < 0.5 < 0.9 < min(_certain(rule, photo) for photo in strange)
    assert rule.novel_sure_from == 0.98  # however many more are right, so few photos lower it no further
    # Where theirs look as much like it, it tells nothing.
    alike = [replace(photo, familiar_crops=np.ones(_CROPS, bool)) for photo in others]
    rule = fit_looks(photos + strange, photos, alike)
    assert max(_certain(rule, photo) for photo in strange) < 0.9


def test_pictures_without_a_flower_raise_the_bar() -> None:
    photos = _photos(25, 1, right=1.0)
    free = fit_looks(photos, photos, [])
    held = fit_looks(photos, photos, _photos(9, 2, right=0.0, label=NO_CLASS))
    assert free.sure_from < held.sure_from
    # Too few photos of flowers tell nothing: none is named without doubt.
    assert fit_looks(photos[:5], photos[:5], []).sure_from > 1


def test_certainty_knows_what_the_probability_does_not() -> None:
    # All crops say the same, so surely that the probability is much the same. Where the whole photo says it too, they
    # are right; where it says something else, they are wrong.
    generator = np.random.default_rng(0)

    def drawn(count: int) -> list[DoubtfulPhoto]:
        photos = _photos(count, int(generator.integers(100)), right=0.5)
        agree = [int(photo.crops[0].argmax()) + 1 == photo.label for photo in photos]
        return [
            replace(photo, whole=photo.crops[0] if right else np.roll(photo.crops[0], 1))
            for photo, right in zip(photos, agree, strict=True)
        ]

    rule = fit_looks(drawn(100), drawn(100), [])
    assert rule.certainty is not None
    assert rule.certainty.whole > 0
    low, high = rule.certainty.probability([0.9, 0.9], [0.05, 0.8], [1.0, 1.0], [1.0, 1.0])
    assert low < 0.1 < 0.9 < high
    assert low < rule.sure_from <= high


def test_certainty_by_hand() -> None:
    # Even odds in all looks, three to one in the whole, half of the crops: −1 + 2·0 + ln 3 + 4·½.
    found = LooksCertainty(-1.0, 2.0, 1.0, 4.0).probability([0.5], [0.75], [0.5], [0.5])
    assert found == pytest.approx(3 * np.e / (1 + 3 * np.e))
    # A quarter of them look like it: −4·¼ in addition.
    found = LooksCertainty(-1.0, 2.0, 1.0, 4.0, likeness=-4.0).probability([0.5], [0.75], [0.5], [0.25])
    assert found == pytest.approx(3 / (1 + 3))


def test_only_doubtful_photos_are_looked_at_and_as_the_answerer_looks(drawn_dataset: OxfordFlowers) -> None:
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    runtime = open_runtime(bundle, "int8")
    answerer = open_answerer(bundle, runtime)
    ids = drawn_dataset.split_ids("validation")[:2]
    shown = list(clean_photos(drawn_dataset, ids))
    found = list(doubtful_photos(bundle, runtime, answerer.reader, shown))
    batch = next(iter(input_batches(drawn_dataset, ids, bundle.crop_rule)))
    doubt = [row for row in range(len(ids)) if not answerer.first_look(runtime.forward(batch[row : row + 1])).sure]
    assert [photo.label for photo in found] == [shown[row].label for row in doubt]
    assert found
    first = shown[doubt[0]].pixels
    answer = answerer.answer(first)
    assert found[0].whole == pytest.approx(answer.whole.probabilities)
    assert found[0].crops.shape == (len(crop_boxes(first.shape[1], first.shape[0])), 102)
