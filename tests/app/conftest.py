import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.resources import bundle_files
from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from tests.fixtures.drawn_flowers import draw_dataset

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "app" / "main.py"
#: What was read of the shipped models, by the content of the file and what was made of it.
_SHIPPED: dict[tuple[str, str], Any] = {}


@pytest.fixture(scope="session")
def gallery() -> Gallery:
    """That of the default model."""
    bundle = load_bundle(ROOT / "models" / DEFAULT_BUNDLE)
    return Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))


@pytest.fixture
def no_dataset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine where the data set was never downloaded."""
    root = tmp_path / "nothing"
    monkeypatch.setenv("FLOWERS_DATA_DIR", str(root))
    return root


@pytest.fixture
def drawn_dataset(no_dataset: Path) -> Path:
    """A machine with a small data set in Oxford's layout."""
    return draw_dataset(no_dataset)


@pytest.fixture
def open_page(no_dataset: Path) -> Callable[..., AppTest]:
    """Opens a page of the app, with query parameters; fails on an exception in the page."""

    def opened(page: str = "identify", **parameters: str) -> AppTest:
        app = AppTest.from_file(MAIN, default_timeout=120)
        if page != "identify":
            app.run()
            app.switch_page(f"{page}/page.py")
        for name, value in parameters.items():
            app.query_params[name] = value
        return run(app)

    return opened


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def html(app: AppTest) -> str:
    return "\n".join(element.value for element in app.get("html"))


def missing_photos(app: AppTest) -> list[int]:
    """The numbers of the photos, in order, that are not on this machine, so that something stands in for them."""
    return [int(found) for found in re.findall(r"photo (\d+); not on this machine", html(app))]


def example_bytes() -> bytes:
    from app.resources.data import example_photo

    return example_photo().read_bytes()


#: The address of an example that one look at the whole photo names without doubt.
CLEAR = "example:osteospermum"


def clear_bytes() -> bytes:
    from app.identify.examples import example_at

    example = example_at(CLEAR)
    assert example is not None
    return example.path.read_bytes()


def images(app: AppTest) -> list[Any]:
    """The pictures of a page, but for the examples, the last photos, and the crop that decided where the whole left
    doubt."""
    from app.identify.examples import examples

    kinds = ("The part of the photo that decided", "Given before: ", "Given together: ")
    others = (*kinds, *(example.shows for example in examples()))
    return [image for image in app.image if not any(other in str(image.proto) for other in others)]


def drawn_photo(width: int = 320, height: int = 240) -> np.ndarray:
    """A yellow disc with petals on green: no flower of the data set, but a picture."""
    y, x = np.mgrid[:height, :width]
    dx, dy = x - width / 2, y - height / 2
    radius = np.hypot(dx, dy) / min(width, height)
    petals = radius < 0.3 + 0.12 * np.cos(6 * np.arctan2(dy, dx))
    picture = np.full((height, width, 3), (60, 120, 50), np.uint8)
    picture[petals] = (235, 210, 60)
    picture[radius < 0.1] = (110, 60, 20)
    return picture


@pytest.fixture(autouse=True, scope="session")
def _components_are_scanned_once() -> None:
    """Each AppTest looks through all installed packages for components, for a second. None comes while tests run."""
    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def _fresh_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the test before did, but not what it read of the shipped models: that takes seconds, and no test may
    write there. A model of a test's own, which may be damaged on purpose, is read anew."""
    st.cache_resource.clear()
    st.cache_data.clear()
    load_file = bundle_files._loaded

    def load_once(digest: str, what: str, bundle: Bundle, file_name: str, load: Callable[[Path], Any]) -> Any:
        if bundle.folder.parent != ROOT / "models":
            return load_file(digest, what, bundle, file_name, load)
        if (digest, what) not in _SHIPPED:
            _SHIPPED[digest, what] = load(bundle.path(file_name))
        return _SHIPPED[digest, what]

    monkeypatch.setattr(bundle_files, "_loaded", load_once)


@pytest.fixture(autouse=True)
def _main_stays_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """An AppTest makes its page the main module, which every process that is spawned later would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def _thumbnails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWERS_CACHE_DIR", str(tmp_path / "small"))
