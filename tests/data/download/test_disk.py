import errno
from pathlib import Path

import pytest

from flowers_core.data.download.disk import not_writable, open_raw, write
from flowers_core.data.download.progress import DownloadError


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told():
    with open_raw(Path("/dev/full"), "wb") as handle, pytest.raises(DownloadError, match=r"disk that holds .* is full"):
        write(handle, b"x", Path("/somewhere"))


def test_other_refused_writes_are_told():
    assert str(not_writable(Path("data"), OSError(errno.EROFS, "Read-only file system"))) == (
        "data cannot be written to: Read-only file system."
    )
