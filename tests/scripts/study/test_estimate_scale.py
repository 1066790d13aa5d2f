"""`flowers study estimate_scale` as a person calls it."""

import json
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir
from scripts.study import estimate_scale
from tests.fixtures.drawn_flowers import draw_every_class


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch):
    def call(*words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["flowers study estimate_scale", *map(str, words)])
        estimate_scale.main()

    return call


@pytest.mark.slow  # photos of 12 million pixels are made
def test_one_photos_costs_are_measured(tmp_path: Path) -> None:
    dataset = OxfordFlowers(draw_every_class(tmp_path))
    measured = estimate_scale.measure(load_bundle(default_models_dir() / DEFAULT_BUNDLE), dataset, photos=2)
    sizes = [dataset.path(photo_id).stat().st_size for photo_id in dataset.split_ids("test")[:2]]
    assert measured.photo_bytes == round(sum(sizes) / 2)
    assert (measured.photos, measured.dimensions) == (2, 128)
    assert measured.decode_ms > 0
    assert measured.pass_ms > 0
    assert measured.rest_ms >= 0
    assert measured.phone_decode_ms > measured.decode_ms
    assert measured.phone_bytes > 10**6
    assert measured.resume_us > 0


@pytest.mark.slow  # some two million shards are simulated
def test_the_page_comes_from_the_record(call, tmp_path: Path) -> None:
    costs = {"machine": "a machine", "photos": 9, "decode_ms": 5.0, "pass_ms": 5.0, "rest_ms": 1.0, "resume_us": 5.0}
    costs |= {"photo_bytes": 5, "phone_decode_ms": 50.0, "phone_bytes": 500, "dimensions": 64}
    (tmp_path / "scale.json").write_text(json.dumps({"measured": costs}))
    call("--record", tmp_path / "scale.json", "--out", tmp_path / "SCALE.md")
    assert (tmp_path / "SCALE.md").read_text().startswith("# Scale\n\n`flowers study estimate_scale` makes this page")


def test_without_a_record_it_says_how_to_make_one(call, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        call("--record", tmp_path / "scale.json")
    assert "--measure BUNDLE makes it" in capsys.readouterr().err
