"""The share of the evidence on drawn flowers' segmentations: whole, broken off, and taken up again."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.dataset import DatasetMissing
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.data.segmentations import read_segmentation, segmentation_path
from flowers_core.explain import localization_evaluation
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.records.localization import LOCALIZATION_FILE, load_localization
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from scripts import evaluate_localization
from tests.fixtures.drawn_flowers import draw_dataset, draw_segmentations

SHIPPED = load_bundle(default_models_dir() / "efficientnet_lite0_small")


@pytest.fixture
def flowers(tmp_path: Path) -> OxfordFlowers:
    return OxfordFlowers(draw_dataset(tmp_path / "data", classes=(5, 89), per_class=(1, 1, 3)))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The shipped model with nothing but what the script needs."""
    folder = tmp_path / "models" / "small"
    writer = BundleWriter.create(
        folder, name="small", backbone="any", crop_rule=SHIPPED.crop_rule, classes=list(SHIPPED.class_names)
    )
    for name in ("int8.tflite", "head.npz"):
        content = SHIPPED.path(name).read_bytes()
        writer.add_bytes(name, content)
    return folder


@pytest.fixture
def measure(bundle: Path, flowers: OxfordFlowers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def call() -> Path:
        given = [str(bundle), "--data", str(flowers.root), "--out", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["evaluate_localization", *given])
        evaluate_localization.main()
        (folder,) = (tmp_path / "out").iterdir()
        return folder / "shares.jsonl"

    return call


def test_the_command_that_fetches_segmentations_is_named(measure) -> None:
    with pytest.raises(DatasetMissing, match=r"no segmentations in .*download_data --data .* --segmentations"):
        measure()


def test_the_bundle_keeps_the_share_of_every_test_photo(measure, bundle: Path, flowers: OxfordFlowers, capsys) -> None:
    test = flowers.split_ids("test").tolist()
    draw_segmentations(flowers.root, empty={test[1]})
    lines = [json.loads(line) for line in measure().read_text().splitlines()]
    assert [line[0] for line in lines] == test
    assert lines[1] == [test[1], 0, None]

    record = load_localization(load_bundle(bundle).path(LOCALIZATION_FILE))
    rest = [test[0], *test[2:]]
    assert (record.ids.tolist(), record.left_out) == (rest, 1)
    assert record.labels.tolist() == [flowers.label_of(photo_id) for photo_id in rest]
    # The first one by hand: what of the map's positive part in the seen square lies where the mask is.
    photo, mask = open_photo(flowers.path(rest[0])), read_segmentation(segmentation_path(flowers.root, rest[0]))
    assert mask is not None
    seen = model_input(photo.pixels, SHIPPED.crop_rule)
    forward = Runtime(SHIPPED.path("int8.tflite")).forward(seen.pixels[None])
    assert record.predicted[0] == forward.logits[0].argmax() + 1
    explained = class_evidence(
        forward.features[0],
        SHIPPED.head()[0],
        int(record.predicted[0]),
        box=seen.box,
        photo_size=(photo.width, photo.height),
    )
    heat = np.maximum(explained.heatmap(), 0)
    assert record.mass[0] == pytest.approx(heat[mask].sum() / heat.sum(), abs=1e-3)
    assert 0.05 < record.area[0] < 0.95
    assert "5 test photos, 1 left out" in capsys.readouterr().out


def test_a_broken_off_run_goes_on_where_it_was(measure, flowers: OxfordFlowers, monkeypatch) -> None:
    draw_segmentations(flowers.root)
    path = measure()
    whole = path.read_text()
    path.write_text(whole[:-20])  # killed while the last line was being written
    asked = []
    open_photo = localization_evaluation.open_photo
    monkeypatch.setattr(localization_evaluation, "open_photo", lambda path: asked.append(path) or open_photo(path))
    measure()
    assert asked == [flowers.path(int(flowers.split_ids("test")[-1]))]
    assert path.read_text() == whole
