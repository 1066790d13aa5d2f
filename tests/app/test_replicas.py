"""Two servers over one gallery in LanceDB: what is added on one is found from the other, without a restart."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.resources.data import example_photo
from flowers_core.inference.bundle import DEFAULT_BUNDLE
from flowers_core.retrieval.stores.open_store import create_store, open_store
from scripts.dev.running_app import ROOT, running_app
from tests.fixtures.drawn_flowers import draw_flower
from tests.fixtures.running_server import Visitor, elements

pytestmark = pytest.mark.slow  # two servers begin, and a verb that loads the model


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Adds photos as a person does at one of the machines; gives the gallery's folder."""
    place = tmp_path_factory.mktemp("shared") / "meadow"

    def call(photos: Path) -> Path:
        words = ["index", str(photos), "--gallery", str(place), "--bundle", DEFAULT_BUNDLE, "--workers", "1"]
        subprocess.run([sys.executable, "-m", "scripts", *words], cwd=ROOT, check=True, capture_output=True)
        return place

    return call


@pytest.fixture(scope="module")
def replicas(index: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Visitor]]:
    """A visitor of each of two servers, over a gallery of two photos."""
    photos = tmp_path_factory.mktemp("photos")
    for number in range(2):
        draw_flower(number, np.random.default_rng(number)).save(photos / f"drawn {number}.png")
    place = index(photos)
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(name) for name in ("left", "right")]
        addresses = [stack.enter_context(running_app(folder, FLOWERS_GALLERY=str(place))) for folder in folders]
        yield [stack.enter_context(Visitor(address)) for address in addresses]


def said(visitor: Visitor) -> str:
    """What *Identify* says of the example photo and of its nearest in the gallery."""
    came = visitor.run("photo=example&among=Your+gallery")
    return "\n".join(element.body for kind in ("markdown", "html") for element in elements(came, kind))


def test_what_one_adds_the_other_finds(replicas: list[Visitor], index: Callable[[Path], Path], tmp_path: Path) -> None:
    for visitor in replicas:
        assert "The nearest of **2** photos in your gallery" in said(visitor)
    added = tmp_path / "the same dahlia.png"
    with Image.open(example_photo()) as photo:
        photo.save(added)
    place = index(added)
    for visitor in replicas:
        now = said(visitor)
        assert "The nearest of **3** photos in your gallery" in now
        assert now.index("the same dahlia.png") < now.index("drawn ")  # the nearest stands first

    store = open_store(str(place))
    (hit,) = store.search(np.eye(1, store.space.dimension, dtype=np.float32), 1)[0]
    create_store(str(place), store.space).remove([hit.key])
    for visitor in replicas:
        assert "The nearest of **2** photos in your gallery" in said(visitor)
