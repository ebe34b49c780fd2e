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
