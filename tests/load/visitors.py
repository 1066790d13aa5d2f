"""Many visitors at a time, each with a photo of its own: is everybody answered about that photo, and how soon?

    python -m tests.load.visitors 20
    python -m tests.load.visitors 100 --rounds 3 --at http://127.0.0.1:8080/flowers

Without `--at` it starts a server of its own. Visitors speak the protocol of Streamlit's page over the same paths as a
browser. Only a server on this machine is asked: elsewhere this would be an attack.
"""

import argparse
import io
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import numpy as np
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.elements.words import capital, percent
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.confidence_head import answerer
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from scripts.dev.running_app import ROOT, free_port, running, streamlit_command
from tests.fixtures.drawn_flowers import draw_flower
from tests.fixtures.running_server import Visitor, elements

MOST_VISITORS, MOST_ROUNDS = 200, 20
HERE = ("127.0.0.1", "localhost", "::1")
Row = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """A photo and what must be said of it: the most probable flowers, each with its share in words."""

    name: str
    content: bytes
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: seconds until the page was drawn, and what was wrong with it, if anything."""

    seconds: float
    wrong: str


def drawn(count: int, bundle_name: str) -> list[Asked]:
    """So many photos, no two alike, with the answers of the model on this machine."""
    bundle, taxonomy = load_bundle(default_models_dir() / bundle_name), load_taxonomy()
    answer = answerer(bundle, Runtime(bundle.path("int8.tflite")), taxonomy)
    asked = []
    for at in range(count):
        file = io.BytesIO()
        draw_flower(at % 6, np.random.default_rng(at)).resize((500, 400)).save(file, "JPEG")
        found = answer(model_input(read_photo(file.getvalue()).pixels, bundle.crop_rule).pixels).top(5)
        rows = tuple((capital(taxonomy[one.label].name), percent(one.probability)) for one in found)
        asked.append(Asked(f"visitor-{at}.jpg", file.getvalue(), rows))
    return asked


def said(came: list[ForwardMsg]) -> tuple[Row, ...]:
    """The rows of the answer on a page, in their order."""
    html = " ".join(element.body for element in elements(came, "html"))
    found = re.search(r'<ol class="bars [^"]*" aria-label="The \d+ most probable flowers">(.*?)</ol>', html, re.DOTALL)
    rows = re.findall(
        r'<span class="name">(.*?) <i>.*?</span><span class="share">(.*?)</span>', found[1] if found else ""
    )
    return tuple((unescape(name), unescape(share)) for name, share in rows)


def visit(address: str, photos: list[Asked], together: Barrier) -> list[Outcome]:
    """One person's visit: a photo after the other, in step with the other visitors."""
    outcomes = []
    try:
        with Visitor(address) as visitor:
            uploader = elements(visitor.run(), "file_uploader")[0].id
            for photo in photos:
                together.wait(300)
                started = time.perf_counter()
                came = visitor.run(widgets=visitor.upload(uploader, photo.name, photo.content))
                outcomes.append(Outcome(time.perf_counter() - started, wrong_with(came, photo)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it counts as a failed visit
        together.abort()
        outcomes.append(Outcome(float("nan"), f"{photos[0].name}: {error!r}"))
    return outcomes


def wrong_with(came: list[ForwardMsg], photo: Asked) -> str:
    """What is wrong with a page about a photo; empty where nothing is."""
    if said(came) != photo.rows:
        return f"{photo.name}: {said(came)} instead of {photo.rows}"
    captions = [image.caption for images in elements(came, "imgs") for image in images.imgs]
    if not any(caption.startswith(photo.name) for caption in captions):
        return f"{photo.name}: its photo is not on the page, which shows {captions[:1]}"
    if elements(came, "exception"):
        return f"{photo.name}: a traceback"
    return ""


@contextmanager
def own_server() -> Iterator[str]:
    """A server of the app on this machine, without a data set."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = streamlit_command(ROOT / "app" / "main.py", port)
        address = f"http://localhost:{port}"
        data = {"FLOWERS_DATA_DIR": f"{folder}/none", "FLOWERS_CACHE_DIR": f"{folder}/cache"}
        with running(command, Path(folder) / "log.txt", f"{address}/_stcore/health", data):
            yield address


def main() -> None:
    """Run the visits and say what came of them; the exit code is 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("visitors", type=int)
    parser.add_argument("--rounds", type=int, default=1, help="photos of each visitor")
    parser.add_argument("--at", metavar="URL", help="a server that runs on this machine")
    parser.add_argument("--bundle", default="efficientnet_lite0", help="the model that the server answers with")
    options = parser.parse_args()
    if not (1 <= options.visitors <= MOST_VISITORS and 1 <= options.rounds <= MOST_ROUNDS):
        parser.error(f"at most {MOST_VISITORS} visitors and {MOST_ROUNDS} rounds")
    if options.at and urlsplit(options.at).hostname not in HERE:
        parser.error("only a server on this machine, under 127.0.0.1 or localhost")
    if options.at:
        outcomes = visit_all(options.at.rstrip("/"), options)
    else:
        with own_server() as address:
            outcomes = visit_all(address, options)
    wrong = [outcome.wrong for outcome in outcomes if outcome.wrong]
    seconds = np.array([outcome.seconds for outcome in outcomes if not outcome.wrong])
    print(f"{len(seconds)} of {options.visitors * options.rounds} photos were answered as they must be.")
    if len(seconds):
        print(f"From upload to drawn page: median {np.median(seconds):.2f} s, p95 {np.quantile(seconds, 0.95):.2f} s.")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    raise SystemExit(bool(wrong))


def visit_all(address: str, options: argparse.Namespace) -> list[Outcome]:
    """All visits at a time."""
    photos = drawn(options.visitors * options.rounds, options.bundle)
    together = Barrier(options.visitors)
    with ThreadPoolExecutor(options.visitors) as pool:
        visits = [
            pool.submit(visit, address, photos[at :: options.visitors], together) for at in range(options.visitors)
        ]
        return [outcome for one in visits for outcome in one.result()]


if __name__ == "__main__":
    main()
