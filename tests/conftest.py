import os
from pathlib import Path

import pytest

from flowers_core.dataset import OxfordFlowers, default_root, is_present
from tests.drawn_flowers import draw_dataset


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs the real photos or weights where they are not."""
    needed = {mark for mark in ("dataset", "weights") for item in items if item.get_closest_marker(mark)}
    absent = {}
    if "dataset" in needed and not is_present(default_root()):
        absent["dataset"] = f"the Oxford 102 photos are not in {default_root()} (FLOWERS_DATA_DIR)"
    weights = os.environ.get("FLOWERS_WEIGHTS_DIR")
    if "weights" in needed and not (weights and Path(weights).is_dir()):
        absent["weights"] = "FLOWERS_WEIGHTS_DIR names no folder of ImageNet weights"
    for item in items:
        for mark, reason in absent.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def flowers() -> OxfordFlowers:
    """The real dataset; only in tests marked `dataset`."""
    return OxfordFlowers(default_root())


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory: pytest.TempPathFactory) -> OxfordFlowers:
    """Six classes of drawn flowers (4 training, 3 validation, 5 test photos each) in Oxford's layout; read only."""
    return OxfordFlowers(draw_dataset(tmp_path_factory.mktemp("drawn") / "oxford102"))
