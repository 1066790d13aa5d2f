"""A real server and a real browser: the shipped bundle, no data set, nothing from the network."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BASE_PATH = "--server.baseUrlPath"
CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started as `make app` starts it."""
    with started(tmp_path_factory.mktemp("server")) as address:
        yield address


@contextmanager
def started(folder: Path, *options: str, **environment: str) -> Iterator[str]:
    """A server of the app without a data set, at the address that this gives.

    Args:
        folder: takes its log.
        *options: of Streamlit, beside those that make it quiet.
        **environment: further variables.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    variables = os.environ | {"FLOWERS_DATA_DIR": str(folder / "no-data-set")} | environment
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port), *options]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, env=variables, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            base = options[options.index(BASE_PATH) + 1] if BASE_PATH in options else ""
            address = f"http://localhost:{port}/{base}".rstrip("/")
            _wait_for(address + "/_stcore/health", process, log)
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address):
                return
        except URLError:
            time.sleep(0.1)
    pytest.fail(f"The server did not come up:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as CHROMIUM names it or as it is found on the path; left out where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)
    if not found:
        pytest.skip("No Chromium is installed; set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A wide window. At the end: nothing broke in it, and nothing was asked of any other machine."""
    yield from _watched(browser, 1280, 900)


@pytest.fixture
def phone(browser: Browser, server: str) -> Iterator[Page]:
    """A window as large as a phone's, watched likewise."""
    yield from _watched(browser, 390, 844)


def _watched(browser: Browser, width: int, height: int) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    errors: list[str] = []
    strangers: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        # Below a page's own path Streamlit looks for its server first there, then at the root: 404s it expects.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            errors.append(f"{message.text} ({message.location.get('url')})")

    def note_request(request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws") and urlsplit(request.url).hostname != "localhost":
            strangers.append(request.url)

    page.on("console", note_console)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", note_request)
    yield page
    context.close()
    assert errors == []
    assert strangers == []
