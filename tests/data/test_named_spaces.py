"""Photos that only name their colour space, against arithmetic of the tests' own."""

import numpy as np
import pytest
from PIL import ExifTags, Image

from flowers_core.data.named_spaces import ADOBE_RGB, BY_PRIMARIES
from flowers_core.data.photos import read_photo
from tests.fixtures.icc_profiles import SPACES, SRGB, converted
from tests.fixtures.pictures import encoded, four_corners, png


def furthest(pixels: np.ndarray, expected: np.ndarray) -> int:
    return int(np.abs(pixels.astype(int) - expected).max())


def exif(space: int, index: str | None) -> Image.Exif:
    block = Image.Exif()
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = space
    if index is not None:
        # As cameras write it: within the Exif block.
        block.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: index}
    return block


def as_read(space: str, pillow_format: str = "JPEG", **options: object) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of a photo stored in a space: as they stand, and as they are read with these options."""
    stored = Image.fromarray(converted(np.asarray(four_corners()), SRGB, SPACES[space]))
    return read_photo(encoded(stored, pillow_format)).pixels, read_photo(
        encoded(stored, pillow_format, **options)
    ).pixels


def test_the_primaries_are_those_of_the_published_chromaticities():
    for space, name in ((ADOBE_RGB, "Adobe RGB"), (BY_PRIMARIES[9], "Rec. 2020"), (BY_PRIMARIES[12], "Display P3")):
        expected = SPACES[name].to_xyz().T
        np.testing.assert_allclose([space.red, space.green, space.blue], expected, atol=1e-3)


@pytest.mark.parametrize(("space", "index"), [(0xFFFF, "R03"), (2, None)])
def test_adobe_rgb_told_by_exif_alone(space, index):
    stored, read = as_read("Adobe RGB", exif=exif(space, index))
    assert furthest(stored, converted(stored, SPACES["Adobe RGB"], SRGB)) > 10
    assert furthest(read, converted(stored, SPACES["Adobe RGB"], SRGB)) <= 2


@pytest.mark.parametrize(("space", "index"), [(1, "R98"), (0xFFFF, "R98"), (0xFFFF, None), (1, "R03")])
def test_other_exif_leaves_the_pixels_alone(space, index):
    stored, read = as_read("Adobe RGB", exif=exif(space, index))
    assert (read == stored).all()


def test_a_profile_weighs_more_than_exif():
    _, read = as_read("Display P3", exif=exif(0xFFFF, "R03"), icc_profile=SPACES["Display P3"].profile(), quality=95)
    expected = read_photo(
        encoded(Image.fromarray(converted(np.asarray(four_corners()), SRGB, SPACES["Display P3"])), "JPEG", quality=95)
    ).pixels
    assert furthest(read, converted(expected, SPACES["Display P3"], SRGB)) <= 2


def named_heif(space: str, primaries: int, transfer: int) -> bytes:
    stored = Image.fromarray(converted(np.asarray(four_corners()), SRGB, SPACES[space]))
    return encoded(
        stored,
        "HEIF",
        color_primaries=primaries,
        transfer_characteristics=transfer,
        matrix_coefficients=6,
        full_range_flag=1,
    )


@pytest.mark.parametrize(("space", "primaries"), [("Display P3", 12), ("Rec. 2020", 9)])
@pytest.mark.parametrize("transfer", [1, 13, 18])
def test_wide_primaries_of_a_heic_photo_told_by_nclx(space, primaries, transfer):
    plain = read_photo(named_heif(space, 1, 13)).pixels
    read = read_photo(named_heif(space, primaries, transfer)).pixels
    # The curve that a photo is shown with, whatever its transfer says, is that of sRGB.
    matrix = SPACES[space].to_xyz().T @ np.linalg.inv(SRGB.to_xyz()).T
    expected = np.rint(SRGB.stored(SRGB.linear(plain / 255.0) @ matrix) * 255)
    assert furthest(plain, expected) > 10
    assert furthest(read, expected) <= 2


def test_pq_stays_as_it_is():
    assert (
        read_photo(named_heif("Rec. 2020", 9, 16)).pixels == read_photo(named_heif("Rec. 2020", 1, 13)).pixels
    ).all()


def test_a_png_that_names_display_p3_by_code_point():
    stored = converted(np.asarray(four_corners()), SRGB, SPACES["Display P3"])
    data = encoded(Image.fromarray(stored), "PNG")
    chunk = png((b"cICP", bytes((12, 13, 0, 1))))[8:]
    with_chunk = data[:33] + chunk + data[33:]  # behind the header
    assert furthest(read_photo(with_chunk).pixels, converted(stored, SPACES["Display P3"], SRGB)) <= 2


def test_a_large_heic_photo_that_is_reduced_is_converted_too(monkeypatch):
    from flowers_core.data import photos

    data = named_heif("Display P3", 12, 13)
    whole = read_photo(data).pixels
    monkeypatch.setattr(photos, "_LARGE", 1000)
    assert furthest(read_photo(data).pixels, whole) <= 1
