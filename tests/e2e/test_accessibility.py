"""For everyone: no fault that axe-core calls serious, every task by the keyboard, text twice as large."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.test_app import PAGES, no_trouble, settle, sticking_out

pytestmark = pytest.mark.e2e

#: Each page in each of its states that looks different.
STATES = (
    "",
    "?photo=example",
    "?photo=example&near=true&part=20,15,70,95",
    "?photo=example&method=LIME",
    "?photo=example&ask=What if",
    "?photo=example&ask=What if&change=Exchange places",
    "?photo=example&ask=How far to trust it",
    "many",
    "confusions",
    "confusions?many=48",
    "patterns",
    "models",
    "models?depth=Training",
    "models?depth=Maps",
    "models?depth=Compare",
    "dataset",
    "dataset?show=Map",
    "test-yourself",
)
#: A chart of thousands of dots, which axe-core would look at one by one; Streamlit names it by its alternative text.
LOOKED_AT = {"exclude": [[".js-plotly-plot"]]}
NARROW = {"width": 360, "height": 800}
WIDE = {"width": 1280, "height": 900}
#: One change at a time: each costs the page a new drawing.
LOOKS = ((WIDE, "light"), (WIDE, "dark"), (NARROW, "dark"), (NARROW, "light"))


def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical, a line for each element."""
    found = Axe().run(page, context=LOOKED_AT).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {', '.join(map(str, node['target']))}: {node['html'][:160]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def opened(page: Page, address: str) -> None:
    """Go to an address, and wait until it is drawn."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if "photo=" in address:
        expect(page.get_by_role("region", name="Answer")).to_be_visible()
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until nothing is left to draw, and each control has its script."""
    settle(page)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    page.wait_for_timeout(200)


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious_and_large_text_fits(page: Page, server: str, state: str) -> None:
    # A map of thousands of dots is drawn anew for each width and scheme, here without a
    # graphics card: two looks show each once.
    page.set_default_timeout(120_000)
    found = []
    opened(page, f"{server}/{state}")
    for size, scheme in LOOKS[::2] if "Map" in state else LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if "Map" in state:  # its dots take seconds to change colour, and meanwhile nothing else does
            opened(page, f"{server}/{state}")
        settle(page)
        found += [f"{size['width']} {scheme}: {fault}" for fault in faults(page)]
    assert found == []
    if "LIME" in state:  # as wide as the page with any other map
        return
    page.set_viewport_size(WIDE)
    page.add_style_tag(content="html { font-size: 200% !important }")
    # A browser that draws thousands of dots takes up a new style only with its next frame.
    page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) >= 32")
    settle(page)
    assert sticking_out(page) == []


def test_axe_sees_a_fault_where_there_is_one(page: Page, server: str) -> None:
    opened(page, server)
    page.evaluate("document.querySelector('[data-testid=stMain] img').removeAttribute('alt')")
    assert [fault.split(" ")[0] for fault in faults(page)] == ["image-alt"]


def focused(page: Page) -> str:
    """What a screen reader would call the element that has the focus: its label, or its text."""
    return page.evaluate(
        """() => {
            const element = document.activeElement
            const by = (element.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean)
            const names = [element.getAttribute('aria-label'), ...by.map(id => document.getElementById(id)?.innerText),
                ...[...(element.labels ?? [])].map(label => label.innerText),
                element.matches('a, button') ? element.innerText : '']
            return names.filter(Boolean).join(' ').replace(/\\s+/g, ' ')
        }"""
    )


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Press Tab until what is called so has the focus."""
    reached = []
    while len(reached) < most:
        page.keyboard.press("Tab")
        reached.append(focused(page))
        if re.search(name, reached[-1]):
            return
    raise AssertionError(f"{name} is not reached by Tab, only {reached}")


def test_a_photo_is_identified_and_explained_and_another_page_opened_by_keys_alone(page: Page, server: str) -> None:
    opened(page, server)
    tab_to(page, "Use the example photo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    drawn(page)
    tab_to(page, r"^(?!Help).*\bMethod\b")
    page.keyboard.type("LIME")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Run LIME for"))).to_be_visible()
    settle(page)
    tab_to(page, "Run LIME for")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The brighter a piece")).to_be_visible()
    settle(page)
    no_trouble(page)
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    tab_to(page, "^(grid_on )?Confusions$", most=120)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES["confusions"])
    settle(page)
    no_trouble(page)
