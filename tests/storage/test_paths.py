from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from flowers_core.storage import paths

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [
    (paths.default_data_dir, "FLOWERS_DATA_DIR", "data/oxford102"),
    (paths.default_weights_dir, "FLOWERS_WEIGHTS_DIR", "weights"),
    (paths.default_models_dir, "FLOWERS_MODELS_DIR", "models"),
    (paths.default_user_photos_dir, "FLOWERS_OWN_DIR", "own"),
    (paths.default_evaluations_dir, "FLOWERS_EVALUATIONS_DIR", "evaluations"),
]


@pytest.mark.parametrize(("folder", "variable", "below"), FOLDERS)
def test_a_variable_names_the_folder_else_the_checkout_or_the_users_own_has_it(
    folder: Callable[[], Path], variable: str, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/elsewhere")
    assert folder() == Path("/elsewhere")
    monkeypatch.delenv(variable)
    assert folder() == ROOT / below
    monkeypatch.setattr(paths, "project_root", lambda: None)
    assert folder() == platformdirs.user_data_path(paths.APP_NAME, appauthor=False) / below


def test_what_can_be_made_again_lies_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWERS_CACHE_DIR", raising=False)
    assert paths.default_cache_dir() == platformdirs.user_cache_path(paths.APP_NAME, appauthor=False)
    monkeypatch.setenv("FLOWERS_CACHE_DIR", "/elsewhere")
    assert paths.default_cache_dir() == Path("/elsewhere")


def test_the_root_is_that_of_the_checkout() -> None:
    assert paths.project_root() == ROOT
