"""Long tables are read in parts, and to the same numbers, lines and errors as short ones."""

import random
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from losslaw.errors import InputError
from losslaw.files import long_table, long_tables, parse_table, read_table, read_text
from losslaw.files.decimals import POWERS, rows_of_numbers

PARTS = (1 << 24, 1000, 50)


def same(one, other):
    """Whether two columns of numbers are the same to the last bit, NaN being NaN."""
    nan = np.isnan(one)
    assert_array_equal(nan, np.isnan(other))
    assert_array_equal(one[~nan].view(np.int64), other[~nan].view(np.int64))


def messy_cell(rng):
    x = rng.uniform(-3, 3) * 10 ** rng.uniform(-14, 14)
    plain = [repr(x), f"{x:.4e}", f"{x:.3f}", str(rng.randrange(10**6)), " 5 ", "+3.", ".5", "1E5"]
    odd = ["", "nan", "None", '"7"', "-inf", "1e-300", "5e-324", "0.1234567890123456789"]
    return rng.choice(plain if rng.random() < 0.8 else odd)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_whatever_stands_in_the_lines_both_readers_read_the_same(tmp_path, end, delimiter):
    rng = random.Random(0)
    lines = ["# warmup: 3", delimiter.join(["step", "lr", "loss"]), ""]
    for _ in range(400):
        lines.append(delimiter.join(messy_cell(rng) for _ in range(3)))
        if rng.random() < 0.1:
            lines.append(rng.choice(["", "# a: b", "  ", " # c"]))
    path = tmp_path / "mixed.csv"
    path.write_bytes(("\ufeff" + end.join(lines)).encode())
    short = parse_table(read_text(path), str(path))
    for part in PARTS:
        table = long_table(path, part=part)
        assert list(table.lines) == list(short.lines)
        assert table.notes == short.notes
        assert list(table.columns) == list(short.columns)
        for name in short.columns:
            same(short.numbers(name), table.numbers(name))
            assert_array_equal(short.empty(name), table.empty(name))


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.floats(1e-8, 1e3).map(lambda x: f"{x:.17e}"),
        st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
        st.integers(2**53 - 9, 2**60).map(lambda x: f"{x}e-17"),
        st.integers(2**62, 2**64 + 9).map(str),
        st.floats(1, 10).map(lambda x: f"{x:.18e}"),
    )
)
def test_numbers_are_pythons_own_to_the_last_bit_or_left_to_it(text):
    data = np.frombuffer(f"{text}\n".encode(), dtype=np.uint8).copy()
    out = np.empty((1, 1))
    at, count = rows_of_numbers(data, 0, ord(","), np.zeros(1, dtype=np.int64), out, 0, POWERS)
    assert (at, count) in ((0, 0), (data.size, 1))
    if count:
        assert struct.pack("d", out[0, 0]) == struct.pack("d", float(text))


def test_floats_as_python_prints_them_are_not_left_to_python():
    values = np.random.default_rng(0).uniform(1e-6, 10, 1000)
    data = np.frombuffer("".join(f"{x!r}\n" for x in values.tolist()).encode(), np.uint8).copy()
    out = np.empty((1, 1000))
    _, count = rows_of_numbers(data, 0, ord(","), np.zeros(1, dtype=np.int64), out, 0, POWERS)
    assert count == 1000
    assert_array_equal(out[0], values)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("7,0.1", "line 9: 2 cells, expected 3"),
        ("7,0.1,2,2", "line 9: 4 cells, expected 3"),
        ("7,0.1,lost", "line 9: column 'loss' holds 'lost', expected a number"),
        ("7,0.1,2\0", "not a text file"),
    ],
)
def test_errors_are_those_of_short_tables(tmp_path, part, row, words):
    path = tmp_path / "bad.csv"
    good = "".join(f"{i},0.1,2.5\n" for i in range(1, 8))
    path.write_text(f"step,lr,loss\n{good}{row}\n{good}")
    with pytest.raises(InputError, match=words):
        long_table(path, part=part).numbers("loss")
    with pytest.raises(InputError, match=words):
        parse_table(read_text(path), str(path)).numbers("loss")


def test_text_that_is_no_utf8_no_table_and_no_columns(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(b"step,loss\n1,2\n\xff\xfe,3\n")
    with pytest.raises(InputError, match="not a text file"):
        long_table(path)
    path.write_text("# only\n\n# comments\n")
    with pytest.raises(InputError, match="only comments"):
        long_table(path)


def test_columns_that_nobody_wants_are_there_and_take_no_room(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("step,when,loss\n" + "".join(f"{i},12:0{i} é,2.5\n" for i in range(5)))
    table = long_table(path, lambda name: name != "when")
    assert list(table.columns) == ["step", "when", "loss"]
    assert table.columns["when"][3] is None
    assert table.columns["loss"][:2] == ["2.5", "2.5"]
    assert table.columns["step"][-1] == "4"


def test_a_long_file_is_told_by_its_size_and_read_in_parts(tmp_path, monkeypatch):
    path = tmp_path / "schedule.csv"
    path.write_text("step,lr\n1,0.1\n2,0.2\n")
    assert isinstance(read_table(path).columns["lr"], list)
    monkeypatch.setattr(long_tables, "LONG", 10)
    assert_array_equal(read_table(path).numbers("lr"), [0.1, 0.2])
    assert not isinstance(read_table(path).columns["lr"], list)
    path.write_text('{"step": 1, "lr": 0.1}\n')
    assert isinstance(read_table(path).columns["lr"], list)


def test_memory_is_that_of_the_numbers(tmp_path):
    path = tmp_path / "long.csv"
    rows = "".join(f"{i},0.00030000,2.5000000000\n" for i in range(10**6))
    path.write_text(f"step,lr,loss\n{rows}")
    code = (
        "import resource, sys\n"
        "from losslaw.files import long_table\n"
        "long_table(sys.argv[1], part=1000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "long_table(sys.argv[2], part=1 << 20)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    small = tmp_path / "small.csv"
    small.write_text("step,lr,loss\n1,0.1,2\n")
    done = subprocess.run([sys.executable, "-c", code, small, path], capture_output=True, text=True)
    assert int(done.stdout) < 2.2 * 3 * 8 * 10**3, done.stderr  # KB; the cells as text take 200 MB
