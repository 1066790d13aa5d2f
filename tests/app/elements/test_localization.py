"""How much of the evidence lies on the flower, on *Identify*, *Confusions* and *Models*."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.elements.localization import mean_sentence, share_sentence
from app.elements.words import percent
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.metrics.localization import Localization
from flowers_core.explain.records.localization import LOCALIZATION_FILE, LocalizationRecord, MeanLocalization
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import run
from tests.fixtures.drawn_flowers import draw_segmentations
from tests.fixtures.shipped import DEFAULT, TESTED

Open = Callable[..., AppTest]
BUNDLE = DEFAULT
SMALL = default_models_dir() / "efficientnet_lite0_small"
TAXONOMY = load_taxonomy()


def said(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption) for element in kind)


@pytest.mark.slow
def test_without_segmentations_one_line_says_how_to_get_them(open_page: Open, drawn_dataset: Path) -> None:
    app = open_page(photo="3", method="Evidence", ask="How far to trust it")
    assert "`flowers download_data --segmentations` gets Oxford’s segmentations (203 MB)" in said(app)
    assert said(app).count("lies on the flower") == 1
    # A photo of one's own has no segmentation to be had.
    assert "on the flower" not in said(open_page(photo="example"))
    assert "on the flower" not in said(open_page("confusions"))


@pytest.mark.slow
def test_the_share_of_a_data_set_photo_is_that_of_its_mask(open_page: Open, drawn_dataset: Path) -> None:
    draw_segmentations(drawn_dataset, empty={4})
    # One look at the whole photo, which is what the mask is held against here.
    app = open_page(photo="3", method="Evidence", ask="How far to trust it", part="0,0,100,100")
    photo = open_photo(drawn_dataset / "jpg" / "image_00003.jpg")
    seen = model_input(photo.pixels, BUNDLE.crop_rule)
    forward = Runtime(BUNDLE.path("int8.tflite")).forward(seen.pixels[None])
    label = int(forward.logits[0].argmax()) + 1
    explained = class_evidence(
        forward.features[0], BUNDLE.head()[0], label, box=seen.box, photo_size=(photo.width, photo.height)
    )
    heat = np.maximum(explained.heatmap(), 0)
    drawn = np.asarray(Image.open(drawn_dataset / "segmim" / "segmim_00003.jpg"), int)
    flower = np.abs(drawn - (0, 0, 254)).max(axis=-1) > 60
    left, top, right, bottom = (round(edge) for edge in seen.box)
    share = Localization(heat[flower].sum() / heat.sum(), flower[top:bottom, left:right].mean())
    assert f"**{percent(share.mass)}** of what speaks for {TAXONOMY[label].name} lies on the flower" in said(app)
    assert f"{share.ratio:.1f} times as much as if it were spread evenly. The segmentation is a program’s" in said(app)
    assert "download_data" not in said(app)
    app.query_params["photo"] = "4"
    run(app)
    assert "segmentation is empty here" in said(app)
    assert "spread evenly" not in said(app)


def test_sentences() -> None:
    assert share_sentence(Localization(0.84, 0.4), "rose").endswith(
        "on 40\xa0% of the area: 2.1 times as much as if it were spread evenly."
    )
    assert mean_sentence(None, "those") == ""
    assert mean_sentence(MeanLocalization(0.5, 0.5, 1), "those").startswith("On one of those, 50\xa0% of what spoke")
    assert mean_sentence(MeanLocalization(0.5, 0.5, 3), "those").startswith(
        "On average over 3 of those, 50\xa0% of what spoke"
    )


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalizationRecord:
    """A machine whose only model brings shares, drawn here, of all test photos but ten."""
    folder = tmp_path / "models" / SMALL.name
    folder.mkdir(parents=True)
    for path in SMALL.iterdir():
        if path.name == "bundle.json":
            (folder / path.name).write_bytes(path.read_bytes())
        else:
            (folder / path.name).symlink_to(path)
    found = load_predictions(SMALL / "test_predictions.npz", "int8")
    found = found.select(np.arange(len(found) - 10))
    rng = np.random.default_rng(0)
    heat, area = rng.uniform(0.4, 0.9, len(found)), rng.uniform(0.2, 0.6, len(found))
    # To the sixteenth, which comes back from the file as it was.
    heat, area = (np.round(values * 64) / 64 for values in (heat, area))
    record = LocalizationRecord(
        found.ids, found.labels, found.predicted, heat.astype(np.float32), area.astype(np.float32), 10
    )
    BundleWriter.open(folder).add_npz(LOCALIZATION_FILE, compressed=True, **record.arrays())
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(folder.parent))
    return record


@pytest.mark.slow
def test_every_class_and_confusion_has_its_mean(open_page: Open, measured: LocalizationRecord) -> None:
    pairs, counts = np.unique(
        np.stack([measured.labels, measured.predicted])[:, measured.labels != measured.predicted],
        axis=1,
        return_counts=True,
    )
    label, called = pairs[:, counts.argmax()].tolist()
    app = open_page("confusions", true=TAXONOMY[label].name)
    of_class = measured.labels == label
    heat, area = measured.mass[of_class].mean(), measured.area[of_class].mean()
    assert (
        f"On average over {of_class.sum()} of the test photos of {TAXONOMY[label].name}, {percent(heat)} of what spoke "
        f"for the model’s answer lay on the flower, on {percent(area)} of the area: {heat / area:.1f} times"
        in said(app)
    )
    tables = {column: table.value for table in app.dataframe for column in table.value if "on flower" in table.value}
    classes = tables["class"].set_index("number")
    assert classes.loc[label, "on flower"] == pytest.approx(100 * heat)
    assert classes.loc[label, "÷ area"] == pytest.approx(heat / area)
    of_pair = of_class & (measured.predicted == called)
    rows = tables["was called"].set_index(["is", "was called"])
    row = rows.loc[TAXONOMY[label].name, TAXONOMY[called].name]
    assert row["÷ area"] == pytest.approx(measured.mass[of_pair].mean() / measured.area[of_pair].mean())
    assert "Oxford’s segmentations are a program’s, not people’s" in said(app)
    assert "10 photos whose segmentation is empty are left out" in said(app)
    app.selectbox(key="called").select(called)
    run(app)
    assert f"{of_pair.sum()} of those that INT8 called {TAXONOMY[called].name}" in said(app)


@pytest.mark.slow
def test_models_says_it_of_all_photos_and_of_right_and_wrong_answers(
    open_page: Open, measured: LocalizationRecord
) -> None:
    app = open_page("models")
    right = measured.predicted == measured.labels
    ratios = [measured.mass[of].mean() / measured.area[of].mean() for of in (right, ~right)]
    assert (
        f"It is {ratios[0]:.1f} times on the {right.sum():,} that INT8 named rightly and {ratios[1]:.1f} times on the "
        f"{(~right).sum():,} that INT8 named wrongly." in said(app)
    )
    assert "How much of the evidence is on the flower" in [header.value for header in app.subheader]


@pytest.mark.slow
def test_segmentations_without_a_record_name_the_script(open_page: Open, drawn_dataset: Path) -> None:
    draw_segmentations(drawn_dataset)
    assert f"`flowers evaluate_localization {TESTED.name}` says" in said(open_page("confusions"))
