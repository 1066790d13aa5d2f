import os
from pathlib import Path

import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers, is_present
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.paths import default_data_dir
from tests.fixtures.drawn_flowers import draw_dataset


def pytest_configure() -> None:
    """The page answers by one format, however busy the machine is while the formats would be timed."""
    os.environ["FLOWERS_FORMAT"] = "int8"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs the real photos or weights where they are not."""
    needed = {mark for mark in ("dataset", "weights") for item in items if item.get_closest_marker(mark)}
    absent = {}
    if "dataset" in needed and not is_present(default_data_dir()):
        absent["dataset"] = f"the Oxford 102 photos are not in {default_data_dir()} (FLOWERS_DATA_DIR)"
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
    return OxfordFlowers(default_data_dir())


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory: pytest.TempPathFactory) -> OxfordFlowers:
    """Six classes of drawn flowers (4 training, 3 validation, 5 test photos each) in Oxford's layout; read only."""
    return OxfordFlowers(draw_dataset(tmp_path_factory.mktemp("drawn") / "oxford102"))


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory, drawn_dataset: OxfordFlowers) -> Path:
    """A bundle of the tiny classifier, INT8 and Keras, for the drawn photos; whoever writes into it copies it first."""
    from flowers_core.data.batches import inputs
    from flowers_core.networks.classifier import head_of, save_half
    from flowers_core.quantization.convert import convert
    from tests.fixtures.tiny_classifier import SIZE, tiny_classifier

    classifier = tiny_classifier(classes=102)
    rule = CropRule(SIZE)
    calibration = inputs(drawn_dataset, drawn_dataset.split_ids("train"), rule)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    names = list(drawn_dataset.names)
    writer = BundleWriter.create(folder, name="tiny", backbone="tiny", crop_rule=rule, classes=names)
    W, b = head_of(classifier)
    writer.add_npz("head.npz", W=W, b=b)
    writer.add_file("classifier.keras", lambda path: save_half(classifier, path))
    writer.add_bytes("int8.tflite", convert(classifier, "int8", calibration))
    return folder
