import json
import os
import signal

import numpy as np
import pytest
import typer
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

from losslaw.cli import lab
from losslaw.curves import read_curves
from losslaw.errors import InputError, MissingExtra

SPEC = "wsd:peak=1e-2,horizon=12,warmup=3,cooldown=0.4"
SIZES = ["--width", "16", "--layers", "1", "--context", "16", "--batch", "4", "--every", "5"]


@pytest.fixture
def small(monkeypatch, text):
    """The commands, on a made-up text and a small validation set."""
    pytest.importorskip("torch").set_num_threads(1)
    from losslaw.lab import config, training

    monkeypatch.setattr(training, "standard_library", lambda: text)
    monkeypatch.setattr(config.LabConfig, "__init__", _with_few_windows(config.LabConfig.__init__))


def _with_few_windows(init):
    def made(self, **sizes):
        init(self, **{"validation_windows": 16, **sizes})

    return made


def rows(path):
    return np.genfromtxt(path, delimiter=",")[1:]  # comments are skipped, the header is a row


def run(*arguments):
    root = typer.Typer()
    lab.register(root)
    # A second command keeps typer from taking the group for the whole program.
    root.command("other")(lambda: None)
    return CliRunner().invoke(root, ["lab", *arguments])


def test_train_writes_the_curve_and_leaves_nothing_else(small, tmp_path):
    out = tmp_path / "a.csv"
    result = run("train", "-s", SPEC, "-o", str(out), *SIZES)
    assert result.exit_code == 0, result.output
    assert "a.csv: 12 updates in" in result.stdout
    assert_array_equal(rows(out)[:, 0], [5, 10, 12])
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_json_into_a_folder(small, tmp_path):
    result = run("train", "-s", SPEC, "-o", str(tmp_path), "--seed", "2", "--json", *SIZES)
    told = json.loads(result.stdout)
    assert told["curve"] == str(tmp_path / "wsd_peak1e-2_horizon12_warmup3_cooldown0.4.csv")
    assert (told["seed"], told["steps"], told["tokens_per_update"]) == (2, 12, 64)
    losses = rows(told["curve"])[:, 2]
    assert abs(told["final_loss"] - losses.mean()) < 1e-6


def test_the_curve_can_be_read_without_a_question(small, tmp_path):
    out = tmp_path / "a.csv"
    run("train", "-s", SPEC, "-o", str(out), "--weight-decay", "0.2", *SIZES)
    (curve,) = read_curves(out)
    assert curve.schedule.warmup == 3
    assert_array_equal(curve.schedule.weight_decay, 0.2)
    assert curve.schedule.tokens[-1] == 12 * 4 * 16


def test_optimizer_and_start_are_options(small, tmp_path):
    options = ["--optimizer", "sgd", "--momentum", "0.5", "--init-std", "0.1", "--json"]
    result = run("train", "-s", SPEC, "-o", str(tmp_path / "a.csv"), *options, *SIZES)
    config = json.loads(result.stdout)["config"]
    assert (config["optimizer"], config["momentum"], config["init_std"]) == ("sgd", 0.5, 0.1)
    run("train", "-s", SPEC, "-o", str(tmp_path / "b.csv"), *SIZES)
    assert (rows(tmp_path / "a.csv")[:, 2] != rows(tmp_path / "b.csv")[:, 2]).all()


def test_ctrl_c_says_how_to_resume_and_the_same_command_does(small, tmp_path, monkeypatch):
    out = tmp_path / "a.csv"
    command = ("train", "-s", SPEC, "-o", str(out), *SIZES)
    run(*command)
    expected = out.read_text()
    out.unlink()
    of = lab._Progress.of

    def pressing(self, planned):
        show = of(self, planned)

        def press(step, loss):
            show(step, loss)
            if step == 7:
                os.kill(os.getpid(), signal.SIGINT)

        return press

    with monkeypatch.context() as patch:
        patch.setattr(lab._Progress, "of", pressing)
        result = run(*command)
    assert result.exit_code == 130
    assert "stopped after update 7 of 12; run the same command again to resume" in result.stderr
    assert out.read_text().splitlines()[-1].startswith("5,")
    assert run(*command).exit_code == 0
    assert out.read_text() == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-s", "sine:peak=1"], "unknown schedule 'sine'"),
        (["-s", SPEC, "--width", "7"], "heads divide the width"),
        (["-s", SPEC, "--optimizer", "adam"], "unknown optimizer 'adam'"),
        (["-s", SPEC, "--momentum", "1"], "momentum is in [0, 1)"),
        (["-s", SPEC, "--init-std", "0"], "standard deviation is positive"),
        (["-s", SPEC, "--threads", "0"], "--threads is 0"),
        (["-s", SPEC, "--every", "0"], "expected at least 1"),
        (["-s", SPEC, "-o", "nowhere/a.csv"], "nowhere does not exist"),
    ],
)
def test_bad_input_is_an_input_error(small, arguments, says):
    error = run("train", *SIZES, *arguments).exception
    assert isinstance(error, InputError)
    assert says in str(error)


@pytest.mark.parametrize("command", [["train", "-s", SPEC], ["bundle", "-o", "nowhere"]])
def test_without_torch_the_extra_is_named(monkeypatch, command):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    error = run(*command).exception
    assert isinstance(error, MissingExtra)
    line = 'training needs torch: pip install torch, or in a clone of losslaw pip install ".[lab]"'
    assert str(error) == line
