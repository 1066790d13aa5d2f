"""The crop around a position of the feature map shows that position and its neighbours."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.resources.thumbnails import CROP_SIDE, place_crop
from flowers_core.data.model_input import CropRule


@pytest.mark.parametrize(
    ("place", "rows", "columns"), [((1, 2), (0, 3), (1, 4)), ((0, 0), (0, 3), (0, 3)), ((3, 3), (1, 4), (1, 4))]
)
def test_a_crop_has_three_by_three_positions(
    tmp_path: Path, place: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    # Four by four positions of 16 pixels; a position's red is 50 times its row, its green 50 times its column.
    cells = np.zeros((4, 4, 3), np.uint8)
    cells[..., 0], cells[..., 1] = 50 * np.arange(4)[:, None], 50 * np.arange(4)
    Image.fromarray(np.kron(cells, np.ones((16, 16, 1), np.uint8))).save(tmp_path / "cells.png")
    crop = place_crop(tmp_path / "cells.png", CropRule(32), place, (4, 4))
    assert crop.shape == (CROP_SIDE, CROP_SIDE, 3)
    middles = crop[CROP_SIDE // 6 :: CROP_SIDE // 3, CROP_SIDE // 6 :: CROP_SIDE // 3][:3, :3].astype(int)
    np.testing.assert_allclose(middles, cells[slice(*rows), slice(*columns)], atol=3)
