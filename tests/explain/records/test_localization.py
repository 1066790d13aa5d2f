from pathlib import Path

import numpy as np
import pytest

from flowers_core.explain.records.localization import LocalizationRecord, LocalizationRecordError, load_localization
from flowers_core.storage.files import write_npz


def record() -> LocalizationRecord:
    return LocalizationRecord(
        ids=np.array([3, 5, 8, 13]),
        labels=np.array([1, 1, 1, 2]),
        predicted=np.array([1, 2, 2, 2]),
        mass=np.array([0.75, 0.5, 0.25, 1.0], np.float32),
        area=np.array([0.5, 0.125, 0.375, 0.25], np.float32),
        left_out=2,
    )


def test_means_by_hand() -> None:
    whole = record().mean()
    assert whole is not None
    assert (whole.mass, whole.area, whole.photos) == (0.625, 0.3125, 4)
    assert whole.ratio == 2.0
    of_class = record().of_class(1)
    assert of_class is not None
    assert (of_class.mass, of_class.photos) == (0.5, 3)
    assert of_class.ratio == pytest.approx(1.5)
    pair = record().of_pair(1, 2)
    assert pair is not None
    # (1/2 + 1/4) / (1/8 + 3/8); the mean of the ratios 4 and 2/3 would be 2.33.
    assert (pair.ratio, pair.photos) == (1.5, 2)
    assert record().of_pair(2, 1) is None
    assert record().of_class(7) is None


def test_it_comes_back_to_a_thousandth(tmp_path: Path) -> None:
    path = tmp_path / "shares.npz"
    rng = np.random.default_rng(0)
    mass, area = rng.random((2, 500)).astype(np.float32)
    ids = np.arange(7000, 7500)
    write_npz(path, compressed=True, **LocalizationRecord(ids, ids % 102 + 1, ids % 7 + 1, mass, area, 9).arrays())
    back = load_localization(path)
    np.testing.assert_array_equal(back.ids, ids)
    np.testing.assert_array_equal(back.labels, ids % 102 + 1)
    np.testing.assert_array_equal(back.predicted, ids % 7 + 1)
    np.testing.assert_allclose(back.mass, mass, atol=5e-4)
    np.testing.assert_allclose(back.area, area, atol=5e-4)
    assert back.left_out == 9
    assert path.stat().st_size < 8000


def test_what_is_no_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shares.npz"
    with pytest.raises(LocalizationRecordError, match="evaluate_localization"):
        load_localization(path)
    found = vars(record())
    good = {**found, "called": found["predicted"], "heat": found["mass"]}
    for wrong in ({"heat": np.array([0.5, 0.5])}, {"area": np.full(4, 1.5)}, {"area": np.full(4, np.nan)}):
        np.savez(path, **{**good, **wrong})
        with pytest.raises(LocalizationRecordError, match="damaged"):
            load_localization(path)
