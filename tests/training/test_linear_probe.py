import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from flowers_core.networks.classifier import three_outputs
from flowers_core.training import linear_probe
from flowers_core.training.linear_probe import embed, fit_probe
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


def clouds(per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping Gaussian clouds in eight dimensions, labels 1…3."""
    generator = np.random.default_rng(seed)
    labels = np.repeat([1, 2, 3], per_class)
    centres = np.random.default_rng(0).normal(0, 2, (3, 8))
    return (centres[labels - 1] + generator.normal(0, 1.5, (len(labels), 8))).astype(np.float32), labels


def test_the_head_is_scikit_learns_best_on_validation() -> None:
    embeddings, labels = clouds(10, 1)
    validation = clouds(40, 2)
    probe = fit_probe(embeddings, labels, validation, classes=3, candidates=(0.001, 0.1, 10.0))

    scale = embeddings.std()
    scores = {}
    for C in (0.001, 0.1, 10.0):
        model = LogisticRegression(C=C, max_iter=1000).fit(embeddings / scale, labels)
        scores[C] = model.score(validation[0] / scale, validation[1])
    assert dict(probe.trials) == scores
    assert max(scores, key=lambda C: scores[C]) == probe.C
    predicted = (validation[0] @ probe.W + probe.b).argmax(axis=1) + 1
    assert (predicted == validation[1]).mean() == pytest.approx(scores[probe.C], abs=0.01)


def test_of_many_embeddings_a_sample_chooses_and_all_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_probe, "MANY", 500)
    monkeypatch.setattr(linear_probe, "SAMPLE", 30)
    embeddings, labels = clouds(200, 1)
    validation = clouds(40, 2)
    probe = fit_probe(embeddings, labels, validation, classes=3, candidates=(0.001, 0.1, 10.0))

    drawn = np.random.default_rng(0).permutation(600)
    ten_each = np.concatenate([[row for row in drawn if labels[row] == label][:10] for label in (1, 2, 3)])
    scale = embeddings.std()
    trials = {}
    for C in (0.001, 0.1, 10.0):
        model = LogisticRegression(C=C, max_iter=1000).fit(embeddings[ten_each] / scale, labels[ten_each])
        trials[C] = model.score(validation[0] / scale, validation[1])
    assert dict(probe.trials) == trials
    of_all = LogisticRegression(C=probe.C, max_iter=1000).fit(embeddings / scale, labels)
    np.testing.assert_allclose(probe.W, of_all.coef_.T / scale, atol=0.01)


def test_equals_go_to_the_stronger_regularization() -> None:
    embeddings = np.array([[0.0, 5.0], [5.0, 0.0]], np.float32)
    probe = fit_probe(embeddings, np.array([1, 2]), (embeddings, np.array([1, 2])), classes=2, candidates=(3.0, 1.0))
    assert probe.trials == ((1.0, 1.0), (3.0, 1.0))
    assert probe.C == 1.0


def test_classes_without_a_photo_are_named() -> None:
    embeddings, labels = clouds(4, 1)
    with pytest.raises(ValueError, match="no training photo of the classes 4, 5"):
        fit_probe(embeddings, labels, (embeddings, labels), classes=5)


def test_embeddings_come_in_order_and_mirrored_ones_second() -> None:
    classifier = tiny_classifier()
    photos = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)
    network = three_outputs(classifier)
    plain = network(photos.astype(np.float32))["embedding"].numpy()
    mirrored = network(photos[:, :, ::-1].astype(np.float32))["embedding"].numpy()
    np.testing.assert_allclose(embed(classifier, [photos[:2], photos[2:]]), plain, atol=1e-5)
    both = embed(classifier, [photos[:2], photos[2:]], flips=True)
    np.testing.assert_allclose(both, [plain, mirrored], atol=1e-5)
    assert np.abs(plain - mirrored).max() > 1e-3
