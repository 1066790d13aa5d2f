"""Addresses of photos: below a base path, of a custom test set, and by the browser's own way back."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from flowers_core.evaluation.custom import evaluate_folder
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir
from scripts.dev.running_app import BASE_PATH, running_app
from tests.e2e.test_app import UPLOADER, no_trouble, settle
from tests.fixtures.drawn_flowers import draw_flower

pytestmark = pytest.mark.e2e

CLASSES = ("rose", "sunflower", "bee balm")


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server below a path of its own, with a custom test set called `meadow`."""
    folder = tmp_path_factory.mktemp("below")
    for at, name in enumerate(CLASSES):
        (folder / "meadow" / name).mkdir(parents=True)
        draw_flower(2 * at, np.random.default_rng(at)).save(folder / "meadow" / name / f"{at}.png")
    bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
    evaluate_folder(bundle, folder / "meadow", folder / "evaluations" / "meadow", left_out=pytest.fail)
    evaluations = {"FLOWERS_EVALUATIONS_DIR": str(folder / "evaluations")}
    with running_app(folder, BASE_PATH, "flowers", **evaluations) as address:
        yield address


def test_small_photos_lead_to_identify_below_a_base_path(page: Page, below: str) -> None:
    page.goto(f"{below}/confusions?many=48")
    first = page.locator(".sheet a").first
    expect(first).to_be_visible()
    settle(page)
    first.click()
    expect(page).to_have_url(re.compile(r"/flowers/\?photo=\d+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Which flower is this?")
    expect(page.get_by_role("alert")).to_contain_text("the data set is not on this machine")
    no_trouble(page)


def test_a_mistake_of_a_custom_test_set_leads_to_its_photo(page: Page, below: str) -> None:
    page.goto(f"{below}/confusions?photos=meadow")
    link = page.get_by_role("link", name="Look closer").first
    expect(link).to_be_visible()
    settle(page)
    link.click()
    expect(page).to_have_url(re.compile(r"/flowers/\?photo=custom(:|%3A)meadow(:|%3A)[123]"))
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    expect(page.get_by_text("photo of your test set meadow")).to_be_visible()
    no_trouble(page)
    # The address alone brings it back, to somebody who comes from nowhere.
    page.goto(page.url)
    expect(page.get_by_text("photo of your test set meadow")).to_be_visible()


def test_the_browsers_way_back_leads_from_the_example_to_the_file(page: Page, server: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    draw_flower(1, np.random.default_rng(0)).save(mine)
    page.goto(server)
    page.set_input_files(UPLOADER, mine)
    caption = page.locator("[data-testid=stImageCaption]").first
    expect(caption).to_contain_text("mine.png")
    settle(page)
    page.get_by_role("button", name="Use the example photo").click()
    expect(caption).to_contain_text("the example photo")
    settle(page)
    page.go_back()
    expect(caption).to_contain_text("mine.png")
    settle(page)
    assert "photo=" not in page.url
    # The uploader names no file that the page does not show.
    expect(page.locator("[data-testid=stFileChipName]")).to_have_count(0)
    no_trouble(page)
