"""`flowers identify` as a person calls it: a table, lines that survive a kill, broken files, odd names."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.inference.bundle import BundleError
from scripts import identify
from tests.fixtures.drawn_flowers import draw_flower


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a", "b", "ñandú", "d")):
        draw_flower(number, np.random.default_rng(number)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """The photos that are named, call by call."""
    found: list[list[Path]] = []
    every = identify.identify

    def asking(bundle, paths, **options):
        found.append([*paths])
        return every(bundle, found[-1], **options)

    monkeypatch.setattr(identify, "identify", asking)
    return found


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch):
    def call(*words: object) -> None:
        given = ["--bundle", "efficientnet_lite0_small", *map(str, words)]
        monkeypatch.setattr(sys, "argv", ["flowers identify", *given])
        identify.main()

    return call


@pytest.mark.slow
def test_a_table_for_a_spreadsheet(call, photos: Path, tmp_path: Path, capsys) -> None:
    (photos / "c.png").write_bytes(b"")
    table = tmp_path / "out" / "flowers.csv"
    with pytest.raises(SystemExit, match="1 of 5 photos could not be read"):
        call(photos, "--csv", table)
    said = capsys.readouterr()
    assert said.out == ""
    assert f"Left out: {photos / 'c.png'}: This file is empty." in said.err
    assert table.read_bytes().startswith(b"\xef\xbb\xbfpath,verdict,name,probability,")
    with table.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [Path(row["path"]).name for row in rows] == ["a.png", "b.png", "d.png", "ñandú.png"]
    for row in rows:
        assert float(row["probability"]) >= float(row["probability_2"]) >= float(row["probability_3"])
    with pytest.raises(SystemExit, match="2"):
        call(photos, "--csv", table)
    assert "is there already: add --resume to go on with it" in capsys.readouterr().err


@pytest.mark.slow
def test_lines_go_on_where_a_killed_run_left_them(call, photos: Path, tmp_path: Path, asked, capsys) -> None:
    lines = tmp_path / "flowers.jsonl"
    call(photos, "--jsonl", lines)
    whole = lines.read_text(encoding="utf-8").splitlines()
    assert len(whole) == 4
    lines.write_text("\n".join(whole[:2]) + "\n" + whole[2][:30], encoding="utf-8")  # killed while it wrote the third
    with pytest.raises(SystemExit, match="2"):
        call(photos, "--jsonl", lines)
    assert "add --resume to go on with it" in capsys.readouterr().err
    call(photos, "--jsonl", lines, "--resume")
    assert [path.name for path in asked[-1]] == ["d.png", "ñandú.png"]
    assert lines.read_text(encoding="utf-8").splitlines() == whole
    call(photos, "--jsonl", lines, "--resume")  # nothing is left to do
    assert [json.loads(line)["path"] for line in whole] == sorted(str(path) for path in photos.iterdir())


@pytest.mark.slow
def test_a_table_goes_on_where_a_killed_run_left_it(call, photos: Path, tmp_path: Path, asked) -> None:
    table = tmp_path / "flowers.csv"
    odd = photos / os.fsdecode(b'caf\xe9, "one".png')  # quoted and escaped in the table
    (photos / "a.png").rename(odd)
    call(photos, "--csv", table)
    whole = table.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 5
    table.write_bytes(b"".join(lines[:3]) + lines[3][:20])  # killed while it wrote the third
    call(photos, "--csv", table, "--resume")
    assert len(asked[-1]) == 2
    assert table.read_bytes() == whole
    with pytest.raises(BundleError, match="named by 'efficientnet_lite0_small', not by 'inception_v3'"):
        call(photos, "--csv", table, "--resume", "--bundle", "inception_v3")


def test_without_a_file_each_photo_is_a_line_to_read(call, photos: Path, tmp_path: Path, capsys) -> None:
    call(photos / "a.png", photos / "b.png")
    said = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in said] == [str(photos / "a.png"), str(photos / "b.png")]
    assert all(line.endswith("%") for line in said)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotoFolderError, match="There are no photos in"):
        call(tmp_path / "empty")
    with pytest.raises(SystemExit, match="2"):
        call(photos, "--resume")
    assert "--resume goes with --csv or --jsonl" in capsys.readouterr().err
