import dataclasses

import numpy as np
import pytest

from flowers_core.training.examples import TrainingError
from flowers_core.training.fit import fine_tune
from flowers_core.training.forgetting import ImagenetHead, divergence
from flowers_core.training.prepare import prepare
from tests.training.test_fit import RECIPE as TINY
from tests.training.test_fit import make
from tests.training.test_prepare import RECIPE, RULE, tiny_classifier


def test_the_divergence_of_softened_answers_by_hand() -> None:
    """At temperature 2, logits 2·log p are answers p: ½·log(½ ÷ ¼) + ½·log(½ ÷ ¾), and 0 from themselves."""
    wanted = 2 * np.log(np.array([[0.5, 0.5], [0.3, 0.7]], np.float32))
    found = 2 * np.log(np.array([[0.25, 0.75], [0.3, 0.7]], np.float32))
    expected = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert float(divergence(wanted, found)) == pytest.approx(expected / 2, rel=1e-5)


def test_pretrained_answers_are_those_of_the_network_to_the_same_views(drawn_dataset, tmp_path) -> None:
    generator = np.random.default_rng(0)
    head = ImagenetHead(
        generator.normal(0, 0.1, (12, 9)).astype(np.float32), generator.normal(0, 0.1, 9).astype(np.float32)
    )
    classifier = tiny_classifier()
    partition, examples = prepare(drawn_dataset, classifier, RULE, RECIPE, tmp_path, imagenet_head=head)
    embedding = partition.embedder(classifier)(examples.features[3, :5]).numpy()
    assert examples.pretrained.logits.shape == (RECIPE.views, len(examples.labels), 9)
    np.testing.assert_allclose(
        examples.pretrained.logits[3, :5], embedding @ head.kernel + head.bias, rtol=2e-3, atol=2e-3
    )


def test_what_cannot_be_forgotten_or_is_not_known_is_told(drawn_dataset, tmp_path) -> None:
    wide, fitting = ImagenetHead(np.zeros((7, 9)), np.zeros(9)), ImagenetHead(np.zeros((12, 9)), np.zeros(9))
    with pytest.raises(TrainingError, match="reads 7 channels and this network has 12"):
        prepare(drawn_dataset, tiny_classifier(), RULE, RECIPE, tmp_path, imagenet_head=wide)
    still = dataclasses.replace(RECIPE, unfrozen_layers=0)
    with pytest.raises(TrainingError, match="no feature can be forgotten"):
        prepare(drawn_dataset, tiny_classifier(), RULE, still, tmp_path, imagenet_head=fitting)
    with pytest.raises(TrainingError, match="was not given"):
        fine_tune(*make(), dataclasses.replace(TINY, lwf_weight=1.0), tmp_path)
