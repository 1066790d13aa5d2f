import dataclasses

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.networks.classifier import build_classifier
from flowers_core.training.augmentation import CROPS, PUBLISHED, random_view, view_generator
from flowers_core.training.decoded_cache import open_decoded_cache
from flowers_core.training.examples import TrainingError
from flowers_core.training.feature_cache import AugmentedViews, cached_features
from flowers_core.training.fit import fine_tune
from flowers_core.training.prepare import prepare
from flowers_core.training.recipe import Recipe
from tests.fixtures.drawn_flowers import draw_dataset

RULE = CropRule(32)
RECIPE = Recipe(
    unfrozen_layers=2, epochs=3, views=4, probe_views=2, batch_size=8, learning_rate=0.003, augmentation=PUBLISHED
)


def tiny_classifier(size=32, classes=102, seed=3):
    keras.utils.set_random_seed(seed)
    photo = keras.Input((size, size, 3), name="photo")
    x = layers.Rescaling(1 / 128, offset=-1, name="scaling")(photo)
    x = layers.ReLU(name="r1")(layers.Conv2D(8, 5, strides=4, name="c1")(x))
    x = layers.ReLU(name="r2")(layers.Conv2D(12, 3, name="c2")(x))
    return build_classifier(keras.Model(photo, x, name="tiny"), classes)


def six_classes(examples):
    """The examples with the labels 0…5 that the drawn data set has, for a head of six classes."""
    present = np.unique(examples.labels)
    return dataclasses.replace(
        examples,
        labels=np.searchsorted(present, examples.labels),
        validation_labels=np.searchsorted(present, examples.validation_labels),
        class_names=tuple(examples.class_names[i] for i in present),
    )


def test_drawn_flowers_are_learnt_from_photos_to_answers(drawn_dataset, tmp_path):
    classifier = tiny_classifier(classes=6)
    partition, examples = prepare(drawn_dataset, classifier, RULE, RECIPE, tmp_path / "cache")
    examples = six_classes(examples)
    history = fine_tune(classifier, partition, examples, RECIPE, tmp_path / "run")
    assert history["validation_top1"] > 0.6  # chance is 1 in 6
    ids = drawn_dataset.split_ids("validation")
    inputs = np.stack([model_input(open_photo(drawn_dataset.path(i)).pixels, RULE).pixels for i in ids])
    right = classifier(inputs.astype(np.float32)).numpy().argmax(1) == examples.validation_labels
    assert right.mean() == pytest.approx(history["validation_top1"])


def test_features_are_those_of_the_views_in_order(drawn_dataset, tmp_path):
    classifier = tiny_classifier()
    partition, examples = prepare(drawn_dataset, classifier, RULE, RECIPE, tmp_path / "cache")
    ids = drawn_dataset.split_ids("train")
    assert examples.features.shape[:2] == (RECIPE.views, len(ids))
    photo = open_photo(drawn_dataset.path(ids[5])).pixels
    for view in range(RECIPE.views):
        if view == 0:
            seen = model_input(photo, RULE).pixels
        else:
            seen = random_view(photo, 32, PUBLISHED, view_generator(RECIPE.seed, view, int(ids[5])))
        expected = partition.frozen(seen[None].astype(np.float32)).numpy()[0]
        np.testing.assert_allclose(examples.features[view, 5], expected, rtol=2e-3, atol=2e-3)
    np.testing.assert_array_equal(examples.labels, drawn_dataset.labels[ids - 1] - 1)


def test_with_everything_unfrozen_the_views_themselves_are_kept(drawn_dataset, tmp_path):
    recipe = dataclasses.replace(RECIPE, unfrozen_layers=5)
    _, examples = prepare(drawn_dataset, tiny_classifier(), RULE, recipe, tmp_path / "cache")
    assert examples.features.dtype == np.uint8
    assert examples.features.shape[2:] == (32, 32, 3)


def test_the_second_run_computes_nothing_and_other_settings_compute_anew(drawn_dataset, tmp_path):
    told = []

    def prepared(recipe):
        told.clear()
        prepare(drawn_dataset, tiny_classifier(), RULE, recipe, tmp_path, progress=lambda *what: told.append(what))
        return len(told)

    assert prepared(RECIPE) > 0
    assert prepared(RECIPE) == 0
    assert prepared(dataclasses.replace(RECIPE, epochs=9, learning_rate=1.0)) == 0
    assert prepared(dataclasses.replace(RECIPE, seed=1)) == RECIPE.views
    assert prepared(dataclasses.replace(RECIPE, augmentation=CROPS)) == RECIPE.views
    assert prepared(dataclasses.replace(RECIPE, unfrozen_layers=5)) == RECIPE.views + 1  # and validation


def test_interrupted_features_go_on_and_end_the_same(drawn_dataset, tmp_path):
    network = tiny_classifier()
    ids = drawn_dataset.split_ids("train")
    views = AugmentedViews(open_decoded_cache(drawn_dataset, ids, tmp_path), ids, CROPS, seed=4)
    whole = cached_features(network, RULE, views, 3, tmp_path, "whole")

    def stop(_what, done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_features(network, RULE, views, 3, tmp_path, "cut", progress=stop)
    done = []
    resumed = cached_features(
        network, RULE, views, 3, tmp_path, "cut", progress=lambda _what, number, _total: done.append(number)
    )
    assert done == [3]
    np.testing.assert_array_equal(whole, resumed)


def test_what_a_run_on_fewer_photos_computed_is_copied(drawn_dataset, tmp_path):
    network, drawn = tiny_classifier(), []

    class Counting(AugmentedViews):
        def pixels(self, number, rule, photo_ids):
            drawn.extend([number] * len(photo_ids))
            return super().pixels(number, rule, photo_ids)

    ids = drawn_dataset.ids[:50]
    photos = open_decoded_cache(drawn_dataset, ids, tmp_path)
    alone = cached_features(network, RULE, AugmentedViews(photos, ids, CROPS, seed=4), 3, tmp_path, "alone")
    fewer = AugmentedViews(photos, ids[5:40:2], CROPS, seed=4)
    cached_features(network, RULE, fewer, 2, tmp_path, "shared")
    whole = cached_features(network, RULE, Counting(photos, ids, CROPS, seed=4), 3, tmp_path, "shared")
    np.testing.assert_allclose(whole, alone, rtol=2e-3, atol=2e-3)
    assert [drawn.count(view) for view in range(3)] == [32, 32, 50]  # 18 were there of views 0 and 1


def test_a_teacher_answers_the_same_views_at_its_own_size(drawn_dataset, tmp_path):
    teacher = tiny_classifier(size=48, seed=8)
    writer = BundleWriter.create(
        tmp_path / "teacher", name="teacher", backbone="tiny", crop_rule=CropRule(48), classes=list(drawn_dataset.names)
    )
    writer.add_file("classifier.keras", teacher.save)
    bundle = load_bundle(tmp_path / "teacher")
    _, examples = prepare(drawn_dataset, tiny_classifier(), RULE, RECIPE, tmp_path / "cache", teachers=[bundle, bundle])
    ids = drawn_dataset.split_ids("train")
    photo = open_photo(drawn_dataset.path(ids[2])).pixels
    view = random_view(photo, 48, PUBLISHED, view_generator(RECIPE.seed, 3, int(ids[2])))
    logits = teacher(view[None].astype(np.float32)).numpy()[0].astype(np.float64)
    expected = logits - np.log(np.exp(logits).sum())
    np.testing.assert_allclose(examples.teacher[3, 2], expected, rtol=1e-3, atol=1e-3)


def test_an_unreadable_photo_is_named(tmp_path):
    from flowers_core.data.oxford import OxfordFlowers

    flowers = OxfordFlowers(draw_dataset(tmp_path / "oxford102"))
    broken = flowers.path(int(flowers.split_ids("train")[1]))
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(PhotoError, match=broken.name):
        prepare(flowers, tiny_classifier(), RULE, RECIPE, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_class_that_the_data_lacks_is_named(drawn_dataset, tmp_path):
    classifier = tiny_classifier()
    partition, examples = prepare(drawn_dataset, classifier, RULE, RECIPE, tmp_path / "cache")
    with pytest.raises(TrainingError, match="no training photo of pink primrose"):
        fine_tune(classifier, partition, examples, RECIPE, tmp_path / "run")


def test_with_validation_its_photos_are_learnt_from_in_order_of_id(drawn_dataset, tmp_path):
    _, examples = prepare(drawn_dataset, tiny_classifier(), RULE, RECIPE, tmp_path / "cache", with_validation=True)
    learnt = drawn_dataset.ids[np.isin(drawn_dataset.splits, ["train", "validation"])]
    np.testing.assert_array_equal(examples.labels, drawn_dataset.labels[learnt - 1] - 1)
    assert examples.features.shape[1] == len(learnt)
    assert examples.validation is None
