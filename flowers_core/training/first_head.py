"""The head that fine-tuning starts from: that of a linear probe, or a random one."""

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.networks.classifier import LOGITS, set_head
from flowers_core.networks.compiled import compiled, in_batches
from flowers_core.training.examples import Examples, Fixed
from flowers_core.training.linear_probe import fit_probe
from flowers_core.training.partition import Partition
from flowers_core.training.recipe import Recipe

# Several views of a photo leave less to regularize than one view does, and each value costs a minute.
_CANDIDATES = (0.1, 0.3, 1.0)


def set_random_head(classifier: keras.Model, seed: int) -> None:
    """Draw the head's weights uniformly (Glorot & Bengio 2010), with biases of 0.

    Args:
        classifier: whose head is set.
        seed: of the draw, which depends on no earlier one.
    """
    channels, classes = classifier.get_layer(LOGITS).get_weights()[0].shape
    limit = math.sqrt(6.0 / (channels + classes))
    weights = np.random.default_rng(seed).uniform(-limit, limit, (channels, classes))
    set_head(classifier, weights, np.zeros(classes))


def set_probed_head(
    classifier: keras.Model, partition: Partition, examples: Examples, recipe: Recipe, fixed: Fixed | None
) -> dict[str, Any]:
    """Fit the head by logistic regression to the embeddings of the first views (LP-FT, Kumar et al. 2022).

    Args:
        classifier: whose head is set; its other layers stay as they are.
        partition: of the classifier.
        examples: features and labels.
        recipe: how many views to fit to.
        fixed: the regularization, where no photos are held out to choose it.

    Returns:
        The record of the fit: "regularization", the C chosen, and where validation chose it, the accuracy of each,
        "validation_top1_by_regularization".
    """
    embedder = partition.embedder(classifier)
    embed = compiled(embedder) if embedder is not None else lambda embeddings: embeddings
    embedded = np.concatenate([in_batches(embed, examples.features[view]) for view in range(recipe.probe_views)])
    labels = np.tile(examples.labels, recipe.probe_views) + 1
    candidates: tuple[float, ...]
    validation: tuple[NDArray[np.float32], NDArray[np.integer]]
    if fixed is not None:  # with a single candidate, this validation set chooses nothing
        validation, candidates = (embedded[:1], labels[:1]), (fixed.probe_regularization,)
    else:
        assert examples.validation is not None
        assert examples.validation_labels is not None
        validation, candidates = (in_batches(embed, examples.validation), examples.validation_labels + 1), _CANDIDATES
    probe = fit_probe(embedded, labels, validation, classes=len(examples.class_names), candidates=candidates)
    set_head(classifier, probe.W, probe.b)
    record: dict[str, Any] = {"regularization": probe.C}
    if fixed is None:
        record["validation_top1_by_regularization"] = [list(trial) for trial in probe.trials]
    return record
