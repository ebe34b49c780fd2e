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


@pytest.mark.parametrize(("given", "meant"), [("--skip 1k", 1000), ("--skip 20", 20)])
def test_numbers_are_those_that_people_write(given, meant, capsys, monkeypatch):
    seen = {}
    monkeypatch.setattr("losslaw.fitting.fit", lambda curves, law, **more: seen.update(more))
    monkeypatch.setattr("losslaw.cli.options.read", lambda files, **more: seen.update(more) or [])
    run(["fit", "any.csv", "--wd", "10%", *given.split()])
    assert (seen["skip"], seen["weight_decay"]) == (meant, 0.1)


def test_other_names_of_trainers(capsys):
    for one, other in (("pytorch", "torch"), ("jax", "optax")):
        texts = []
        for target in (one, other):
            assert run(["export", "constant:peak=1e-3,horizon=9", "--to", target]) == 0
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1]
