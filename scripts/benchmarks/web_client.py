"""The exported page in a headless Chromium, served from this machine, asked photo by photo."""

from __future__ import annotations

import base64
import functools
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.dev.chromium import ARGUMENTS, chromium

# What the page's own modules say about a photo.
_ASK = """async (photo) => {
    const modules = ["page", "photo", "resample", "prediction", "evidence"].map((name) => import(`./${name}.js`));
    const [{ model }, { pixelsOf }, { middleSquare }, { predict }, { evidenceFor }] = await Promise.all(modules);
    const { facts, arrays, forward } = await model;
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const square = middleSquare(await pixelsOf(new Blob([bytes])), facts.size, facts.crop_fraction);
    const outputs = await forward(square);
    const { probabilities, order, verdict } = predict(outputs, facts, arrays);
    const evidence = evidenceFor(outputs.features, arrays.weights, outputs.embedding.length, order[0]);
    return { column: order[0], probability: probabilities[order[0]], verdict, evidence: [...evidence] };
}"""
# A file is chosen, and the page has said what it shows and painted that.
_SHOW = """async (photo) => {
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const chosen = new DataTransfer();
    chosen.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
    const [input, status] = ["file", "status"].map((id) => document.getElementById(id));
    const begun = performance.now();
    const answered = new Promise((done) => {
        const seen = () => status.textContent.startsWith("Looking") || done();
        new MutationObserver(seen).observe(status, { childList: true, characterData: true, subtree: true });
    });
    input.files = chosen.files;
    input.dispatchEvent(new Event("change"));
    await answered;
    if (status.classList.contains("wrong")) throw new Error(status.textContent);
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    return performance.now() - begun;
}"""


class WebClient:
    """One window with the page."""

    def __init__(self, page: Any, address: str) -> None:
        self._page = page
        page.goto(address)
        page.get_by_text("Ready.").wait_for()

    def ask(self, photo: Path) -> dict[str, Any]:
        """What the page says: column, probability, verdict, evidence (h · w).

        Args:
            photo: a file that the browser can decode.
        """
        return dict(self._page.evaluate(_ASK, _base64(photo)))

    def show(self, photo: Path) -> float:
        """Choose a photo as a visitor does.

        Args:
            photo: a file that the browser can decode.

        Returns:
            Milliseconds until the answer and its map are on the screen.
        """
        return float(self._page.evaluate(_SHOW, _base64(photo)))


class WebBrowser:
    """A Chromium that is running, and the page on a server of this machine.

    Attributes:
        version: of the browser.
        strangers: what any window asked of another machine.
    """

    def __init__(self, browser: Any, address: str) -> None:
        self._browser, self._address, self.version = browser, address, f"Chromium {browser.version}"
        self.strangers: list[str] = []

    def client(self) -> WebClient:
        """A window whose model has made one pass."""
        return WebClient(self._window(), self._address)

    def first_answer(self, photo: Path) -> float:
        """Seconds from the address to an answer on the screen, in a window that kept nothing.

        Args:
            photo: is chosen at once, while the page loads.
        """
        page = self._window()
        started = time.perf_counter()
        page.goto(self._address, wait_until="commit")
        page.locator("#file").set_input_files(photo)
        page.get_by_role("region", name="Answer").wait_for()
        seconds = time.perf_counter() - started
        page.context.close()
        return seconds

    def _window(self) -> Any:
        context = self._browser.new_context(viewport={"width": 1280, "height": 900})
        context.on("request", lambda request: self._watch(request.url))
        return context.new_page()

    def _watch(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.netloc != urlsplit(self._address).netloc:
            self.strangers.append(url)


@contextmanager
def web_browser(folder: Path) -> Iterator[WebBrowser]:
    """The page of a folder in a browser. CHROMIUM names the browser where it is not found by name."""
    from playwright.sync_api import sync_playwright

    with serving(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield WebBrowser(browser, address)
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


def _base64(photo: Path) -> str:
    return base64.b64encode(photo.read_bytes()).decode()
