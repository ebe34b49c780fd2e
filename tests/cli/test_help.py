"""Help pages: what a command does, examples of it, and names that are what there is."""

import re

import pytest

import losslaw.laws
from losslaw.cli.main import GROUPS, run

COMMANDS = [group.rstrip("_").replace("_", "-") for group in GROUPS if group != "lab"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_that_fits_the_page(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run([command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("Example" in line for line in lines)
    shown = [line.strip() for line in lines if line.startswith(f"   losslaw {command}")]
    assert shown
    assert max(len(line) for line in lines) <= 80
    assert not re.search(r"\{[A-Z]+\}", "".join(lines[2:]))


@pytest.mark.parametrize("command", ["fit", "compare", "advise", "profile", "forecast"])
def test_the_names_of_laws_are_those_there_are(command, capsys, monkeypatch):
    monkeypatch.setitem(losslaw.laws.LAWS, "brandnew", losslaw.laws.Momentum)
    assert run([command, "--help"]) == 0
    assert "brandnew" in capsys.readouterr().out
