"""A linear probe: logistic regression on the frozen embedding, a quick honest head and the start of fine-tuning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from flowers_core.networks.classifier import EMBEDDING
from flowers_core.networks.compiled import traced

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
_MAX_ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class Probe:
    """A fitted head, W (channels, classes) and b (classes,) float32, and the validation accuracy of each C tried."""

    W: NDArray[np.float32]
    b: NDArray[np.float32]
    strength: float
    trials: tuple[tuple[float, float], ...]


def embed(classifier: keras.Model, batches: Iterable[NDArray[np.uint8]], *, flips: bool = False) -> NDArray[np.float32]:
    """Embeddings (n, channels) of photos given batch by batch; with `flips` (2, n, channels), mirrored ones second."""
    run = traced(keras.Model(classifier.input, classifier.get_layer(EMBEDDING).output))
    parts = [np.stack([run(batch), run(batch[:, :, ::-1])]) if flips else run(batch) for batch in batches]
    return np.concatenate(parts, axis=1 if flips else 0)


def fit_probe(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    validation: tuple[NDArray[np.float32], NDArray[np.integer]],
    *,
    classes: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Probe:
    """Fit multinomial logistic regression (scikit-learn, L-BFGS) for each C and keep the best on validation.

    embeddings: (n, channels); labels: (n,) in 1…classes, each class at least once. The embeddings are divided by their
    standard deviation over everything, so that C means the same for every backbone; the weights returned undo it.
    Deterministic: the problem is convex and nothing is drawn at random. Ties go to the smaller C.
    Raises ValueError, naming them, when classes have no photo.
    """
    absent = sorted(set(range(1, classes + 1)) - set(np.unique(labels).tolist()))
    if absent:
        raise ValueError(f"There is no training photo of the classes {', '.join(map(str, absent))}.")
    scale = float(embeddings.std())
    trials, best = [], None
    for strength in sorted(strengths):
        model = LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS).fit(embeddings / scale, labels)
        accuracy = float(model.score(validation[0] / scale, validation[1]))
        trials.append((strength, accuracy))
        if best is None or accuracy > best[0]:
            best = (accuracy, strength, model)
    assert best is not None
    _, strength, model = best
    return Probe(
        W=(model.coef_.T / scale).astype(np.float32),
        b=model.intercept_.astype(np.float32),
        strength=strength,
        trials=tuple(trials),
    )
