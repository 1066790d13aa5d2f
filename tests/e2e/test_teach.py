"""A visitor teaches the model a flower, and it names another photo of it; in a real browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_app import UPLOADER, no_trouble, settle
from tests.fixtures.drawn_flowers import draw_flower

pytestmark = pytest.mark.e2e

LOOK = 1
HEADLINE = re.compile("Paper flower", re.IGNORECASE)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Seven photos of one flower that no model knows."""
    folder = tmp_path_factory.mktemp("drawn")
    for number in range(7):
        draw_flower(LOOK, np.random.default_rng(number)).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def test_a_flower_is_taught_and_another_photo_of_it_named(page: Page, server: str, drawn: list[Path]) -> None:
    page.goto(f"{server}/?bundle=efficientnet_lite0_small")
    page.set_input_files(UPLOADER, drawn[0])
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_be_visible()
    expect(answer.get_by_role("heading")).not_to_have_text(HEADLINE)
    settle(page)
    page.get_by_text("Teach it").click()
    page.get_by_label("What is it?").fill("paper flower")
    page.get_by_label("What is it?").press("Enter")
    settle(page)
    page.locator(UPLOADER).last.set_input_files(drawn[1:6])
    settle(page)
    page.get_by_role("button", name="See what it would learn").click()
    expect(page.get_by_text("would be flower 103, learnt from 6 photos")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("It has learnt paper flower")).to_be_visible()
    expect(answer.get_by_role("heading")).to_have_text(HEADLINE)
    settle(page)
    page.locator(UPLOADER).first.set_input_files(drawn[6])
    expect(page.get_by_text("6.png")).to_be_visible()
    settle(page)
    expect(answer.get_by_role("heading")).to_have_text(HEADLINE)
    expect(page.get_by_alt_text("The photo with a heat map laid over it: What speaks for paper flower")).to_be_visible()
    no_trouble(page)

    page.get_by_role("button", name="Undo the last lesson").click()
    expect(page.get_by_text("this model has learnt")).to_have_count(0)
    expect(answer.get_by_role("heading")).not_to_have_text(HEADLINE)
    no_trouble(page)
