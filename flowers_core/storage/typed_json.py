"""Frozen dataclasses as JSON values and back, checked field by field.

Only the dataclass spells a record's keys and types. The reader refuses a value that does not fit, with a sentence that
names the key. Numbers that are not finite are neither read nor written. These are some hundred lines of our own because
a library's messages name Python types and not what a person can mend.
"""

import dataclasses
import functools
import json
import math
import types
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from flowers_core.errors import FlowersError

T = TypeVar("T")

_SCALARS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


class JsonValueError(FlowersError):
    """A JSON value that does not fit its field; the message is a sentence that names the key."""


def to_json(value: Any) -> Any:
    """A dataclass, mapping, tuple or scalar as plain JSON values.

    Fields that hold their default are left out, so unknown values take no room.

    Raises:
        JsonValueError: a number is not finite, or a value has no JSON form.
    """
    return _plain(value, "")


def from_json(kind: type[T], values: Any, *, strict: bool = True) -> T:
    """A dataclass from JSON values.

    Args:
        kind: the dataclass. Its fields may be scalars, dataclasses, `tuple[X, ...]`, `Mapping[str, X]`, `Literal[…]`,
            `X | None`, or `Any` for JSON values that another module reads.
        values: plain values, as `json.loads` returns them.
        strict: whether unknown keys are refused; otherwise they are dropped.

    Raises:
        JsonValueError: a key is missing or unknown, or its value does not fit its field.
    """
    built: T = _typed(kind, values, "", strict)
    return built


def parse_json(text: str) -> Any:
    """JSON text as values. Raises ValueError for text that is not JSON, and for NaN and infinities."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a number that JSON knows")

    return json.loads(text, parse_constant=refuse)


def read_json(path: Path) -> Any:
    """A JSON file as values.

    Raises:
        JsonValueError: the file is missing, unreadable or not JSON, or it holds NaN or infinities.
    """
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JsonValueError(f"{path} is not readable as JSON: {error}.") from error


def read_record(
    kind: type[T], path: Path, what: str, error: type[FlowersError], former: Mapping[str, str] = MappingProxyType({})
) -> T:
    """A dataclass from a JSON file.

    Args:
        kind: the dataclass, as for `from_json`.
        path: the file.
        what: the file should be a record of, in words.
        error: raised where it is not, with a sentence that says why.
        former: old key → new key, for files that older versions wrote.
    """
    try:
        return from_json(kind, renamed_keys(read_json(path), former))
    except JsonValueError as reason:
        raise error(f"{path} is no record of {what}: {reason}") from reason


def renamed_keys(values: Any, names: Mapping[str, str]) -> Any:
    """JSON values with some keys renamed at any depth, for files that older versions wrote.

    Args:
        values: plain JSON values.
        names: old key → new key.
    """
    if isinstance(values, Mapping):
        return {names.get(key, key): renamed_keys(value, names) for key, value in values.items()}
    if isinstance(values, list):
        return [renamed_keys(value, names) for value in values]
    return values


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise JsonValueError(f"{key or 'The value'} is {value}: JSON holds finite numbers only.")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if _tells(field, value)}
        return {name: _plain(each, _below(key, name)) for name, each in held.items()}
    if isinstance(value, Mapping):
        return {str(name): _plain(each, _below(key, name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, _below(key, place)) for place, each in enumerate(value)]
    raise JsonValueError(f"{key or 'The value'} is a {type(value).__name__}, for which JSON has no form.")


def _tells(field: dataclasses.Field[Any], owner: Any) -> bool:
    """Whether a field holds a value other than its default."""
    if field.default_factory is not dataclasses.MISSING:
        return bool(getattr(owner, field.name) != field.default_factory())
    return field.default is dataclasses.MISSING or getattr(owner, field.name) != field.default


def _typed(kind: Any, value: Any, key: str, strict: bool) -> Any:
    if kind is Any:
        return _plain(value, key)
    if get_origin(kind) in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        if value is None and len(options) < len(get_args(kind)):
            return None
        return _typed_as_one_of(options, value, key, strict)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise _misfit(key, f"one of {', '.join(map(repr, get_args(kind)))}", value)
        return value
    if dataclasses.is_dataclass(kind):
        return _typed_dataclass(kind, value, key, strict)
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise _misfit(key, "a list", value)
        return tuple(_typed(get_args(kind)[0], each, _below(key, place), strict) for place, each in enumerate(value))
    if isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping):
        if not isinstance(value, Mapping):
            raise _misfit(key, "an object", value)
        return {name: _typed(get_args(kind)[1], each, _below(key, name), strict) for name, each in value.items()}
    return _typed_scalar(kind, value, key)


def _typed_as_one_of(options: list[Any], value: Any, key: str, strict: bool) -> Any:
    """The value as the first of several types that it fits, in the order listed: whole numbers before numbers."""
    if len(options) == 1:
        return _typed(options[0], value, key, strict)
    for option in options:
        try:
            return _typed(option, value, key, strict)
        except JsonValueError:
            continue
    raise _misfit(key, " or ".join(_SCALARS.get(option, "something else") for option in options), value)


def _typed_dataclass(kind: Any, values: Any, key: str, strict: bool) -> Any:
    if not isinstance(values, Mapping):
        raise _misfit(key, "an object", values)
    fields, hints = dataclasses.fields(kind), _hints(kind)
    needed = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    missing = [field.name for field in fields if field.name in needed and field.name not in values]
    if missing:
        raise JsonValueError(f"{key or 'It'} lacks {', '.join(missing)}.")
    unknown = [name for name in values if name not in hints]
    if unknown and strict:
        raise JsonValueError(f"{_below(key, unknown[0])} is no key that this version knows.")
    known = {name: _typed(hints[name], values[name], _below(key, name), strict) for name in hints if name in values}
    try:
        return kind(**known)
    except ValueError as error:
        raise JsonValueError(f"{key or 'It'} is malformed: {error}") from error


def _typed_scalar(kind: Any, value: Any, key: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _misfit(key, _SCALARS[kind], value)
    return _plain(value, key)


def _misfit(key: str, wanted: str, value: Any) -> JsonValueError:
    shown = repr(value)
    return JsonValueError(f"{key or 'It'} should be {wanted}, not {shown if len(shown) <= 60 else f'{shown[:60]}…'}.")


def _below(key: str, name: Any) -> str:
    return f"{key}.{name}" if key else str(name)


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    found = get_type_hints(kind)
    return {field.name: found[field.name] for field in dataclasses.fields(kind)}
