"""The Python examples of docs/EXPORT.md, run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowers_core.export.model_file import export_onnx, export_tflite
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "EXPORT.md").read_text(encoding="utf-8"), re.DOTALL)
CLIENTS = ("mediapipe", "ai_edge_litert", "onnxruntime")


def test_each_client_has_an_example_of_some_ten_lines() -> None:
    assert [re.findall(r"^(?:import|from) (\w+)", example, re.MULTILINE) for example in EXAMPLES] == [
        ["mediapipe", "numpy", "mediapipe", "PIL"],
        ["zipfile", "numpy", "ai_edge_litert", "PIL"],
        ["json", "numpy", "onnxruntime", "PIL"],
    ]
    assert all(len(example.splitlines()) <= 12 for example in EXAMPLES)


@pytest.mark.slow  # ONNX takes a conversion by TensorFlow
@pytest.mark.parametrize(("client", "example"), list(zip(CLIENTS, EXAMPLES, strict=True)), ids=CLIENTS)
def test_the_example_names_the_flower(client: str, example: str, tmp_path: Path) -> None:
    pytest.importorskip(client)
    bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
    if client == "onnxruntime":
        export_onnx(bundle, tmp_path / "flowers.onnx")
    else:
        export_tflite(bundle, tmp_path / "flowers.tflite")
    (tmp_path / "photo.jpg").symlink_to(ROOT / "app" / "example" / "osteospermum.jpg")
    (tmp_path / "example.py").write_text(example)
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[('osteospermum', 0.99")
