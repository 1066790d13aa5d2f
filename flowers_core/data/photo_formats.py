"""What a file is by its first bytes: a photo in a format that can be read, or something else that can be named."""

from __future__ import annotations

from flowers_core.data.tiff_kinds import is_camera_raw, unsupported_kind

#: Endings of photos' names, for dialogs that ask for files. The bytes decide what a file is.
ACCEPTED_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif", ".hif"),
)

WHAT_WORKS = "Choose a JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC photo."

CAMERA_RAW = (
    "This is a camera's raw photo, not a photo in a format that can be read here. Save it as JPEG, with the camera or "
    "its maker's program, and choose that."
)

# Beginnings of files that people take for photos: bytes, their offset, the kind of file.
_OTHERS = (
    (b"%PDF", 0, "a PDF document"),
    (b"PK\x03\x04", 0, "a ZIP archive or an office document"),
    (b"8BPS", 0, "a Photoshop file"),
    (b"\xff\x0a", 0, "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", 0, "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", 0, "a JPEG 2000 picture"),
    (b"\x00\x00\x01\x00", 0, "an icon"),
    (b"\x1aE\xdf\xa3", 0, "a video"),
    (b"ftypisom", 4, "a video"),
    (b"ftypmp4", 4, "a video"),
    (b"ftypqt", 4, "a video"),
    (b"ftypM4V", 4, "a video"),
)
_RAW = (  # cameras' raw formats that are not TIFF files
    (b"ftypcrx", 4),  # Canon CR3
    (b"FUJIFILMCCD-RAW", 0),
    (b"IIRO", 0),  # Olympus
    (b"IIRS", 0),
    (b"MMOR", 0),
    (b"IIU\x00", 0),  # Panasonic, Leica
    (b"FOVb", 0),  # Sigma
    (b"\x00MRM", 0),  # Minolta
    (b"HEAPCCDR", 6),  # Canon CRW
)
_PHOTOS = (
    (b"\xff\xd8\xff", 0, "JPEG"),
    (b"\x89PNG\r\n\x1a\n", 0, "PNG"),
    (b"GIF8", 0, "GIF"),
    (b"BM", 0, "BMP"),
    (b"II*\x00", 0, "TIFF"),
    (b"MM\x00*", 0, "TIFF"),
    (b"II+\x00", 0, "TIFF"),
    (b"MM\x00+", 0, "TIFF"),
    (b"WEBP", 8, "WebP"),
    (b"ftypavif", 4, "AVIF"),
    (b"ftypavis", 4, "AVIF"),
    *((b"ftyp" + brand, 4, "HEIC") for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")),
)
_TEXT_BYTES = bytes({*range(0x20, 0x7F), *range(0x80, 0x100), 7, 8, 9, 10, 12, 13, 27})


def looks_like_photo(start: bytes) -> bool:
    """Whether a file that begins with these bytes (16 are enough) claims to be of a format that can be read."""
    return any(start[offset:].startswith(signature) for signature, offset, _ in _PHOTOS)


def why_not_a_photo(data: bytes) -> str:
    """The sentence for bytes that no decoder could open: what they seem to be and what would work."""
    start = data[:4096]
    if is_camera_raw(data) or any(start[offset:].startswith(signature) for signature, offset in _RAW):
        return CAMERA_RAW
    for signature, offset, name in _OTHERS:
        if start[offset:].startswith(signature):
            return f"This is {name}, not a photo in a format that can be read here. {WHAT_WORKS}"
    for signature, offset, name in _PHOTOS:
        if start[offset:].startswith(signature):
            kind = unsupported_kind(data) if name == "TIFF" else None
            if kind:
                return f"This TIFF photo {kind}, which cannot be read here. Save it with 8 bits a colour, or as JPEG."
            return (
                f"This {name} photo is damaged: its beginning cannot be read. "
                "Copy or download it again, or choose another photo."
            )
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return f"This is a web page, not a photo. Save the picture itself from the page. {WHAT_WORKS}"
    if b"<svg" in text:
        return f"This is an SVG drawing, not a photo. {WHAT_WORKS}"
    if not start.translate(None, _TEXT_BYTES):
        return f"This is a text file, not a photo. {WHAT_WORKS}"
    return f"This file is not a photo in a format that can be read here. {WHAT_WORKS}"
