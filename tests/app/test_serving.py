"""The app on an installation that only serves: every page, with what trains hidden as if it were not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from flowers_core.explain.methods import METHODS

ROOT = Path(__file__).resolve().parents[2]
#: What requirements.txt has and requirements-serve.txt has not, by the names they are imported by.
NOT_SERVED = ("keras", "lime", "matplotlib", "sklearn", "tensorflow", "tf_keras_vis", "zstandard")
NEED_MORE = {"Grad-CAM", "Grad-CAM++", "LayerCAM", "SmoothGrad", "LIME, reference"}

START = """
import sys
from streamlit.testing.v1 import AppTest

class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]

def run(app):
    app.run()
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app

app = AppTest.from_file("{main}", default_timeout=120)
"""
PAGE = """
run(app)
app.switch_page("{page}/page.py")
run(app)
"""
EXAMPLE = """
app.query_params["photo"] = "example"
run(app)
print(*app.selectbox(key="method").options, sep="\\n")
print(app.selectbox(key="method").help)
app.selectbox(key="method").select("LIME")
run(app)
app.button(key="run-lime").click()
run(app)
assert app.toggle(key="outlines").value  # its map is drawn
"""


def run_hidden(program: str) -> str:
    """What a program of pages prints in a Python of its own that lacks NOT_SERVED."""
    start = START.format(hidden=NOT_SERVED, main=ROOT / "app" / "main.py")
    done = subprocess.run(
        [sys.executable, "-c", start + program], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("page", ["many", "confusions", "models", "dataset"])
def test_a_page_needs_only_what_serves(page: str) -> None:
    run_hidden(PAGE.format(page=page))


@pytest.mark.slow
def test_a_photo_is_named_and_lime_runs_on_what_serves() -> None:
    told = run_hidden(EXAMPLE)
    options = set(told.splitlines()) & {method.title for method in METHODS.values()}
    assert options == {method.title for method in METHODS.values()} - NEED_MORE
    assert "not installed here: `pip install -r requirements.txt`" in told
    assert all(title in told.split("not installed here")[0].rsplit("\n", 1)[-1] for title in NEED_MORE)


def test_nothing_loads_numpy_before_the_app_says_how_many_threads_it_takes() -> None:
    begin = "import sys, streamlit.web.bootstrap, streamlit.web.server.server; print('numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", begin], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout.strip() == "False"
