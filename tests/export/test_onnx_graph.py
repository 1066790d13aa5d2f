"""A small network through tf2onnx, answered by ONNX Runtime as by LiteRT."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from flowers_core.export.onnx_graph import ConverterMissing, onnx_bytes
from flowers_core.export.probabilities import with_probabilities
from flowers_core.export.tflite_metadata import ModelFacts, with_metadata
from flowers_core.quantization.convert import convert
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier

FACTS = ModelFacts("tiny", "Tells five things.", "1", "Ada", "CC0", ("a", "b", "c", "d", "é"))


@pytest.mark.slow  # TensorFlow converts twice
@pytest.mark.parametrize(("numeric_format", "tolerance"), [("int8", 0.02), ("float16", 1e-3)])
def test_onnx_runtime_gives_the_same_probabilities(numeric_format: str, tolerance: float) -> None:
    photos = np.random.default_rng(1).integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)
    model = convert(tiny_classifier(classes=5), numeric_format, photos if numeric_format == "int8" else None)
    tflite = with_metadata(with_probabilities(model, 0.25), FACTS)
    content = onnx_bytes(tflite, FACTS)
    kinds = {constant.data_type for constant in onnx.load_from_string(content).graph.initializer}
    assert onnx.TensorProto.INT8 not in kinds  # signed values overflow on processors without VNNI
    assert (onnx.TensorProto.UINT8 in kinds) == (numeric_format == "int8")
    session = onnxruntime.InferenceSession(content)
    assert [entry.name for entry in session.get_inputs()] == ["photo"]
    assert [entry.name for entry in session.get_outputs()] == ["probabilities"]
    runner = Interpreter(model_content=tflite).get_signature_runner("serving_default")
    for photo in photos:
        (found,) = session.run(None, {"photo": photo[None]})
        np.testing.assert_allclose(found, runner(photo=photo[None])["probabilities"], atol=tolerance)
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["labels"]) == list(FACTS.labels)
    assert (properties["name"], properties["license"]) == ("tiny", "CC0")


def test_without_the_converter_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ConverterMissing, match=r"pip install -r requirements\.txt"):
        onnx_bytes(b"", FACTS)
