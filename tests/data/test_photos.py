import hashlib
import io
import random
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin
from sklearn.datasets import load_sample_image

from flowers_core.data import photos
from flowers_core.data.photos import PhotoError, open_photo, read_photo
from tests.fixtures.pictures import encoded, four_corners, noise, png_header, sentence

# Pillow says in warnings what it thinks of damaged files, and of photos above 89 million pixels.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")

FORMATS = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "WEBP": "WebP",
    "BMP": "BMP",
    "GIF": "GIF",
    "TIFF": "TIFF",
    "AVIF": "AVIF",
    "HEIF": "HEIC",
}


# What can be read


@pytest.mark.parametrize(("pillow_format", "shown"), FORMATS.items())
def test_every_format_gives_the_picture_that_was_saved(pillow_format, shown):
    picture = four_corners()
    data = encoded(picture, pillow_format)
    photo = read_photo(data)
    assert photo.format == shown
    assert photo.original_size == (96, 64)
    assert (photo.width, photo.height) == (96, 64)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert not photo.pixels.flags.writeable
    difference = np.abs(photo.pixels.astype(int) - np.asarray(picture).astype(int))
    assert np.median(difference) <= 3
    assert difference[10:20, 10:20].max() <= 12


def test_a_real_photo_in_each_format_stays_itself():
    picture = Image.fromarray(load_sample_image("flower.jpg"))
    for pillow_format in ("JPEG", "WEBP", "AVIF", "HEIF"):
        photo = read_photo(encoded(picture, pillow_format, quality=90))
        assert np.abs(photo.pixels.astype(int) - np.asarray(picture).astype(int)).mean() < 3, pillow_format


@pytest.mark.parametrize("pillow_format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_the_first_frame_of_many_is_taken(pillow_format):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], pillow_format, save_all=True, append_images=frames[1:])
    assert np.abs(read_photo(data).pixels.astype(int) - (255, 0, 0)).max() <= 8


def test_a_jpeg_of_several_pictures_is_a_jpeg():
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    photo = read_photo(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert photo.format == "JPEG"
    assert np.abs(photo.pixels.astype(int) - (255, 0, 0)).max() <= 8


# EXIF 2.32: which side of the upright picture the stored first row and first column are.
def stored_for(orientation: int, upright: np.ndarray) -> np.ndarray:
    height, width = upright.shape[:2]
    down, right = np.arange(height), np.arange(width)
    rows, columns = {
        1: (down, right),  # top, left
        2: (down, right[::-1]),  # top, right
        3: (down[::-1], right[::-1]),  # bottom, right
        4: (down[::-1], right),  # bottom, left
        5: (down, right),  # left, top
        6: (down, right[::-1]),  # right, top
        7: (down[::-1], right[::-1]),  # right, bottom
        8: (down[::-1], right),  # left, bottom
    }[orientation]
    picture = upright[np.ix_(rows, columns)]
    return picture.swapaxes(0, 1) if orientation >= 5 else picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_orientation_is_applied_once(pillow_format, orientation):
    upright = np.asarray(four_corners())
    stored = Image.fromarray(np.ascontiguousarray(stored_for(orientation, upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    if pillow_format == "HEIF":  # pillow-heif turns the tag into HEIC's own rotation when it finds it here
        stored.info["exif"] = exif.tobytes()
        data = encoded(stored, pillow_format)
    else:
        data = encoded(stored, pillow_format, exif=exif)
    photo = read_photo(data)
    assert photo.original_size == (96, 64)
    assert photo.pixels.shape == (64, 96, 3)
    for rows, columns in ((8, 8), (8, 88), (56, 8), (56, 88)):
        assert np.abs(photo.pixels[rows, columns].astype(int) - upright[rows, columns]).max() <= 12


def test_a_scaled_photo_is_turned_upright_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read_photo(encoded(Image.new("RGB", (3000, 1000)), "JPEG", exif=exif))
    assert photo.original_size == (1000, 3000)
    assert photo.pixels.shape == (1600, 533, 3)


@pytest.mark.parametrize(
    "broken", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 20]
)
def test_a_broken_exif_block_spoils_nothing(broken):
    assert read_photo(encoded(four_corners(), "JPEG", exif=broken)).original_size == (96, 64)


# Size


def test_a_large_photo_is_scaled_down_with_antialiasing():
    # One-pixel checks: antialiasing makes them grey; picking pixels would leave black and white.
    checks = (np.indices((1500, 3000)).sum(0) % 2 * 255).astype(np.uint8)
    photo = read_photo(encoded(Image.fromarray(checks), "PNG"))
    assert photo.original_size == (3000, 1500)
    assert photo.pixels.shape == (800, 1600, 3)
    assert np.abs(photo.pixels[20:-20, 20:-20].astype(int) - 127).max() < 40


def test_a_photo_at_the_limit_is_left_as_it_is():
    pixels = noise(16, photos.MAX_SIDE, 3)
    assert (read_photo(encoded(Image.fromarray(pixels), "PNG")).pixels == pixels).all()


@pytest.mark.parametrize(("width", "height"), [(4097, 2048), (8195, 1001), (701, 9001)])
def test_a_jpeg_decoded_at_a_fraction_looks_the_same(width, height):
    flower = Image.fromarray(load_sample_image("flower.jpg")).resize((width, height))
    data = encoded(flower, "JPEG", quality=90)
    photo = read_photo(data)
    scale = photos.MAX_SIDE / max(width, height)
    assert photo.original_size == (width, height)
    assert (photo.width, photo.height) == (round(width * scale), round(height * scale))
    whole = Image.open(io.BytesIO(data)).resize((photo.width, photo.height), Image.Resampling.BICUBIC)
    assert np.abs(photo.pixels.astype(int) - np.asarray(whole).astype(int)).mean() < 1


def test_a_phone_photo_in_portrait_has_its_upright_size():
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read_photo(encoded(Image.new("RGB", (4032, 3024), "green"), "JPEG", exif=exif))
    assert photo.original_size == (3024, 4032)
    assert (photo.width, photo.height) == (1200, 1600)


# What is refused


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "This file is empty. Choose a JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC photo."),
        (b"Dear diary,\r\ntoday I saw a rose.\n", "This is a text file, not a photo."),
        ("Ein Gänseblümchen\n".encode(), "This is a text file, not a photo."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is an SVG drawing, not a photo."),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<svg/>", "This is an SVG drawing, not a photo."),
        (b"\xef\xbb\xbf<!DOCTYPE html><html><svg/></html>", "This is a web page, not a photo. Save the picture itself"),
        (b"%PDF-1.7\n%\xe2\xe3", "This is a PDF document, not a photo"),
        (b"PK\x03\x04" + b"\x00" * 40, "This is a ZIP archive or an office document"),
        (b"\x00\x00\x00\x20ftypisom" + b"\x00" * 40, "This is a video, not a photo"),
        (b"\x00\x00\x00\x18ftypcrx " + b"\x00" * 40, "This is a camera's raw photo, not a photo in a format"),
        (b"8BPS\x00\x01" + b"\x00" * 40, "This is a Photoshop file"),
        (b"\x7fELF" + bytes(range(256)), "This file is not a photo in a format that can be read here. Choose"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "This JPEG photo is damaged: its beginning cannot be read."),
        (b"\x89PNG\r\n\x1a\n", "This PNG photo is damaged"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "This WebP photo is damaged"),
        (b"\x00\x00\x00\x1cftypheic" + b"\x00" * 40, "This HEIC photo is damaged"),
    ],
)
def test_what_is_no_photo_is_called_by_its_name(data, told):
    assert sentence(data).startswith(told)


@pytest.mark.parametrize("other", ["ICO", "PPM", "TGA", "PCX", "ICNS", "EPS", "JPEG2000"])
def test_formats_that_are_not_on_the_list_stay_closed(other):
    # Pillow could read them, EPS even by starting Ghostscript: fewer decoders, less to attack.
    assert "not a photo" in sentence(encoded(four_corners(), other))


@pytest.mark.parametrize("pillow_format", FORMATS)
@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_a_truncated_photo_is_refused(pillow_format, share):
    data = encoded(Image.fromarray(noise(64, 96, 3)), pillow_format)
    told = sentence(data[: int(len(data) * share)])
    assert "damaged" in told or "not a photo" in told


def test_damaged_photos_raise_nothing_but_photo_errors():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = four_corners()
    whole = [encoded(picture, of, **({} if of in ("BMP", "GIF") else {"exif": exif})) for of in FORMATS]
    whole.append(encoded(picture, "JPEG", progressive=True))
    whole.append(encoded(picture.convert("P"), "PNG"))
    chance = random.Random(0)
    refused = 0
    for _ in range(800):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.choice((1, 4, 16))):
            data[chance.randrange(chance.choice((64, len(data))))] = chance.randrange(256)
        try:
            read_photo(bytes(data))
        except PhotoError:
            refused += 1
    assert 200 < refused < 800


@pytest.mark.parametrize(("width", "height"), [(0, 100), (100, 0), (0, 0)])
def test_a_photo_without_pixels_is_refused(width, height):
    assert "damaged" in sentence(png_header(width, height))
    bmp = bytearray(encoded(four_corners(), "BMP"))
    bmp[18:26] = struct.pack("<ii", width, height)
    assert "damaged" in sentence(bytes(bmp))


def test_a_gif_whose_frame_is_larger_than_its_screen_is_bounded_too():
    gif = bytearray(encoded(Image.new("P", (32, 32)), "GIF"))
    frame = gif.index(b",\0\0\0\0\x20\0\x20\0")
    gif[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    assert "more pixels" in sentence(bytes(gif))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (15, 400), (400, 15)])
def test_a_photo_too_small_to_show_a_flower_is_refused(width, height):
    told = sentence(encoded(Image.new("RGB", (width, height)), "PNG"))
    assert told.startswith(f"This photo is too small to show a flower: it has {width} × {height} pixels.")
    assert "at least 16 × 16" in told


def test_the_smallest_photo_is_read():
    assert read_photo(encoded(Image.new("RGB", (16, 16)), "PNG")).original_size == (16, 16)


def test_a_strip_that_scaling_would_make_too_narrow_is_refused():
    assert sentence(encoded(Image.new("L", (16, 2200)), "PNG")).startswith(
        "This picture is a strip of 16 × 2200 pixels"
    )


@pytest.mark.parametrize(
    ("width", "height", "found"),
    [
        (10_000, 10_001, "It has 10000 × 10001 = 101 million. "),  # Pillow would only warn
        (12_000, 14_000, "It has 12000 × 14000 = 168 million. "),
        (20_000, 20_000, ""),  # Pillow itself refuses
        (2_000_000_000, 2_000_000_000, ""),
    ],
)
def test_too_many_pixels_are_refused_by_the_header_alone(width, height, found):
    # There is no pixel in these files: whoever decoded first would call them damaged.
    told = sentence(png_header(width, height))
    assert told == (
        f"This photo has more pixels than can be read here. {found}At most 100 million are allowed: "
        "save it smaller (4000 × 3000 is plenty), or choose another photo."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "more pixels" in sentence(png_header(width, height))


def test_hundred_million_pixels_are_read():
    photo = read_photo(encoded(Image.new("1", (10_000, 10_000)), "PNG"))
    assert photo.original_size == (10_000, 10_000)
    assert photo.pixels.shape == (1600, 1600, 3)
    assert photo.pixels.nbytes <= 8_000_000  # what a session keeps of a photo


def test_pillows_process_wide_settings_are_left_alone():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    sentence(png_header(20_000, 20_000))
    read_photo(encoded(four_corners(), "JPEG"))
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    assert before == after == (89_478_485, False, 1 << 20)


def test_too_little_memory_is_told(monkeypatch):
    def no_memory(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", no_memory)
    assert sentence(encoded(four_corners(), "BMP")).startswith("There is not enough memory")


@pytest.mark.slow
def test_eight_threads_read_what_one_reads():
    data = [encoded(Image.fromarray(noise(100 + 8 * n, 150, 3, seed=n)), of) for n, of in enumerate(list(FORMATS) * 3)]
    alone = [read_photo(one).pixels for one in data]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: read_photo(one).pixels, data))
    for expected, found in zip(alone, together, strict=True):
        assert (expected == found).all()


# Files


def test_a_file_is_read_and_named_in_the_sentence(tmp_path):
    picture = four_corners()
    (tmp_path / "rose.png").write_bytes(encoded(picture, "PNG"))
    assert (open_photo(tmp_path / "rose.png").pixels == np.asarray(picture)).all()
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(PhotoError, match=r"^notes\.txt: This is a text file"):
        open_photo(tmp_path / "notes.txt")
    with pytest.raises(PhotoError, match=r"^gone\.jpg could not be read: No such file or directory\.$"):
        open_photo(tmp_path / "gone.jpg")
    with pytest.raises(PhotoError, match=r"could not be read: Is a directory\.$"):
        open_photo(tmp_path)


@pytest.mark.dataset
def test_photos_of_the_dataset_are_what_pillow_reads(flowers):
    for photo_id in range(1, 8190, 512):
        photo = open_photo(flowers.path(photo_id))
        with Image.open(flowers.path(photo_id)) as expected:
            assert (photo.pixels == np.asarray(expected.convert("RGB"))).all()
