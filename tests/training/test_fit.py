import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.networks.classifier import build_classifier
from flowers_core.training.augmentation import NONE
from flowers_core.training.checkpoint import FILE_NAME, CheckpointError
from flowers_core.training.examples import Examples, Fixed, TrainingError, targets
from flowers_core.training.fit import fine_tune
from flowers_core.training.partition import partition_classifier
from flowers_core.training.recipe import Recipe

NAMES = ("rose", "iris", "lotus")
RECIPE = Recipe(
    unfrozen_layers=2,
    epochs=6,
    views=3,
    probe_views=2,
    batch_size=6,
    learning_rate=0.01,
    dropout=0.3,
    augmentation=NONE,
    ema_decay=0.8,
    seed=7,
)


def tiny_classifier(dropout=0.3):
    keras.utils.set_random_seed(1)
    photo = keras.Input((4, 4, 2), name="photo")
    x = layers.ReLU(name="r1")(layers.Conv2D(6, 1, name="c1")(photo))
    x = layers.ReLU(name="r2")(layers.Conv2D(5, 1, name="c2")(x))
    return build_classifier(keras.Model(photo, x, name="tiny"), 3, dropout=dropout)


def photos(rng, labels):
    """Noise with a pattern for each class."""
    patterns = np.random.default_rng(99).normal(0, 1, (3, 4, 4, 2))
    return (rng.normal(0, 1, (len(labels), 4, 4, 2)) + patterns[labels]).astype(np.float32)


def make(recipe=RECIPE, seed=0):
    """A classifier, its two parts, and examples as they pass the cut."""
    classifier = tiny_classifier(recipe.dropout)
    partition = partition_classifier(classifier, recipe.unfrozen_layers, train_depthwise=recipe.train_depthwise)
    rng = np.random.default_rng(seed)
    labels, validation_labels = np.repeat(np.arange(3), 8), np.repeat(np.arange(3), 10)
    views = np.stack([partition.frozen(photos(rng, labels)).numpy() for _ in range(recipe.views)])
    validation = partition.frozen(photos(rng, validation_labels)).numpy()
    return classifier, partition, Examples(views, labels, validation, validation_labels, NAMES)


def run(folder, recipe=RECIPE, **changes):
    classifier, partition, examples = make(recipe)
    examples = dataclasses.replace(examples, **changes)
    return fine_tune(classifier, partition, examples, recipe, folder), classifier


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of RECIPE from beginning to end: its folder, its history and its classifier. To be read only."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(folder)


@pytest.fixture
def finished(whole, tmp_path):
    """The folder of such a run, to write into."""
    return shutil.copytree(whole[0], tmp_path / "finished")


@pytest.mark.slow
def test_fine_tuning_learns_what_the_probe_of_frozen_features_cannot(tmp_path):
    history, classifier = run(tmp_path, dataclasses.replace(RECIPE, epochs=25, learning_rate=0.03))
    losses = [epoch["loss"] for epoch in history["epochs"]]
    assert losses[-1] < losses[0]
    assert history["validation_top1"] >= history["probe"]["validation_top1"]
    # What the history says is what the returned network does.
    _, _, examples = make()
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 8)
    for _ in range(RECIPE.views):
        photos(rng, labels)
    answers = classifier(photos(rng, examples.validation_labels)).numpy().argmax(1)
    assert (answers == examples.validation_labels).mean() == pytest.approx(history["validation_top1"])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_history_and_another_seed_or_mixed_photos_another(whole, tmp_path):
    _, first, one = whole
    again, two = run(tmp_path / "b")
    other, _ = run(tmp_path / "c", dataclasses.replace(RECIPE, seed=8))
    assert first == again
    assert first != other
    mixed, _ = run(tmp_path / "d", dataclasses.replace(RECIPE, mixup=0.2))
    assert mixed["probe"] == first["probe"]
    assert mixed["epochs"][0]["step_losses"] != first["epochs"][0]["step_losses"]
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("average", "optimizer", "mixup"),
    [
        ("ema", "adamw", 0.2),
        pytest.param("none", "adamw", 0.0, marks=pytest.mark.slow),
        pytest.param("valleys", "sgd", 0.0, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_stopped_goes_on_and_ends_the_same(tmp_path, average, optimizer, mixup):
    recipe = dataclasses.replace(RECIPE, average=average, optimizer=optimizer, mixup=mixup)
    whole, straight = run(tmp_path / "whole", recipe)

    def stop_after_two(record):
        if record["epoch"] == 2:
            raise Killed

    classifier, partition, examples = make(recipe)
    with pytest.raises(Killed):
        fine_tune(classifier, partition, examples, recipe, tmp_path / "cut", report=stop_after_two)
    seen = []
    classifier, partition, examples = make(recipe)
    history = fine_tune(
        classifier, partition, examples, recipe, tmp_path / "cut", report=lambda record: seen.append(record["epoch"])
    )
    assert seen == [3, 4, 5, 6]
    assert history == whole
    for a, b in zip(straight.get_weights(), classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_kill_9_in_the_middle_and_the_same_command_again_end_the_same(whole, tmp_path):
    script = textwrap.dedent("""
        import json, os, signal, sys
        from pathlib import Path
        from tests.training.test_fit import make, RECIPE
        from flowers_core.training.fit import fine_tune

        def report(record):
            if len(sys.argv) > 2 and record["epoch"] == 3:
                os.kill(os.getpid(), signal.SIGKILL)

        classifier, partition, examples = make()
        print(json.dumps(fine_tune(classifier, partition, examples, RECIPE, Path(sys.argv[1]), report=report)))
    """)

    def start(*arguments):
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )

    killed = start(str(tmp_path / "run"), "kill")
    assert killed.returncode == -signal.SIGKILL
    resumed = start(str(tmp_path / "run"))
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    assert json.loads(resumed.stdout.splitlines()[-1]) == json.loads(json.dumps(whole[1]))


def test_a_finished_run_answers_at_once_with_its_history(whole, finished):
    again, _ = run(finished)
    assert whole[1] == again


def test_another_recipe_in_the_same_folder_is_refused_by_name(finished):
    with pytest.raises(CheckpointError, match=r"other settings \(label_smoothing, seed\)"):
        run(finished, dataclasses.replace(RECIPE, seed=9, label_smoothing=0.2))


def test_a_damaged_checkpoint_is_refused(finished):
    path = finished / FILE_NAME
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        run(finished)


def test_a_loss_that_is_not_a_number_is_told_and_the_last_checkpoint_kept(tmp_path):
    _, _, examples = make()
    features = examples.features.copy()
    features[1] = np.nan  # each photo meets its bad view in one of the first three epochs
    with pytest.raises(TrainingError, match=r"loss became nan in step \d+ of epoch 1, .*lower learning rate"):
        run(tmp_path, dataclasses.replace(RECIPE, probe_views=1), features=features)
    assert not (tmp_path / FILE_NAME).exists()


def test_a_class_without_photos_is_named(tmp_path):
    _, _, examples = make()
    labels = np.where(examples.labels == 1, 0, examples.labels)
    with pytest.raises(TrainingError, match="no training photo of iris"):
        run(tmp_path, labels=labels)


def test_patience_stops_the_run_and_the_best_epoch_is_kept(tmp_path):
    slow = {"learning_rate": 1e-9, "schedule": "constant"}
    recipe = dataclasses.replace(RECIPE, epochs=40, patience=2, kept_epoch="best", **slow)
    history, _ = run(tmp_path, recipe)
    # At such a rate nothing gets better after the first epochs.
    assert history["stopped_early"]
    assert len(history["epochs"]) == history["best_epoch"] + 2
    again, _ = run(tmp_path, recipe)
    assert again == history


@pytest.mark.slow
def test_the_last_epoch_is_kept_or_the_best(tmp_path):
    """At a rate that climbs until all is forgotten the best epoch comes first, and the last is another network."""
    spoiling = dataclasses.replace(RECIPE, epochs=4, learning_rate=3.0, warmup=0.9, average="none", interpolate=False)
    last, network = run(tmp_path / "last", spoiling)
    best, kept = run(tmp_path / "best", dataclasses.replace(spoiling, kept_epoch="best"))
    assert last["epochs"] == best["epochs"]
    assert (last["kept_epoch"], best["kept_epoch"]) == (4, best["best_epoch"])
    assert best["best_epoch"] < 4
    assert last["validation_top1"] == last["epochs"][-1]["validation_top1"] < best["validation_top1"]
    assert best["validation_top1"] == max(epoch["validation_top1"] for epoch in best["epochs"])
    assert not np.allclose(network.get_weights()[-2], kept.get_weights()[-2])


@pytest.mark.slow
def test_a_head_rate_of_its_own_reaches_the_head_alone(tmp_path):
    recipe = dataclasses.replace(
        RECIPE, epochs=1, average="none", interpolate=False, head_rate=1e-9, weight_decay=0.0, label_smoothing=0.3
    )
    classifier, partition, examples = make(recipe)
    fine_tune(classifier, partition, examples, recipe, tmp_path / "slow")
    slow = classifier.get_layer("logits").get_weights()
    probe = dataclasses.replace(recipe, epochs=1, learning_rate=1e-12)
    reference, cut, examples = make(probe)
    fine_tune(reference, cut, examples, probe, tmp_path / "probe")
    np.testing.assert_allclose(slow[0], reference.get_layer("logits").get_weights()[0], atol=1e-6)
    assert not np.allclose(classifier.get_layer("c2").get_weights()[0], reference.get_layer("c2").get_weights()[0])


def test_frozen_layers_do_not_move(whole):
    before = tiny_classifier().get_layer("c1").get_weights()
    _, _, classifier = whole
    for old, new in zip(before, classifier.get_layer("c1").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_targets_smooth_the_labels_and_mix_in_the_teacher():
    examples = Examples(
        features=np.zeros((1, 2, 1)),
        labels=np.array([0, 2]),
        validation=np.zeros((1, 1)),
        validation_labels=np.array([0]),
        class_names=NAMES,
        teacher=np.log(np.array([[[0.25, 0.5, 0.25], [0.2, 0.2, 0.6]]], np.float32)),
    )
    view, photo = np.array([0, 0]), np.array([0, 1])
    smoothed = dataclasses.replace(RECIPE, label_smoothing=0.3)
    np.testing.assert_allclose(targets(examples, smoothed, view, photo), [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], atol=1e-6)
    taught = dataclasses.replace(smoothed, teacher_weight=0.5)
    expected = [[0.525, 0.3, 0.175], [0.15, 0.15, 0.7]]
    np.testing.assert_allclose(targets(examples, taught, view, photo), expected, atol=1e-6)
    # At temperature 1/2 the teacher's probabilities are squared and normalized.
    sharp = dataclasses.replace(smoothed, teacher_weight=1.0, teacher_temperature=0.5)
    expected = [[1 / 6, 4 / 6, 1 / 6], [1 / 11, 1 / 11, 9 / 11]]
    np.testing.assert_allclose(targets(examples, sharp, view, photo), expected, atol=1e-6)


def test_a_taught_run_needs_a_teacher(tmp_path):
    with pytest.raises(TrainingError, match="teacher"):
        run(tmp_path, dataclasses.replace(RECIPE, teacher_weight=0.5))


def test_without_held_out_photos_the_choices_are_given_and_the_last_epoch_kept(tmp_path):
    fixed = Fixed(probe_regularization=0.3, wise_ft_alpha=0.5)
    classifier, partition, examples = make()
    blind = dataclasses.replace(examples, validation=None, validation_labels=None)
    history = fine_tune(classifier, partition, blind, RECIPE, tmp_path / "blind", fixed=fixed)
    assert history["best_epoch"] == RECIPE.epochs
    assert history["wise_ft"]["alpha"] == 0.5
    assert history["probe"] == {"regularization": 0.3}
    assert not any("validation" in key for record in [history, *history["epochs"]] for key in record)
    again, partition, _ = make()
    assert fine_tune(again, partition, blind, RECIPE, tmp_path / "blind", fixed=fixed) == history


def test_choices_are_given_when_and_only_when_nothing_is_held_out(tmp_path):
    classifier, partition, examples = make()
    with pytest.raises(TrainingError, match="held out"):
        fine_tune(classifier, partition, examples, RECIPE, tmp_path, fixed=Fixed(1.0, 1.0))
    with pytest.raises(TrainingError, match="held out"):
        fine_tune(classifier, partition, dataclasses.replace(examples, validation=None), RECIPE, tmp_path)


def test_other_data_in_the_same_folder_is_refused(finished):
    _, _, examples = make(seed=5)
    with pytest.raises(CheckpointError, match=r"other settings \(data\)"):
        run(finished, features=examples.features)


@pytest.mark.slow
def test_a_random_head_comes_from_the_runs_own_seed(tmp_path):
    recipe = dataclasses.replace(RECIPE, probe_views=0, interpolate=False)
    first, _ = run(tmp_path / "a", recipe)
    keras.utils.set_random_seed(12345)
    again, _ = run(tmp_path / "b", recipe)
    assert first == again
    assert first["probe"] is None


def test_a_checkpoint_from_before_an_entry_was_added_goes_on(whole, finished):
    """What older code wrote lacks the entry, and stands for its default."""
    with np.load(finished / FILE_NAME) as stored:
        arrays = dict(stored)
    state = json.loads(str(arrays["state"]))
    for name in ("lwf_weight", "l2_sp"):
        del state["settings"][name]
    del state["settings"]["augmentation"]["scenery"]
    np.savez(finished / FILE_NAME, **(arrays | {"state": np.array(json.dumps(state))}))
    assert run(finished)[0] == whole[1]
    with pytest.raises(CheckpointError, match=r"other settings \(l2_sp\)"):
        run(finished, dataclasses.replace(RECIPE, l2_sp=0.1))
