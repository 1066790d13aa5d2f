"""Rows that survive a kill, read back as a spreadsheet would."""

import csv
import os

from flowers_core.storage.table_lines import TableLines, escaped, read_table_lines

HEADER = ("path", "name")


def test_rows_are_on_disk_at_once_and_go_on_later(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with TableLines(path, HEADER) as table:
        table.add(("a, b.jpg", 'the "rose"'))
        assert path.read_bytes() == b'\xef\xbb\xbfpath,name\n"a, b.jpg","the ""rose"""\n'
    with TableLines(path, HEADER) as table:
        table.add(("ñ.jpg", "tulip"))
    assert path.read_bytes().count(b"\xef\xbb\xbf") == 1
    assert list(read_table_lines(path)) == [
        {"path": "a, b.jpg", "name": 'the "rose"'},
        {"path": "ñ.jpg", "name": "tulip"},
    ]
    with path.open(encoding="utf-8-sig", newline="") as handle:
        assert next(csv.reader(handle)) == list(HEADER)


def test_a_row_that_a_killed_run_began_is_cut_off(tmp_path):
    path = tmp_path / "table.csv"
    with TableLines(path, HEADER) as table:
        table.add(("a.jpg", "rose"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'"b.jp')
    assert [row["path"] for row in read_table_lines(path)] == ["a.jpg"]
    TableLines(path, HEADER).close()
    assert path.read_bytes() == whole
    path.write_bytes(whole[:5])  # within the header
    TableLines(path, HEADER).close()
    assert path.read_bytes() == whole[:13]


def test_a_name_that_is_no_text_is_escaped_alike_on_both_sides(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    path = tmp_path / "table.csv"
    with TableLines(path, HEADER) as table:
        table.add((name, "rose"))
    assert next(read_table_lines(path))["path"] == escaped(name) == r"caf\udce9.jpg"
    assert escaped("ñ.jpg") == "ñ.jpg"


def test_a_missing_file_has_no_rows(tmp_path):
    assert list(read_table_lines(tmp_path / "absent.csv")) == []
