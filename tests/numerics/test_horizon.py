"""A very long horizon asks for confirmation, wherever it comes from, before it takes memory."""

import resource

import numpy as np
import pytest

import losslaw as ll
from losslaw.cli.main import run
from losslaw.designing import design
from losslaw.errors import InputError
from losslaw.forecasting.continuation import planned
from losslaw.numerics import horizon
from losslaw.numerics.horizon import LONGEST, check_horizon
from losslaw.schedules import parse_long_schedule
from losslaw.schedules.text import parse_schedule

LAW = ll.Effective(L0=2.0, A=0.5, N=40.0)
RUN = LAW.curve(ll.constant(peak=1e-3, horizon=400, warmup=10), range(20, 401, 20))
ASKS = r"more than 1e\+07: .* confirm it if it is meant \(--allow-long, losslaw.allow_long\(\)\)"


def log(folder, last=10**8):
    path = folder / "long.csv"
    path.write_text(f"step,lr,loss\n1,0.1,3\n{last // 2 + 1},0.1,2.5\n{last},0.1,2\n")
    return path


@pytest.mark.parametrize(
    "ask",
    [
        lambda: ll.cosine(peak=1e-3, horizon=10**8),
        lambda: parse_schedule("wsd:peak=1e-3,horizon=1e8"),
        lambda: parse_schedule("knots:1=1,100000000=0"),
        lambda: planned(RUN, 10**8),
        lambda: design(LAW, 10**8, peak=1e-3),
        lambda: ll.Schedule(np.broadcast_to(1e-3, 2 * LONGEST)),
    ],
)
def test_whatever_makes_a_schedule_asks_first(ask):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=ASKS):
        ask()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KB


def test_parts_that_are_too_long_together_are_refused_as_one():
    with pytest.raises(InputError, match=ASKS):
        parse_schedule("constant:peak=1,horizon=6e6 + constant:peak=1,horizon=6e6")


def test_confirmed_they_are_made_and_the_confirmation_ends():
    with ll.allow_long():
        assert ll.constant(peak=1e-3, horizon=LONGEST + 1).horizon == LONGEST + 1
        with ll.allow_long():
            pass
        check_horizon(LONGEST + 1)
        with pytest.raises(InputError, match=r"expected at most 1e\+08 updates"):
            check_horizon(10**9)
    check_horizon(LONGEST)
    with pytest.raises(InputError, match=ASKS):
        check_horizon(LONGEST + 1)


def test_a_log_says_that_its_steps_may_be_tokens_or_asks(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"looks like tokens.*--allow-long if they are updates"):
        ll.read_curves(log(tmp_path))
    with pytest.raises(InputError, match=f"long.csv: horizon is .*{ASKS}"):
        ll.read_curves(log(tmp_path), step_divisor=1)
    monkeypatch.setattr(horizon, "LONGEST", 1000)
    with ll.allow_long():
        (curve,) = ll.read_curves(log(tmp_path, 2000))
    assert curve.schedule.horizon == 2000


def test_schedules_in_pieces_are_as_long_as_ever():
    assert parse_long_schedule("wsd:peak=1,horizon=1e12").horizon == 10**12


def test_commands_ask_in_one_line_and_take_the_option(tmp_path, capsys):
    for arguments in (
        ["export", "cosine:peak=1e-3,horizon=3e7", "--to", "megatron"],
        ["inspect", str(log(tmp_path)), "--step-divisor", "1"],
        ["forecast", str(log(tmp_path)), "--step-divisor", "1"],
    ):
        assert run(arguments) == 2
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1
        assert "--allow-long" in captured.err


def test_commands_take_the_option(monkeypatch, capsys):
    monkeypatch.setattr(horizon, "LONGEST", 1000)
    command = ["export", "constant:peak=1e-3,horizon=1001", "--to", "megatron"]
    assert run(command) == 2
    assert run([*command, "--allow-long"]) == 0
    assert "1001" in capsys.readouterr().out
    assert run(command) == 2
