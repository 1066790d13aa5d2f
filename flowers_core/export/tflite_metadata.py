"""What a TFLite file says about itself: what it takes and gives, and the names of its classes.

MediaPipe Tasks, LiteRT's task libraries and model viewers read this. The facts are a flatbuffer of TFLite's metadata
schema among the model's metadata; the list of names is a zip behind the end of the model, not compressed, so that the
file is a model and an archive at once.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers

from flowers_core.export.tflite_graph import TFLiteGraph

NAME, FILE_IDENTIFIER = "TFLITE_METADATA", b"M001"
LABELS_FILE = "labels.txt"
# Of TFLite's metadata schema: members of unions and enumerations, and the slots of a table's fields below.
_NORMALIZATION, _IMAGE, _FEATURE = 1, 2, 1
_RGB, _AXIS_LABELS = 1, 2
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ModelFacts:
    """What an exported file says about itself.

    Attributes:
        name: of the model.
        description: sentences for a person.
        version: of the model, such as the beginning of its digest.
        author, license: who made it, and on what terms it may be used.
        labels: names of the classes, in the order of the output.
    """

    name: str
    description: str
    version: str
    author: str
    license: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class _Byte:
    """A field of one byte, such as the member of an enumeration."""

    value: int


@dataclass(frozen=True)
class _Floats:
    """A field that is a vector of float32."""

    values: tuple[float, ...]


# A table by the slots of its fields; strings, tables, lists of tables, bytes and floats are told by their type.
_Table = Mapping[int, Any]


def with_metadata(graph: TFLiteGraph, facts: ModelFacts) -> bytes:
    """A graph with one photo for input and one vector of scores for output → a TFLite file that says so.

    Args:
        graph: changed by this.
        facts: what the file says.
    """
    graph.add_metadata(NAME, _flatbuffer(_model(facts)))
    whole = io.BytesIO(graph.to_bytes())
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(LABELS_FILE, _NO_TIME), "\n".join(facts.labels) + "\n")
    return whole.getvalue()


def _model(facts: ModelFacts) -> _Table:
    photo = {
        0: "photo",
        1: "The middle square of a photo, uint8 sRGB. The model scales the values itself.",
        3: {0: _Byte(_IMAGE), 1: {0: _Byte(_RGB)}},
        # The values go in as they are.
        4: [{0: _Byte(_NORMALIZATION), 1: {0: _Floats((0.0,)), 1: _Floats((1.0,))}}],
        5: {0: _Floats((255.0,)), 1: _Floats((0.0,))},
    }
    probabilities = {
        0: "probability",
        1: "The calibrated probability of each class; together they are 1.",
        3: {0: _Byte(_FEATURE), 1: {}},
        5: {0: _Floats((1.0,)), 1: _Floats((0.0,))},
        6: [{0: LABELS_FILE, 1: "The names of the classes, one a line.", 2: _Byte(_AXIS_LABELS)}],
    }
    graph = {2: [photo], 3: [probabilities]}
    return {
        0: facts.name,
        1: facts.description,
        2: facts.version,
        3: [graph],
        4: facts.author,
        5: facts.license,
        7: "1.0.0",
    }


def _flatbuffer(table: _Table) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(_write(builder, table), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _write(builder: flatbuffers.Builder, table: _Table) -> int:
    """Write a table behind all that it points to, and give its place. A union is two fields, its type the first."""
    places = {slot: _place(builder, value) for slot, value in table.items() if not isinstance(value, _Byte)}
    builder.StartObject(max(table, default=-1) + 1)
    for slot, value in table.items():
        if isinstance(value, _Byte):
            builder.PrependByteSlot(slot, value.value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, places[slot], 0)
    return builder.EndObject()


def _place(builder: flatbuffers.Builder, value: str | _Table | Sequence[_Table] | _Floats) -> int:
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, Mapping):
        return _write(builder, value)
    if isinstance(value, _Floats):
        builder.StartVector(4, len(value.values), 4)
        for number in reversed(value.values):
            builder.PrependFloat32(number)
        return builder.EndVector()
    places = [_write(builder, table) for table in value]
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return builder.EndVector()
