"""Checked records: every kind of damage is one line that says where, what stands there, and why."""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from losslaw.errors import InputError
from losslaw.files.checked import Finite, Positive, convert, decode_json


@dataclass(frozen=True, kw_only=True)
class Knots:
    at: list[Annotated[int, Meta(ge=1)]]
    value: list[Finite]

    def __post_init__(self):
        if len(self.at) != len(self.value):
            raise InputError("'at' and 'value' differ in length")


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    peak: Annotated[float, Meta(ge=0.5, le=3)] = 1.0
    batch: Positive | Knots | None = None
    rate: Annotated[Literal["used", "next"], Meta(description="'used' (now) or 'next'")] = "used"
    kind: Literal["sgd", "adam"] = "sgd"
    ends: tuple[bool, bool] = (True, True)
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5


@dataclass(frozen=True)
class Sheet:
    name: str
    runs: dict[str, Run]
    size: Finite = 0.0
    table: tuple[list[Finite], ...] = ()
    words: list[str] | None = None


GOOD = {
    "name": "a", "unknown": float("nan"), "size": 3, "table": [[1, 2.5]], "words": ["b"],
    "runs": {"one": {}, "two": {"batch": 8}, "three": {"batch": {"at": [1, 9], "value": [8, 16]}}},
}  # fmt: skip


def test_a_good_one():
    sheet = decode_json(json.dumps(GOOD), Sheet, "x.json")
    assert sheet.runs["three"].batch == Knots(at=[1, 9], value=[8.0, 16.0])
    assert sheet.table == ([1.0, 2.5],)
    assert isinstance(sheet.size, float)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ([], "x.json: it is [], expected an object"),
        ({"name": 3}, "x.json: name is 3, expected a text"),
        ({"name": ...}, "x.json: name is missing"),
        ({"size": float("nan")}, "x.json: size is nan, expected a finite number"),
        ({"size": float("-inf")}, "x.json: size is -inf, expected a finite number"),
        ({"size": True}, "x.json: size is True, expected a finite number"),
        ({"table": [[1], [2, "x"]]}, "x.json: table[1][1] is 'x', expected a finite number"),
        ({"table": [3]}, "x.json: table[0] is 3, expected a list of numbers"),
        ({"words": "big"}, "x.json: words is 'big', expected a list of texts"),
        ({"runs": {"a": 3}}, "x.json: runs.a is 3, expected an object"),
        ({"runs": {"a": {"peak": 9}}}, "x.json: runs.a.peak is 9, expected a number in 0.5..3"),
        (
            {"runs": {"a": {}, "b": {"rate": "old"}}},
            "x.json: runs.b.rate is 'old', expected 'used' (now) or 'next'",
        ),
        ({"runs": {"a": {"kind": 1}}}, "x.json: runs.a.kind is 1, expected 'adam' or 'sgd'"),
        (
            {"runs": {"a": {"batch": -1}}},
            "x.json: runs.a.batch is -1, expected a number above 0 or an object",
        ),
        (
            {"runs": {"a": {"share": 1}}},
            "x.json: runs.a.share is 1, expected a number above 0 and below 1",
        ),
        (
            {"runs": {"a": {"batch": {"at": [0], "value": [1]}}}},
            "x.json: runs.a.batch.at[0] is 0, expected a whole number, 1 or above",
        ),
        (
            {"runs": {"a": {"batch": {"at": [1], "value": []}}}},
            "x.json: runs.a.batch: 'at' and 'value' differ in length",
        ),
        ({"runs": {"a": {"ends": [True, 0]}}}, "x.json: runs.a.ends[1] is 0, expected true or fa"),
        ({"runs": {"a": {"ends": [True]}}}, "x.json: runs.a.ends is [True], expected a list of 2"),
        ({"runs": {"a": {"D": 1}}}, "x.json: runs.a has 'D', expected peak, batch, rate, kind"),
        ({"name": ["x" * 99]}, f"x.json: name is ['{'x' * 38}..., expected a text"),
    ],
)
def test_one_line(change, line):
    value = change
    if isinstance(change, dict):
        value = {key: item for key, item in {**GOOD, **change}.items() if item is not ...}
    with pytest.raises(InputError) as caught:
        convert(value, Sheet, "x.json")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON at line 1"),
        ('{"name":\n "a', "not JSON at line 2"),
        ("[" * 100_000, "damaged"),
        ('{"a": ' + "1" * 5000 + "}", "damaged"),
        ('{"name": "a", "runs": {}, "size": 1' + "0" * 400 + "}", "size is 1000"),
        ('{"name": "a", "name": 3, "runs": {}}', "the key 'name' twice in an object"),
        (b"\xff\xfe\xff", "damaged"),
    ],
)
def test_damaged_texts(text, words):
    with pytest.raises(InputError, match=r"^x\.json: ") as caught:
        decode_json(text, Sheet, "x.json", "make it again")
    assert words in str(caught.value)
    assert str(caught.value).endswith("; make it again")
    assert "\n" not in str(caught.value)
