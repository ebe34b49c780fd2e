"""Checked records out of JSON and TOML: the record that a file holds, or one line of what is wrong.

The type of the record is the check: which fields there are, of what kind, in which range. The line
says what the file is, where in it, what stands there and what was expected; a
``Meta(description=...)`` of a field says the latter in words of its own.
"""

import json
import re
import sys
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, inspect

from losslaw.errors import InputError
from losslaw.files.json_text import parse_json

T = TypeVar("T")

LARGEST = sys.float_info.max
Finite = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Positive = Annotated[float, Meta(gt=0, le=LARGEST)]
NotNegative = Annotated[float, Meta(ge=0, le=LARGEST)]

STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def decode_json(text: str | bytes, kind: type[T], what: str, way_out: str = "") -> T:
    """The record of type ``kind`` that a JSON text holds.

    Args:
        text: The text.
        kind: A dataclass or `msgspec.Struct`, its fields annotated; others in the text are let be.
        what: What the text is, for messages: the name of the file.
        way_out: What to do about a bad text; ends the message.

    Raises:
        InputError: not JSON, or not such a record.
    """
    end = way_out and f"; {way_out}"
    # Not msgspec's own reader: it refuses the NaN that Python writes, also in fields that nobody
    # asks for, and its errors do not know the line.
    try:
        value = parse_json(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{what}: damaged: not JSON at line {error.lineno} ({error.msg}){end}"
        ) from None
    except ValueError as error:  # nested too deeply, a number of many digits, a key twice
        raise InputError(f"{what}: damaged: not JSON that can be read ({error}){end}") from None
    return convert(value, kind, what, way_out)


def convert(value: object, kind: type[T], what: str, way_out: str = "") -> T:
    """The record of type ``kind`` in plain values: dictionaries, lists, numbers, texts.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Run:
    ...     label: str
    ...     peak: list[Positive]
    >>> convert({"label": "a", "peak": [3]}, Run, "runs.json")
    Run(label='a', peak=[3.0])
    >>> convert({"label": "a", "peak": [3, -1]}, Run, "runs.json")
    Traceback (most recent call last):
    losslaw.errors.InputError: runs.json: peak[1] is -1, expected a number above 0

    Raises:
        InputError: see `decode_json`.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        end = way_out and f"; {way_out}"
        raise InputError(f"{what}: {_sentence(error, value, kind)}{end}") from None


def _sentence(error: msgspec.ValidationError, value: Any, kind: Any) -> str:
    """What is wrong, where, and what was expected."""
    said, _, path = str(error).partition(" - at `$")
    steps: list[str] = []
    for name, index in STEP.findall(path.rstrip("`")):
        key, kind = _inside(kind, value, name or index)
        value = value[key]
        steps.append(f"[{key}]" if isinstance(key, int) else f".{key}")
    where = "".join(steps).lstrip(".")
    field = said.partition("`")[2].rstrip("`")
    if said.startswith("Object missing"):
        return f"{'.'.join(filter(None, (where, field)))} is missing"
    if said.startswith("Object contains unknown"):
        fields = ", ".join(name for each in _choices(kind) for name in _fields(each))
        return f"{where or 'it'} has {field!r}, expected {fields}"
    if error.__cause__ is not None:  # the record's own check
        return f"{where}: {said}" if where else said
    shown = f"{value!r}"
    shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
    return f"{where or 'it'} is {shown}, expected {_expected(inspect.type_info(kind))}"


def _choices(kind: Any) -> Iterator[Any]:
    """The types that a type stands for, without their annotations."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _choices(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for choice in get_args(kind):
            yield from _choices(choice)
    else:
        yield kind


def _fields(kind: Any) -> dict[str, Any]:
    """Fields of a record, and their types."""
    is_record = isinstance(kind, type) and hasattr(kind, "__annotations__")
    return get_type_hints(kind, include_extras=True) if is_record else {}


def _inside(kind: Any, value: Any, step: str) -> tuple[str | int, Any]:
    """Where a step of a path leads to in ``value``, and the type expected there."""
    for choice in _choices(kind):
        arguments, fields = get_args(choice), _fields(choice)
        if step in fields:
            return step, fields[step]
        if step.isdigit() and arguments and isinstance(value, list):
            i = int(step)
            return i, arguments[0 if Ellipsis in arguments or len(arguments) == 1 else i]
        if step == "..." and get_origin(choice) is dict:
            for key, item in cast(dict[str, Any], value).items():
                try:
                    msgspec.convert(item, arguments[1])
                except msgspec.ValidationError:
                    return key, arguments[1]
    return step, Any


def _expected(node: inspect.Type) -> str:
    """A type in words."""
    match node:
        case inspect.Metadata(type=inner):
            extra = cast(dict[str, str], node.extra_json_schema or {})
            return extra.get("description") or _expected(inner)
        case inspect.FloatType():
            return _number(node, "a number" if _bounded(node) else "a finite number")
        case inspect.IntType():
            return _number(node, "a whole number")
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "a text"
        case inspect.LiteralType(values=values):
            return " or ".join(repr(value) for value in values)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            kinds = {"FloatType": "numbers", "IntType": "numbers", "StrType": "texts"}
            noun = kinds.get(type(item).__name__, "entries")
            return f"a list of {'one or more ' if node.min_length else ''}{noun}"
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)}"
        case inspect.UnionType(types=types):
            return " or ".join(
                _expected(each) for each in types if not isinstance(each, inspect.NoneType)
            )
        case _:
            return "an object"


def _bounded(node: inspect.FloatType) -> bool:
    bounds = (node.ge, node.gt, node.le, node.lt)
    return any(bound is not None and abs(bound) < LARGEST for bound in bounds)


def _number(node: inspect.FloatType | inspect.IntType, noun: str) -> str:
    """A kind of number with its range."""
    low, high = node.ge, node.le
    if high is not None and abs(high) < LARGEST and low is not None:
        return f"{noun} in {low:g}..{high:g}"
    parts = [
        text.format(bound)
        for text, bound in (
            (", {:g} or above", low),
            (" above {:g}", node.gt),
            (", {:g} or below", high),
            (" below {:g}", node.lt),
        )
        if bound is not None and abs(bound) < LARGEST
    ]
    return noun + " and".join(parts)
