"""`flowers export` as a person calls it."""

import sys
from pathlib import Path

import pytest

from flowers_core.export import web_page
from scripts import export


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch):
    def call(*words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["flowers export", *map(str, words)])
        export.main()

    return call


def test_a_model_file(call, tmp_path: Path, capsys) -> None:
    out = tmp_path / "flowers.tflite"
    call("efficientnet_lite0_small", "--for", "mediapipe", out)
    assert capsys.readouterr().out == f"{out}: {out.stat().st_size / 1e6:.1f} MB.\n"
    assert out.read_bytes()[4:8] == b"TFL3"
    with pytest.raises(SystemExit):
        call("efficientnet_lite0_small", "--for", "litert", out)
    assert "add --override to replace it" in capsys.readouterr().err
    before = out.read_bytes()
    call("efficientnet_lite0_small", "--for", "litert", out, "--override")
    assert out.read_bytes() == before


def test_a_page(call, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = {"litert.js": b"", "litert_wasm.js": b"", "litert.wasm": b"", "wasm-utils.js": b""}
    monkeypatch.setattr(web_page, "runtime_files", lambda: runtime)
    call("efficientnet_lite0_small", "--for", "web", tmp_path / "page")
    assert "python -m http.server" in capsys.readouterr().out
    assert (tmp_path / "page" / "index.html").is_file()
    with pytest.raises(SystemExit):
        call("efficientnet_lite0_small", "--for", "web", tmp_path / "other", "--format", "float16")
    assert "leave --format out" in capsys.readouterr().err
