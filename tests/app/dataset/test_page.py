import re
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.resources.dataset_download import dataset_download
from flowers_core.data.download import oxford as download
from flowers_core.data.download.oxford import DownloadError, Progress
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import DEFAULT_BUNDLE
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import html, run
from tests.fixtures.drawn_flowers import LABELS, draw_dataset, draw_flower

Open = Callable[..., AppTest]


def until_downloaded(app: AppTest, root: Path) -> None:
    """Draw the page until the download in the background has ended."""
    dataset_download(root).wait(60)
    run(app)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.slow
def test_counts_come_from_the_model_s_records_without_the_data(open_page: Open) -> None:
    app = open_page("dataset")
    with np.load(default_models_dir() / DEFAULT_BUNDLE / "gallery.npz", allow_pickle=False) as records:
        labels, splits = records["labels"], records["splits"]
    assert metrics(app) == {
        "Photos": "8,189",
        "Classes": "102",
        "Families": str(len({taxon.family for taxon in load_taxonomy()})),
        "Training": "1,020",
        "Validation": "1,020",
        "Test": "6,149",
    }
    assert "6 times as many test photos" in app.warning[0].value
    table = app.dataframe[0].value
    for label in (1, 51, 102):
        row = table[table["number"] == label].iloc[0]
        assert row["class"] == load_taxonomy()[label].name
        assert row["training"] == ((labels == label) & (splits == "train")).sum() == 10
        assert row["test"] == ((labels == label) & (splits == "test")).sum()


@pytest.mark.slow
def test_photos_of_a_class_by_split(open_page: Open) -> None:
    with np.load(default_models_dir() / DEFAULT_BUNDLE / "gallery.npz", allow_pickle=False) as records:
        ids, labels, splits = records["ids"], records["labels"], records["splits"]
    app = open_page("dataset", **{"class": "rose", "split": "training"})
    wanted = ", ".join(map(str, ids[(labels == 74) & (splits == "train")]))
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html(app)) == [("training", wanted)]
    assert "own picture of rose, not a photo" in html(app)


@pytest.mark.slow
def test_photos_are_shown_when_they_are_there(open_page: Open, drawn_dataset: Path) -> None:
    app = open_page("dataset", **{"class": load_taxonomy()[LABELS[1]].name})
    assert metrics(app)["Photos"] == "72"
    assert len(app.image) == 12
    assert not any(button.label == "Download the photos" for button in app.button)


@pytest.mark.slow
def test_nothing_at_all_is_a_sentence(open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    app = open_page("dataset")
    assert "nothing to count" in app.info[0].value
    assert app.button(key="download-dataset")


@pytest.mark.slow
def test_a_malformed_data_set_is_a_sentence(open_page: Open, drawn_dataset: Path) -> None:
    (drawn_dataset / "setid.mat").write_bytes(b"not MATLAB")
    app = open_page("dataset")
    assert "setid.mat" in app.error[0].value
    assert metrics(app)["Photos"] == "8,189"


@pytest.mark.slow
def test_download_starts_on_a_click_and_shows_the_photos(
    open_page: Open, no_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fake(root: Path, progress: Callable[[Progress], None]) -> bool:
        asked.append(root)
        progress(Progress("fetching", "102flowers.tgz", 1, 2))
        draw_dataset(root)
        return True

    monkeypatch.setattr(download, "download_dataset", fake)
    app = open_page("dataset")
    assert not asked, "never on its own"
    app.button(key="download-dataset").click()
    until_downloaded(run(app), no_dataset)
    assert asked == [no_dataset]
    assert metrics(app)["Photos"] == "72"


@pytest.mark.slow
def test_a_failed_download_is_a_sentence(open_page: Open, no_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(root: Path, progress: Callable[[Progress], None]) -> bool:
        raise DownloadError("The server cannot be reached.")

    monkeypatch.setattr(download, "download_dataset", fake)
    app = open_page("dataset")
    app.button(key="download-dataset").click()
    until_downloaded(run(app), no_dataset)
    assert [error.value for error in app.error] == ["The server cannot be reached."]
    assert app.button(key="download-dataset")


@pytest.mark.slow
def test_a_download_is_seen_by_all_stopped_by_anyone_and_shows_photos_as_they_come(
    open_page: Open, no_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    with np.load(default_models_dir() / DEFAULT_BUNDLE / "gallery.npz", allow_pickle=False) as records:
        first = int(records["ids"][records["labels"] == 74][0])

    def fake(root: Path, progress: Callable[[Progress], None]) -> bool:
        place = download.arriving_photo(root, first)
        place.parent.mkdir(parents=True)
        draw_flower(0, np.random.default_rng(0)).save(place)
        progress(Progress("unpacking", "102flowers.tgz", 1, 8189))
        begun.set()
        assert go_on.wait(60)
        progress(Progress("unpacking", "102flowers.tgz", 2, 8189))
        return True

    monkeypatch.setattr(download, "download_dataset", fake)
    app = open_page("dataset", **{"class": "rose"})
    assert not app.image
    app.button(key="download-dataset").click()
    run(app)
    assert begun.wait(60)
    other = open_page("dataset", **{"class": "rose"})
    assert len(other.image) == 1
    assert not any(button.label == "Download the photos" for button in other.button)
    other.button(key="stop-download-dataset").click()
    run(other)
    go_on.set()
    until_downloaded(app, no_dataset)
    assert app.button(key="download-dataset")
    assert not app.error


@pytest.mark.slow
def test_photos_of_one_s_own_in_folders(open_page: Open, no_dataset: Path) -> None:
    generator = np.random.default_rng(0)
    for look, name in enumerate(("poppy", "sunflower")):
        (no_dataset / name).mkdir(parents=True)
        for number in range(5):
            draw_flower(look, generator).save(no_dataset / name / f"{number}.png")
    (no_dataset / "taxonomy.csv").write_text("name,family\npoppy,Papaveraceae\nsunflower,Asteraceae\n")
    app = open_page("dataset")
    assert metrics(app) == {
        "Photos": "10",
        "Classes": "2",
        "Families": "2",
        "Training": "6",
        "Validation": "2",
        "Test": "2",
    }
    assert "Photos of your own" in html(app)
    assert "Oxford" not in html(app)
    assert len(app.image) == 5
