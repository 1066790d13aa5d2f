"""One look where that is enough, several where it is not; with the shipped networks on LiteRT."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from flowers_core.data.model_input import model_input
from flowers_core.data.photos import MIN_SIDE, open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import Answer, Answerer, open_answerer
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.confidence_head import ConfidenceHead
from flowers_core.inference.looks_rule import LOOKS_RULE, LooksCertainty, combined
from flowers_core.inference.multi_crop import crop_boxes, crop_inputs
from flowers_core.inference.reading import TemperatureReader
from flowers_core.inference.runtime import Forward, Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.shipped import TESTED

DAHLIA = load_sample_image("flower.jpg")


def _example(name: str) -> np.ndarray:
    return open_photo(default_models_dir().parent / "app" / "example" / f"{name}.jpg").pixels


POPPIES = _example("poppies")
HEIGHT, WIDTH = POPPIES.shape[:2]


def _answerer(bundle: Bundle) -> Answerer:
    return open_answerer(bundle, Runtime(bundle.path("int8.tflite")), lambda: prototypes_of(bundle))


def _by_temperature() -> Bundle:
    """A model as if no confidence had been fitted to it."""
    return Bundle(TESTED.folder, replace(TESTED.manifest, confidence=None))


@pytest.fixture(scope="module")
def answered() -> tuple[Answerer, Answer]:
    answerer = _answerer(_by_temperature())
    return answerer, answerer.answer(POPPIES)


@pytest.mark.parametrize("name", ["inception_v3", "efficientnet_lite0_small"])
def test_a_bundle_is_read_by_its_confidence_where_it_has_one(name: str) -> None:
    answerer = _answerer(load_bundle(default_models_dir() / name))
    kind = ConfidenceHead if answerer.bundle.manifest.confidence else TemperatureReader
    assert isinstance(answerer.reader, kind)


def test_the_poppies_are_small_in_the_frame_and_their_crops_name_them(answered: tuple[Answerer, Answer]) -> None:
    _, answer = answered
    assert not answer.whole.sure
    best, before = answer.prediction.candidates[0], answer.whole.candidates[0]
    assert load_taxonomy()[best.label].name == "corn poppy"
    assert load_taxonomy()[before.label].name != "corn poppy"
    assert best.probability > before.probability
    looks = answer.looks
    assert looks is not None
    assert looks.box in crop_boxes(WIDTH, HEIGHT)
    assert looks.crops == len(crop_boxes(WIDTH, HEIGHT))


def test_crops_that_look_like_no_flower_are_not_believed(answered: tuple[Answerer, Answer]) -> None:
    """Most crops of the dahlia say dahlia, and more surely than the whole; by their prototypes none looks like it."""
    answerer, _ = answered
    answer = answerer.answer(DAHLIA)
    boxes = crop_boxes(DAHLIA.shape[1], DAHLIA.shape[0])
    reading = answerer.reader.read(answerer.runtime.forward(crop_inputs(DAHLIA, boxes, answerer.bundle.crop_rule)))
    together = combined(answer.whole.probabilities, reading.probabilities, LOOKS_RULE)
    assert together.max() > answer.whole.candidates[0].probability
    assert answer.prediction.probabilities is answer.whole.probabilities
    assert answer.prediction.verdict == "unsure"
    assert answer.looks is not None
    assert answer.looks.crops > 0
    assert answer.looks.box is None


def test_crops_are_not_asked_where_the_rule_says_so() -> None:
    """A cup of coffee looks like no flower to the model, toadstools like one; both leave doubt."""
    shipped = _answerer(TESTED)
    assert isinstance(shipped.reader, ConfidenceHead)
    assert shipped.reader.record.looks is not None
    record = replace(shipped.reader.record, looks=replace(shipped.reader.record.looks, asks_novel=False))
    answerer = replace(shipped, reader=replace(shipped.reader, record=record))
    coffee, toadstools = _example("coffee"), _example("mushrooms")
    asked, unasked = shipped.answer(coffee), answerer.answer(coffee)
    assert asked.whole.novel
    assert asked.looks is not None
    assert unasked.looks is None
    assert unasked.prediction is unasked.whole
    assert not shipped.answer(toadstools).whole.novel
    assert shipped.answer(toadstools).looks is not None
    assert answerer.answer(toadstools).looks == shipped.answer(toadstools).looks


@pytest.mark.parametrize("sure_from", [0.7, 0.8])
def test_crops_that_look_like_it_name_what_as_a_whole_looks_like_none(sure_from: float) -> None:
    """The dahlia fills the frame; a share of its crops look like the dahlia that they name, and decide alone here."""
    shipped = _answerer(TESTED)
    assert isinstance(shipped.reader, ConfidenceHead)
    assert shipped.reader.record.looks is not None
    looks = replace(
        shipped.reader.record.looks,
        certainty=LooksCertainty(0.0, 0.0, 0.0, 0.0, likeness=4.0),
        novel_sure_from=sure_from,
        sure_from=0.0,
    )
    record = replace(shipped.reader.record, looks=looks)
    answerer = replace(shipped, reader=replace(shipped.reader, record=record))
    answer = answerer.answer(DAHLIA)
    boxes = crop_boxes(DAHLIA.shape[1], DAHLIA.shape[0])
    crops = answerer.reader.read(answerer.runtime.forward(crop_inputs(DAHLIA, boxes, answerer.bundle.crop_rule)))
    best = answer.prediction.candidates[0]
    likes = (crops.probabilities.argmax(axis=1) == best.label - 1) & crops.familiar
    likes &= crops.probabilities[:, best.label - 1] >= looks.naming
    assert answer.whole.novel
    assert "dahlia" in load_taxonomy()[best.label].name
    assert 0 < likes.sum() < len(boxes)
    assert best.probability == pytest.approx(1 / (1 + np.exp(-4 * likes.mean())), abs=1e-6)
    assert answer.prediction.sure is bool(best.probability >= sure_from)
    assert answer.prediction.probabilities.sum() == pytest.approx(1)


def test_the_crops_are_looked_at_one_by_one(answered: tuple[Answerer, Answer]) -> None:
    answerer, answer = answered
    readings = []
    for left, top, right, bottom in crop_boxes(WIDTH, HEIGHT):
        seen = model_input(POPPIES[top:bottom, left:right].copy(), answerer.bundle.crop_rule).pixels
        readings.append(answerer.reader.read(answerer.runtime.forward(seen[None])))
    together = np.concatenate([one.probabilities for one in readings])
    wanted = combined(answer.whole.probabilities, together, LOOKS_RULE)
    assert answer.prediction.probabilities == pytest.approx(wanted, abs=1e-9)


class _Counting(Runtime):
    """The real runtime, which counts the photos that it is given."""

    seen = 0

    def forward(self, batch: np.ndarray) -> Forward:
        self.seen += len(batch)
        return super().forward(batch)


@pytest.fixture
def counting() -> Callable[[np.ndarray], tuple[Answer, int]]:
    bundle = _by_temperature()
    runtime = _Counting(bundle.path("int8.tflite"))
    answerer = open_answerer(bundle, runtime, lambda: prototypes_of(bundle))

    def answer(pixels: np.ndarray) -> tuple[Answer, int]:
        before = runtime.seen
        return answerer.answer(pixels), runtime.seen - before

    return answer


def test_a_sure_answer_takes_one_look(counting: Callable[[np.ndarray], tuple[Answer, int]]) -> None:
    whole, passes = counting(POPPIES)
    assert passes == 1 + len(crop_boxes(WIDTH, HEIGHT))
    assert whole.looks is not None
    assert whole.looks.box is not None
    answer, passes = counting(_example("daisies"))
    assert answer.whole.sure
    assert passes == 1
    assert answer.prediction is answer.whole
    assert answer.looks is None


def test_a_photo_too_small_for_crops_gets_one_look(counting: Callable[[np.ndarray], tuple[Answer, int]]) -> None:
    answer, passes = counting(np.full((MIN_SIDE, MIN_SIDE, 3), 128, np.uint8))
    assert passes == 1
    assert not answer.prediction.sure
    assert answer.looks is None
