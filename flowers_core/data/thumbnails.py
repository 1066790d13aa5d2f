"""Small copies of photos, kept as files: a grid of two hundred would otherwise decode two hundred photos at each look.

A copy is named by what it was made of: the photo's path, its size in bytes, when it was last changed, and the side that
was asked for. A photo that changes therefore gets a new copy. Where nothing can be kept (a full or read-only disk),
copies are made anew each time.
"""

import hashlib
import io
from pathlib import Path

from PIL import Image

from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.storage.files import write_atomically
from flowers_core.storage.paths import default_cache_dir

QUALITY = 85
_FOLDER_VARIABLE = "FLOWERS_CACHE_DIR"


class Thumbnails:
    """Small copies below one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_cache_dir() / "thumbnails"

    def get(self, path: Path, side: int) -> bytes:
        """The photo as JPEG, its longer side at most `side` pixels; upright.

        Raises:
            PhotoError: the file is not there or holds no photo.
            ValueError: `side` is below 1.
        """
        if side < 1:
            raise ValueError(f"A thumbnail has at least 1 pixel a side, not {side}.")
        try:
            facts = path.stat()
        except OSError as error:
            raise PhotoError(f"The photo {path.name} cannot be read: {error.strerror}.") from error
        name = f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns} {side} {QUALITY}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        kept = self.folder / digest[:2] / f"{digest[2:]}.jpg"
        try:
            return kept.read_bytes()
        except OSError:
            content = shrunk(path, side)
        try:
            write_atomically(kept, lambda beside: _write(beside, content))
        except OSError:
            return content  # it is only slower without
        return content


def shrunk(path: Path, side: int) -> bytes:
    """A photo as JPEG, its longer side at most `side` pixels. Raises PhotoError."""
    image = Image.fromarray(open_photo(path).pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
