"""The verdict with one confidence, by hand: sure, between, unsure and unlike any flower."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import Taxon, load_taxonomy
from flowers_core.evaluation.evidence import clean_photos, observe
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.confidence import DISCRIMINANT_FILE
from flowers_core.inference.confidence_head import ConfidenceHead, confidence_head
from flowers_core.inference.confidence_model import ConfidenceModel
from flowers_core.inference.discriminant import DiscriminantSpace, fit_discriminant_space
from flowers_core.inference.identify import identify
from flowers_core.inference.novelty import NoveltyRule
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.prediction_set import SetRule
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.confidence import ConfidenceRecord, ConfidenceSource
from flowers_core.inference.runtime import Forward, Runtime

_TAXA: list[Taxon] = [taxon for taxon in load_taxonomy() if taxon.label <= 3]
_SPACE = DiscriminantSpace(
    prototypes=np.eye(3, dtype=np.float32),
    scale=np.ones(3, np.float32),
    mean=np.full(3, 1 / 3, np.float32),
    projection=np.eye(3, dtype=np.float32),
)
# Confidence is the logistic function of the margin; a distance above e² is unlike any flower.
_MODEL = ConfidenceModel((0.0,) * 5, (1.0,) * 5, (1.0, 0, 0, 0, 0), 0.0, (-9.0, 9.0), (-9.0, 9.0), sure_from=0.9)
_RECORD = ConfidenceRecord(
    _MODEL,
    NoveltyRule(0.0, 1.0, 0.0, 1e9, threshold=-2.0, accepted=0.95),
    SetRule(0.95, 0.1, 0.95, 0.94, 1.2, 1.8),
    ConfidenceSource("validation", 1, 1, 1),
)
_HEAD = ConfidenceHead(_RECORD, _SPACE, np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


def _predict(*embedding: float) -> Prediction:
    vectors = np.array([embedding], np.float32)
    return _HEAD.predict(Forward(vectors, vectors[:, None, None, :], vectors), _TAXA)


def _logistic(value: float) -> float:
    return 1 / (1 + np.exp(-value))


def test_the_answers_probability_is_its_confidence() -> None:
    sure = _predict(4, 1, 0)
    assert sure.candidates[0].label == 1
    assert sure.candidates[0].probability == pytest.approx(_logistic(3), abs=1e-6)
    assert sure.probabilities.sum() == pytest.approx(1)
    # It is in the set alone, though others might be by the rule for sets.
    assert (sure.verdict, sure.plausible, sure.novel) == ("sure", (1,), False)


def test_between_two() -> None:
    # Confidence 0.73 leaves 0.27, of which the last class gets next to nothing.
    between = _predict(3, 2, -4)
    assert between.candidates[0].probability == pytest.approx(_logistic(1), abs=1e-6)
    assert (between.verdict, between.plausible) == ("between", (1, 2))


def test_unsure() -> None:
    # Confidence 0.88 is not enough, and no other class has 0.1.
    alone = _predict(4, 2, 1.9)
    assert (alone.verdict, alone.plausible, alone.novel) == ("unsure", (1,), False)


def test_unlike_any_flower() -> None:
    # The margin of 20 would be sure, but the prototype is 19 away.
    far = _predict(20, 0, 0)
    assert (far.verdict, far.novel) == ("unsure", True)


def test_what_does_not_fit_is_refused() -> None:
    several = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="One photo"):
        _HEAD.predict(Forward(several, several[:, None, None, :], several), _TAXA)
    with pytest.raises(ValueError, match="do not fit a taxonomy"):
        _HEAD.predict(Forward(several[:1], several[:1, None, None, :], several[:1]), list(load_taxonomy()))
    assert confidence_head.__doc__


@pytest.mark.slow
def test_identify_reads_photos_with_the_rules_that_a_bundle_has(
    tiny_bundle: Path, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    assert confidence_head(load_bundle(tiny_bundle)) is None
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_bundle, folder)
    bundle, ids = load_bundle(folder), drawn_dataset.split_ids("train")
    seen = observe(bundle, clean_photos(drawn_dataset, ids), key="training").evidence
    space = fit_discriminant_space(seen.embeddings, drawn_dataset.labels[ids - 1], 102)
    writer = BundleWriter.open(folder)
    writer.add_npz(DISCRIMINANT_FILE, **space.arrays())
    writer.update(calibration=Calibration(1.0, 0.98, 0.9, 0.8), confidence=_RECORD)
    bundle = load_bundle(folder)
    head = confidence_head(bundle)
    assert head is not None
    (found,) = identify(bundle, [drawn_dataset.path(int(ids[0]))])
    answerer = open_answerer(bundle, Runtime(bundle.path("int8.tflite")))
    assert isinstance(answerer.reader, ConfidenceHead)
    pixels = open_photo(drawn_dataset.path(int(ids[0]))).pixels
    wanted = answerer.answer(pixels).prediction
    alone = answerer.runtime.forward(model_input(pixels, bundle.crop_rule).pixels[None])
    first = head.predict(alone, load_taxonomy())
    np.testing.assert_array_equal(answerer.first_look(alone).probabilities, first.probabilities)
    assert found.prediction is not None
    np.testing.assert_array_equal(found.prediction.probabilities, wanted.probabilities)
    assert found.prediction.verdict == wanted.verdict
