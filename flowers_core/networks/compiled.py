"""A Keras network as one traced function: several times quicker on one photo than `predict`."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def traced(network: keras.Model) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A function from photos (n, s, s, 3) uint8 to the network's only output, float32, traced once for every n."""
    function = tf.function(
        lambda photos: network(tf.cast(photos, tf.float32), training=False),
        input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8)],
    )
    return lambda photos: function(tf.constant(photos)).numpy()
