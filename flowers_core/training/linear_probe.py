"""Linear probe: logistic regression on the frozen embeddings, which is also the head that fine-tuning starts from."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from flowers_core.data.batches import by_turns
from flowers_core.networks.classifier import EMBEDDING
from flowers_core.networks.compiled import compiled

CANDIDATES = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Embeddings beyond which a sample of them chooses C, and how many it has.
MANY, SAMPLE = 15_000, 5000
# Of L-BFGS, and where there are very many embeddings: what it gains later changes few answers.
_ITERATIONS, _FEW_ITERATIONS = 1000, 200


@dataclass(frozen=True, eq=False)
class Probe:
    """A fitted head.

    Attributes:
        W, b: its weights (channels, classes) and bias (classes,), float32.
        C: scikit-learn's inverse regularization strength that was chosen.
        trials: each C tried, with its validation accuracy.
    """

    W: NDArray[np.float32]
    b: NDArray[np.float32]
    C: float
    trials: tuple[tuple[float, float], ...]


def embed(classifier: keras.Model, batches: Iterable[NDArray[np.uint8]], *, flips: bool = False) -> NDArray[np.float32]:
    """Embeddings of photos that come batch by batch.

    Args:
        classifier: the network.
        batches: of photos (…, size, size, 3) uint8.
        flips: also embed each photo mirrored left to right.

    Returns:
        (n, channels), or with `flips` (2, n, channels), where [1] holds the mirrored photos.
    """
    run = compiled(keras.Model(classifier.input, classifier.get_layer(EMBEDDING).output))
    parts = deque(np.stack([run(batch), run(batch[:, :, ::-1])]) if flips else run(batch)[None] for batch in batches)
    whole = np.empty((len(parts[0]), sum(part.shape[1] for part in parts), parts[0].shape[2]), np.float32)
    done = 0
    while parts:  # each part is let go once it is copied, so that many photos are not held twice
        part = parts.popleft()
        whole[:, done : done + part.shape[1]] = part
        done += part.shape[1]
    return whole if flips else whole[0]


def fit_probe(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    validation: tuple[NDArray[np.float32], NDArray[np.integer]],
    *,
    classes: int,
    candidates: Sequence[float] = CANDIDATES,
) -> Probe:
    """Fit multinomial logistic regression (scikit-learn, L-BFGS) for each C and keep the best on validation.

    The embeddings are divided by their overall standard deviation, so that C means the same for every backbone; the
    returned weights undo that. The problem is convex. Ties go to the smaller C. Beyond `MANY` embeddings a sample of
    them chooses C, always the same, and the fit to all starts from the sample's: one fit to 100 000 takes minutes, and
    C is a prior on the weights, which does not depend on how many they are fitted to.

    Args:
        embeddings: (n, channels).
        labels: (n,) in 1…classes, each class at least once.
        validation: embeddings and labels of the held-out photos.
        classes: how many.
        candidates: the values of C to try.

    Raises:
        ValueError: some classes have no photo; the message names them.
    """
    absent = sorted(set(range(1, classes + 1)) - set(np.unique(labels).tolist()))
    if absent:
        raise ValueError(f"There is no training photo of the classes {', '.join(map(str, absent))}.")
    scale = float(embeddings.std())
    rows: slice | NDArray[np.int64] = slice(None)
    iterations = _ITERATIONS
    if len(labels) > MANY:
        iterations = _FEW_ITERATIONS
        drawn = np.random.default_rng(0).permutation(len(labels))
        rows = drawn[by_turns(labels[drawn])[:SAMPLE]]
    scaled, of_rows = embeddings[rows] / scale, labels[rows]
    models = [
        LogisticRegression(C=C, max_iter=iterations, warm_start=True).fit(scaled, of_rows) for C in sorted(candidates)
    ]
    accuracies = [float(model.score(validation[0] / scale, validation[1])) for model in models]
    best = models[int(np.argmax(accuracies))]  # the first of equals
    if len(labels) > MANY:
        best.fit(embeddings / np.float64(scale), labels)  # in the precision that it is fitted in, so not copied again
    W, b = best.coef_.T / scale, best.intercept_
    if W.shape[1] == 1:  # of two classes scikit-learn fits the difference of the logits alone
        W, b = np.hstack([-W, W]) / 2, np.concatenate([-b, b]) / 2
    return Probe(
        W=W.astype(np.float32),
        b=b.astype(np.float32),
        C=best.C,
        trials=tuple(zip(sorted(candidates), accuracies, strict=True)),
    )
