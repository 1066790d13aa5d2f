"""Head warm-up: the first phase, in which gradient descent trains the head alone on frozen features."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from flowers_core.networks.classifier import EMBEDDING
from flowers_core.networks.compiled import compiled, in_batches
from flowers_core.training.examples import Examples, Fixed, TrainingError
from flowers_core.training.feature_cache import Progress
from flowers_core.training.fit import EpochReport, fine_tune
from flowers_core.training.partition import Partition
from flowers_core.training.recipe import Recipe


def train_head(
    classifier: keras.Model,
    partition: Partition,
    examples: Examples,
    recipe: Recipe,
    folder: Path,
    *,
    fixed: bool = False,
    report: EpochReport | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train the head of a classifier in place.

    Every view is embedded once, so an epoch takes a fraction of a second. `fine_tune` with `trained_head` is the second
    phase, on the same examples.

    Args:
        classifier, partition, examples, report: as for `fine_tune`.
        recipe: of this phase; it unfreezes no layer and has no probe.
        folder: of this phase's checkpoint; the second phase needs another one.
        fixed: no validation photos are held out; the last epoch's head is kept.
        progress: called with ("views embedded", done, in all).

    Returns:
        The run's history, as `fine_tune` returns it.

    Raises:
        TrainingError: as `fine_tune`, and for a recipe of another phase.
    """
    if recipe.unfrozen_layers or recipe.probe_views or recipe.lwf_weight:
        raise TrainingError(
            "The first phase trains the head alone, from a random start: no other layer, no probe, nothing to forget."
        )
    embedder = partition.embedder(classifier)
    if embedder is not None:
        embed, embedded = compiled(embedder), []
        for view in examples.features[: recipe.views]:
            embedded.append(in_batches(embed, view))
            if progress is not None:
                progress("views embedded", len(embedded), recipe.views)
        examples = replace(
            examples,
            features=np.stack(embedded),
            validation=None if examples.validation is None else in_batches(embed, examples.validation),
        )
    head = keras.Model(classifier.get_layer(EMBEDDING).output, classifier.output, name="head")
    return fine_tune(
        classifier,
        Partition(None, head, EMBEDDING),
        examples,
        recipe,
        folder,
        fixed=Fixed(0.0, 1.0) if fixed else None,
        report=report,
    )
