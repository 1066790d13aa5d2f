import csv
import json
from pathlib import Path

import pytest

from flowers_core.evaluation.custom import PHOTOS_FILE, REPORT_FILE, evaluation_folder


def evaluated(photos: Path, bundle: str) -> Path:
    """What of an evaluation says which folder it is of."""
    folder = evaluation_folder(photos, bundle)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT_FILE).write_text(json.dumps({"bundle": bundle, "folder": str(photos.resolve())}))
    with (folder / PHOTOS_FILE).open("w", newline="") as handle:
        csv.writer(handle).writerows([["id", "path"], [1, "rose/a.jpg"]])
    return folder


def test_two_folders_of_one_name_are_both_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWERS_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    one, two = tmp_path / "one" / "test", tmp_path / "two" / "test"
    assert evaluated(one, "seer").name == "test-seer"
    assert evaluated(two, "seer").name == "test-seer-2"
    assert evaluated(one, "other").name == "test-other"
    # Each again: the same place.
    assert evaluated(two, "seer").name == "test-seer-2"
    assert evaluated(one, "seer").name == "test-seer"
    # One that cannot be read is nobody's to replace; one that was never finished is.
    (tmp_path / "evaluations" / "test-seer" / REPORT_FILE).write_text("{")
    assert evaluation_folder(one, "seer").name == "test-seer-3"
    (tmp_path / "evaluations" / "test-seer" / REPORT_FILE).unlink()
    assert evaluation_folder(one, "seer").name == "test-seer"
