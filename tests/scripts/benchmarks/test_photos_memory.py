"""The photos that memory is measured with, and the measurement on a few of them."""

from pathlib import Path

import pytest

from flowers_core.data.photo_check import check_photos
from scripts.benchmarks.photos_memory import draw_photos, peak_of_training


def test_the_photos_are_sound_and_no_copies(tmp_path: Path) -> None:
    draw_photos(tmp_path, 200)
    checked = check_photos(tmp_path)
    assert checked.findings == ()
    assert (len(checked.dataset), len(checked.dataset.names)) == (200, 20)


@pytest.mark.slow
@pytest.mark.weights
def test_the_peak_of_a_process(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos", 100)
    peak, seconds = peak_of_training(tmp_path)
    assert 2**28 < peak < 3 * 2**30
    assert seconds > 1
    assert (tmp_path / "models" / "many" / "int8.tflite").is_file()
