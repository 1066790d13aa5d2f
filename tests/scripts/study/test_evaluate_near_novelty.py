"""The study of left-out classes: the lines that train its networks, and which networks it refuses."""

import re
import sys

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.near_novelty import left_out_classes
from flowers_core.inference.bundle import BundleError
from flowers_core.storage.paths import default_models_dir
from scripts.study import evaluate_near_novelty


@pytest.fixture
def call(drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch):
    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["evaluate_near_novelty", "--data", str(drawn_dataset.root), *arguments])
        evaluate_near_novelty.main()

    return call


def test_the_lines_leave_out_what_each_draw_leaves_out(call, capsys: pytest.CaptureFixture[str]) -> None:
    call("--commands", "--recipe fast", "--draws", "3")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for seed, line in enumerate(lines):
        assert line.startswith("flowers train --recipe fast --leave-out")
        assert line.endswith(f"--out models/left_out_{seed}")
        assert tuple(map(int, re.findall(r"--leave-out (\d+)", line))) == left_out_classes(seed, 102)


def test_a_network_that_learnt_the_classes_is_refused(call) -> None:
    shipped = str(default_models_dir() / "efficientnet_lite0_small")
    with pytest.raises(BundleError, match="was not trained without the classes of draw 0"):
        call("--draws", "1", "--trained", shipped)


def test_each_draw_needs_a_network(call, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call("--trained", str(default_models_dir() / "efficientnet_lite0_small"))
    assert "a bundle for each of the 5 draws" in capsys.readouterr().err


def test_each_branch_needs_a_network_for_each_draw(call, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = str(default_models_dir() / "efficientnet_lite0_small")
    with pytest.raises(SystemExit):
        call("--draws", "1", "--trained", shipped, "--trained", shipped, shipped)
    assert "a bundle for each of the 1 draws" in capsys.readouterr().err
