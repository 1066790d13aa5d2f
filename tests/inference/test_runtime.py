import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from flowers_core.inference.runtime import Runtime, RuntimeModelError
from flowers_core.storage.paths import default_models_dir


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(default_models_dir() / DEFAULT_BUNDLE)


@pytest.fixture(scope="module")
def photos(bundle: Bundle) -> np.ndarray:
    size = bundle.crop_rule.size
    return np.random.default_rng(0).integers(0, 256, (12, size, size, 3), dtype=np.uint8)


def test_the_answers_are_those_of_a_bare_interpreter(bundle: Bundle, photos: np.ndarray) -> None:
    forward = Runtime(bundle.path("int8.tflite")).forward(photos[:3])
    interpreter = Interpreter(model_path=str(bundle.path("int8.tflite")))
    runner = interpreter.get_signature_runner("serving_default")
    for position in range(3):
        expected = runner(photo=photos[position : position + 1])
        for name in ("logits", "features", "embedding"):
            np.testing.assert_array_equal(getattr(forward, name)[position], expected[name][0])


@pytest.mark.slow
def test_eight_threads_get_the_same_answers_as_one(bundle: Bundle, photos: np.ndarray) -> None:
    expected = [Runtime(bundle.path("int8.tflite"), workers=1).forward(photo[None]).logits[0] for photo in photos]
    shared = Runtime(bundle.path("int8.tflite"), workers=2)
    together = threading.Barrier(8)

    def ask(thread: int) -> list[tuple[int, np.ndarray]]:
        together.wait(timeout=30)
        order = np.random.default_rng(thread).permutation(len(photos))
        return [(int(position), shared.forward(photos[position][None]).logits[0]) for position in order]

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for thread in pool.map(ask, range(8)) for answer in thread]
    assert len(answers) == 8 * len(photos)
    for position, logits in answers:
        np.testing.assert_array_equal(logits, expected[position])


def test_a_batch_from_several_threads_keeps_its_order(bundle: Bundle, photos: np.ndarray) -> None:
    runtime = Runtime(bundle.path("int8.tflite"), workers=3)
    one_by_one = np.concatenate([runtime.logits(photo[None]) for photo in photos])
    with ThreadPoolExecutor(4) as pool:
        for batch in pool.map(lambda _: runtime.logits(photos), range(4)):
            np.testing.assert_array_equal(batch, one_by_one)


def test_the_outputs_hang_together_as_the_design_says(bundle: Bundle, photos: np.ndarray) -> None:
    forward = Runtime(bundle.path("float16.tflite")).forward(photos[:4])
    W, b = bundle.head()
    assert forward.features.min() >= 0
    np.testing.assert_allclose(forward.embedding, forward.features.mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(forward.logits, forward.embedding @ W + b, atol=1e-3)
    assert {part.dtype for part in (forward.logits, forward.features, forward.embedding)} == {np.dtype(np.float32)}


def test_a_head_outside_of_the_graph_answers_in_its_place(bundle: Bundle, photos: np.ndarray) -> None:
    plain = Runtime(bundle.path("int8.tflite"))
    weights = np.random.default_rng(0).normal(size=(plain.forward(photos).embedding.shape[1], 103)).astype(np.float32)
    bias = np.arange(103, dtype=np.float32)
    taught = Runtime(bundle.path("int8.tflite")).with_head(weights, bias)
    expected = plain.forward(photos)
    found = taught.forward(photos)
    np.testing.assert_array_equal(found.features, expected.features)
    np.testing.assert_array_equal(found.embedding, expected.embedding)
    np.testing.assert_allclose(found.logits, expected.embedding @ weights + bias, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(taught.logits(photos), found.logits)


def test_answers_outlive_the_next_photo(bundle: Bundle, photos: np.ndarray) -> None:
    runtime = Runtime(bundle.path("int8.tflite"), workers=1)
    first = runtime.forward(photos[:1])
    kept = first.features.copy()
    runtime.forward(photos[1:2])
    np.testing.assert_array_equal(first.features, kept)


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 224, 224, 3), np.float32),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((1, 100, 100, 3), np.uint8),
        np.zeros((1, 224, 224, 1), np.uint8),
        np.zeros((0, 224, 224, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(bundle: Bundle, batch: np.ndarray) -> None:
    with pytest.raises(ValueError, match="The model takes uint8 photos of shape"):
        Runtime(bundle.path("int8.tflite"), workers=1).forward(batch)


def test_an_interpreter_comes_back_after_an_error(bundle: Bundle, photos: np.ndarray) -> None:
    runtime = Runtime(bundle.path("int8.tflite"), workers=1)
    with pytest.raises(ValueError, match="uint8"):
        runtime.forward(photos.astype(np.int32))
    assert runtime.forward(photos[:1]).logits.shape == (1, 102)


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x1c\x00\x00\x00TFL3" + bytes(64)])
def test_a_file_that_is_no_model_is_told_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(RuntimeModelError, match=r"broken\.tflite is not a TFLite classifier"):
        Runtime(path)
