"""Learning without forgetting: the fine-tuned network still answers ImageNet's 1000 classes as the pretrained one did.

Li & Hoiem 2016, arXiv 1606.09282: the pretrained network's answers to the photos that are learnt from, here to every
augmented view, are a second target. The head to ImageNet's classes stays as it is, so that only the features can follow
it; in the paper it learns too.
"""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.networks.compiled import compiled, in_batches
from flowers_core.training.partition import Partition

_TEMPERATURE = 2.0  # as in the paper


@dataclass(frozen=True, eq=False)
class ImagenetHead:
    """The pretrained network's linear layer: kernel (channels, 1000) and bias (1000,), float32."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PretrainedAnswers:
    """What should not be forgotten.

    Attributes:
        logits: the pretrained network's, of view v of photo i at [v, i]: (views, n, 1000) float16.
        head: which turns embeddings into such logits.
    """

    logits: NDArray[np.float16]
    head: ImagenetHead


def pretrained_logits(
    classifier: keras.Model, partition: Partition, features: NDArray[np.generic], head: ImagenetHead
) -> NDArray[np.float16]:
    """The logits of a network that nothing was learnt in yet.

    Args:
        classifier, partition: the network and its parts; the head alone must not be all that learns.
        features: (views, n, …), as they leave the frozen layers.
        head: of the same network.

    Returns:
        (views, n, 1000) float16, which is exact enough for a target.
    """
    embedder = partition.embedder(classifier)
    assert embedder is not None
    embed = compiled(embedder)
    views = (in_batches(embed, view) @ head.kernel + head.bias for view in features)
    return np.stack([logits.astype(np.float16) for logits in views])


def divergence(pretrained: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The Kullback–Leibler divergence of softened answers from the pretrained ones, in nats, mean over photos.

    Args:
        pretrained, logits: (n, classes) float32.
    """
    wanted = tf.nn.log_softmax(pretrained / _TEMPERATURE)
    found = tf.nn.log_softmax(logits / _TEMPERATURE)
    return tf.reduce_mean(tf.reduce_sum(tf.exp(wanted) * (wanted - found), axis=1))
