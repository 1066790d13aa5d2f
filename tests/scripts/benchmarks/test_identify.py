"""The benchmark of `flowers identify` runs on a few photos, and says what it measured."""

import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.storage.paths import default_models_dir
from scripts.benchmarks import identify
from tests.fixtures.drawn_flowers import draw_flower


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    for number in range(3):
        draw_flower(number, np.random.default_rng(number)).save(tmp_path / f"{number}.png")

    def call(*words: str) -> str:
        bundle = default_models_dir() / "efficientnet_lite0_small"
        monkeypatch.setattr(sys, "argv", ["identify", str(bundle), str(tmp_path), *words])
        identify.main()
        return capsys.readouterr().out

    return call


@pytest.mark.slow
def test_the_ratio_is_of_the_same_photos_in_turn(call) -> None:
    said = call("--rounds", "2")
    assert ", 3 photos, 2 rounds:" in said
    assert 0 < float(said.splitlines()[-1].split(" %")[0]) < 1000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="memory is read from /proc")
def test_memory_is_read_twice(call) -> None:
    said = call("--memory", "8")
    first, last = (float(words.split(" MB")[0]) for words in said.split(", "))
    # Threads that have ended may have given memory back, in a process that runs other tests beside this one.
    assert first > 20
    assert abs(last - first) < 50
