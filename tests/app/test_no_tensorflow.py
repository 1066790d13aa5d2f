import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LIBRARY = """
import sys
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.inference.prediction import predict
from flowers_core.inference.runtime import Runtime
from flowers_core.data.taxonomy import load_taxonomy
from app.resources.data import example_photo

bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
seen = model_input(read_photo(example_photo().read_bytes()).pixels, bundle.crop_rule)
forward = Runtime(bundle.path("int8.tflite")).forward(seen.pixels[None])
assert predict(forward.logits[0], bundle.calibration, load_taxonomy()).candidates
"""

PAGE = """
import sys
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("{main}", default_timeout=120)
app.query_params["photo"] = "example"
app.run()
assert not app.exception, app.exception
assert [header.value for header in app.header] == ["Why", "What it resembles"]
"""

#: Of the app's own; what the core still loads then takes a few milliseconds.
NEW_WITH_A_PHOTO = """
import sys
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("{main}", default_timeout=120)
app.run()
before = set(sys.modules)
app.query_params["photo"] = "example"
app.run()
assert not app.exception, app.exception
new = sorted(name for name in set(sys.modules) - before if name.partition(".")[0] in ("app", "faiss", "scipy"))
assert not new, new
"""


def modules_after(program: str) -> set[str]:
    """The packages in memory after a program ran in a Python of its own."""
    report = "\nprint('modules:', *sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program + report], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("modules:")[-1].split())


@pytest.mark.slow
@pytest.mark.parametrize("program", [LIBRARY, PAGE.format(main=ROOT / "app" / "main.py")], ids=["library", "page"])
def test_naming_a_photo_needs_no_tensorflow(program: str) -> None:
    modules = modules_after(program)
    assert "ai_edge_litert" in modules
    assert not modules & {"tensorflow", "keras", "tf_keras_vis", "lime", "skimage", "sklearn"}


@pytest.mark.slow
def test_what_the_page_of_an_answer_takes_is_loaded_before_there_is_a_photo() -> None:
    modules_after(NEW_WITH_A_PHOTO.format(main=ROOT / "app" / "main.py"))
