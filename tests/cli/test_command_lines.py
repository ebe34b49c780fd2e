"""Hostile command lines: some of those that ``make harden`` runs, and what was found by them."""

import os
import random
import stat
from pathlib import Path

import pytest

from hardening.command_lines import GOOD, KINDS, SECOND, TITLE, Line, Place, Runner, commands, lines
from losslaw.cli.main import run
from losslaw.curves import read_curves
from losslaw.files import write_text

# Commands that work for seconds before anything of theirs can be wrong, or load large packages.
SLOW = ("demo", "report", "lab train", "lab bundle")
QUICK = [each for each in lines(1) if each.command not in SLOW]


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    return Runner(Place(tmp_path_factory.mktemp("place")))


@pytest.fixture
def here(runner, monkeypatch):
    monkeypatch.chdir(runner.place.folder)
    runner.place.restore(random.Random(0))
    return runner.place.folder


def test_every_command_is_there_and_every_option():
    assert set(commands()) == set(GOOD)
    every = lines(0)
    assert len(every) >= 3000
    assert lines(0) == every != lines(1)
    for command, parameters in commands().items():
        given = {word for each in every if each.command == command for word in each.arguments}
        for parameter in parameters:
            assert parameter.param_type_name == "argument" or given & set(parameter.opts)


@pytest.mark.parametrize("command", [name for name in GOOD if name not in SLOW])
def test_the_good_parts_of_the_lines_are_good(command, runner, monkeypatch):
    monkeypatch.chdir(runner.place.folder)
    assert runner(Line(command, (*command.split(), *GOOD[command]), "0")) == ("clean", "")


@pytest.mark.parametrize("part", range(6))
def test_a_hostile_line_is_done_or_refused_in_one_line(part, runner, monkeypatch):
    monkeypatch.chdir(runner.place.folder)
    for line in random.Random(1).sample(QUICK, 150)[part::6]:
        kind, why = runner(line)
        assert kind in KINDS[:3], f"{line}: {why}"


@pytest.mark.parametrize("name", [SECOND, TITLE])
def test_a_name_is_written_out_where_it_leaves(name, here, capsys):
    for arguments in (
        ["fit", f"{name}.csv", "--law", "chinchilla", "-o", f"{name}.json"],
        ["inspect", f"{name}.csv"],
        ["score", "fit.json", f"{name}.csv", "--all"],
        ["fleet", f"{name}.csv", "cosine.csv", "--law", "chinchilla", "-o", f"{name}.json"],
        ["fit", f"no {name}.csv"],
    ):
        assert run(arguments) == (2 if arguments[1].startswith("no ") else 0)
        captured = capsys.readouterr()
        for line in (captured.out + captured.err).split("\n"):
            assert line.isprintable()
            assert not line.startswith("SECOND")
    (curve,) = read_curves(f"{name}.csv")
    assert curve.label.isprintable()


def test_a_long_name_is_not_repeated_in_full(here, capsys):
    assert run(["inspect", "a" * 5000]) == 2
    assert len(capsys.readouterr().err) < 1000


def test_a_link_stays_and_what_it_points_to_is_written(here, capsys):
    plan = ["predict", "fit.json", "--schedule", "constant:peak=1e-2,horizon=50"]
    assert run([*plan, "-o", "link"]) == 0
    assert Path("link").is_symlink()
    assert Path("plan.csv").read_text().startswith("step,lr,loss")
    assert run([*plan, "-o", "dangling"]) == 0
    assert Path("dangling").is_symlink()
    assert Path("gone.csv").read_text() == Path("plan.csv").read_text()
    capsys.readouterr()
    assert run([*plan, "-o", "loop"]) == 2
    assert capsys.readouterr().err == (
        "losslaw: cannot write loop: Too many levels of symbolic links; nothing was changed\n"
    )


def test_a_link_to_another_folder_leaves_nothing_beside_itself(tmp_path):
    (tmp_path / "away").mkdir()
    (tmp_path / "link").symlink_to("away/target")
    write_text(tmp_path / "link", "one")
    assert [path.name for path in (tmp_path / "away").iterdir()] == ["target"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["away", "link"]


def test_a_pipe_is_not_followed(here, capsys):
    os.mkfifo("pipe")
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert run(["forecast", "pipe", "--horizon", "300", "--follow"]) == 2
    assert "--follow needs a file: pipe is a pipe" in capsys.readouterr().err
    Path("pipe").unlink()
