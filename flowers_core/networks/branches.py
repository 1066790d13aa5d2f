"""Networks that share their first layers, as one: these are computed once, and each network's last layers are a branch.

The branches' feature maps lie side by side, so the head is linear in the mean of all of them. With the networks' heads
stacked, each times its weight, the logits are the weighted mean of theirs: the answer of an ensemble, for less than its
cost.
"""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.networks.classifier import LOGITS, head_of, set_head


class BranchError(FlowersError):
    """Networks that cannot be branches of one; the message says why."""


def set_branches(
    branched: keras.Model, members: Sequence[keras.Model], shares: NDArray[np.floating] | None = None
) -> None:
    """Give a network with k branches the weights of k networks, and the mean of their logits if they have heads.

    Args:
        branched: of `branched_lite` with k branches, or the classifier on it; changed in place.
        members: k networks without branches, or classifiers on them, whose first layers have equal weights.
        shares: (k,) of each member in the mean; None for equal ones.

    Raises:
        BranchError: the members are not built as the branches are, or differ in the layers that these share.
    """
    own = _weighted(branched)
    layers = [_weighted(member) for member in members]
    alone, k = len(layers[0]), len(members)
    shared = max(0, (k * alone - len(own)) // (k - 1))
    # Keras lists layers by their distance from the end, so those of the branches take turns.
    turns = zip(*(member[shared:] for member in layers), strict=False)
    sources = layers[0][:shared] + [layer for turn in turns for layer in turn]
    if _shapes(sources) != _shapes(own):
        raise BranchError("These networks are not built as the branches are.")
    for row in range(shared):
        weights = [np.concatenate([w.ravel() for w in member[row].get_weights()]) for member in layers]
        if any(not np.array_equal(one, weights[0]) for one in weights):
            raise BranchError(
                f"The networks differ already in layer {row + 1} of {shared} that the branches share: train each from "
                "the same weights, and only layers behind these."
            )
    for layer, source in zip(own, sources, strict=True):
        layer.set_weights(source.get_weights())
    if any(layer.name == LOGITS for layer in branched.layers):
        heads = [head_of(member) for member in members]
        parts = np.full(k, 1 / k) if shares is None else shares
        W = np.concatenate([share * W for share, (W, _) in zip(parts, heads, strict=True)])
        set_head(branched, W, np.sum([share * b for share, (_, b) in zip(parts, heads, strict=True)], axis=0))


def _shapes(layers: Sequence[keras.layers.Layer]) -> list[list[tuple[int, ...]]]:
    return [[w.shape for w in layer.get_weights()] for layer in layers]


def _weighted(network: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if layer.weights and layer.name != LOGITS]
