"""Visits without a browser: Streamlit's own protocol over the paths that a browser takes."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from random import Random
from threading import Barrier, Event

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.fixtures.running_server import Visitor, elements
from tests.load.asked import Asked, Outcome, Row

EXPLAINED = "photo=example&method=LIME"


def visit_all(address: str, photos: list[Asked], visitors: int, spread: float = 0.0) -> list[Outcome]:
    """All visits at a time.

    Args:
        address: of the app.
        photos: as many for each visitor.
        visitors: how many there are.
        spread: seconds over which the uploads of one round come; 0 for all at once.
    """
    together = Barrier(visitors)
    with ThreadPoolExecutor(visitors) as pool:
        visits = [pool.submit(_visit, address, photos[at::visitors], together, spread) for at in range(visitors)]
        return [outcome for one in visits for outcome in one.result()]


def explain_on_and_on(address: str, ended: Event) -> tuple[int, int]:
    """Run LIME for one visitor after the other.

    Args:
        address: of the app.
        ended: set when it is enough.

    Returns:
        How many runs came to their end, and how many of them had to wait for their turn.
    """
    runs = waits = 0
    while not ended.is_set():
        with Visitor(address) as visitor:
            button = next(one for one in elements(visitor.run(EXPLAINED), "button") if one.label.startswith("Run LIME"))
            pressed = BackMsg()
            state = pressed.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = button.id, True
            came = visitor.run(EXPLAINED, pressed)
        if elements(came, "exception") or not any("brighter a piece" in one.body for one in elements(came, "markdown")):
            raise AssertionError("LIME did not come to its end.")
        runs += 1
        waits += any("before you" in bar.text for bar in elements(came, "progress"))
    return runs, waits


def said(came: list[ForwardMsg]) -> tuple[Row, ...]:
    """The rows of the answer on a page, in their order."""
    html = " ".join(element.body for element in elements(came, "html"))
    found = re.search(r'<ol class="bars [^"]*" aria-label="The \d+ most probable flowers">(.*?)</ol>', html, re.DOTALL)
    rows = re.findall(
        r'<span class="name">(.*?) <i>.*?</span><span class="share">(.*?)</span>', found[1] if found else ""
    )
    return tuple((unescape(name), unescape(share)) for name, share in rows)


def _visit(address: str, photos: list[Asked], together: Barrier, spread: float) -> list[Outcome]:
    """One person's visit: a photo after the other, in step with the other visitors."""
    outcomes, random = [], Random(photos[0].name)
    try:
        with Visitor(address) as visitor:
            uploader = elements(visitor.run(), "file_uploader")[0].id
            for photo in photos:
                together.wait(300)
                time.sleep(random.uniform(0, spread))
                started = time.perf_counter()
                came = visitor.run(widgets=visitor.upload(uploader, photo.name, photo.content))
                uploader = elements(came, "file_uploader")[0].id  # a new one each time files were taken
                outcomes.append(Outcome(time.perf_counter() - started, _wrong_with(came, photo)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it counts as a failed visit
        together.abort()
        outcomes.append(Outcome(float("nan"), f"{photos[0].name}: {error!r}"))
    return outcomes


def _wrong_with(came: list[ForwardMsg], photo: Asked) -> str:
    """What is wrong with a page about a photo; empty where nothing is."""
    if said(came) != photo.rows:
        return f"{photo.name}: {said(came)} instead of {photo.rows}"
    captions = [image.caption for images in elements(came, "imgs") for image in images.imgs]
    if not any(caption.startswith(photo.name) for caption in captions):
        return f"{photo.name}: its photo is not on the page, which shows {captions[:1]}"
    if elements(came, "exception"):
        return f"{photo.name}: a traceback"
    return ""
