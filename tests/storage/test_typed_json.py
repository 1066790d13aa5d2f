import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from flowers_core.errors import FlowersError
from flowers_core.storage.typed_json import JsonValueError, from_json, parse_json, read_json, read_record, to_json


@dataclass(frozen=True)
class Petal:
    length: float
    colour: str = "white"

    def __post_init__(self) -> None:
        if self.length <= 0:
            raise ValueError("a petal has a length")


class PetalError(FlowersError):
    """The error of a kind of record."""


@dataclass(frozen=True)
class Flower:
    name: str
    petals: tuple[Petal, ...]
    count: int | None = None
    fragrant: bool = False
    origin: Literal["wild", "bred"] = "wild"
    heights: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    rest: Any = None


ROSE = Flower(
    "rose",
    (Petal(2.5, "red"), Petal(3.0)),
    origin="bred",
    heights={"lowest": 1.0},
    options={"a": 1, "b": 0.5, "c": True, "d": "x"},
    rest={"kept": [1, None, "as it is"]},
)


def test_a_record_comes_back_as_it_was() -> None:
    stored = json.loads(json.dumps(to_json(ROSE)))
    assert stored == {
        "name": "rose",
        "petals": [{"length": 2.5, "colour": "red"}, {"length": 3.0}],
        "origin": "bred",
        "heights": {"lowest": 1.0},
        "options": {"a": 1, "b": 0.5, "c": True, "d": "x"},
        "rest": {"kept": [1, None, "as it is"]},
    }
    back = from_json(Flower, stored)
    assert back == ROSE
    assert [type(value) for value in back.options.values()] == [int, float, bool, str]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"count": "three"}, "count should be a whole number, not 'three'."),
        ({"origin": "found"}, "origin should be one of 'wild', 'bred', not 'found'."),
        ({"count": True}, "count should be a whole number, not True."),
        ({"fragrant": 1}, "fragrant should be true or false, not 1."),
        ({"petals": {}}, "petals should be a list, not {}."),
        ({"petals": [{"length": 1.0}, {}]}, "petals.1 lacks length."),
        ({"petals": [{"length": -1.0}]}, "petals.0 is malformed: a petal has a length"),
        ({"heights": {"lowest": None}}, "heights.lowest should be a number, not None."),
        ({"heights": {"lowest": float("inf")}}, "heights.lowest is inf: JSON holds finite numbers only."),
        ({"rest": {"deep": [float("nan")]}}, "rest.deep.0 is nan: JSON holds finite numbers only."),
        ({"options": {"e": []}}, "options.e should be true or false or a whole number or a number or text, not []."),
        ({"thorns": 3}, "thorns is no key that this version knows."),
    ],
)
def test_what_does_not_fit_is_told_by_its_key(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(JsonValueError) as refused:
        from_json(Flower, to_json(ROSE) | changed)
    assert str(refused.value) == sentence


def test_whole_numbers_are_numbers_and_unknown_keys_can_be_dropped() -> None:
    assert from_json(Petal, {"length": 2, "smell": "sweet"}, strict=False) == Petal(2.0)
    with pytest.raises(JsonValueError, match=r"^It should be an object, not \[\]\.$"):
        from_json(Petal, [])


def test_nothing_that_json_has_no_form_for_is_written() -> None:
    with pytest.raises(JsonValueError, match=r"petals\.0\.length is nan"):
        to_json(Flower("odd", (Petal(float("nan")),)))
    with pytest.raises(JsonValueError, match="rest is a set"):
        to_json(Flower("odd", (), rest={1}))


def test_json_without_infinities_is_read(tmp_path: Path) -> None:
    assert parse_json('{"a": [1.5]}') == {"a": [1.5]}
    with pytest.raises(ValueError, match="Infinity"):
        parse_json("[Infinity]")
    with pytest.raises(JsonValueError, match=r"none\.json is not readable as JSON"):
        read_json(tmp_path / "none.json")


def test_a_record_is_read_by_its_former_names_too(tmp_path: Path) -> None:
    file = tmp_path / "petal.json"
    file.write_text('{"length": 2.5, "shade": "red"}')
    assert read_record(Petal, file, "petals", PetalError, {"shade": "colour"}) == Petal(2.5, "red")


@pytest.mark.parametrize("text", [None, "{", '{"colour": "red"}'])
def test_what_is_no_record_is_refused_by_the_error_of_its_kind(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "petal.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(PetalError, match=r"petal\.json is no record of petals: "):
        read_record(Petal, file, "petals", PetalError)
