import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from flowers_core.export.probabilities import with_probabilities
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Runtime


def probabilities(content: bytes, photos: np.ndarray) -> np.ndarray:
    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    assert list(runner.get_output_details()) == ["probabilities"]
    return np.concatenate([runner(photo=photo[None])["probabilities"] for photo in photos])


@pytest.mark.parametrize("numeric_format", ["int8", "float16"])
def test_the_output_is_the_calibrated_softmax(bundle: Bundle, photos: np.ndarray, numeric_format: str) -> None:
    content = bundle.path(model_file(numeric_format)).read_bytes()
    temperature = bundle.require_calibration().temperature
    found = probabilities(with_probabilities(content, temperature).to_bytes(), photos)
    expected = softmax(Runtime(content, workers=1).logits(photos), temperature)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_taught_head_answers_in_the_place_of_the_graphs_own(content: bytes, photos: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    embedding = Runtime(content, workers=1).forward(photos).embedding
    weights = rng.normal(size=(embedding.shape[1], 7)).astype(np.float32)
    bias = rng.normal(size=7).astype(np.float32)
    found = probabilities(with_probabilities(content, 2.0, (weights, bias)).to_bytes(), photos)
    assert found.shape == (3, 7)
    np.testing.assert_allclose(found, softmax(embedding @ weights + bias, 2.0), atol=1e-5)
