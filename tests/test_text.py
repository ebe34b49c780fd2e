"""Reports: tables right at 80 columns, whatever a label holds."""

import pytest

from losslaw.text import WIDTH, printable, table

HEADER = ["run", "points", "rmse"]


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_long_label_is_folded_and_lost_nowhere():
    label = "run_" * 40
    lines = table(HEADER, [[label, "3", ".1"], ["short", "4", ".2"]], words=0, rule=True)
    assert max(map(len, lines)) <= WIDTH
    assert "".join(line.split()[0] for line in lines[2:-1]) == label
    assert lines[1].split() == ["-" * (WIDTH - 14), "------", "----"]


def test_words_are_wrapped_between_them():
    lines = table(["a", "sentence"], [["x", "seven words " * 12]], left=(0, 1), words=1)
    assert len(lines) > 2
    assert all(line.split()[-1] in ("words", "seven") for line in lines[1:])


def test_wide_characters_count_twice():
    lines = table(HEADER, [["学习率", "3", ".1"], ["run", "4", ".2"]], rule=True)
    assert lines[1].startswith("------  ")
    assert lines[2] == "学习率       3    .1"


def test_what_would_steer_a_terminal_is_written_out():
    assert printable("a\x1b[2J\tb\r\nc\udcff") == "a\\x1b[2J\\tb\\r\nc\\udcff"
    assert table(["x", "y"], [["a\nb", "[bold]"]])[1] == "a\\nb  [bold]"
