import hashlib
import io
import random
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin
from sklearn.datasets import load_sample_image

from flowers_core.data import photos
from flowers_core.data.photos import Photo, PhotoError, open_photo, read_photo

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


def encoded(image: Image.Image, pillow_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, pillow_format, **options)
    return buffer.getvalue()


def four_corners(width: int = 96, height: int = 64) -> Image.Image:
    """A picture whose every corner has another colour: red, green / blue, yellow."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 20, 20)
    pixels[: height // 2, width // 2 :] = (20, 200, 20)
    pixels[height // 2 :, : width // 2] = (20, 20, 220)
    pixels[height // 2 :, width // 2 :] = (230, 220, 10)
    return Image.fromarray(pixels)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that claims a size and has not one pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


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
    assert photo.pixels.shape == (2048, 683, 3)


@pytest.mark.parametrize(
    "broken", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 20]
)
def test_a_broken_exif_block_spoils_nothing(broken):
    assert read_photo(encoded(four_corners(), "JPEG", exif=broken)).original_size == (96, 64)


# Colours


def greys(photo: Photo) -> np.ndarray:
    """One channel of a photo whose three are the same."""
    assert (photo.pixels == photo.pixels[:, :, :1]).all()
    return photo.pixels[:, :, 0]


def test_grey_becomes_three_equal_channels():
    grey = noise(20, 30)
    assert (greys(read_photo(encoded(Image.fromarray(grey), "PNG"))) == grey).all()


def test_black_and_white():
    bits = noise(20, 30) > 127
    assert (greys(read_photo(encoded(Image.fromarray(bits), "PNG"))) == bits * 255).all()


@pytest.mark.parametrize("pillow_format", ["PNG", "TIFF", "WEBP"])
def test_alpha_lies_over_white(pillow_format):
    rgba = noise(20, 30, 4)
    options = {"lossless": True, "exact": True} if pillow_format == "WEBP" else {}
    photo = read_photo(encoded(Image.fromarray(rgba), pillow_format, **options))
    colour, alpha = rgba[:, :, :3].astype(float), rgba[:, :, 3:] / 255
    assert np.abs(photo.pixels - (colour * alpha + 255 * (1 - alpha))).max() <= 1


def test_grey_with_alpha_lies_over_white():
    grey_alpha = noise(20, 30, 2)
    photo = read_photo(encoded(Image.fromarray(grey_alpha), "PNG"))
    grey, alpha = grey_alpha[:, :, 0].astype(float), grey_alpha[:, :, 1] / 255
    assert np.abs(greys(photo) - (grey * alpha + 255 * (1 - alpha))).max() <= 1


@pytest.mark.parametrize("pillow_format", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_colour_lies_over_white(pillow_format):
    picture = Image.new("P", (30, 20), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.paste(0, (0, 0, 15, 20))
    plain = read_photo(encoded(picture, pillow_format))
    assert plain.pixels[5, 5].tolist() == [10, 20, 30]
    seen = read_photo(encoded(picture, pillow_format, transparency=0))
    assert seen.pixels[5, 5].tolist() == [255, 255, 255]
    assert seen.pixels[5, 25].tolist() == [200, 100, 50]


def test_a_palette_with_half_transparent_colours():
    picture = Image.new("P", (30, 20), 0)
    picture.putpalette([200, 100, 50])
    photo = read_photo(encoded(picture, "PNG", transparency=bytes([51])))  # one fifth opaque
    assert photo.pixels[5, 5].tolist() == [244, 224, 214]  # 255 - 0.2 · (255 - colour)


def test_rgb_and_grey_with_one_transparent_colour():
    for picture, transparent in ((Image.new("RGB", (30, 20), (9, 8, 7)), (9, 8, 7)), (Image.new("L", (30, 20), 9), 9)):
        photo = read_photo(encoded(picture, "PNG", transparency=transparent))
        assert (photo.pixels == 255).all()


@pytest.mark.parametrize("pillow_format", ["JPEG", "TIFF"])
def test_cmyk(pillow_format):
    inks = {"cyan": (255, 0, 0, 0), "black": (0, 0, 0, 255), "paper": (0, 0, 0, 0), "mixed": (50, 100, 150, 60)}
    for name, ink in inks.items():
        options = {"quality": 100} if pillow_format == "JPEG" else {}
        # Photoshop writes inverted inks into JPEG and marks them as Adobe's; Pillow writes and reads that.
        data = encoded(Image.new("CMYK", (32, 32), ink), pillow_format, **options)
        assert (b"Adobe" in data) == (pillow_format == "JPEG")
        expected = [(255 - part) * (255 - ink[3]) / 255 for part in ink[:3]]
        assert np.abs(read_photo(data).pixels.astype(float) - expected).max() <= 3, name


def test_16_bit_grey_is_scaled_not_clipped():
    values = np.array([0, 1, 128, 129, 257, 300, 32768, 65278, 65407, 65535], np.uint16)
    picture = np.repeat(np.repeat(values[None, :], 20, 0), 2, 1)
    expected = [0, 0, 0, 1, 1, 1, 128, 254, 255, 255]  # the nearest to v / 257
    for data in (encoded(Image.fromarray(picture), "PNG"), encoded(Image.fromarray(picture), "TIFF")):
        assert greys(read_photo(data))[0, ::2].tolist() == expected
    assert np.array_equal(photos._BYTE_OF_16_BIT, np.rint(np.arange(65536) / 257))


def test_16_bit_grey_of_the_other_byte_order():
    values = np.full((20, 20), 300 * 100, ">u2")
    picture = Image.frombytes("I;16B", (20, 20), values.tobytes())
    assert (greys(read_photo(encoded(picture, "TIFF"))) == round(30000 / 257)).all()


@pytest.mark.parametrize(
    ("corner_values", "dtype", "expected"),
    [
        ([0, 100, 200, 255], np.int32, [0, 100, 200, 255]),
        ([0, 257, 25700, 65535], np.int32, [0, 1, 100, 255]),
        ([-100, 0, 100, 100000], np.int32, [0, 0, 1, 255]),
        ([0.0, 0.25, 0.5, 1.0], np.float32, [0, 64, 128, 255]),
        ([0.0, 100.4, 200.6, 255.0], np.float32, [0, 100, 201, 255]),
        ([-1.0, 0.0, 0.0, 1.0], np.float32, [0, 128, 128, 255]),
        ([np.nan, 0.5, np.inf, 1.0], np.float32, [0, 128, 255, 255]),
        ([7.0, 7.0, 7.0, 7.0], np.float32, [7, 7, 7, 7]),
        ([-7.0, -7.0, -7.0, -7.0], np.float32, [0, 0, 0, 0]),
        ([np.nan] * 4, np.float32, [0, 0, 0, 0]),
    ],
)
def test_grey_without_an_agreed_range(corner_values, dtype, expected):
    picture = np.repeat(np.array(corner_values, dtype)[None, :], 20, 0).repeat(5, 1)
    assert greys(read_photo(encoded(Image.fromarray(picture), "TIFF")))[0, ::5].tolist() == expected


# Size


def test_a_large_photo_is_scaled_down_with_antialiasing():
    # One-pixel checks: antialiasing makes them grey; picking pixels would leave black and white.
    checks = (np.indices((1500, 3000)).sum(0) % 2 * 255).astype(np.uint8)
    photo = read_photo(encoded(Image.fromarray(checks), "PNG"))
    assert photo.original_size == (3000, 1500)
    assert photo.pixels.shape == (1024, 2048, 3)
    assert np.abs(photo.pixels[20:-20, 20:-20].astype(int) - 127).max() < 40


def test_a_photo_at_the_limit_is_left_as_it_is():
    pixels = noise(16, photos.MAX_SIDE, 3)
    assert (read_photo(encoded(Image.fromarray(pixels), "PNG")).pixels == pixels).all()


@pytest.mark.parametrize(("width", "height"), [(4097, 2048), (8195, 1001), (701, 9001)])
def test_a_jpeg_decoded_at_a_fraction_looks_the_same(width, height):
    flower = Image.fromarray(load_sample_image("flower.jpg")).resize((width, height))
    data = encoded(flower, "JPEG", quality=90)
    photo = read_photo(data)
    scale = 2048 / max(width, height)
    assert photo.original_size == (width, height)
    assert (photo.width, photo.height) == (round(width * scale), round(height * scale))
    whole = Image.open(io.BytesIO(data)).resize((photo.width, photo.height), Image.Resampling.BICUBIC)
    assert np.abs(photo.pixels.astype(int) - np.asarray(whole).astype(int)).mean() < 1


def test_a_phone_photo_in_portrait_has_its_upright_size():
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read_photo(encoded(Image.new("RGB", (4032, 3024), "green"), "JPEG", exif=exif))
    assert photo.original_size == (3024, 4032)
    assert (photo.width, photo.height) == (1536, 2048)


# What is refused


def sentence(data: bytes) -> str:
    with pytest.raises(PhotoError) as caught:
        read_photo(data)
    told = str(caught.value)
    assert told[0].isupper()
    assert told.endswith(".")
    return told


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


def test_the_bound_is_exact(monkeypatch):
    monkeypatch.setattr(photos, "MAX_PIXELS", 6000)
    assert read_photo(encoded(Image.new("RGB", (100, 60)), "PNG")).original_size == (100, 60)
    assert "more pixels" in sentence(encoded(Image.new("RGB", (100, 61)), "PNG"))


def test_hundred_million_pixels_are_read():
    photo = read_photo(encoded(Image.new("1", (10_000, 10_000)), "PNG"))
    assert photo.original_size == (10_000, 10_000)
    assert photo.pixels.shape == (2048, 2048, 3)


def test_a_text_chunk_that_unpacks_to_much_is_refused():
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 50_000_000, zip=True)
    data = encoded(four_corners(), "PNG", pnginfo=text)
    assert len(data) < 100_000
    assert "damaged" in sentence(data)


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
