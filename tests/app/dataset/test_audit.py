"""The state of the data on the page, from a record written here."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.dataset.audit import label_issues_table, near_duplicates_table, summary
from flowers_core.data.audit.label_issues import LabelIssue
from flowers_core.data.audit.near_duplicates import NearDuplicate
from flowers_core.data.audit.outliers import Outlier
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from tests.app.conftest import html, run
from tests.fixtures.manifests import linked_copy
from tests.fixtures.shipped import DEFAULT, TESTED

Open = Callable[..., AppTest]
SHIPPED = TESTED
TAXONOMY = load_taxonomy()


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))


@pytest.fixture(scope="module")
def record(gallery: Gallery) -> AuditRecord:
    by_split = {split: gallery.ids[gallery.splits == split].tolist() for split in ("train", "validation", "test")}
    train, test = by_split["train"], by_split["test"]
    labels = dict(zip(gallery.ids.tolist(), gallery.labels.tolist(), strict=True))
    return AuditRecord(
        photos=len(gallery),
        fingerprint="",
        model="seer",
        near_duplicates=(
            NearDuplicate(train[0], test[0], 0, False, 1.0, True),
            NearDuplicate(test[1], test[2], 6, True, 0.91, False),
        ),
        judged_splits=("validation", "test"),
        label_issues=(
            LabelIssue(test[5], labels[test[5]], 74, 0.01, -0.98),
            LabelIssue(test[9], labels[test[9]], 54, 0.2, -0.5),
        ),
        outliers=(Outlier(test[3], "blurred", 5.1), *(Outlier(photo, "dark", 0.2) for photo in test[20:45])),
    )


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: AuditRecord) -> Path:
    folder = linked_copy(SHIPPED, tmp_path / "models" / SHIPPED.name, without=(AUDIT_FILE,))
    BundleWriter.open(folder).add_json(AUDIT_FILE, record.to_json())
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(folder.parent))
    return folder


def _photos(app: AppTest) -> list[int]:
    return [int(found) for found in re.findall(r"<span>photo</span><b>(\d+)</b>", html(app))]


@pytest.mark.slow
def test_the_findings_have_an_address_and_show_their_photos(
    open_page: Open, audited: Path, record: AuditRecord, gallery: Gallery
) -> None:
    app = open_page("dataset", show="State of the data")
    assert any("**2** pairs show one picture, 1 of them byte for byte; **1** pairs" in m.value for m in app.markdown)
    suspect = record.label_issues[0].photo_id
    alike = [n.photo_id for n in gallery.search(gallery.vector(suspect), 5, splits={"train"}, exclude={suspect})]
    first, odd = record.near_duplicates[0], record.outliers_of("blurred")[0]
    assert _photos(app) == [first.first, first.second, suspect, *alike, odd.photo_id]
    app.segmented_control(key="odd").set_value("dark")
    assert _photos(run(app))[-18:] == [photo.photo_id for photo in record.outliers_of("dark")][:18]
    assert any("**25** photos, the most so first" in m.value for m in app.markdown)
    app.pagination(key="outliers-page").select(2)
    assert _photos(run(app))[-7:] == [photo.photo_id for photo in record.outliers_of("dark")][18:]
    sizes = np.bincount(gallery.labels)[1:]
    assert any(
        f"Classes have {sizes.min()} (" in m.value and f" to {sizes.max()} photos (" in m.value for m in app.markdown
    )


@pytest.mark.slow
def test_pairs_across_splits_and_under_two_labels(
    open_page: Open, audited: Path, record: AuditRecord, gallery: Gallery
) -> None:
    app = open_page("dataset", show="State of the data", copies="Across splits")
    table = next(frame.value for frame in app.dataframe if "same file" in frame.value)
    assert table[["one", "other"]].values.tolist() == [
        [record.near_duplicates[0].first, record.near_duplicates[0].second]
    ]
    label = dict(zip(gallery.ids.tolist(), gallery.labels.tolist(), strict=True))
    app.segmented_control(key="copies").set_value("labels")
    two = [[pair.first, pair.second] for pair in record.near_duplicates if label[pair.first] != label[pair.second]]
    shown = [frame.value for frame in run(app).dataframe if "same file" in frame.value]
    assert [frame[["one", "other"]].values.tolist() for frame in shown] == ([two] if two else [])
    # The figures with and without them are beside the pairs.
    figures = next(frame.value for frame in app.dataframe if "test photos" in frame.value)
    test = SHIPPED.metrics["int8"]["test"]
    rows = figures[(figures["model"] == SHIPPED.name) & (figures["precision"] == "int8")].set_index("test photos")
    assert (rows["photos"]["all"], rows["photos"]["without copies"]) == (test.photos, test.without_duplicates.photos)


def test_tables_hold_the_record(record: AuditRecord, gallery: Gallery) -> None:
    known = dict(
        zip(gallery.ids.tolist(), zip(gallery.labels.tolist(), gallery.splits.tolist(), strict=True), strict=True)
    )
    copies = near_duplicates_table(record, known, TAXONOMY)
    assert copies[["one", "other"]].values.tolist() == [[pair.first, pair.second] for pair in record.near_duplicates]
    assert copies["splits"].tolist() == ["training, test", "test, test"]
    suspects = label_issues_table(record, known, TAXONOMY)
    assert suspects["photo"].tolist() == [photo.photo_id for photo in record.label_issues]
    assert suspects["looks like"].tolist() == ["rose", "sunflower"]
    # A suspect that taught mistakes rises, and one that the model did not learn from comes last.
    last = record.label_issues[-1].photo_id
    risen = label_issues_table(record, known, TAXONOMY, {last: 1.5, 8000: 9.0})
    assert risen["photo"].tolist()[0] == last
    assert risen["mistakes taught"].tolist()[0] == 1.5
    assert "mistakes taught" not in label_issues_table(record, known, TAXONOMY, {8000: 9.0})
    few = {record.near_duplicates[0].first: (1, "train")}
    assert near_duplicates_table(record, few, TAXONOMY).empty
    assert label_issues_table(record, few, TAXONOMY).empty
    ids, splits = np.array([record.near_duplicates[0].first]), np.array(["train"])
    assert "**0** pairs show one picture" in summary(record, ids, splits)


@pytest.mark.slow
def test_without_an_audit_the_page_says_how_to_get_one(open_page: Open, audited: Path) -> None:
    BundleWriter.open(audited).remove_file(AUDIT_FILE)
    linked_copy(DEFAULT, audited.parent / DEFAULT.name)  # it has learnt every label, and judges none
    app = open_page("dataset", show="State of the data")
    assert any(f"`flowers audit_data exploration --bundle {TESTED.name}`" in info.value for info in app.info)


@pytest.mark.slow
def test_a_damaged_audit_counts_as_none(open_page: Open, audited: Path) -> None:
    BundleWriter.open(audited).add_bytes(AUDIT_FILE, b"{}")
    app = open_page("dataset", show="State of the data")
    assert any("flowers audit_data" in info.value for info in app.info)
