import dataclasses

import numpy as np
import pytest

from flowers_core.networks.classifier import LOGITS
from flowers_core.training.fit import fine_tune
from flowers_core.training.forgetting import ImagenetHead, PretrainedAnswers, pretrained_logits
from flowers_core.training.loss import TrainingStep
from flowers_core.training.trainable_weights import TrainableWeights
from tests.fixtures.recipes import GRADIENT_DESCENT
from tests.training.test_fit import make


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def imagenet_head(classes: int = 7) -> ImagenetHead:
    generator = np.random.default_rng(5)
    return ImagenetHead(
        generator.normal(0, 1, (5, classes)).astype(np.float32), generator.normal(0, 1, classes).astype(np.float32)
    )


def test_without_a_gradient_weights_go_back_towards_the_pretrained_ones() -> None:
    """Targets that are the answers themselves leave no gradient: moved by 1, weights come back by rate · pull."""
    recipe = dataclasses.replace(GRADIENT_DESCENT, l2_sp=0.5)
    classifier, partition, examples = make(recipe)
    weights = TrainableWeights(partition.tail, classifier.get_layer(LOGITS))
    step = TrainingStep(classifier, partition, weights, recipe, steps=10)
    before = weights.get()
    weights.assign([weight + 1.0 for weight in before])
    features = examples.features[0, :6]
    answers = np.exp(log_softmax(partition.tail(features).numpy()))
    step(features, answers, examples.labels[:6])
    moved = [now - then for now, then in zip(weights.get(), before, strict=True)]
    for part, left in ((weights.body, 1.0 - 0.1 * 0.5), (weights.head, 1.0)):
        for weight in moved[part]:
            np.testing.assert_allclose(weight, left, atol=1e-4)


def test_the_loss_is_cross_entropy_and_the_divergence_from_the_pretrained_answers() -> None:
    recipe, head = dataclasses.replace(GRADIENT_DESCENT, lwf_weight=0.3), imagenet_head()
    classifier, partition, examples = make(recipe)
    weights = TrainableWeights(partition.tail, classifier.get_layer(LOGITS))
    step = TrainingStep(classifier, partition, weights, recipe, 10, head)
    features, labels = examples.features[0, :6], examples.labels[:6]
    pretrained = np.random.default_rng(0).normal(0, 2, (6, 7)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[labels]
    embedding = partition.embedder(classifier)(features).numpy().astype(np.float64)
    wanted = log_softmax(pretrained.astype(np.float64) / 2)
    found = log_softmax((embedding @ head.kernel + head.bias) / 2)
    expected = -(targets * log_softmax(partition.tail(features).numpy())).sum(axis=1).mean()
    expected += 0.3 * (np.exp(wanted) * (wanted - found)).sum(axis=1).mean()
    assert step(features, targets, labels, pretrained)[0] == pytest.approx(expected, rel=1e-5)


def test_a_run_that_learns_without_forgetting_stays_nearer_to_the_pretrained_answers(tmp_path) -> None:
    """At the end of the same run, with the weight and without."""
    head, moved = imagenet_head(), []
    for weight in (0.0, 20.0):
        recipe = dataclasses.replace(GRADIENT_DESCENT, lwf_weight=weight)
        classifier, partition, examples = make(recipe)
        before = pretrained_logits(classifier, partition, examples.features, head)
        examples = dataclasses.replace(examples, pretrained=PretrainedAnswers(before, head))
        fine_tune(classifier, partition, examples, recipe, tmp_path / str(weight))
        after = pretrained_logits(classifier, partition, examples.features, head)
        moved.append(float(np.square(after.astype(np.float32) - before).mean()))
    assert moved[1] < 0.5 * moved[0]
