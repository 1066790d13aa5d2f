"""What `scripts.evaluate` refuses."""

import sys

import pytest

from flowers_core.inference.bundle import BundleError
from scripts import evaluate
from tests.fixtures.shipped import DEFAULT, TESTED


@pytest.mark.parametrize("words", [(), ("--from-saved",), ("--corruptions", "test")])
def test_what_learnt_the_test_photos_is_not_tested_by_them(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate", str(DEFAULT.folder), *words])
    with pytest.raises(BundleError, match=f"cannot test it. '{TESTED.name}' is tested in its place"):
        evaluate.main()
