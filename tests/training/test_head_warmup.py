import dataclasses

import numpy as np
import pytest

from flowers_core.training.checkpoint import CheckpointError
from flowers_core.training.examples import TrainingError
from flowers_core.training.fit import fine_tune, stepper
from flowers_core.training.head_warmup import train_head
from tests.fixtures.recipes import GRADIENT_DESCENT
from tests.training.test_fit import RECIPE, Killed, make

HEAD = dataclasses.replace(GRADIENT_DESCENT, unfrozen_layers=0, epochs=4, learning_rate=0.5, seed=7)
TAIL = dataclasses.replace(RECIPE, probe_views=0)


def test_the_head_learns_as_softmax_regression_by_gradient_descent_does(tmp_path):
    classifier, partition, examples = make(dataclasses.replace(TAIL, dropout=0.0))
    told = []
    history = train_head(
        classifier,
        partition,
        examples,
        dataclasses.replace(HEAD, epochs=1),
        tmp_path,
        progress=lambda *what: told.append(what),
    )
    assert told == [("views embedded", done, 3) for done in (1, 2, 3)]

    embed = partition.embedder(classifier)
    embedded = np.stack([embed(view).numpy() for view in examples.features]).astype(np.float64)
    limit = np.sqrt(6 / (embedded.shape[-1] + 3))
    W, b = np.random.default_rng(7).uniform(-limit, limit, (embedded.shape[-1], 3)), np.zeros(3)
    losses = []
    for batch in np.random.default_rng([7, 0]).permutation(24).reshape(4, 6):
        x, wanted = embedded[batch % 3, batch], np.eye(3)[examples.labels[batch]]
        logits = x @ W + b
        answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        losses.append(-np.log((answers * wanted).sum(axis=1)).mean())
        W -= 0.5 * x.T @ (answers - wanted) / 6
        b -= 0.5 * (answers - wanted).mean(axis=0)
    assert history["epochs"][0]["step_losses"] == pytest.approx(losses, abs=2e-5)
    np.testing.assert_allclose(classifier.get_layer("logits").get_weights()[0], W, atol=1e-5)
    np.testing.assert_allclose(classifier.get_layer("logits").get_weights()[1], b, atol=1e-5)


@pytest.mark.slow
def test_nothing_but_the_head_learns_and_phase_two_begins_with_it(tmp_path):
    classifier, partition, examples = make(TAIL)
    before = {layer.name: layer.get_weights() for layer in classifier.layers}
    first = train_head(
        classifier, partition, examples, dataclasses.replace(HEAD, epochs=25, kept_epoch="best"), tmp_path / "head"
    )
    changed = {
        name
        for name, old in before.items()
        if any((a != b).any() for a, b in zip(old, classifier.get_layer(name).get_weights(), strict=True))
    }
    assert changed == {"logits"}
    assert first["validation_top1"] > 0.4  # chance is 1 in 3

    second = fine_tune(classifier, partition, examples, TAIL, tmp_path / "run", trained_head=True)
    for key in ("validation_top1", "validation_nll"):
        assert second["probe"][key] == pytest.approx(first[key], abs=1e-6)
    # The start is one end of the way that weights may be interpolated along.
    assert second["wise_ft"]["curve"][0][1] == pytest.approx(first["validation_top1"])


def test_a_range_test_of_phase_two_begins_with_the_trained_head(tmp_path):
    classifier, partition, examples = make(TAIL)
    still = dataclasses.replace(TAIL, dropout=0.0, label_smoothing=0.0)
    drawn = stepper(classifier, partition, examples, still)(1e-9)
    train_head(classifier, partition, examples, HEAD, tmp_path)
    trained = stepper(classifier, partition, examples, still, trained_head=True)(1e-9)
    assert trained < 0.9 * drawn


def both(folder, report=None):
    classifier, partition, examples = make(TAIL)
    history = {"head": train_head(classifier, partition, examples, HEAD, folder / "head", report=report)}
    return history | fine_tune(classifier, partition, examples, TAIL, folder, trained_head=True, report=report)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of both phases from beginning to end: its folder and its history. To be read only."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, both(folder)


@pytest.mark.slow
@pytest.mark.parametrize("after", [2, 5])
def test_a_run_that_was_stopped_in_either_phase_goes_on_and_ends_the_same(whole, tmp_path, after):
    seen = []

    def stop(record):
        seen.append(record)
        if len(seen) == after:
            raise Killed

    with pytest.raises(Killed):
        both(tmp_path / "cut", stop)
    again = []
    assert both(tmp_path / "cut", again.append) == whole[1]
    assert len(again) == HEAD.epochs + TAIL.epochs - after


def test_the_checkpoint_of_another_head_is_refused(whole, tmp_path):
    folder, _ = whole
    classifier, partition, examples = make(TAIL)
    train_head(classifier, partition, examples, dataclasses.replace(HEAD, epochs=1), tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"other settings \(head\)"):
        fine_tune(classifier, partition, examples, TAIL, folder, trained_head=True)


def test_without_held_out_photos_the_last_epoch_is_kept(tmp_path):
    classifier, partition, examples = make(TAIL)
    learnt = dataclasses.replace(examples, validation=None, validation_labels=None)
    history = train_head(classifier, partition, learnt, HEAD, tmp_path, fixed=True)
    assert history["best_epoch"] == HEAD.epochs
    assert "validation_top1" not in history


def test_a_recipe_of_another_phase_is_refused(tmp_path):
    classifier, partition, examples = make(TAIL)
    for recipe in (dataclasses.replace(HEAD, unfrozen_layers=1), dataclasses.replace(HEAD, probe_views=1)):
        with pytest.raises(TrainingError, match="the head alone"):
            train_head(classifier, partition, examples, recipe, tmp_path)
