"""No bundle grows unnoticed: what is shipped stays below these bounds."""

from flowers_core.inference.bundle import list_bundles
from flowers_core.storage.files import LOCK_FILE
from flowers_core.storage.paths import default_models_dir

# Megabytes of a model's file; a new bundle takes a line here.
BOUNDS = {
    "efficientnet_lite0_all": {"int8": 6.5, "float16": 12.1},
    "efficientnet_lite0_joined": {"int8": 6.5},
    "efficientnet_lite0_small": {"int8": 2.5, "float16": 3.8},
    "inception_v3": {"int8": 11.1},
}
ANY_FILE = 50
ALL_TOGETHER = 182


def test_each_model_is_below_its_bound() -> None:
    for bundle in list_bundles(default_models_dir()):
        for precision in bundle.precisions:
            bound = BOUNDS[bundle.name][precision]
            size = bundle.path(f"{precision}.tflite").stat().st_size / 1e6
            assert size <= bound, f"{bundle.name} in {precision} has {size:.2f} MB, more than {bound}"


def test_all_files_are_below_theirs() -> None:
    sizes = {path: path.stat().st_size / 1e6 for path in default_models_dir().rglob("*") if path.is_file()}
    assert max(sizes.values()) < ANY_FILE
    assert sum(sizes.values()) < ALL_TOGETHER


def test_there_is_nothing_that_no_manifest_names() -> None:
    for bundle in list_bundles(default_models_dir()):
        there = {path.name for path in bundle.folder.iterdir()}
        assert there - {LOCK_FILE} == {"bundle.json", *bundle.manifest.files}
