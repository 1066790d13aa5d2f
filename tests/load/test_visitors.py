"""The load script is for this machine only, and within bounds. Its figures are for people: see its docstring."""

import sys

import pytest

from tests.load.visitors import drawn, main, said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["5", "--at", "http://flowers.example"], "only a server on this machine"),
        (["5", "--at", "http://localhost.flowers.example/"], "only a server on this machine"),
        (["201"], "at most 200 visitors"),
        (["0"], "at most 200 visitors"),
        (["5", "--rounds", "21"], "20 rounds"),
    ],
)
def test_others_and_too_many_are_refused(
    words: list[str], why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["visitors", *words])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert why in capsys.readouterr().err


def test_no_two_photos_are_answered_alike() -> None:
    asked = drawn(12, "efficientnet_lite0")
    assert len({one.content for one in asked}) == len({one.rows for one in asked}) == 12
    assert said([]) == ()
