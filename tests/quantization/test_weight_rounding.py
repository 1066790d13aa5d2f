import numpy as np
import tensorflow as tf

from flowers_core.quantization.weight_rounding import round_to_int8, straight_through


def test_a_depthwise_kernel_has_one_step_a_channel() -> None:
    kernel = np.array([[127.0, 1.27], [0.4, 0.004]], np.float32).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(np.ravel(round_to_int8(kernel, depthwise=True)), [127.0, 1.27, 0.0, 0.0], rtol=1e-6)
    dense = round_to_int8(kernel.transpose(0, 1, 3, 2))  # the same numbers as two output channels
    np.testing.assert_allclose(np.ravel(dense), [127.0, 1.27, 0.0, 0.0], rtol=1e-6)


def test_a_linear_layer_has_one_step_a_class() -> None:
    """Steps of 1 and of 0.5: the largest of each column is 127 of them."""
    W = np.array([[127.0, -63.5], [10.4, 0.8]], np.float32)
    np.testing.assert_allclose(round_to_int8(W), [[127.0, -63.5], [10.0, 1.0]], rtol=1e-6)


def test_what_is_rounded_or_nothing_at_all_stays() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    kernel[..., 0] = 0.0
    once = np.asarray(round_to_int8(kernel))
    np.testing.assert_allclose(round_to_int8(once), once, rtol=1e-6)
    assert (once[..., 0] == 0.0).all()


def test_the_gradient_passes_straight_through() -> None:
    """The loss is Σ w·q(k), so its gradient by k is w, although q is flat nearly everywhere."""
    kernel = tf.Variable(np.array([127.0, 10.4, -0.3], np.float32).reshape(1, 1, 3, 1))
    w = np.array([2.0, -5.0, 7.0], np.float32).reshape(1, 1, 3, 1)
    with tf.GradientTape() as tape:
        value = straight_through(kernel.value())
        loss = tf.reduce_sum(w * value)
    np.testing.assert_allclose(np.ravel(value), [127.0, 10.0, 0.0], atol=1e-5)
    np.testing.assert_array_equal(tape.gradient(loss, kernel), w)
