"""Pictures as the bundle keeps them: small, with their transparency, refused where they are something else."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.explain.feature_visualization.pictures import (
    MOST_BYTES,
    ModelPictures,
    PicturesError,
    as_webp,
    load_pictures,
    on_grey,
)
from flowers_core.explain.feature_visualization.visualize import Visualization
from flowers_core.storage.files import npz_bytes
from flowers_core.storage.npz import NpzError


def picture(noise: float, side: int = 224) -> Visualization:
    """Orange with noise, opaque to the right and transparent to the left."""
    drawn = np.random.default_rng(0).normal((230, 120, 20), noise, (side, side, 3))
    opacity = np.broadcast_to(np.linspace(0, 1, side), (side, side)).astype(np.float32)
    return Visualization(np.clip(drawn, 0, 255).astype(np.uint8), opacity)


@pytest.mark.parametrize("noise", [0, 40])
def test_a_picture_is_small_and_keeps_its_transparency(noise: float) -> None:
    file = as_webp(picture(noise))
    assert len(file) <= MOST_BYTES
    image = Image.open(io.BytesIO(file))
    assert (image.format, image.mode, image.size) == ("WEBP", "RGBA", (224, 224))
    opacity = np.asarray(image)[..., 3].astype(float)
    np.testing.assert_allclose(opacity, 255 * picture(noise).opacity, atol=3.01)  # half a level


def test_noise_costs_quality_and_what_fits_at_no_quality_is_refused() -> None:
    smooth, noisy = (Image.open(io.BytesIO(as_webp(picture(noise)))).convert("RGB") for noise in (0, 40))
    right = np.s_[:, 200:]
    assert np.abs(np.asarray(smooth)[right].astype(float) - (230, 120, 20)).mean() < 3
    assert np.asarray(noisy)[right].std() > 5
    with pytest.raises(ValueError, match=f"more than {MOST_BYTES} bytes"):
        as_webp(picture(60, side=800))


def test_before_grey_the_transparent_side_is_grey() -> None:
    found = on_grey(as_webp(picture(0))).astype(float)
    np.testing.assert_allclose(found[:, 0], 128, atol=2)
    np.testing.assert_allclose(found[:, -1].mean(axis=0), (230, 120, 20), atol=6)
    np.testing.assert_allclose(found[:, 112].mean(axis=0), (179, 124, 74), atol=6)  # half of each


def test_pictures_are_read_as_they_were_written(tmp_path: Path) -> None:
    made = ModelPictures("a model", {11: b"eleven", 2: b"two"}, {2: 0.5, 11: 1.5})
    (tmp_path / "pictures.npz").write_bytes(npz_bytes(compressed=False, **made.arrays()))
    assert load_pictures(tmp_path / "pictures.npz") == made


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "other.npz").write_bytes(npz_bytes(compressed=False, picture_1=np.zeros(3, np.uint8)))
    with pytest.raises(PicturesError, match=r"other\.npz holds no pictures"):
        load_pictures(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no pictures")
    with pytest.raises(NpzError, match=r"text\.npz"):
        load_pictures(tmp_path / "text.npz")
