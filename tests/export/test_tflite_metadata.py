"""Read back as a client reads it: the archive behind the model, and the flatbuffer slot by slot."""

import io
import zipfile

import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types as kinds
from flatbuffers.table import Table

from flowers_core.export.probabilities import with_probabilities
from flowers_core.export.tflite_metadata import NAME, ModelFacts, with_metadata

FACTS = ModelFacts("tulips", "Tells tulips.", "v7", "Ada", "CC0", ("white", "türkisch"))


@pytest.fixture(scope="module")
def file(content: bytes) -> bytes:
    return with_metadata(with_probabilities(content, 1.0), FACTS)


@pytest.fixture(scope="module")
def root(file: bytes) -> Table:
    model = schema.Model.GetRootAsModel(file, 0)
    entries = [model.Metadata(number) for number in range(model.MetadataLength())]
    (entry,) = [entry for entry in entries if entry.Name() == NAME.encode()]
    content = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    assert content[4:8] == b"M001"
    return Table(content, int.from_bytes(content[:4], "little"))


def place(table: Table, slot: int) -> int:
    offset = table.Offset(4 + 2 * slot)
    assert offset, f"slot {slot} is empty"
    return offset + table.Pos


def text(table: Table, slot: int) -> str:
    return table.String(place(table, slot)).decode()


def byte(table: Table, slot: int) -> int:
    return table.Get(kinds.Uint8Flags, place(table, slot))


def inner(table: Table, slot: int) -> Table:
    return Table(table.Bytes, table.Indirect(place(table, slot)))


def only(table: Table, slot: int) -> Table:
    offset = table.Offset(4 + 2 * slot)
    assert table.VectorLen(offset) == 1
    return Table(table.Bytes, table.Indirect(table.Vector(offset)))


def floats(table: Table, slot: int) -> list[float]:
    offset = table.Offset(4 + 2 * slot)
    start = table.Vector(offset)
    return [table.Get(kinds.Float32Flags, start + 4 * number) for number in range(table.VectorLen(offset))]


def test_the_labels_are_an_archive_behind_the_model(file: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.read("labels.txt").decode() == "white\ntürkisch\n"
        # MediaPipe maps the file and reads the labels where they lie.
        assert archive.getinfo("labels.txt").compress_type == zipfile.ZIP_STORED


def test_the_model_says_what_it_is(root: Table) -> None:
    assert [text(root, slot) for slot in (0, 1, 2, 4, 5, 7)] == [
        "tulips",
        "Tells tulips.",
        "v7",
        "Ada",
        "CC0",
        "1.0.0",
    ]


def test_it_takes_rgb_as_it_is(root: Table) -> None:
    photo = only(only(root, 3), 2)
    content = inner(photo, 3)
    assert byte(content, 0) == 2  # ImageProperties
    assert byte(inner(content, 1), 0) == 1  # RGB
    unit = only(photo, 4)
    assert byte(unit, 0) == 1  # NormalizationOptions
    assert (floats(inner(unit, 1), 0), floats(inner(unit, 1), 1)) == ([0], [1])
    assert (floats(inner(photo, 5), 0), floats(inner(photo, 5), 1)) == ([255], [0])


def test_its_output_has_the_labels(root: Table) -> None:
    probability = only(only(root, 3), 3)
    file = only(probability, 6)
    assert text(file, 0) == "labels.txt"
    assert byte(file, 2) == 2  # TENSOR_AXIS_LABELS
    assert (floats(inner(probability, 5), 0), floats(inner(probability, 5), 1)) == ([1], [0])


def test_the_same_facts_give_the_same_bytes(content: bytes, file: bytes) -> None:
    assert with_metadata(with_probabilities(content, 1.0), FACTS) == file
