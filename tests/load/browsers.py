"""Visits in real browsers: windows of one Chromium that share nothing, each with a visitor of its own."""

import asyncio
import time
from random import Random

from playwright.async_api import Browser, Error, async_playwright

from scripts.dev.chromium import ARGUMENTS, chromium
from tests.load.asked import Asked, Outcome

UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
PATIENCE = 120_000  # milliseconds
#: Milliseconds between two looks at a page. To look in each frame, as by itself, would make the browsers draw all the
#: time, on the cores of the servers.
LOOK_EVERY = 50
#: The page shows the answer, under the photo's own name, and has drawn the map.
ANSWERED = """([rows, name]) => {
    const found = [...document.querySelectorAll('ol[aria-label$="most probable flowers"] li')].map(row =>
        [row.querySelector('.name').firstChild.textContent.trim(), row.querySelector('.share').textContent.trim()])
    const captions = [...document.querySelectorAll('[data-testid=stImageCaption]')].map(each => each.innerText)
    const map = document.querySelector('img[alt^="The photo with a heat map"]')
    return JSON.stringify(found) === JSON.stringify(rows) && captions.some(each => each.startsWith(name))
        && map !== null && map.complete && map.naturalWidth > 0
}"""


def visit_all(address: str, photos: list[Asked], visitors: int, spread: float = 0.0) -> list[Outcome]:
    """All visits at a time, as `sockets.visit_all` makes them."""
    return asyncio.run(_visit_all(address, photos, visitors, spread))


async def _visit_all(address: str, photos: list[Asked], visitors: int, spread: float) -> list[Outcome]:
    together = asyncio.Barrier(visitors)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        visits = [_visit(browser, address, photos[at::visitors], together, spread) for at in range(visitors)]
        found = await asyncio.gather(*visits)
        await browser.close()
    return [outcome for one in found for outcome in one]


async def _visit(
    browser: Browser, address: str, photos: list[Asked], together: asyncio.Barrier, spread: float
) -> list[Outcome]:
    outcomes, random = [], Random(photos[0].name)
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        await page.goto(address)
        await page.wait_for_selector(UPLOADER, state="attached")
        for photo in photos:
            await together.wait()
            await asyncio.sleep(random.uniform(0, spread))
            started = time.perf_counter()
            file = {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.content}
            await page.set_input_files(UPLOADER, files=[file])
            rows = [list(row) for row in photo.rows]
            await page.wait_for_function(ANSWERED, arg=[rows, photo.name], polling=LOOK_EVERY)
            seconds = time.perf_counter() - started
            trouble = await page.locator("[data-testid=stException]").count()
            outcomes.append(Outcome(seconds, f"{photo.name}: a traceback" if trouble else ""))
    except (Error, asyncio.BrokenBarrierError) as error:
        await together.abort()
        outcomes.append(Outcome(float("nan"), f"{photos[0].name}: {error}"))
    finally:
        await context.close()
    return outcomes
