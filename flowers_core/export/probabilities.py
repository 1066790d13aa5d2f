"""A classifier of the project → the same network with one output, the calibrated probabilities.

Common runtimes expect one output of scores. The shipped file has three (logits, features, embedding) and keeps the
temperature beside it. Here the temperature and the softmax become part of the graph; no weight changes.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from flowers_core.export.tflite_graph import TFLiteGraph
from flowers_core.inference.runtime import LinearHead

OUTPUT = "probabilities"


def with_probabilities(content: bytes, temperature: float, head: LinearHead | None = None) -> TFLiteGraph:
    """The graph whose only output is softmax(logits / temperature).

    Args:
        content: a TFLite file of the project, in any numeric format.
        temperature: of the bundle's calibration, above 0.
        head: W (c, classes) and b (classes,) float32 in the place of the graph's own, for a model that was taught
            classes later.
    """
    graph = TFLiteGraph(content)
    logits = graph.output("logits") if head is None else _linear(graph, head)
    shape = graph.shape(logits)
    factor = graph.add_constant("inverse_temperature", np.array([1 / temperature], np.float32))
    operators, options = schema.BuiltinOperator, schema.BuiltinOptions
    scaled = graph.add_operator(
        operators.MUL, [logits, factor], "scaled_logits", shape, schema.MulOptionsT(), options.MulOptions
    )
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    made = graph.add_operator(operators.SOFTMAX, [scaled], OUTPUT, shape, softmax, options.SoftmaxOptions)
    graph.keep_output(made, OUTPUT)
    return graph


def _linear(graph: TFLiteGraph, head: LinearHead) -> int:
    weights, bias = head
    inputs = [
        graph.output("embedding"),
        graph.add_constant("taught_weights", np.ascontiguousarray(weights.T)),
        graph.add_constant("taught_bias", bias),
    ]
    code, kind = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions
    return graph.add_operator(code, inputs, "taught_logits", (1, len(bias)), schema.FullyConnectedOptionsT(), kind)
