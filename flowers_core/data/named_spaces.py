"""Colour spaces that a photo names without holding their ICC profile.

A camera set to Adobe RGB may say so in Exif alone: the colour space is "uncalibrated" and the interoperability index is
R03 (DCF 2.0). HEIC, AVIF and PNG may name their primaries by a code point of ITU-T H.273 (an nclx box, or a cICP
chunk). Such a photo gets a matrix profile (ICC.1:2010), so that `colour` converts it as any other.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import ExifTags, Image

# XYZ of the white that ICC profiles refer to.
_D50 = (0.9642, 1.0, 0.8249)
_UNCALIBRATED, _ADOBE_RGB = 0xFFFF, 2
_INTEROPERABILITY_INDEX = 1


@dataclass(frozen=True)
class RgbSpace:
    """An RGB colour space.

    Attributes:
        red, green, blue: XYZ of each primary under D50, as ICC profiles hold it.
        gamma: its exponent; None for the curve of sRGB.
    """

    red: tuple[float, float, float]
    green: tuple[float, float, float]
    blue: tuple[float, float, float]
    gamma: float | None = None

    def profile(self) -> bytes:
        """The space as an ICC profile, some 500 bytes."""
        primaries = (self.red, self.green, self.blue)
        tags = [(b"desc", b"desc" + bytes(4) + struct.pack(">I", 6) + b"named\0" + bytes(78)), (b"wtpt", _xyz(_D50))]
        tags += [(name + b"XYZ", _xyz(values)) for name, values in zip((b"r", b"g", b"b"), primaries, strict=True)]
        tags += [(name + b"TRC", _curve(self.gamma)) for name in (b"r", b"g", b"b")]
        start, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
        for signature, content in tags:
            table += signature + struct.pack(">II", start + len(body), len(content))
            body += content + bytes(-len(content) % 4)
        head = struct.pack(">I", start + len(body)) + bytes(4) + b"\4\x20\0\0" + b"mntrRGB XYZ "
        head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + b"".join(map(_fixed, _D50))
        return head.ljust(128, b"\0") + table + body


ADOBE_RGB = RgbSpace(
    (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), gamma=563 / 256
)
#: By the code point of their primaries. The curve is that of sRGB, as browsers take it for every standard-range photo.
BY_PRIMARIES = {
    9: RgbSpace((0.67348, 0.27904, -0.00193), (0.16568, 0.67534, 0.02997), (0.12505, 0.04561, 0.79686)),  # Rec. 2020
    12: RgbSpace((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),  # Display P3
}
# Unlike hybrid log-gamma, PQ does not resemble any curve of a standard-range photo: without its own it stays as it is.
_PQ = 16
# Where code points stand: the signature before them. They are two bytes each in a box and one in a chunk.
_BOXES = ((b"colrnclx", ">HH"), (b"cICP", ">BB"))


def named_profile(image: Image.Image, data: bytes) -> bytes | None:
    """The ICC profile of the space that a photo names.

    Args:
        image: as Pillow opened it.
        data: the bytes of its file.

    Returns:
        None if the photo has a profile of its own, names sRGB, or names nothing that is known here.
    """
    if image.info.get("icc_profile"):
        return None
    if image.format in ("HEIF", "AVIF", "PNG"):
        space = BY_PRIMARIES.get(_primaries(data))
    else:
        space = ADOBE_RGB if _is_adobe_rgb(image) else None
    return space.profile() if space else None


def _primaries(data: bytes) -> int:
    """The code point of a photo's primaries; 0 where there is none, or the transfer is PQ."""
    for signature, form in _BOXES:
        at = data.find(signature)
        if at >= 0 and len(data) >= at + len(signature) + struct.calcsize(form):
            primaries, transfer = struct.unpack_from(form, data, at + len(signature))
            return 0 if transfer == _PQ else primaries
    return 0


def _is_adobe_rgb(image: Image.Image) -> bool:
    try:
        exif = image.getexif()
        space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        index = exif.get_ifd(ExifTags.IFD.Interop).get(_INTEROPERABILITY_INDEX, "")
    except Exception:  # noqa: BLE001 - Pillow's EXIF parser raises many types on broken blocks
        return False
    return space == _ADOBE_RGB or (space == _UNCALIBRATED and str(index).startswith("R03"))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values))


def _curve(gamma: float | None) -> bytes:
    if gamma is None:  # the parametric curve of sRGB (type 3)
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, numbers))
    return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(gamma)
