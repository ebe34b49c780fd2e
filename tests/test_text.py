"""Reports: tables right at 80 columns, whatever a label holds; names and numbers stay whole."""

import pytest

from losslaw.text import WIDTH, printable, table

HEADER = ["run", "points", "rmse"]


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("words", [None, 0])
def test_a_long_label_stays_in_one_line(words):
    label = "run_" * 40
    lines = table(HEADER, [[label, "3", ".1"], ["short", "4", ".2"]], words=words, rule=True)
    assert len(lines) == 4
    assert lines[1].split() == ["-" * len(label), "------", "----"]
    assert lines[2].split() == [label, "3", ".1"]


def test_words_are_wrapped_between_them():
    lines = table(["a", "sentence"], [["x", "seven words " * 12]], left=(0, 1), words=1)
    assert len(lines) > 2
    assert max(map(len, lines)) <= WIDTH
    assert all(line.split()[-1] in ("words", "seven") for line in lines[1:])


def test_words_keep_room_beside_long_names():
    name = "run_" * 40
    lines = table(["a", "sentence"], [[name, "seven words " * 12]], left=(0, 1), words=1)
    assert lines[1] == f"{name}  seven words seven words"


def test_empty_tables_have_their_titles():
    assert table(HEADER, [], words=0) == ["run  points  rmse"]
    assert table(["", "x"], [["", ""]], words=0) == ["  x", ""]


def test_wide_characters_count_twice():
    lines = table(HEADER, [["学习率", "3", ".1"], ["run", "4", ".2"]], rule=True)
    assert lines[1].startswith("------  ")
    assert lines[2] == "学习率       3    .1"


def test_what_would_steer_a_terminal_is_written_out():
    assert printable("a\x1b[2J\tb\r\nc\udcff") == "a\\x1b[2J\\tb\\r\nc\\udcff"
    assert table(["x", "y"], [["a\nb", "[bold]"]])[1] == "a\\nb  [bold]"


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr("losslaw.text.on_terminal", lambda: True)


NUMBERS = [f"{number}.2345" for number in range(8)]


def test_no_name_is_cut_in_pipes_and_files():
    assert "run_" * 40 in table(HEADER, [["run_" * 40, "3", ".1"]])[1]


def test_titles_are_broken_before_names(watched):
    header = ["a law", *["long title"] * 8]
    lines = table(header, [["momentum", *NUMBERS]], indent=2)
    assert lines[0].split() == ["long"] * 8
    assert lines[2] == "  momentum  " + "  ".join(NUMBERS)


def test_names_on_a_terminal_are_broken_at_blanks_or_cut(watched):
    header = ["run", *["x"] * 8]
    lines = table(header, [["then some decay more", *NUMBERS]])
    assert [len(lines), lines[1].split()[:3]] == [3, ["then", "some", "decay"]]
    assert lines[2] == "more"
    lines = table(header, [["run_" * 10 + "1", *NUMBERS], ["run_" * 10 + "2", *NUMBERS]])
    assert [line.split()[0] for line in lines[1:]] == ["run_run..n_run_1", "run_run..n_run_2"]
    assert max(map(len, lines)) == WIDTH


def test_names_that_would_be_the_same_stand_above_their_rows(watched):
    names = ["run_" * 5 + each + "_run" * 5 for each in "ab"]
    lines = table(["run", *["x"] * 8], [[name, *NUMBERS] for name in names], rule=True)
    assert lines[0] == "run"
    assert [lines[3], lines[5]] == names
    assert lines[4] == lines[6] == "  " + "  ".join(NUMBERS)


def test_a_formula_moves_below_its_row(watched):
    header, row = ["quantity", "value", "formula"], ["risk", "0.1", "D^" * 35]
    lines = table(header, [row, row], left=(0, 2), below=2, rule=True)
    assert lines[0] == "quantity  value"
    assert lines[2:] == ["risk        0.1", "    " + "D^" * 35] * 2
    assert len(table(header, [["risk", "0.1", "D"]], left=(0, 2), below=2)) == 2
