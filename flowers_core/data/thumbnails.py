"""Thumbnails of photos, cached as files: a grid of two hundred would otherwise decode two hundred photos each time.

A thumbnail's file name is a digest of the photo's path, its size in bytes, the time of its last change, and the
thumbnail's side. So a photo that changes gets a new one. If nothing can be written (a full or read-only disk),
thumbnails are made anew each time.
"""

import hashlib
import io
from pathlib import Path

from PIL import Image

from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.storage.files import write_bytes
from flowers_core.storage.paths import default_cache_dir

QUALITY = 85


class Thumbnails:
    """The cached thumbnails below one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_cache_dir() / "thumbnails"

    def get(self, path: Path, side: int) -> bytes:
        """A photo's thumbnail, from the cache where it is there.

        Args:
            path: the photo's file.
            side: the most pixels of the longer side, at least 1.

        Returns:
            An upright JPEG.

        Raises:
            PhotoError: the file is missing or holds no photo.
            ValueError: `side` is below 1.
        """
        if side < 1:
            raise ValueError(f"A thumbnail has at least 1 pixel a side, not {side}.")
        try:
            status = path.stat()
        except OSError as error:
            raise PhotoError(f"The photo {path.name} cannot be read: {error.strerror}.") from error
        name = f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {side} {QUALITY}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        kept = self.folder / digest[:2] / f"{digest[2:]}.jpg"
        try:
            return kept.read_bytes()
        except OSError:
            content = shrunk(path, side)
        try:
            write_bytes(kept, content)
        except OSError:
            return content  # only slower without a cache
        return content


def shrunk(path: Path, side: int) -> bytes:
    """Make a photo's thumbnail.

    Args:
        path: the photo's file.
        side: the most pixels of the longer side.

    Returns:
        An upright JPEG.

    Raises:
        PhotoError: the file is missing or holds no photo.
    """
    image = Image.fromarray(open_photo(path).pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
