import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.networks.branches import BranchError, set_branches
from flowers_core.networks.classifier import FEATURES, build_classifier
from flowers_core.networks.efficientnet_lite import branched_lite, efficientnet_lite

# Of a tenth of the width there are 16 blocks of 8 to 32 channels; the branches share 12.
PHOTOS = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)


def network(*, branches: int = 1, shared: int = 12) -> keras.Model:
    photo = keras.Input((64, 64, 3))
    scaled = layers.Rescaling(1 / 128, -1)(photo)
    build = efficientnet_lite(0.1, 1.0) if branches == 1 else branched_lite(0.1, 1.0, shared=shared, branches=branches)
    return keras.Model(photo, build(scaled))


def classifiers(*, equal_convolutions: int) -> list[keras.Model]:
    """Two networks for five classes; so many convolutions from the first on are equal, and all else is drawn."""
    made = []
    for seed in (1, 2):
        classifier = build_classifier(network(), 5)
        weighted = [layer for layer in classifier.layers if layer.weights]
        for row, layer in enumerate(weighted):
            rng = np.random.default_rng([row, 0 if row < equal_convolutions else seed])
            # A bias that keeps the ReLUs open, so that every weight counts.
            layer.set_weights([rng.normal(0.1 * (w.ndim == 1), 0.3, w.shape) for w in layer.get_weights()])
        made.append(classifier)
    return made


def test_the_logits_are_the_mean_of_the_members_and_features_lie_side_by_side() -> None:
    # The stem, 2 convolutions of the first block and 3 of each other: 1 + 2 + 11 · 3 = 36 before the branches.
    members = classifiers(equal_convolutions=36)
    joined = build_classifier(network(branches=2), 5)
    set_branches(joined, members)
    logits = [np.asarray(member(PHOTOS)) for member in members]
    assert np.abs(logits[0] - logits[1]).max() > 0.01
    np.testing.assert_allclose(joined(PHOTOS), np.mean(logits, axis=0), rtol=1e-4, atol=1e-5)
    set_branches(joined, members, np.array([0.75, 0.25]))
    np.testing.assert_allclose(joined(PHOTOS), 0.75 * logits[0] + 0.25 * logits[1], rtol=1e-4, atol=1e-5)
    maps = [keras.Model(m.input, m.get_layer(FEATURES).output)(PHOTOS) for m in members]
    found = keras.Model(joined.input, joined.get_layer(FEATURES).output)(PHOTOS)
    np.testing.assert_allclose(found, np.concatenate(maps, axis=-1), rtol=1e-4, atol=1e-5)


def test_members_that_differ_in_what_is_shared_are_refused() -> None:
    joined = build_classifier(network(branches=2), 5)
    with pytest.raises(BranchError, match="differ already in layer 36 of 36 that the branches share"):
        set_branches(joined, classifiers(equal_convolutions=35))


def test_networks_that_are_no_branches_are_refused() -> None:
    members = classifiers(equal_convolutions=36)
    wider = keras.Sequential([keras.Input((64, 64, 3)), layers.Conv2D(4, 3), layers.Conv2D(4, 3)])
    with pytest.raises(BranchError, match="not built as the branches are"):
        set_branches(build_classifier(network(branches=2), 5), [wider, wider])
    set_branches(build_classifier(network(branches=2, shared=3), 5), members[:1] * 2)
