import numpy as np
import pytest

from flowers_core.training.draws import draws
from flowers_core.training.recipe import Recipe

# Three photos of one class, six of another, twelve of a third: seven of each in a balanced epoch.
LABELS = np.repeat([0, 1, 2], [3, 6, 12])


def recipe(**changes: object) -> Recipe:
    return Recipe(**{"unfrozen_layers": 0, "epochs": 9, "views": 4, "probe_views": 0, "batch_size": 7, **changes})


def test_an_epoch_shows_each_photo_once_in_its_next_view() -> None:
    for epoch in range(5):
        photos, views = draws(LABELS, recipe(), epoch)
        assert photos.shape == views.shape == (3, 7)
        assert sorted(photos.ravel()) == list(range(21))
        np.testing.assert_array_equal(views, (photos + epoch) % 4)


def test_a_balanced_epoch_draws_every_class_equally_often() -> None:
    for epoch in range(5):
        photos, _ = draws(LABELS, recipe(balanced=True), epoch)
        assert np.bincount(LABELS[photos.ravel()]).tolist() == [7, 7, 7]


def test_photos_of_a_class_take_turns_and_show_their_next_view() -> None:
    """After twelve epochs each class was drawn 84 times: 28 times each of three photos, 14 of six, 7 of twelve."""
    drawn = [draws(LABELS, recipe(balanced=True), epoch) for epoch in range(12)]
    photos = np.concatenate([found.ravel() for found, _ in drawn])
    views = np.concatenate([found.ravel() for _, found in drawn])
    assert np.bincount(photos).tolist() == [28] * 3 + [14] * 6 + [7] * 12
    for photo, times in ((0, 28), (5, 14), (20, 7)):
        shown = np.bincount(views[photos == photo], minlength=4)
        assert shown.sum() == times
        assert shown.max() - shown.min() <= 1


def test_a_class_with_equally_many_photos_everywhere_is_drawn_as_without_balance() -> None:
    labels = np.repeat([0, 1, 2], 7)
    for balanced in (False, True):
        photos, _ = draws(labels, recipe(balanced=balanced), 3)
        assert sorted(photos.ravel()) == list(range(21))


@pytest.mark.parametrize("balanced", [False, True])
def test_order_depends_on_seed_and_epoch_alone(balanced: bool) -> None:
    first, again, later, other = (
        draws(LABELS, recipe(balanced=balanced, seed=seed), epoch)[0].tolist()
        for seed, epoch in ((1, 2), (1, 2), (1, 3), (2, 2))
    )
    assert first == again
    assert first not in (later, other)
