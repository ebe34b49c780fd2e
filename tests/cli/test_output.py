"""What is shown while work goes on: a bar where somebody watches and there is much to do."""

import sys

import pytest

from losslaw.cli import options
from losslaw.cli.main import run
from losslaw.cli.output import counter

LOG = "step,lr,loss\n" + "".join(f"{i},0.1,{2 + 1 / i}\n" for i in range(1, 40))


def watched(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("progress")
    (folder / "log.csv").write_text(LOG)
    assert run(["fit", f"{folder}/log.csv", "--law", "momentum", "-o", f"{folder}/fit.json"]) == 0
    return folder


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("fit log.csv --law momentum", "fitting"),
        ("score fit.json log.csv --all", "scoring"),
        ("predict fit.json --schedule constant:peak=0.1,horizon=50", "predicting"),
        ("forecast log.csv --fit fit.json --horizon 50", "forecast"),
        ("export constant:peak=0.1,horizon=50 --to torch", "export"),
        ("theory --source 0.5 --capacity 4 --budget 1e6 --schedule wsd", "theory"),
    ],
)
def test_who_watches_is_told_that_work_goes_on(place, words, told, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert run(words.split()) == 0
    silent = capsys.readouterr()
    assert silent.err == ""
    assert "\x1b" not in silent.out
    watched(monkeypatch)
    assert run(words.split()) == 0
    seen = capsys.readouterr()
    assert told in seen.err
    assert seen.out == silent.out


def test_a_bar_is_there_from_so_many_parts_on(monkeypatch, capsys):
    watched(monkeypatch)
    with counter("reading", least=10) as show:
        show(completed=1, total=9)
    assert "reading" not in capsys.readouterr().err
    with counter("reading", least=10) as show:
        show(completed=5, total=10)
    assert "5/10" in capsys.readouterr().err


def test_reading_a_folder_shows_a_bar_to_those_who_watch(tmp_path, monkeypatch, capsys):
    for i in range(4):
        (tmp_path / f"run{i}.csv").write_text(LOG)
    monkeypatch.setattr(options, "MANY_PARTS", 8)
    assert run(["inspect", str(tmp_path)]) == 0
    silent = capsys.readouterr()
    assert silent.err == ""
    watched(monkeypatch)
    assert run(["inspect", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "reading logs" in shown.err
    assert shown.out == silent.out
