"""*Confusions* for a test set of one's own, made by the script on drawn flowers."""

import csv
import json
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import recall_score
from streamlit.testing.v1 import AppTest

from app.confusions.class_report import class_table, pair_table
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.confusion_matrix import confusion_matrix
from flowers_core.evaluation.custom import CustomTestSetError, evaluate_folder, load_custom_test_set
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.evaluation.report import report
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import html, run
from tests.fixtures.drawn_flowers import draw_flower

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
TAXONOMY = load_taxonomy()
CLASSES = ("rose", "sunflower", "bee balm")


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of evaluations with one of seven photos called `meadow`."""
    root = tmp_path_factory.mktemp("own")
    for at, name in enumerate(CLASSES):
        folder = root / "meadow" / name
        folder.mkdir(parents=True)
        for number in range(3 if at else 1):
            draw_flower(2 * at, np.random.default_rng(number)).save(folder / f"{name[0]}{number}.png")
    evaluate_folder(BUNDLE, root / "meadow", root / "evaluations" / "meadow", left_out=pytest.fail)
    return root / "evaluations"


@pytest.fixture
def shown(evaluations: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOWERS_EVALUATIONS_DIR", str(evaluations))
    return evaluations / "meadow"


@pytest.fixture
def answers(evaluations: Path) -> dict[str, np.ndarray]:
    """Names of files, labels and what the model called them, read without the app's code."""
    with np.load(evaluations / "meadow" / "predictions.npz", allow_pickle=False) as record:
        called, labels = record["logits_int8"].argmax(axis=1) + 1, record["labels"]
    with (evaluations / "meadow" / "photos.csv").open(newline="") as handle:
        paths = [row["path"] for row in csv.DictReader(handle)]
    return {"labels": labels, "called": called, "paths": np.array(paths)}


@pytest.mark.slow
def test_an_address_opens_ones_own_photos(open_page: Open, shown: Path, answers: dict[str, np.ndarray]) -> None:
    app = open_page("confusions", photos="meadow", precision="int8")
    wrong = answers["called"] != answers["labels"]
    assert wrong.any()
    assert f"Of 7 of your own, meadow, {wrong.sum()} were given a wrong name" in html(app)
    mistaken = [unescape(card) for card in html(app).split('<p class="card">')[1:]]
    names = {Path(path).name for path in answers["paths"][wrong]}
    assert {name for name in names if any(name in card for card in mistaken)} == names
    assert len(mistaken) == len(app.image) == wrong.sum()  # the files themselves, though there is no data set here
    assert not any("test photos are not on this machine" in info.value for info in app.info)


@pytest.mark.slow
def test_a_class_of_ones_own_shows_its_mistakes(open_page: Open, shown: Path, answers: dict[str, np.ndarray]) -> None:
    label = next(taxon.label for taxon in TAXONOMY if taxon.name == "sunflower")
    wanted = answers["paths"][(answers["labels"] == label) & (answers["called"] != label)]
    app = open_page("confusions", photos="meadow", precision="int8", true="sunflower")
    assert len(app.image) == len(wanted) > 0
    for path in wanted:
        assert Path(path).name in html(app)


@pytest.mark.slow
def test_tables_are_of_the_classes_that_have_photos(
    open_page: Open, shown: Path, answers: dict[str, np.ndarray]
) -> None:
    app = open_page("confusions", photos="meadow", precision="int8", view="Classes")
    table = next(frame.value for frame in app.dataframe if "recall" in frame.value)
    assert set(table["class"]) == set(CLASSES)
    labels = sorted({int(label) for label in answers["labels"]})
    recall = recall_score(answers["labels"], answers["called"], labels=labels, average=None, zero_division=0)
    found = table.set_index("number")["recall"]
    np.testing.assert_allclose([found[label] for label in labels], 100 * recall)
    pairs = next(frame.value for frame in app.dataframe if "was called" in frame.value)
    assert pairs["photos"].sum() == (answers["called"] != answers["labels"]).sum()


@pytest.mark.slow
def test_the_matrix_has_the_classes_that_occur(open_page: Open, shown: Path, answers: dict[str, np.ndarray]) -> None:
    chart = json.loads(open_page("confusions", photos="meadow", precision="int8").get("vega_lite_chart")[0].proto.spec)
    domain = chart["layer"][0]["encoding"]["x"]["scale"]["domain"]
    occurring = {int(label) for label in (*answers["labels"], *answers["called"])}
    assert sorted(domain) == sorted(TAXONOMY[label].name for label in occurring)


@pytest.mark.slow
def test_the_official_split_stays_the_first_choice(open_page: Open, shown: Path) -> None:
    app = open_page("confusions")
    choice = app.selectbox(key="photos")
    assert choice.options == ["official test split", "meadow"]
    assert choice.value == "official test split"
    assert "test photos" in html(app)
    choice.set_value("meadow")
    assert "of your own, meadow" in html(run(app))
    other = open_page("confusions", bundle="efficientnet_lite0_small")
    assert not [box for box in other.selectbox if box.key == "photos"]


@pytest.mark.slow
def test_an_evaluation_that_is_gone_leaves_the_official_split(open_page: Open, shown: Path) -> None:
    assert open_page("confusions", photos="gone").selectbox(key="photos").value == "official test split"


@pytest.mark.slow
def test_answers_of_an_earlier_model_are_told(open_page: Open, shown: Path, tmp_path: Path) -> None:
    assert not open_page("confusions", photos="meadow").warning
    report_file = shown / "report.json"
    before = report_file.read_text()
    record = json.loads(before)
    record["models"] = dict.fromkeys(record["models"], "0" * 64)
    report_file.write_text(json.dumps(record))
    try:
        assert "earlier version" in open_page("confusions", photos="meadow").warning[0].value
    finally:
        report_file.write_text(before)


def test_photos_are_references_to_the_test_set(shown: Path) -> None:
    evaluation = load_custom_test_set(shown)
    found, plain = evaluation.predictions("int8"), load_predictions(shown / "predictions.npz", "int8")
    assert found.ids.tolist() == list(range(1, 8))
    np.testing.assert_array_equal(found.logits, plain.logits)
    assert evaluation.bundle == BUNDLE.name
    assert evaluation.precisions == BUNDLE.precisions
    for photo_id in found.ids.tolist():
        path = evaluation.path_of(photo_id)
        assert path is not None
        assert path.is_file()
        assert path.parent.name == TAXONOMY[int(found.labels[photo_id - 1])].name
    assert evaluation.path_of(8) is None
    assert (found.source, found.collection) == ("custom", "meadow")
    assert found.ref(3) == PhotoRef("custom", 3, "meadow")
    assert len(class_table(report(found), TAXONOMY)) == 102
    assert pair_table(confusion_matrix(found), TAXONOMY)["photos"].sum() == (found.predicted != found.labels).sum()


def test_a_folder_that_holds_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CustomTestSetError, match="holds no evaluation"):
        load_custom_test_set(tmp_path)
    (tmp_path / "report.json").write_text("[]")
    (tmp_path / "photos.csv").write_text("id,path\n1,a.png\n")
    with pytest.raises(CustomTestSetError, match="holds no evaluation"):
        load_custom_test_set(tmp_path)
