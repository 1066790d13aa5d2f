"""A few visitors at a time; `python -m tests.load.visitors` has the many, on this machine only and within bounds."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.inference.bundle import DEFAULT_BUNDLE
from tests.fixtures.running_nginx import NGINX
from tests.load.asked import drawn
from tests.load.sites import own_site
from tests.load.sockets import said, visit_all
from tests.load.visitors import main

BUNDLE = DEFAULT_BUNDLE


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["5", "--at", "http://flowers.example"], "only a server on this machine"),
        (["5", "--at", "http://localhost.flowers.example/"], "only a server on this machine"),
        (["201"], "at most 200 visitors"),
        (["0"], "at most 200 visitors"),
        (["5", "--rounds", "21"], "20 rounds"),
        (["5", "--lime", "21"], "at most 20 who run LIME"),
    ],
)
def test_others_and_too_many_are_refused(
    words: list[str], why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["visitors", *words])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert why in capsys.readouterr().err


@pytest.mark.slow
def test_no_two_photos_are_answered_alike() -> None:
    asked = drawn(12, BUNDLE)
    assert len({one.content for one in asked}) == len({one.rows for one in asked}) == 12
    assert said([]) == ()


@pytest.mark.slow
def test_a_few_visitors_beside_two_who_run_lime(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["visitors", "3", "--rounds", "2", "--lime", "2"])
    with pytest.raises(SystemExit, match="0"):
        main()
    told = capsys.readouterr().out
    assert "6 of 6 photos were answered as they must be." in told
    assert "Meanwhile LIME ran" in told
    assert "The servers held" in told


@pytest.mark.slow
@pytest.mark.skipif(NGINX is None, reason="No nginx is installed.")
def test_visitors_of_two_servers_behind_nginx(tmp_path: Path) -> None:
    asked = drawn(8, BUNDLE)
    with own_site(2, tmp_path) as site:
        outcomes = visit_all(site.address, asked, 4)
        wrong_before = site.tracebacks()
        # Two who expect each other's answer: the check must see that they do not get it.
        mixed_up = [replace(one, rows=other.rows) for one, other in zip(asked[:2], asked[1::-1], strict=True)]
        confused = visit_all(site.address, mixed_up, 2)
    assert [outcome.wrong for outcome in outcomes if outcome.wrong] + wrong_before == []
    assert len(outcomes) == 8
    assert all("instead of" in outcome.wrong for outcome in confused)
