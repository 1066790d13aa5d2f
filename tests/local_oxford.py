"""A web server on this machine that offers a drawn dataset as Oxford does, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import http.server
import re
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.drawn_flowers import draw_dataset, draw_segmentations

ARCHIVE = "102flowers.tgz"
SEGMENTATIONS = "102segmentations.tgz"


@dataclass
class LocalOxford:
    """What is served: name → bytes. requests: (name, Range header) in order of arrival.

    faults: name → what is done to its next requests, one after the other; then it is served well.
    """

    files: dict[str, bytes]
    url: str = ""
    faults: dict[str, list[Callable[[_Handler, bytes], None]]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def checksums(self) -> dict[str, str]:
        return {name: hashlib.md5(content).hexdigest() for name, content in self.files.items()}

    def ranges(self, name: str) -> list[str | None]:
        return [asked for of, asked in self.requests if of == name]


class _Handler(http.server.BaseHTTPRequestHandler):
    oxford: LocalOxford

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.oxford.requests.append((name, self.headers.get("Range")))
        content = self.oxford.files.get(name)
        faults = self.oxford.faults.get(name, [])
        if faults:
            faults.pop(0)(self, content or b"")
        elif content is None:
            self.send_error(404)
        else:
            self.serve(content)

    def begin(self, content: bytes, *, ignore_range: bool = False) -> bytes:
        """Send the head of the answer; returns the bytes that are to follow."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked and not ignore_range else 0
        if start >= len(content) and start:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return b""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        return content[start:]

    def serve(self, content: bytes) -> None:
        self.wfile.write(self.begin(content))

    def log_message(self, *_: object) -> None:
        pass


def drop_after(count: int) -> Callable[[_Handler, bytes], None]:
    """Promise all, send `count` bytes, close."""

    def fault(handler: _Handler, content: bytes) -> None:
        handler.wfile.write(handler.begin(content)[:count])
        handler.wfile.flush()
        handler.close_connection = True

    return fault


def ignore_range(handler: _Handler, content: bytes) -> None:
    handler.wfile.write(handler.begin(content, ignore_range=True))


def send_instead(other: bytes) -> Callable[[_Handler, bytes], None]:
    return lambda handler, _: handler.serve(other)


def answer(status: int) -> Callable[[_Handler, bytes], None]:
    return lambda handler, _: handler.send_error(status)


def slowly(handler: _Handler, content: bytes) -> None:
    """Some 200 kB a second, until the other side goes away."""
    rest = handler.begin(content)
    for start in range(0, len(rest), 4096):
        try:
            handler.wfile.write(rest[start : start + 4096])
        except OSError:
            return
        time.sleep(0.02)


def files_of(root: Path) -> dict[str, bytes]:
    """The files that Oxford would offer of the dataset in `root`, the segmentations where it has any."""
    folders = {ARCHIVE: "jpg", SEGMENTATIONS: "segmim"}
    return {
        **{name: _packed(root, folder) for name, folder in folders.items() if (root / folder).is_dir()},
        **{name: (root / name).read_bytes() for name in ("imagelabels.mat", "setid.mat")},
    }


def _packed(root: Path, folder: str) -> bytes:
    archive = root.parent / f"{folder}.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root / folder, folder)
    return archive.read_bytes()


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[LocalOxford]:
    oxford = LocalOxford(dict(files))
    handler = type("Handler", (_Handler,), {"oxford": oxford})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        oxford.url = f"http://127.0.0.1:{server.server_port}/flowers/102/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield oxford
        finally:
            server.shutdown()
            thread.join()


def draw_files(folder: Path) -> dict[str, bytes]:
    """Ten drawn photos of two classes and their segmentations, as Oxford would offer them."""
    root = draw_dataset(folder / "original", classes=(5, 89), per_class=(2, 1, 2))
    draw_segmentations(root, empty={3})
    return files_of(root)
