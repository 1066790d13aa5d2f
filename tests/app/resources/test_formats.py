"""Which format serves: chosen by hand-made times, and timed with real models on LiteRT."""

import pytest

from app.resources.formats import SERVED, quickest, served_format, time_formats
from flowers_core.inference.bundle import load_bundle
from flowers_core.storage.paths import default_models_dir


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"int8": 0.02, "float16": 0.021}, "int8"),
        ({"int8": 0.02, "float16": 0.0165}, "int8"),  # quicker, but not clearly
        ({"int8": 0.02, "float16": 0.0155}, "float16"),
        ({"float16": 0.01}, "int8"),  # INT8 could not be timed
        ({}, "int8"),
    ],
)
def test_another_format_must_be_clearly_quicker(seconds: dict[str, float], chosen: str) -> None:
    assert quickest(seconds, "int8") == chosen


def test_the_shipped_formats_are_timed() -> None:
    found = time_formats(load_bundle(default_models_dir() / "efficientnet_lite0_small"))
    assert set(found) == set(SERVED)
    assert all(0 < seconds < 10 for seconds in found.values())


def test_a_format_that_is_not_shipped_is_not_timed() -> None:
    assert set(time_formats(load_bundle(default_models_dir() / "inception_v3"))) == {"int8"}


def test_the_owner_may_tell_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWERS_FORMAT", "float16")
    assert served_format(load_bundle(default_models_dir() / "efficientnet_lite0_small")) == "float16"
    # A model that has no such format answers by the one that it has.
    assert served_format(load_bundle(default_models_dir() / "inception_v3")) == "int8"
