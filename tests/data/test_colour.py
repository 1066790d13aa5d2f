"""Photos in other colour spaces against arithmetic of the tests' own (`tests.fixtures.icc_profiles`)."""

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.colour import srgb_conversion
from flowers_core.data.photos import MAX_SIDE, read_photo
from tests.fixtures.icc_profiles import SPACES, SRGB, cmyk_profile, converted, grey_profile
from tests.fixtures.pictures import encoded, four_corners, noise

LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def furthest(pixels: np.ndarray, expected: np.ndarray) -> int:
    return int(np.abs(pixels.astype(int) - expected).max())


@pytest.mark.parametrize("pillow_format", LOSSLESS)
@pytest.mark.parametrize("name", SPACES)
def test_a_profile_is_converted_to_srgb(name, pillow_format):
    stored = converted(noise(32, 40, 3), SRGB, SPACES[name])
    data = encoded(
        Image.fromarray(stored), pillow_format, icc_profile=SPACES[name].profile(), **LOSSLESS[pillow_format]
    )
    assert furthest(stored, converted(stored, SPACES[name], SRGB)) > 10
    assert furthest(read_photo(data).pixels, converted(stored, SPACES[name], SRGB)) <= 2


@pytest.mark.parametrize("pillow_format", ["JPEG", "HEIF", "AVIF"])
@pytest.mark.parametrize("name", SPACES)
def test_a_lossy_photo_is_converted_too(name, pillow_format):
    stored = Image.fromarray(converted(np.asarray(four_corners()), SRGB, SPACES[name]))
    as_it_stands = read_photo(encoded(stored, pillow_format)).pixels
    photo = read_photo(encoded(stored, pillow_format, icc_profile=SPACES[name].profile()))
    assert furthest(photo.pixels, converted(as_it_stands, SPACES[name], SRGB)) <= 2


def test_a_large_photo_is_converted_after_it_was_shrunk():
    stored = converted(np.array((200, 60, 120), np.uint8), SRGB, SPACES["Display P3"])
    picture = Image.new("RGB", (2 * MAX_SIDE, 100), tuple(stored.tolist()))
    photo = read_photo(encoded(picture, "PNG", icc_profile=SPACES["Display P3"].profile()))
    assert photo.pixels.shape == (50, MAX_SIDE, 3)
    assert furthest(photo.pixels, np.array((200, 60, 120))) <= 2


def test_a_profile_of_srgb_leaves_the_pixels_alone():
    pixels = noise(32, 40, 3)
    data = encoded(Image.fromarray(pixels), "PNG", icc_profile=SRGB.profile())
    assert (read_photo(data).pixels == pixels).all()


def test_transparency_lies_over_white_after_conversion():
    stored = converted(noise(32, 40, 3), SRGB, SPACES["Adobe RGB"])
    alpha = noise(32, 40, 1, seed=1)
    data = encoded(
        Image.fromarray(np.concatenate([stored, alpha], axis=2)), "PNG", icc_profile=SPACES["Adobe RGB"].profile()
    )
    opaque = alpha / 255.0
    expected = converted(stored, SPACES["Adobe RGB"], SRGB) * opaque + 255 * (1 - opaque)
    assert np.abs(read_photo(data).pixels - expected).max() <= 2.5


def test_a_palette_with_a_profile():
    picture = Image.new("P", (30, 20), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    photo = read_photo(encoded(picture, "PNG", icc_profile=SPACES["Display P3"].profile()))
    expected = converted(np.array([200, 100, 50], np.uint8), SPACES["Display P3"], SRGB)
    assert furthest(photo.pixels[0, 0], expected) <= 2


def grey_of(stored: np.ndarray, gamma: float) -> np.ndarray:
    """Stored values 0…1 of a grey space → sRGB's 0…255."""
    return np.rint(SRGB.stored(stored**gamma) * 255)


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_grey_with_a_profile(gamma):
    ramp = np.arange(256, dtype=np.uint8)[None].repeat(20, 0)
    photo = read_photo(encoded(Image.fromarray(ramp), "PNG", icc_profile=grey_profile(gamma)))
    assert np.abs(photo.pixels - grey_of(ramp / 255.0, gamma)[:, :, None]).max() <= 2
    sixteen = (np.arange(512, dtype=np.uint32) * 65535 // 511).astype(np.uint16)[None].repeat(20, 0)
    photo = read_photo(encoded(Image.fromarray(sixteen), "PNG", icc_profile=grey_profile(gamma)))
    assert np.abs(photo.pixels - grey_of(sixteen / 65535.0, gamma)[:, :, None]).max() <= 2


def test_a_grey_photo_with_a_colour_profile():
    ramp = np.arange(256, dtype=np.uint8)[None].repeat(20, 0)
    photo = read_photo(encoded(Image.fromarray(ramp), "PNG", icc_profile=SPACES["ProPhoto"].profile()))
    expected = converted(np.repeat(ramp[:, :, None], 3, axis=2), SPACES["ProPhoto"], SRGB)
    assert furthest(photo.pixels, expected) <= 2


def in_lab(ink: np.ndarray) -> np.ndarray:
    """A printer whose inks say L*, a* and b* by a formula that is linear in each of them."""
    light = 100 * (1 - ink[:, 3]) * (1 - 0.5 * ink[:, 0])
    return np.column_stack([light, 60 * (ink[:, 1] - ink[:, 0]) / 2, 60 * (ink[:, 2] - ink[:, 0]) / 2])


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """CIE L*a*b* under D50 → sRGB, 0…255."""
    fy = (lab[:, 0] + 16) / 116
    f = np.column_stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * (0.9642, 1.0, 0.8249)
    return SRGB.stored(xyz @ np.linalg.inv(SRGB.to_xyz()).T) * 255


@pytest.mark.parametrize("pillow_format", ["JPEG", "TIFF"])
@pytest.mark.parametrize("ink", [(0, 0, 0, 0), (0, 128, 128, 0), (64, 64, 64, 0), (0, 64, 0, 64)])
def test_inks_with_a_profile(ink, pillow_format):
    options = {"quality": 100} if pillow_format == "JPEG" else {}
    data = encoded(Image.new("CMYK", (32, 32), ink), pillow_format, icc_profile=cmyk_profile(in_lab), **options)
    expected = lab_to_srgb(in_lab(np.array([ink]) / 255.0))[0]
    # The profile holds L*, a* and b* in 8 bits, one of which is up to 2.5 of 255 in sRGB.
    assert np.abs(read_photo(data).pixels[16, 16] - expected).max() <= 4


def test_lab_is_read():
    image = Image.new("LAB", (20, 20), (150, 128 + 30, 128 - 30))
    expected = lab_to_srgb(np.array([[150 / 2.55, 30, -30]]))[0]
    assert np.abs(read_photo(encoded(image, "TIFF")).pixels[0, 0] - expected).max() <= 2


@pytest.mark.parametrize(
    "profile",
    [
        b"garbage",
        b"",
        SPACES["Display P3"].profile()[:200],
        SPACES["Display P3"].profile()[:128] + b"\xff" * 400,
        grey_profile(1.8),  # of another kind than the pixels
        cmyk_profile(in_lab),
    ],
)
def test_a_broken_profile_or_one_of_another_kind_spoils_nothing(profile):
    pixels = noise(32, 40, 3)
    assert (read_photo(encoded(Image.fromarray(pixels), "PNG", icc_profile=profile)).pixels == pixels).all()


def test_random_damage_to_a_profile_raises_nothing():
    chance = np.random.default_rng(0)
    whole = SPACES["Display P3"].profile()
    for _ in range(200):
        broken = bytearray(whole)
        for at in chance.integers(0, len(whole), 6):
            broken[at] = chance.integers(0, 256)
        read_photo(encoded(four_corners(), "PNG", icc_profile=bytes(broken)))


def test_without_a_profile_there_is_nothing_to_do():
    assert srgb_conversion(four_corners()) is None
