"""Every page behind the real nginx: its Content-Security-Policy forbids nothing that the pages need."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.resources.data import example_photo
from scripts.dev.running_app import BASE_PATH, running_app
from tests.e2e.test_app import UPLOADER, no_trouble, settle
from tests.fixtures.running_nginx import NGINX, nginx

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason="No nginx is installed.")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    with running_app(folder, BASE_PATH, "flowers") as app:
        port = urlsplit(app).port
        assert port
        with nginx(folder, (port, port), "/flowers/_stcore/health") as address:
            yield f"{address}/flowers"


@pytest.mark.parametrize("path", ["/many", "/confusions", "/models", "/dataset"])
def test_a_page_is_drawn_under_the_policy(page: Page, site: str, path: str) -> None:
    page.goto(site + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settle(page)
    no_trouble(page)


def test_a_photo_is_uploaded_and_drawn_upon_under_the_policy(page: Page, site: str, tmp_path: Path) -> None:
    # Its name is words, whatever it would be in Markdown or HTML.
    photo = tmp_path / "![x](a) <b> :red[one].jpg"
    photo.write_bytes(example_photo().read_bytes())
    page.goto(site)
    page.set_input_files(UPLOADER, photo)
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    heat = page.get_by_alt_text(re.compile("^The photo with a heat map")).first
    expect(heat).to_be_visible()
    assert heat.evaluate("image => image.complete && image.naturalWidth > 100")
    expect(page.get_by_text(f"{photo.name} · ")).to_be_visible()
    page.get_by_text("Look at a part", exact=True).first.click()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    settle(page)
    no_trouble(page)


def test_what_if_by_hand_follows_under_the_policy(page: Page, site: str) -> None:
    page.goto(f"{site}/?photo=example&ask=What if")
    expect(page.locator(".hand .names li")).to_have_count(3)
    settle(page)
    before = page.locator(".hand .seen img").get_attribute("src")
    page.locator(".hand canvas").focus()
    page.keyboard.press("-")
    expect(page.locator(".hand .seen img")).not_to_have_attribute("src", str(before))
    settle(page)
    no_trouble(page)
