"""A real server and a real browser: the shipped bundle, no data set, nothing from the network."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from scripts.dev.chromium import ARGUMENTS, chromium
from scripts.dev.running_app import running_app


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started as `make app` starts it."""
    with running_app(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as CHROMIUM names it or as it is found on the path; left out where there is none."""
    found = chromium()
    if not found:
        pytest.skip("No Chromium is installed; set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A wide window. At the end: nothing broke in it, and nothing was asked of any other machine."""
    yield from watched(browser, 1280, 900)


@pytest.fixture
def phone(browser: Browser, server: str) -> Iterator[Page]:
    """A window as large as a phone's, watched likewise."""
    yield from watched(browser, 390, 844)


def watched(browser: Browser, width: int, height: int, *, has_touch: bool = False) -> Iterator[Page]:
    """A window of a size. At the end: nothing broke in it, and nothing was asked of any other machine."""
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=has_touch)
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
