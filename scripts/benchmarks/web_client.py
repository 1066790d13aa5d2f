"""The exported page in a headless Chromium, served from this machine, asked photo by photo."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# What the page's own modules say about a photo, and how long each part took.
_ASK = """async (photo) => {
    const modules = ["page", "photo", "resample", "prediction", "evidence"].map((name) => import(`./${name}.js`));
    const [{ model }, { pixelsOf }, { middleSquare }, { predict }, { evidenceFor }] = await Promise.all(modules);
    const { facts, arrays, forward } = await model;
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const begun = performance.now();
    const square = middleSquare(await pixelsOf(new Blob([bytes])), facts.size, facts.crop_fraction);
    const outputs = await forward(square);
    const { probabilities, order, verdict } = predict(outputs, facts, arrays);
    const evidence = evidenceFor(outputs.features, arrays.weights, outputs.embedding.length, order[0]);
    const milliseconds = performance.now() - begun;
    return { column: order[0], probability: probabilities[order[0]], verdict, evidence: [...evidence], milliseconds };
}"""


class WebClient:
    """One window with the page."""

    def __init__(self, page: Any, address: str) -> None:
        self._page = page
        started = time.perf_counter()
        page.goto(address)
        page.get_by_text("Ready.").wait_for()
        #: Seconds from the address to a model that has made one pass.
        self.ready_after = time.perf_counter() - started

    def ask(self, photo: Path) -> dict[str, Any]:
        """What the page says: column, probability, verdict, evidence (h · w) and milliseconds.

        Args:
            photo: a file that the browser can decode.
        """
        return dict(self._page.evaluate(_ASK, base64.b64encode(photo.read_bytes()).decode()))


@contextmanager
def web_client(folder: Path) -> Iterator[WebClient]:
    """The page of a folder in a browser. CHROMIUM names the browser where it is not found by name."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _CANDIDATES)), None)
    with serving(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield WebClient(browser.new_page(), address)
        browser.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine, as any static host does, and give its address."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
