"""Classes left out and taught again, by hand on embeddings of two values."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.dataset import Dataset
from flowers_core.lessons.study import Tally, Trial, measure, require_enough, trials
from flowers_core.retrieval.teaching import Examples, Head, TeachingError

#: Four classes, one along each half axis; three photos of each.
DIRECTIONS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
HEAD = Head(2 * DIRECTIONS.T, np.zeros(4))
PHOTOS = 3 * np.repeat(DIRECTIONS, 3, axis=0) + np.tile([[0.1, 0.0], [0.0, 0.1], [0.1, 0.1]], (4, 1))
KNOWN = Examples(PHOTOS, np.repeat(np.arange(4), 3))
LESSONS = {4: PHOTOS[9:], 2: PHOTOS[3:6]}


def test_what_is_left_out_is_in_neither_head_nor_stored_photos() -> None:
    first, second = trials(HEAD, KNOWN, LESSONS, in_a_row=1, counts=(3,))
    assert (first.taught, second.taught) == ((4,), (2,))
    assert first.labels.tolist() == [1, 2, 3, 4]
    assert second.labels.tolist() == [1, 3, 4, 2]
    np.testing.assert_array_equal(second.before.weights, HEAD.weights[:, [0, 2, 3]])
    assert second.labels[second.after.logits(PHOTOS).argmax(axis=1)].tolist() == (KNOWN.columns + 1).tolist()


def test_classes_in_a_row_are_taught_one_after_the_other() -> None:
    (both,) = trials(HEAD, KNOWN, LESSONS, in_a_row=2, counts=(3,), with_space=True)
    assert both.labels.tolist() == [1, 3, 4, 2]
    assert both.before.classes == 2
    assert both.space is not None
    np.testing.assert_allclose(
        both.space.prototypes[2:], [PHOTOS[9:].mean(axis=0), PHOTOS[3:6].mean(axis=0)], rtol=1e-6
    )
    assert both.labels[both.after.logits(PHOTOS).argmax(axis=1)].tolist() == (KNOWN.columns + 1).tolist()


def test_figures_by_hand() -> None:
    """Label 2 is taught; of its two photos one is named rightly, and one photo of label 1 is lost to it."""
    before, after = Head(np.array([[1.0], [0.0]]), np.zeros(1)), Head(np.eye(2), np.zeros(2))
    full = Head(np.eye(2), np.array([0.0, 9.0]))
    trial = Trial(3, (2,), before, after, np.array([1, 2]))
    embeddings, labels = np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 3.0], [3.0, 1.0]]), np.array([1, 1, 2, 2])
    tally = Tally()
    tally.add(trial, labels, embeddings, lambda _, logits: logits.max(axis=1) < 2.5, full)
    found = tally.figures(embeddings="own", split="test", lesson_split="train", photos=3, in_a_row=1)
    assert (found.classes, found.right, found.right_untaught) == (1, 0.5, 1.0)
    assert (found.others_before, found.others_after) == (1.0, 0.5)
    # Without doubt are the first two; of these the second names label 2, wrongly.
    assert (found.sure, found.sure_right) == (0.0, 0.0)


def test_every_kind_of_lesson_has_its_figures() -> None:
    ten = {label: np.concatenate([photos] * 4)[:10] for label, photos in LESSONS.items()}
    asked = [(KNOWN.columns[:6] + 1, PHOTOS[:6], None), (KNOWN.columns[6:] + 1, PHOTOS[6:], None)]
    found = measure(HEAD, KNOWN, ten, asked, embeddings="own", split="test", lesson_split="train")
    assert [(each.in_a_row, each.photos) for each in found] == [(1, 10), (1, 3), (5, 10), (5, 3)]
    for each in found:
        assert each.right == pytest.approx(1)
        assert each.others_before == each.others_after == 1
        assert (each.sure, each.sure_right, each.classes) == (None, None, 2)


class _Listed(Dataset):
    """Photos that nobody opens."""

    def path(self, photo_id: int) -> Path:
        raise NotImplementedError

    def fingerprint(self) -> str:
        raise NotImplementedError


@pytest.mark.parametrize(("classes", "photos", "enough"), [(7, 10, True), (6, 10, False), (7, 9, False)])
def test_classes_are_left_out_of_data_sets_that_can_spare_them(classes: int, photos: int, *, enough: bool) -> None:
    labels = np.repeat(np.arange(1, classes + 1), photos)
    dataset = _Listed(labels, ["train"] * len(labels), [str(label) for label in range(classes)])
    if enough:
        require_enough(dataset, "train")
        return
    with pytest.raises(TeachingError, match=f"7 classes or more, of 10 train photos each; here are {classes}, of"):
        require_enough(dataset, "train")
