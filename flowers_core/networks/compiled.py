"""A Keras network as one compiled function: several times quicker on one photo than `predict`."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Compiled = Callable[[NDArray[Any]], NDArray[np.float32]]


def compiled(network: keras.Model) -> Compiled:
    """A network's forward pass in inference mode, compiled once for each dtype and for batches of every length.

    Args:
        network: with one input and one output.

    Returns:
        A function from a batch (n, …) of any numeric dtype, as the network's input in shape, to the output (n, …),
        float32. Later changes of the network's weights show. Threads may call it at the same time.
    """

    @functools.cache
    def traced(dtype: np.dtype[Any]) -> Any:
        return tf.function(
            lambda batch: network(tf.cast(batch, tf.float32), training=False),
            input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), dtype)],
            autograph=False,
        )

    return lambda batch: traced(batch.dtype)(tf.constant(batch)).numpy()


def in_batches(run: Compiled, inputs: NDArray[Any], batch_size: int = 128) -> NDArray[np.float32]:
    """What a compiled network makes of many inputs (n, …), at most `batch_size` at a time."""
    starts = range(0, len(inputs), batch_size)
    return np.concatenate([run(np.ascontiguousarray(inputs[i : i + batch_size])) for i in starts])
