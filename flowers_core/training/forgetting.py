"""Learning without forgetting: the fine-tuned network still answers ImageNet's 1000 classes as the pretrained one did.

The pretrained network's answers to every augmented view of the training photos are a second target (Li & Hoiem 2016,
arXiv 1606.09282). The ImageNet head stays fixed, so only the features can follow the target; in the paper, that head
learns too.
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
    """The pretrained network's linear layer.

    Attributes:
        kernel: (channels, 1000) float32.
        bias: (1000,) float32.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PretrainedAnswers:
    """The answers that a run should not forget.

    Attributes:
        logits: (views, n, 1000) float16, the pretrained network's for view v of photo i at [v, i].
        head: that turns embeddings into such logits.
    """

    logits: NDArray[np.float16]
    head: ImagenetHead


def pretrained_logits(
    classifier: keras.Model, partition: Partition, features: NDArray[np.generic], head: ImagenetHead
) -> NDArray[np.float16]:
    """The ImageNet logits of a network before fine-tuning.

    Args:
        classifier, partition: the network and its parts; a layer besides the head must learn.
        features: (views, n, …), the output of the frozen layers.
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
    """The mean Kullback–Leibler divergence of softened answers from the pretrained ones, in nats.

    Args:
        pretrained, logits: (n, classes) float32.
    """
    target = tf.nn.log_softmax(pretrained / _TEMPERATURE)
    answer = tf.nn.log_softmax(logits / _TEMPERATURE)
    return tf.reduce_mean(tf.reduce_sum(tf.exp(target) * (target - answer), axis=1))
