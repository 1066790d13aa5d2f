"""Bundles as one file: there and back, and archives that a stranger made to do harm."""

import hashlib
import io
import json
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.archive import ArchiveError, describe_origin, pack_bundle, unpack_bundle
from flowers_core.inference.bundle import BundleError, list_bundles, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.commands import Command
from flowers_core.inference.records.training import DataFingerprint, Training

MODEL = bytes(range(256)) * 40


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    rule = CropRule(64)
    writer = BundleWriter.create(tmp_path / "tiny", name="tiny", backbone="none", crop_rule=rule, classes=["a", "b"])
    writer.add_bytes("int8.tflite", MODEL)
    writer.add_json("history.json", {"loss": [1, 2]})
    pack_bundle(load_bundle(tmp_path / "tiny"), tmp_path / "tiny.zip")
    return tmp_path / "tiny.zip"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def manifest(name: str = "tiny", **files: bytes) -> bytes:
    """A manifest that vouches for files; `x_json` is called `x.json`."""
    entries = {
        key.replace("__", "/").replace("_", "."): {"bytes": len(held), "sha256": hashlib.sha256(held).hexdigest()}
        for key, held in files.items()
    }
    rule = {"size": 64}
    values = {"schema_version": 2, "name": name, "backbone": "none", "input": rule, "classes": ["a"], "files": entries}
    return json.dumps(values).encode()


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name, held in entries:
            opened.writestr(name, held)
    made.seek(0)
    return made


def test_there_and_back(packed: Path, models: Path) -> None:
    bundle = unpack_bundle(packed, models)
    assert bundle.folder == models / "tiny"
    assert {path.name for path in bundle.folder.iterdir()} == {"bundle.json", "int8.tflite", "history.json"}
    assert bundle.path("int8.tflite").read_bytes() == MODEL
    assert (models / "tiny" / "bundle.json").read_bytes() == (packed.parent / "tiny" / "bundle.json").read_bytes()
    assert [path.name for path in models.iterdir()] == ["tiny"]


def test_the_same_bundle_gives_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    pack_bundle(load_bundle(tmp_path / "tiny"), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_a_changed_bundle_is_not_packed(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny" / "int8.tflite").write_bytes(MODEL[::-1])
    before = packed.read_bytes()
    with pytest.raises(BundleError, match=r"int8\.tflite is damaged or was changed"):
        pack_bundle(load_bundle(tmp_path / "tiny"), packed)
    assert packed.read_bytes() == before


def test_a_bundle_is_replaced_only_when_told(packed: Path, models: Path) -> None:
    unpack_bundle(packed, models)
    (models / "tiny" / "note.txt").write_text("mine")
    with packed.open("rb") as upload, pytest.raises(ArchiveError, match=r"There is a model 'tiny' already"):
        unpack_bundle(upload, models)
    assert (models / "tiny" / "note.txt").exists()
    unpack_bundle(packed, models, override=True)
    assert not (models / "tiny" / "note.txt").exists()
    assert [path.name for path in models.iterdir()] == ["tiny"]


def test_a_folder_that_is_no_bundle_is_never_replaced(packed: Path, models: Path) -> None:
    (models / "tiny").mkdir(parents=True)
    (models / "tiny" / "diary.txt").write_text("mine")
    with pytest.raises(ArchiveError, match="is no bundle, so it is not replaced"):
        unpack_bundle(packed, models, override=True)
    assert (models / "tiny" / "diary.txt").read_text() == "mine"


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("int8.tflite")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


HOSTILE = {
    "above": (archive(("bundle.json", manifest()), ("../evil.json", b"{}")), "holds '../evil.json'"),
    "absolute": (archive(("bundle.json", manifest()), ("/tmp/evil.json", b"{}")), "holds '/tmp/evil.json'"),
    "backslash": (archive(("bundle.json", manifest()), ("..\\evil.json", b"{}")), "lie in no folder"),
    "drive": (archive(("bundle.json", manifest()), ("C:evil.json", b"{}")), "lie in no folder"),
    "folder": (archive(("bundle.json", manifest()), ("deep/", b"")), "a folder, link or device"),
    "in a folder": (archive(("bundle.json", manifest()), ("deep/x.json", b"{}")), "lie in no folder"),
    "hidden": (archive(("bundle.json", manifest()), (".x.json", b"{}")), "lie in no folder"),
    "link": (archive(("bundle.json", manifest()), (link(), b"/etc/passwd")), "a folder, link or device"),
    "case": (archive(("bundle.json", manifest(x_json=b"1")), ("x.json", b"1"), ("X.json", b"1")), "X.json twice"),
    "pickle": (archive(("bundle.json", manifest(x_pkl=b"1")), ("x.pkl", b"1")), "holds 'x.pkl'"),
    "not named": (archive(("bundle.json", manifest()), ("x.json", b"{}")), "holds x.json, which its bundle.json"),
    "absent": (archive(("bundle.json", manifest(x_json=b"1"))), "lacks x.json, which its bundle.json"),
    "no manifest": (archive(("x.json", b"{}")), "bundle.json is missing"),
    "no bundle": (archive(("bundle.json", b"[]")), "bundle.json does not describe a model"),
    "nested": (archive(("bundle.json", b"[" * 200_000)), "nested too deeply|not readable as JSON"),
    "name is a path": (archive(("bundle.json", manifest("../out"))), "'../out' cannot name a model"),
    "name is a dot": (archive(("bundle.json", manifest("."))), r"'\.' cannot name a model"),
    "file is a path": (archive(("bundle.json", manifest(a__x_json=b"1"))), "a file outside its folder: 'a/x.json'"),
    "other bytes": (
        archive(("bundle.json", manifest(x_json=b"1")), ("x.json", b"2")),
        "x.json is damaged or was",
    ),
    "longer": (
        archive(("bundle.json", manifest(x_json=b"1")), ("x.json", b"1" * 99)),
        "x.json is damaged or was",
    ),
    "shorter": (archive(("bundle.json", manifest(x_json=b"12")), ("x.json", b"1")), "x.json is damaged or was"),
    "many": (archive(*((f"{number}.json", b"") for number in range(65))), "holds 65 files"),
    "compression": (archive(("bundle.json", manifest()), method=zipfile.ZIP_LZMA), "another compression"),
    "no zip": (io.BytesIO(b"GIF89a"), "is damaged, or no packed bundle"),
    "empty": (io.BytesIO(), "is damaged, or no packed bundle"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_in_a_sentence(case: str, models: Path) -> None:
    made, message = HOSTILE[case]
    with pytest.raises(BundleError, match=message) as raised:
        unpack_bundle(made, models)
    assert str(raised.value).endswith(".")
    assert list(models.iterdir()) == []
    assert [path.name for path in models.parent.iterdir()] == ["models"]


def test_a_name_that_a_zero_byte_cuts_is_refused(models: Path) -> None:
    made = archive(("bundle.json", manifest(x_json=b"1")), ("x.json_.npz", b"1"))
    with pytest.raises(ArchiveError, match="lie in no folder"):
        unpack_bundle(io.BytesIO(made.getvalue().replace(b"x.json_", b"x.json\0")), models)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(models: Path) -> None:
    with pytest.raises(ArchiveError, match=r"holds x\.json twice"):
        unpack_bundle(archive(("bundle.json", manifest(x_json=b"1")), ("x.json", b"1"), ("x.json", b"2")), models)


def with_declared_size(made: io.BytesIO, name: bytes, size: int) -> io.BytesIO:
    """The archive with another size in its list of contents; what is packed stays."""
    content = bytearray(made.getvalue())
    at = content.rindex(name) - 46  # the fixed part of a record of the central directory
    assert content[at : at + 4] == b"PK\1\2"
    content[at + 24 : at + 28] = struct.pack("<I", size)
    return io.BytesIO(bytes(content))


def test_a_declared_zip_bomb_is_refused(models: Path) -> None:
    made = with_declared_size(archive(("bundle.json", manifest()), ("x.json", b"1")), b"x.json", 0xFFFF_0000)
    with pytest.raises(ArchiveError, match=r"says that it holds 4,295 MB"):
        unpack_bundle(made, models)


def test_a_zip_bomb_that_understates_its_size_is_refused(models: Path) -> None:
    """100 MB of zeros that are said to be the one byte which the manifest names."""
    made = with_declared_size(
        archive(("bundle.json", manifest(x_npz=b"\0")), ("x.npz", bytes(100_000_000))), b"x.npz", 1
    )
    with pytest.raises(ArchiveError, match="damaged"):
        unpack_bundle(made, models)
    assert list(models.iterdir()) == []


def test_damage_at_any_place_leaves_nothing_behind(packed: Path, models: Path) -> None:
    whole = packed.read_bytes()
    for at in range(0, len(whole), 97):
        changed = bytearray(whole)
        changed[at] ^= 0x55
        try:
            unpack_bundle(io.BytesIO(bytes(changed)), models)
        except BundleError:
            assert list(models.iterdir()) == []
        else:  # a byte that says nothing of the content, such as a time
            assert load_bundle(models / "tiny").path("int8.tflite").read_bytes() == MODEL
            unpack_bundle(packed, models, override=True)
            for path in (models / "tiny").iterdir():
                path.unlink()
            (models / "tiny").rmdir()


def test_a_half_unpacked_bundle_is_in_no_list(packed: Path, models: Path) -> None:
    """As a kill in the middle leaves it."""
    half = models / ".unpacking-x" / "new"
    half.mkdir(parents=True)
    (half / "bundle.json").write_bytes((packed.parent / "tiny" / "bundle.json").read_bytes())
    assert list_bundles(models) == []


def test_where_a_bundle_comes_from_is_a_sentence(packed: Path, models: Path) -> None:
    known = unpack_bundle(packed, models)
    assert describe_origin(known.manifest) == (
        "Made from data that it does not name, with versions that it does not name."
    )
    training = Training("a probe", ("train",), 20, Command("scripts.train"), versions={"keras": "3.15", "numpy": "2.4"})
    writer = BundleWriter.open(known.folder)
    writer.update(training=training, data=DataFingerprint("ab" * 32, 60))
    assert describe_origin(writer.manifest) == (
        "Made from 20 photos of the data set abababababab (60 photos), with keras 3.15, numpy 2.4."
    )
