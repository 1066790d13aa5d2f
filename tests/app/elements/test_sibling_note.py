from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.resources import models
from flowers_core.inference.bundle import load_bundle
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import html
from tests.fixtures.manifests import linked_copy
from tests.fixtures.shipped import DEFAULT, TESTED

Open = Callable[..., AppTest]
NOTE = f"**{TESTED.name}**, the same network trained without them, stands for it here."


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_only_what_learnt_the_test_photos_is_tested_by_another() -> None:
    assert DEFAULT.sibling == TESTED.name
    assert models.tested(DEFAULT).name == TESTED.name
    small = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    assert models.tested(small) is small


@pytest.mark.slow
def test_confusions_are_the_siblings_and_say_so(open_page: Open) -> None:
    app = open_page("confusions")
    assert any(caption.endswith(NOTE) for caption in captions(app))
    test = TESTED.metrics["int8"]["test"]
    assert f"{100 * test.top1:.1f}&nbsp;% are right" in html(app)
    assert not any("stands for it" in caption for caption in captions(open_page("confusions", bundle="inception_v3")))


@pytest.mark.slow
def test_models_name_who_stands_for_whom(open_page: Open) -> None:
    assert captions(open_page("models", bundle="inception_v3")).count(captions(open_page("confusions"))[0]) == 1


@pytest.mark.slow
def test_without_a_sibling_confusions_say_that_nothing_can_test_it(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked_copy(DEFAULT, tmp_path / "alone", name="alone", counterpart=None)
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    app = open_page("confusions")
    assert [info.value for info in app.info] == [
        "alone has learnt from the test photos, which therefore cannot test it."
    ]
    assert not app.error
