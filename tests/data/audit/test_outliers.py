import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from flowers_core.data.audit.image_statistics import ImageStatistics
from flowers_core.data.audit.outliers import cosine_to_class, embedding_outliers, image_outliers, robust_z


def _facts(**changed: object) -> ImageStatistics:
    """Twenty ordinary photos with ids 1…20, in which single values are changed: name={id: value}."""
    rng = np.random.default_rng(0)
    n = 20
    arrays = {
        "sizes": np.tile([400, 300], (n, 1)),
        "sharpness": np.exp(6 + rng.normal(size=n) * 0.3),
        "highlights": np.full(n, 0.9),
        "shadows": np.full(n, 0.05),
    }
    for name, values in changed.items():
        for photo_id, value in values.items():  # type: ignore[attr-defined]
            arrays[name][photo_id - 1] = value
    return ImageStatistics(
        ids=np.arange(1, n + 1),
        sha256=("",) * n,
        hashes=np.zeros(n, np.uint64),
        mirrored_hashes=np.zeros(n, np.uint64),
        mean_colour=np.zeros((n, 3)),
        **arrays,
    )


def test_ordinary_photos_are_not_odd() -> None:
    assert image_outliers(_facts()) == []


def test_each_kind_names_its_photos_worst_first() -> None:
    facts = _facts(
        sharpness={3: 2.0, 8: 1.0},
        highlights={5: 0.3, 6: 0.2, 7: 0.46},
        shadows={11: 0.4},
        sizes={12: (90, 100), 13: (300, 700), 14: (800, 300)},
    )
    found = [(photo.kind, photo.photo_id, photo.value) for photo in image_outliers(facts)]
    assert found == [
        ("blurred", 8, 1.0),
        ("blurred", 3, 2.0),
        ("dark", 6, 0.2),
        ("dark", 5, 0.3),
        ("washed out", 11, 0.4),
        ("tiny", 12, 90.0),
        ("odd shape", 14, 800 / 300),
        ("odd shape", 13, 700 / 300),
    ]


def test_robust_z_equals_scipys_deviation() -> None:
    values = np.random.default_rng(1).normal(size=31)
    expected = (values - np.median(values)) / median_abs_deviation(values, scale="normal")
    np.testing.assert_allclose(robust_z(values), expected, rtol=1e-4)
    np.testing.assert_array_equal(robust_z(np.array([1.0, 1, 1, 9])), 0)


def test_likeness_to_the_class_leaves_the_photo_itself_out() -> None:
    vectors = np.array([[2.0, 0], [0, 3.0], [1.0, 1.0], [5.0, 0]])
    cosines = cosine_to_class(vectors, np.array([1, 1, 1, 2]))
    half = np.sqrt(0.5)
    # The others of the first: (0, 1) + (√½, √½), whose cosine with (1, 0) is √½ / |(√½, 1 + √½)|.
    assert cosines[0] == pytest.approx(half / np.hypot(half, 1 + half))
    assert cosines[1] == pytest.approx(cosines[0])
    assert cosines[2] == pytest.approx(1)
    assert cosines[3] == 1


def test_the_stranger_in_a_class_is_far_from_it() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([1, 2, 3], [20, 20, 3])
    vectors = np.eye(3)[labels - 1] + rng.normal(size=(43, 3)) * 0.05
    vectors[7] = (0, 1, 0)
    vectors[41] = (0, 1, 0)  # in a class of three, which is not judged
    found = embedding_outliers(vectors, np.arange(100, 143), labels)
    assert found[0].photo_id == 107
    assert found[0].value < 0.2
    assert all(photo.photo_id < 140 for photo in found)
    with pytest.raises(ValueError, match="not zero"):
        embedding_outliers(np.zeros((2, 3)), np.arange(2), np.array([1, 1]))
