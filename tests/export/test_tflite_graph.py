import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from flowers_core.export.tflite_graph import TFLiteGraph


def model_of(content: bytes) -> schema.ModelT:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def test_taken_apart_and_put_together_it_answers_the_same(content: bytes, photos: np.ndarray) -> None:
    before = Interpreter(model_content=content).get_signature_runner("serving_default")(photo=photos[:1])
    again = Interpreter(model_content=TFLiteGraph(content).to_bytes())
    after = again.get_signature_runner("serving_default")(photo=photos[:1])
    assert set(after) == set(before)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)


def test_every_constant_is_kept_and_lies_where_vector_instructions_can_read_it(content: bytes) -> None:
    made = TFLiteGraph(content).to_bytes()
    read = schema.Model.GetRootAsModel(made, 0)
    for number, buffer in enumerate(model_of(content).buffers):
        if buffer.data is not None:
            values = read.Buffers(number).DataAsNumpy()
            np.testing.assert_array_equal(values, buffer.data)
            place = values.__array_interface__["data"][0] - np.frombuffer(made, np.uint8).__array_interface__["data"][0]
            assert place % 16 == 0


def test_operators_that_nothing_needs_are_dropped(content: bytes) -> None:
    graph = TFLiteGraph(content)
    graph.keep_output(graph.output("embedding"), "only")
    (before,), (after,) = model_of(content).subgraphs, model_of(graph.to_bytes()).subgraphs
    # The linear layer, which computes in float, and the DEQUANTIZE of its weights.
    assert len(after.operators) == len(before.operators) - 2
    runner = Interpreter(model_content=graph.to_bytes()).get_signature_runner("serving_default")
    assert list(runner.get_output_details()) == ["only"]


def test_an_added_operator_computes(content: bytes, photos: np.ndarray) -> None:
    graph = TFLiteGraph(content)
    logits = graph.output("logits")
    two = graph.add_constant("two", np.array([2], np.float32))
    options = schema.MulOptionsT()
    twice = graph.add_operator(
        schema.BuiltinOperator.MUL,
        [logits, two],
        "twice",
        graph.shape(logits),
        options,
        schema.BuiltinOptions.MulOptions,
    )
    graph.keep_output(twice, "twice")
    before = Interpreter(model_content=content).get_signature_runner("serving_default")(photo=photos[:1])["logits"]
    runner = Interpreter(model_content=graph.to_bytes()).get_signature_runner("serving_default")
    np.testing.assert_array_equal(runner(photo=photos[:1])["twice"], 2 * before)
