"""What is shown while work goes on: a bar where somebody watches and there is much to do."""

import sys

from losslaw.cli import options
from losslaw.cli.main import run
from losslaw.cli.output import counter

LOG = "step,lr,loss\n" + "".join(f"{i},0.1,{2 + 1 / i}\n" for i in range(1, 40))


def watched(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


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
