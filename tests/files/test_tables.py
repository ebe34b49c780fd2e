"""Tables: cells, empty cells, notes, and the line a message names."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from losslaw.errors import InputError
from losslaw.files import read_table


def table(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path)


@pytest.mark.parametrize("cell", ["", "none", "None", "null", "NA", "n/a", '""'])
def test_an_empty_cell_has_no_value(cell, tmp_path):
    found = table(tmp_path, f"a,b\n1,{cell}\n2,3\n")
    assert_array_equal(found.numbers("b"), [np.nan, 3])
    assert_array_equal(found.empty("b"), [True, False])


@pytest.mark.parametrize("cell", ["nan", "NaN", "inf", "-inf", "Infinity"])
def test_what_is_written_out_is_not_empty(cell, tmp_path):
    found = table(tmp_path, f"a,b\n1,{cell}\n")
    assert not np.isfinite(found.numbers("b")).any()
    assert not found.empty("b").any()


def test_json_null_is_empty_and_json_nan_is_not(tmp_path):
    found = table(tmp_path, '{"a": null, "b": NaN}\n{"a": 1}\n')
    assert_array_equal(found.empty("a"), [True, False])
    assert_array_equal(found.empty("b"), [False, True])


def test_notes_and_lines(tmp_path):
    found = table(tmp_path, "# warmup: 300\n\n# just words\na,b\n1,2\n#x\n\n3,x\n")
    assert found.notes == {"warmup": "300"}
    assert found.lines == [5, 8]
    with pytest.raises(InputError, match=r"t\.csv, line 8: column 'b' holds 'x', expected a num"):
        found.numbers("b")


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a\n1\n"))
    assert read_table("-").source == "standard input"
    monkeypatch.setattr("sys.stdin", io.StringIO("  \n"))
    with pytest.raises(InputError, match="standard input is empty"):
        read_table("-")
    monkeypatch.setattr("sys.stdin", io.StringIO("\udcff\udcfe"))  # bytes that were no text
    with pytest.raises(InputError, match="standard input: not text"):
        read_table("-")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        read_table("-")


def test_a_cell_beyond_all_measure_is_one_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"a,b\n1,2\n1,{'9' * 200_000}\n")
    with pytest.raises(InputError, match=r"t\.csv, line 3: not a row of a table") as caught:
        read_table(path)
    assert len(str(caught.value)) < 300


@given(st.lists(st.tuples(*[st.floats(allow_nan=False)] * 3), min_size=1, max_size=20))
def test_every_digit_of_a_number_is_kept(rows):
    lines = [",".join(map(repr, row)) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        found = table(Path(folder), "x,y,z\n" + "\n".join(lines) + "\n")
    columns = np.column_stack([found.numbers(name) for name in "xyz"])
    assert_array_equal(columns, np.array(rows))
