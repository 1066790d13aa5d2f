"""Damaged and hostile files, each from a number: the same number always gives the same name and the same bytes.

They are what a fuzzer, a broken download and a bored visitor would send. The pictures are drawn here.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from tests.fixtures.pictures import encoded, png, png_header

Generator = np.random.Generator

#: What a file's name must not do to a page, a path or a log. No system lets it hold a zero byte, nor does Streamlit.
NAMES = (
    "flower",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32\\config",
    "![x](https://elsewhere.example/a.png)",
    "[click](javascript:alert(1))",
    "$\\int$ :red[a] `b` ~~c~~",
    "a\x01b\x7f",
    "a\r\nSet-Cookie: x=1",
    "\x1b[2J\x1b[31mred",
    "\u202egpj.exe",
    "'; DROP TABLE flowers; --",
    '" onload="alert(1)',
    "=HYPERLINK(1)",
    "{{7*7}} ${7*7} %s %n",
    "CON",
    ".",
    "花 🌼 é",
    "n" * 3000,
)
ENDINGS = (".jpg", ".png", ".heic", ".webp", ".gif", ".tif", ".exe", ".html", ".svg", ".jpg.php", "")


@dataclass(frozen=True)
class HostileFile:
    """A file as somebody sends it.

    Attributes:
        kind: how it was made.
        name: of the file.
        content: its bytes.
    """

    kind: str
    name: str
    content: bytes


def hostile_file(number: int) -> HostileFile:
    """The file with a number, from 0; of any so many in a row, each kind is about an equal part."""
    random = np.random.default_rng(number)
    kind = list(KINDS)[number % len(KINDS)]
    name = NAMES[random.integers(len(NAMES))] + ENDINGS[random.integers(len(ENDINGS))]
    return HostileFile(kind, name, KINDS[kind](random))


@cache
def photos() -> dict[str, bytes]:
    """Whole photos in all formats that are read, with profile and EXIF where the format has a place for them."""
    y, x = np.mgrid[:120, :160]
    drawn = np.stack([128 + 100 * np.sin(x / 9), 128 + 100 * np.cos(y / 7), (x * y) % 256], axis=-1).astype(np.uint8)
    image = Image.fromarray(drawn)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a flower"
    made: dict[str, tuple[Image.Image, str, dict[str, object]]] = {
        "jpeg": (image, "JPEG", {"exif": exif, "icc_profile": b"profile" * 40}),
        "progressive": (image, "JPEG", {"progressive": True}),
        "cmyk": (image.convert("CMYK"), "JPEG", {}),
        "mpo": (image, "MPO", {"save_all": True, "append_images": [image.rotate(180)]}),
        "png": (image, "PNG", {"exif": exif}),
        "palette": (image.quantize(16), "PNG", {"transparency": 3}),
        "sixteen": (Image.fromarray(drawn[..., 0].astype(np.uint16) * 257), "PNG", {}),
        "webp": (image, "WEBP", {"exif": exif}),
        "lossless": (image, "WEBP", {"lossless": True}),
        "animated": (image, "WEBP", {"save_all": True, "append_images": [image.rotate(180)]}),
        "bmp": (image, "BMP", {}),
        "gif": (image, "GIF", {"save_all": True, "append_images": [image.rotate(180)]}),
        "tiff": (image, "TIFF", {"save_all": True, "append_images": [image.rotate(180)]}),
        "lzw": (image, "TIFF", {"compression": "tiff_lzw"}),
        "deflate": (image, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "avif": (image, "AVIF", {}),
        "heif": (image, "HEIF", {}),
    }
    # Of copies: Pillow leaves the settings of one format on the picture, where another trips over them.
    return {name: encoded(picture.copy(), kind, **options) for name, (picture, kind, options) in made.items()}


def a_photo(random: Generator, *names: str) -> bytes:
    """One of the whole photos, or of those that are named."""
    return photos()[(names or tuple(photos()))[random.integers(len(names or photos()))]]


def truncated(random: Generator) -> bytes:
    whole = a_photo(random)
    return whole[: random.integers(len(whole))]


def flipped(random: Generator) -> bytes:
    content = bytearray(a_photo(random))
    reach = len(content) if random.random() < 0.5 else min(600, len(content))  # headers have more to break
    for at in random.integers(reach, size=random.integers(1, 40)):
        content[at] ^= 1 << random.integers(8)
    return bytes(content)


def spliced(random: Generator) -> bytes:
    """A stretch is left out, repeated, or replaced by zeros or by noise."""
    whole = a_photo(random)
    begin, end = sorted(random.integers(len(whole), size=2))
    between = (b"", whole[begin:end] * 3, bytes(end - begin), random.bytes(int(end - begin)))[random.integers(4)]
    return whole[:begin] + between + whole[end:]


def joined(random: Generator) -> bytes:
    """It begins as one photo and ends as another."""
    one, other = a_photo(random), a_photo(random)
    return one[: random.integers(len(one))] + other[random.integers(len(other)) :]


def huge(random: Generator) -> bytes:
    """A header that claims more pixels than there are, or none at all."""
    sides = (0, 1, 15, 16, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1)
    width, height = (int(sides[at]) for at in random.integers(len(sides), size=2))
    form = ("png", "jpeg", "gif", "bmp", "webp", "tiff")[random.integers(6)]
    if form == "png":
        return png_header(width, height, (1, 2, 4, 8, 16)[random.integers(5)], (0, 2, 3, 4, 6)[random.integers(5)])
    content = bytearray(photos()[form if form != "webp" else "animated"])
    if form == "jpeg":
        at = content.index(b"\xff\xc0") + 5
        content[at : at + 4] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    elif form == "gif":
        content[6:10] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
    elif form == "bmp":
        content[18:26] = struct.pack("<II", width, height)  # above 2**31 it is a negative height
    elif form == "webp":
        at = content.index(b"VP8X") + 12
        content[at : at + 6] = (width & 0xFFFFFF).to_bytes(3, "little") + (height & 0xFFFFFF).to_bytes(3, "little")
    else:
        for tag, value in ((256, width), (257, height)):
            at = content.index(struct.pack("<H", tag), 8)
            content[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value)
    return bytes(content)


def bomb(random: Generator) -> bytes:
    """A little file that wants much memory or time."""
    return (pixel_bomb, text_bomb, profile_bomb, frame_bomb, directory_bomb, scan_bomb, strip_bomb)[random.integers(7)](
        random
    )


def pixel_bomb(random: Generator) -> bytes:
    """A PNG of zeros: of some million pixels, which are decoded, or of more than are allowed."""
    side = int((1500, 3000, 12_000)[random.integers(3)])
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return png((b"IHDR", head), (b"IDAT", deflated_zeros(side * (side + 1))), (b"IEND", b""))


def text_bomb(random: Generator) -> bytes:
    text = (b"zTXt", b"a\0\0" + deflated_zeros(30_000_000))
    return png(*[text] * int(random.integers(1, 40)), *_chunks(photos()["png"]))


def profile_bomb(random: Generator) -> bytes:
    size = int(random.integers(1, 60)) * 1_000_000
    header, *rest = _chunks(photos()["png"])
    return png(header, (b"iCCP", b"a\0\0" + deflated_zeros(size)), *rest)


def frame_bomb(random: Generator) -> bytes:
    """A GIF of thousands of frames on a canvas of many million pixels."""
    canvas = int((200, 4000, 65_535)[random.integers(3)])
    frame = b"\x21\xf9\x04\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    screen = struct.pack("<HH", canvas, canvas) + b"\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    return b"GIF89a" + screen + frame * int(random.integers(1, 5000)) + b";"


def directory_bomb(random: Generator) -> bytes:
    """A TIFF whose list of pages leads back to its beginning, or has thousands of tags."""
    if random.random() < 0.5:
        content = bytearray(photos()["tiff"])
        first = int.from_bytes(content[4:8], "little")
        entries = int.from_bytes(content[first : first + 2], "little")
        at = first + 2 + 12 * entries
        content[at : at + 4] = content[4:8]
        return bytes(content)
    count = int(random.integers(1000, 60_000))
    tags = b"".join(struct.pack("<HHII", 30_000 + at % 30_000, 4, 2**20, 8) for at in range(count))
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", count) + tags + bytes(4)


def scan_bomb(random: Generator) -> bytes:
    """A progressive JPEG whose last pass over its coefficients comes again, hundreds of times."""
    content = photos()["progressive"]
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * int(random.integers(2, 400)) + content[-2:]


def strip_bomb(random: Generator) -> bytes:
    """A TIFF whose one compressed strip grows to more than its rows hold."""
    strip = deflated_zeros(int(random.integers(1, 30)) * 1_000_000)
    tags = [
        (256, 64), (257, 64), (258, 8), (259, 8), (262, 1), (273, 8), (277, 1), (278, 64), (279, len(strip)),
    ]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\x00" + struct.pack("<I", 8 + len(strip)) + strip + directory + bytes(4)


def polyglot(random: Generator) -> bytes:
    """A photo that is something else, too: with a program, a page or an archive before, after or inside it."""
    others = (
        b"<html><script>alert(1)</script></html>",
        b"<?php system($_GET['c']); ?>",
        b"PK\x03\x04" + random.bytes(200) + b"PK\x05\x06" + bytes(18),
        b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj\n%%EOF",
        b"MZ" + random.bytes(300),
        b"#!/bin/sh\nexit 1\n",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    )
    whole, other = a_photo(random), others[random.integers(len(others))]
    place = random.integers(4)
    if place == 0:
        return other + whole
    if place == 1:
        return whole + other
    if place == 2:
        return with_segment(0xFE, other)
    return other


def with_segment(marker: int, content: bytes) -> bytes:
    """The JPEG with one more segment at its beginning."""
    head = bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content))
    return photos()["jpeg"][:2] + head + content + photos()["jpeg"][2:]


def metadata(random: Generator) -> bytes:
    """EXIF, profiles and notes that are not what they should be, before whole pixels."""
    noise = random.bytes(int(random.integers(1, 60_000)))
    # A directory whose only entry, the one for EXIF's own directory, leads back to itself.
    itself = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 0x8769, 4, 1, 8) + bytes(4)
    marker, segment = (
        (0xE1, b"Exif\0\0" + noise),
        (0xE1, b"Exif\0\0" + itself),
        (0xE2, b"ICC_PROFILE\0\x01\x02" + noise),
        (0xE2, b""),
        (0xED, noise),
        (0xEE, b"Adobe\x00\x64" + random.bytes(5)),
    )[random.integers(6)]
    if random.random() < 0.5:
        return with_segment(marker, segment)
    header, *rest = _chunks(photos()["png"])
    kind = (b"eXIf", b"iCCP", b"tRNS", b"gAMA", b"cHRM", b"iTXt", b"pHYs", b"acTL")[random.integers(8)]
    return png(header, (kind, noise[: random.integers(len(noise))]), *rest)


def boxes(random: Generator) -> bytes:
    """HEIC or AVIF whose boxes claim other sizes than they have, or lie within one another without end."""
    content = bytearray(a_photo(random, "heif", "avif"))
    if random.random() < 0.2:
        depth = int(random.integers(10, 5000))
        inside = b"".join(struct.pack(">I", 8 * (depth - at)) + b"meta" for at in range(depth))
        return bytes(content[: int.from_bytes(content[:4], "big")]) + inside
    kinds = [
        kind for kind in (b"meta", b"iloc", b"iinf", b"iprp", b"ipco", b"ispe", b"mdat", b"pitm") if kind in content
    ]
    at = content.index(kinds[random.integers(len(kinds))])
    size = (0, 1, 7, 8, 2**16, 2**31, 2**32 - 1)[random.integers(7)]
    if random.random() < 0.5:
        content[at - 4 : at] = struct.pack(">I", size)
    else:
        content[at + 8 : at + 16] = random.bytes(8)
    return bytes(content)


def noise(random: Generator) -> bytes:
    """The beginning of a photo and then anything; or nothing at all."""
    beginning = a_photo(random)[: random.integers(32)]
    return beginning + random.bytes(int(random.integers(3000)) * int(random.random() < 0.9))


def renamed(random: Generator) -> bytes:
    """A whole photo, whatever its name says."""
    return a_photo(random)


KINDS: dict[str, Callable[[Generator], bytes]] = {
    make.__name__: make
    for make in (
        truncated, flipped, spliced, joined, huge, bomb, polyglot, metadata, boxes, noise, renamed,
    )
}  # fmt: skip


@cache
def deflated_zeros(size: int) -> bytes:
    """So many zeros, compressed."""
    packing, packed = zlib.compressobj(9), io.BytesIO()
    for begin in range(0, size, 1 << 20):
        packed.write(packing.compress(bytes(min(1 << 20, size - begin))))
    packed.write(packing.flush())
    return packed.getvalue()


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG: kind and content."""
    found, at = [], 8
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        found.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return found
