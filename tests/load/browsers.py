"""Visits in real browsers: windows of one Chromium that share nothing, each with a visitor of its own.

The browsers draw on the cores of the servers, and that counts in every figure. What only adds to it is left out: all
pages are opened, one after the other, before the first upload; nothing moves on them; and nobody asks a page again and
again whether the answer is there: it says so itself, with the time by its own clock.
"""

import asyncio
from random import Random

from playwright.async_api import Browser, Error, Page, async_playwright

from scripts.dev.chromium import ARGUMENTS, chromium
from tests.load.asked import Asked, Outcome

UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
OPENED = '[data-testid=stApp][data-test-script-state="notRunning"]'
PATIENCE = 180.0  # seconds
VIEW = {"width": 1024, "height": 768}
STILL = """addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style')
    style.textContent = '*, ::before, ::after { animation: none !important; transition: none !important }'
    document.head.append(style)
})"""
#: Seconds from the choice of the file until the page shows the answer, under the photo's own name, and draws the map.
WATCH = """([rows, name]) => {
    let chosen = NaN
    document.addEventListener('change', () => { chosen = performance.now() }, {capture: true, once: true})
    const answered = () => {
        const map = document.querySelector('img[alt^="The photo with a heat map"]')
        if (map === null || !map.complete || map.naturalWidth === 0) return false
        const captions = [...document.querySelectorAll('[data-testid=stImageCaption]')]
        if (!captions.some(each => each.textContent.trim().startsWith(name))) return false
        const found = [...document.querySelectorAll('ol[aria-label$="most probable flowers"] li')].map(row =>
            [row.querySelector('.name').firstChild.textContent.trim(), row.querySelector('.share').textContent.trim()])
        return JSON.stringify(found) === JSON.stringify(rows)
    }
    window.answered = new Promise(resolve => {
        const look = () => {
            if (!answered()) return
            watching.disconnect()
            document.removeEventListener('load', look, true)
            requestAnimationFrame(() => resolve((performance.now() - chosen) / 1000))
        }
        const watching = new MutationObserver(look)
        watching.observe(document.body, {subtree: true, childList: true, characterData: true})
        document.addEventListener('load', look, true)
    })
}"""


def visit_all(address: str, photos: list[Asked], visitors: int, spread: float = 0.0) -> list[Outcome]:
    """All visits at a time, as `sockets.visit_all` makes them."""
    return asyncio.run(_visit_all(address, photos, visitors, spread))


async def _visit_all(address: str, photos: list[Asked], visitors: int, spread: float) -> list[Outcome]:
    together = asyncio.Barrier(visitors)
    async with async_playwright() as playwright:
        arguments = [*ARGUMENTS, "--disable-software-rasterizer"]
        browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            pages = [await _opened(browser, address) for _ in range(visitors)]
            visits = [_visit(page, photos[at::visitors], together, spread) for at, page in enumerate(pages)]
            found = await asyncio.gather(*visits)
        finally:
            await browser.close()
    return [outcome for one in found for outcome in one]


async def _opened(browser: Browser, address: str) -> Page:
    """The app in a window of its own, when it has come to rest."""
    context = await browser.new_context(viewport=VIEW, reduced_motion="reduce")
    await context.add_init_script(STILL)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    await page.goto(address)
    await page.wait_for_selector(UPLOADER, state="attached")
    await page.wait_for_selector(OPENED, state="attached")
    return page


async def _visit(page: Page, photos: list[Asked], together: asyncio.Barrier, spread: float) -> list[Outcome]:
    outcomes, random = [], Random(photos[0].name)
    try:
        for photo in photos:
            await together.wait()
            await asyncio.sleep(random.uniform(0, spread))
            await page.evaluate(WATCH, [[list(row) for row in photo.rows], photo.name])
            file = {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.content}
            await page.set_input_files(UPLOADER, files=[file])
            seconds = await asyncio.wait_for(page.evaluate("window.answered"), PATIENCE)
            trouble = await page.locator("[data-testid=stException]").count()
            outcomes.append(Outcome(seconds, f"{photo.name}: a traceback" if trouble else ""))
    except (Error, TimeoutError, asyncio.BrokenBarrierError) as error:
        await together.abort()
        outcomes.append(Outcome(float("nan"), f"{photos[0].name}: {error!r}"))
    return outcomes
