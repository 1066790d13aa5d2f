import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from flowers_core.data import photo_limits, photos
from flowers_core.data.photo_limits import MAX_SCANS, jpeg_scan_ends, reduced_heif
from flowers_core.data.photos import read_photo
from tests.fixtures.pictures import encoded, four_corners, noise, sentence

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

READ = """
import resource, sys
from flowers_core.data.photos import open_photo
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
photo = open_photo(sys.argv[1])
print(*photo.original_size, *photo.pixels.shape[:2], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_the_bound_is_exact(monkeypatch):
    monkeypatch.setattr(photo_limits, "MAX_PIXELS", 6000)
    assert read_photo(encoded(Image.new("RGB", (100, 60)), "PNG")).original_size == (100, 60)
    assert "more pixels" in sentence(encoded(Image.new("RGB", (100, 61)), "PNG"))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (16_320, 12_240)])
def test_a_phones_largest_jpeg_is_read_at_a_fraction_in_little_memory(width, height, tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("L", (width, height), 90).save(path, quality=50)
    command = [sys.executable, "-W", "ignore", "-c", READ, path]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    *sizes, kilobytes = map(int, printed.split())
    assert sizes == [width, height, 1200, 1600]
    assert kilobytes < 150_000


def test_beyond_what_is_safe_a_jpeg_is_refused(monkeypatch):
    # This picture has the header of a large one and the data of a small one, which by itself is a reason to refuse it.
    monkeypatch.setattr(photos, "lost_its_middle", lambda *_: False)
    picture = encoded(Image.new("L", (100, 100)), "JPEG")
    at = picture.index(b"\xff\xc0") + 5

    def claiming(width: int, height: int) -> bytes:
        return picture[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + picture[at + 4 :]

    assert read_photo(claiming(20_000, 12_000)).original_size == (20_000, 12_000)
    for size in ((20_000, 13_000), (60_000, 60_000)):
        told = sentence(claiming(*size))
        assert f"It has {size[0]} × {size[1]}" in told
        assert "At most 256 million are allowed" in told


def test_a_jpeg_that_goes_over_its_pixels_again_and_again_is_refused():
    """Each scan is a few bytes of the file, and a pass over all that they stand for."""
    picture = encoded(Image.new("RGB", (100, 60)), "JPEG", progressive=True)
    last = picture.rindex(b"\xff\xda")
    scans = picture.count(b"\xff\xda")
    assert jpeg_scan_ends(picture)[-1] == len(picture) - 2
    assert len(jpeg_scan_ends(picture)) == scans == 10
    most = picture[:-2] + picture[last:-2] * (MAX_SCANS - scans) + picture[-2:]
    assert len(jpeg_scan_ends(most)) == MAX_SCANS
    assert read_photo(most).original_size == (100, 60)
    told = sentence(most[:-2] + picture[last:])
    assert f"in {MAX_SCANS + 1} steps" in told
    # What only looks like a scan: in a note, after the end, in the coefficients of noise.
    note = b"\xff\xfe" + (2 + 2 * 500).to_bytes(2, "big") + b"\xff\xda" * 500
    assert len(jpeg_scan_ends(picture[:2] + note + picture[2:] + b"\xff\xda" * 500)) == scans
    assert len(jpeg_scan_ends(encoded(Image.fromarray(noise(256, 256, 3)), "JPEG"))) == 1
    assert len(jpeg_scan_ends(picture[:last])) == scans - 1


def test_a_progressive_jpeg_has_a_bound_of_its_own(monkeypatch):
    monkeypatch.setattr(photo_limits, "MAX_PIXELS_PROGRESSIVE", 6000)
    picture = Image.new("RGB", (100, 61))
    assert read_photo(encoded(picture, "JPEG")).original_size == (100, 61)
    assert "more pixels" in sentence(encoded(picture, "JPEG", progressive=True))


def test_too_many_pixels_for_pillow_are_read_where_warnings_are_errors():
    data = encoded(Image.new("L", (10_000, 9_100)), "JPEG", quality=30)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        assert read_photo(data).original_size == (10_000, 9_100)


@pytest.mark.parametrize(("mode", "orientation"), [("RGB", 6), ("RGBA", 1)])
def test_a_large_heic_is_reduced_strip_by_strip(monkeypatch, mode, orientation):
    flower = Image.fromarray(load_sample_image("flower.jpg")).resize((600, 400)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    flower.info["exif"] = exif.tobytes()
    data = encoded(flower, "HEIF", quality=90)
    monkeypatch.setattr(photos, "MAX_SIDE", 75)
    whole = read_photo(data)
    monkeypatch.setattr(photos, "_LARGE", 100_000)
    monkeypatch.setattr(photo_limits, "_STRIP", 16)
    reduced = reduced_heif(data, (150, 150))
    assert reduced.width in (300, 200)
    photo = read_photo(data)
    assert photo.original_size == whole.original_size
    assert photo.pixels.shape == whole.pixels.shape
    assert np.abs(photo.pixels.astype(int) - whole.pixels).mean() < 1


def test_strips_make_no_seams(monkeypatch):
    data = encoded(four_corners(960, 640), "HEIF")
    whole = reduced_heif(data, (100, 100))
    monkeypatch.setattr(photo_limits, "_STRIP", 3)
    assert (np.asarray(reduced_heif(data, (100, 100))) == np.asarray(whole)).all()
    decoded = Image.open(io.BytesIO(data))
    assert (np.asarray(decoded.reduce(6)) == np.asarray(whole)).all()
