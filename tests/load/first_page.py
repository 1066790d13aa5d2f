"""How soon the first page is there on a slow line, with nothing kept from before, and what it waits for.

python -m tests.load.first_page
python -m tests.load.first_page --megabits 10 --milliseconds 40 --times 5
python -m tests.load.first_page --nginx
"""

import argparse
import statistics
import time
from collections import Counter
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from scripts.dev.chromium import ARGUMENTS, chromium
from tests.load.browsers import UPLOADER
from tests.load.sites import own_site

BUDGET = 3.0


def first_page(
    browser: Browser, address: str, megabits: float, milliseconds: float
) -> tuple[float, float, Counter[str]]:
    """Open the page over a slow line, in a window that kept nothing.

    Args:
        browser: the browser.
        address: of the page.
        megabits: a second, in either direction.
        milliseconds: that an answer takes at least.

    Returns:
        Seconds until its title is to be read; seconds until a photo can be given; what came → bytes on the line.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    speed = megabits * 1e6 / 8
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": milliseconds, "downloadThroughput": speed, "uploadThroughput": speed},
    )
    names: dict[str, str] = {}
    came: Counter[str] = Counter()
    line.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]}))
    line.on(
        "Network.loadingFinished",
        lambda event: came.update({_short(names.get(event["requestId"], "")): int(event["encodedDataLength"])}),
    )
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("[data-testid=stMainBlockContainer] h1")
    title = time.perf_counter() - started
    page.wait_for_selector(UPLOADER, state="attached")
    ready = time.perf_counter() - started
    context.close()
    return title, ready, came


def _short(address: str) -> str:
    return urlsplit(address).path.rpartition("/")[2] or "page"


def main() -> None:
    """Measure and say; the exit code is 1 where the median is over the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabits", type=float, default=10.0, help="a second")
    parser.add_argument("--milliseconds", type=float, default=40.0, help="until an answer comes")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--nginx", action="store_true", help="behind nginx, which compresses")
    options = parser.parse_args()
    with own_site(2 if options.nginx else 1) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        for _ in range(2):  # each server has read its models before anybody measures
            first_page(browser, site.address, 1000, 0)
        found = [
            first_page(browser, site.address, options.megabits, options.milliseconds) for _ in range(options.times)
        ]
        browser.close()
    titles, ready, came = zip(*found, strict=True)
    print(f"Title after {statistics.median(titles):.2f} s, ready for a photo after {statistics.median(ready):.2f} s.")
    print(f"On the line: {came[-1].total() / 1e6:.2f} MB in {len(came[-1])} files, the largest of them")
    for name, size in came[-1].most_common(8):
        print(f"{size / 1e3:8.0f} kB  {name}")
    raise SystemExit(int(statistics.median(ready) > BUDGET))


if __name__ == "__main__":
    main()
