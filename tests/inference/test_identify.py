"""Photos on disk named one after the other: the same answers as one by one, in order, whatever is broken."""

import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import Looks, open_answerer
from flowers_core.inference.bundle import Bundle, BundleError, Calibration, load_bundle
from flowers_core.inference.confidence_head import confidence_head
from flowers_core.inference.identify import (
    Identified,
    as_json,
    as_row,
    as_sentence,
    identified_before,
    identify,
    photos_below,
    table_header,
)
from flowers_core.inference.prediction import predict
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.drawn_flowers import draw_flower

BUNDLE = load_bundle(default_models_dir() / "efficientnet_lite0_small")
TAXONOMY = load_taxonomy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photos in a tree, one of them broken, and what is no photo or hidden."""
    root = tmp_path_factory.mktemp("tree")
    (root / "b" / "c").mkdir(parents=True)
    (root / ".cache").mkdir()
    for number, name in enumerate(("b/c/two.png", "b/one.JPG", "z.png", "a.png")):
        draw_flower(number, np.random.default_rng(number)).save(root / name)
    (root / "b" / "broken.jpg").write_bytes(b"no photo")
    (root / "notes.txt").write_text("no photo")
    shutil.copy(root / "a.png", root / ".hidden.png")
    shutil.copy(root / "a.png", root / ".cache" / "a.png")
    return root


def test_folders_are_walked_by_name_and_files_are_taken_as_they_are(folder: Path) -> None:
    found = [path.relative_to(folder).as_posix() for path in photos_below([folder / "b", folder / "notes.txt", folder])]
    below = ["b/broken.jpg", "b/one.JPG", "b/c/two.png"]
    assert found == [*below, "notes.txt", "a.png", "z.png", *below]
    with pytest.raises(PhotoFolderError, match=r"no photo and no folder .*absent"):
        list(photos_below([folder, folder / "absent"]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "has_confidence"), [("efficientnet_lite0_small", True), ("inception_v3", False)])
def test_each_photo_gets_the_answer_that_it_gets_alone(folder: Path, name: str, has_confidence: bool) -> None:
    bundle = load_bundle(default_models_dir() / name)
    assert bundle.calibration is not None
    head = confidence_head(bundle)
    assert (head is not None) == has_confidence
    answerer = open_answerer(bundle, Runtime(bundle.path("int8.tflite"), workers=1))
    paths = list(photos_below([folder]))
    for workers in (1, 3):
        found = list(identify(bundle, paths, workers=workers))
        assert [one.path for one in found] == paths
        for one in found:
            if one.path.name == "broken.jpg":
                assert one.prediction is None
                assert one.complaint.startswith(f"{one.path}: ")
                assert one.complaint.count("broken.jpg") == 1
                continue
            alone = answerer.answer(open_photo(one.path).pixels)
            assert one.prediction is not None
            np.testing.assert_array_equal(one.prediction.probabilities, alone.prediction.probabilities)
            assert one.looks == alone.looks


@pytest.mark.slow
def test_no_more_photos_are_under_way_than_the_workers_need(folder: Path) -> None:
    drawn = 0

    def endless() -> Iterator[Path]:
        nonlocal drawn
        while True:
            drawn += 1
            yield folder / "a.png"

    found = identify(BUNDLE, endless(), workers=2)
    for count in range(1, 8):
        next(found)
        assert drawn <= count + 2 * 2 + 1
    assert isinstance(found, Generator)
    found.close()


def test_a_model_without_calibration_names_nothing() -> None:
    uncalibrated = Bundle(BUNDLE.folder, replace(BUNDLE.manifest, calibration=None))
    with pytest.raises(BundleError, match="is not calibrated yet"):
        identify(uncalibrated, [])


def answer(path: str, *logits: float) -> Identified:
    """A photo of which the first classes have these logits at temperature 1, and no other counts."""
    values = np.full(len(TAXONOMY), -50.0)
    values[: len(logits)] = logits
    return Identified(Path(path), predict(values, Calibration(1.0, 0.98, 0.8, 0.9), TAXONOMY))


def test_a_photo_in_words_as_a_row_and_as_plain_values() -> None:
    first, second = TAXONOMY[1].name, TAXONOMY[2].name
    # Logits ln 3 and 0: probabilities 3/4 and 1/4. Both are in the conformal set (1 − 1/4 ≤ 0.8), together above 0.9.
    both = answer("x/y.jpg", np.log(3), 0.0)
    assert as_sentence(both, TAXONOMY) == f"x/y.jpg: {first} 75% or {second} 25%"
    assert as_sentence(answer("y.jpg", 9.0), TAXONOMY) == f"y.jpg: {first} 100%"
    # Six alike, 1/6 each: none is within 0.8, so the model does not know.
    assert as_sentence(answer("y.jpg", *[0.0] * 6), TAXONOMY) == f"y.jpg: not sure, perhaps {first} 17%"
    # 17/20 and 3/20: alone in the set, below 0.9, but more than a guess; not where the whole photo looks strange.
    likely = answer("y.jpg", np.log(17 / 3), 0.0)
    assert as_sentence(likely, TAXONOMY) == f"y.jpg: probably {first} 85%"
    assert as_row(likely, TAXONOMY, "tiny")[1] == as_json(likely, TAXONOMY, "tiny")["verdict"] == "likely"
    assert likely.prediction is not None
    strange = replace(likely, prediction=replace(likely.prediction, strange=True))
    assert as_sentence(strange, TAXONOMY) == f"y.jpg: not sure, perhaps {first} 85%"
    row = dict(zip(table_header(), as_row(both, TAXONOMY, "tiny"), strict=True))
    assert row["path"] == str(Path("x/y.jpg"))
    assert (row["verdict"], row["name"], row["probability"]) == ("between", first, "0.7500")
    assert row["model"] == "tiny"
    assert (row["name_2"], row["probability_2"]) == (second, "0.2500")
    line = as_json(both, TAXONOMY, "tiny")
    assert (line["model"], line["verdict"], len(line["names"])) == ("tiny", "between", 5)
    assert line["names"][0] == {
        "label": 1,
        "name": first,
        "scientific_name": TAXONOMY[1].scientific_name,
        "probability": 0.75,
    }
    assert "crops" not in line
    looked = replace(both, looks=Looks(26, 4, (1, 2, 30, 31), 0.9))
    line = as_json(looked, TAXONOMY, "tiny")
    assert (line["crops"], line["decided_by"]) == (26, [1, 2, 30, 31])
    with pytest.raises(ValueError, match="was not read"):
        as_row(Identified(Path("x"), None, PhotoError("x: empty")), TAXONOMY, "tiny")


def test_a_run_goes_on_only_with_the_model_that_began_it() -> None:
    lines = [as_json(answer("a.jpg", 3.0), TAXONOMY, "one"), {"other": 1}, 7]
    assert identified_before(lines, "one") == {"a.jpg"}
    with pytest.raises(BundleError, match="named by 'one', not by 'two'"):
        identified_before(lines, "two")
