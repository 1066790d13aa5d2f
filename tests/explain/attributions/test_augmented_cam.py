import numpy as np
import pytest
from scipy.special import softmax

from flowers_core.explain.attributions.augmented_cam import explain_augmented_cam, log_odds_direction, moved
from flowers_core.explain.attributions.cam import class_contrast
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget, to_photo
from flowers_core.explain.subject import Subject
from tests.fixtures.subjects import subject

SIZE, CELLS = 64, 4
FRAME = {"box": (0.0, 0.0, float(SIZE), float(SIZE)), "photo_size": (SIZE, SIZE)}
RNG = np.random.default_rng(0)
HEAD = RNG.normal(size=(3, 5)).astype(np.float32)


def features(photos: np.ndarray) -> np.ndarray:
    """A network that sees each cell's mean colour: (n, 4, 4, 3)."""
    side = SIZE // CELLS
    return photos.reshape(-1, CELLS, side, CELLS, side, 3).mean(axis=(2, 4)) / 255


def logits(photos: np.ndarray) -> np.ndarray:
    return features(photos).mean(axis=(1, 2)) @ HEAD


def seen(photo: np.ndarray, logits, head: np.ndarray) -> Subject:
    return subject(photo, logits, feature_maps=features, head=head)


@pytest.fixture
def photo() -> np.ndarray:
    return RNG.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def test_the_direction_is_the_gradient_of_the_log_odds():
    """By central differences in the embedding, at a temperature of 0.5."""
    embedding = RNG.random(3)

    def log_odds(at: np.ndarray) -> float:
        p = softmax(at @ HEAD / 0.5)[1]
        return float(np.log(p / (1 - p)))

    found = log_odds_direction(HEAD, ClassTarget(2), lambda: embedding @ HEAD, 0.5)
    steps = 1e-5 * np.eye(3)
    expected = [(log_odds(embedding + step) - log_odds(embedding - step)) / 2e-5 * 0.5 for step in steps]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_number_added_to_all_logits_changes_nothing(photo: np.ndarray):
    both = []
    for head in (HEAD, HEAD + RNG.normal(size=(3, 1)).astype(np.float32)):
        answer = lambda photos, head=head: features(photos).mean(axis=(1, 2)) @ head  # noqa: E731
        both.append(explain_augmented_cam(seen(photo, answer, head), ClassTarget(4)).contributions)
    np.testing.assert_allclose(both[0], both[1], atol=1e-7)


def test_without_a_move_a_contrast_is_the_closed_form(photo: np.ndarray):
    found = explain_augmented_cam(seen(photo, logits, HEAD), ContrastTarget(1, 3), shift=0.0)
    exact = class_contrast(features(photo[None])[0], HEAD, 1, 3, **FRAME)
    assert found.value == pytest.approx(exact.value, rel=1e-5)
    fine = to_photo(exact.contributions, FRAME["box"], (SIZE, SIZE)) * (CELLS / SIZE) ** 2
    np.testing.assert_allclose(found.contributions, fine, atol=1e-6)
    assert found.contributions.sum() == pytest.approx(exact.value, rel=0.02)


def test_moves_show_what_is_finer_than_a_cell():
    """A red bar of six columns within one of the cells, 16 wide: nine looks find its side of the cell, one cannot."""
    photo = np.zeros((SIZE, SIZE, 3), np.uint8)
    photo[:, 32:38, 0] = 255
    red = np.zeros((3, 2), np.float32)
    red[0, 0] = 1.0

    def distance(shift: float) -> float:
        """Root mean square distance of the map from the bar's middle, column 35."""
        answer = lambda photos: features(photos).mean(axis=(1, 2)) @ red  # noqa: E731
        found = explain_augmented_cam(seen(photo, answer, red), ClassTarget(1), shift=shift)
        columns = found.contributions.sum(axis=0)
        return float(np.sqrt(columns @ (np.arange(SIZE) + 0.5 - 35) ** 2 / columns.sum()))

    # One look spreads the cell from 32 to 48 over its neighbours; moved back the wrong way, nine looks would reach 14.
    assert distance(0.0) == pytest.approx(8.23, abs=0.01)
    assert distance(3 / 8) < 7.9


def test_a_moved_photo_keeps_its_pixels_and_repeats_its_edge(photo: np.ndarray):
    down = moved(photo, 3, -2)
    np.testing.assert_array_equal(down[3:, :-2], photo[:-3, 2:])
    np.testing.assert_array_equal(down[:3, :-2], np.repeat(photo[:1, 2:], 3, axis=0))
    np.testing.assert_array_equal(moved(photo, 0, 0), photo)


def test_every_look_counts_where_it_shows_the_photo(photo: np.ndarray):
    """Of a photo of one colour every look is alike, moved or not, up to the frame's edge."""
    plain = np.broadcast_to(photo[0, 0], photo.shape)
    found = explain_augmented_cam(seen(plain, logits, HEAD), ClassTarget(1))
    assert np.ptp(found.contributions) < 1e-6
    assert found.settings["forward_passes"] == 9
    assert found.contributions.sum() == pytest.approx(found.value, rel=1e-4)


def test_what_cannot_be_is_refused(photo: np.ndarray):
    with pytest.raises(ValueError, match="less than 1 cell"):
        explain_augmented_cam(seen(photo, logits, HEAD), ClassTarget(1), shift=1.0)
    for target in (ClassTarget(6), ContrastTarget(1, 9)):
        with pytest.raises(ValueError, match=r"There is no label [69]: this model knows 1…5"):
            explain_augmented_cam(seen(photo, logits, HEAD), target)
    with pytest.raises(ValueError, match="explains a class"):
        explain_augmented_cam(seen(photo, logits, HEAD), NeighbourTarget(1))
