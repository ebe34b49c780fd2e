"""Schedules in pieces: the schedules that the families write out, and far beyond."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.schedules import LongSchedule, Piece, parse_long_schedule, parse_schedule, wsd
from losslaw.schedules.families import FAMILIES, ROUGH


@pytest.mark.parametrize(
    "spec",
    [
        "constant:peak=0.4,horizon=600,warmup=20",
        "linear:peak=0.4,horizon=600,final=0.01",
        "cosine:peak=0.4,horizon=600,warmup=7",
        "exponential:peak=0.4,horizon=600,final=0.001",
        "power:peak=0.4,horizon=600,exponent=3",
        "wsd:peak=0.4,horizon=600,warmup=50,cooldown=0.3,decay=1-sqrt,final=0.01",
        "8-1-1:peak=0.4,horizon=600",
        "step:peak=0.4,horizon=600,warmup=550",
        "twostage:peak=0.4,horizon=600,second=0.1,switch=500",
        "twostage:peak=0.4,horizon=600,second=0.1,switch=0.25,warmup=10,batch=3",
        "inverse-sqrt:peak=0.4,horizon=600",
        "inverse-power:peak=0.4,horizon=600,warmup=30,exponent=0.7",
        "constant:peak=0.4,horizon=600,warmup=9 + cosine:peak=0.4,horizon=200",
    ],
)
def test_pieces_are_the_schedule_that_the_family_writes_out(spec):
    pieces, written = parse_long_schedule(spec).written_out(), parse_schedule(spec)
    assert_array_equal(pieces.lr, written.lr)
    assert_array_equal(pieces.batch, 1.0 if written.batch is None else written.batch)
    assert pieces.warmup == written.warmup


SMOOTH = sorted(set(FAMILIES) - set(ROUGH))
NEEDED = {"exponential": ",final=1e-9", "twostage": ",second=0.1"}


@pytest.mark.parametrize("name", SMOOTH)
def test_every_smooth_family_goes_on_to_any_horizon(name):
    """At 10^15 updates, rates where 1,000 updates have theirs are the same but for the warm-up."""
    text = f"{name}:peak=0.4{NEEDED.get(name, '')}" + ",timescale=%g" * name.startswith("inverse")
    short, far = (
        parse_long_schedule((text % (n / 10) if "%" in text else text) + f",horizon={n:g}")
        for n in (1000, 10**15)
    )
    assert far.horizon == 10**15
    assert_allclose([p.updates / 10**12 for p in far.pieces], [p.updates for p in short.pieces])
    for one, other in zip(short.pieces, far.pieces, strict=True):
        at = np.linspace(1, one.updates, 50)
        assert_allclose(other.rates(at * 1e12), one.rates(at), rtol=1e-12, atol=1e-15)


def test_the_last_of_many_updates_keep_their_digits():
    fall = parse_long_schedule("cosine:peak=1,horizon=1e15").pieces[0]
    left = np.array([1.0, 2.0, 4.0])
    rates = fall.rates(fall.updates - left, left)
    assert_allclose(rates, (np.pi / 2 * left / 1e15) ** 2, rtol=1e-12)
    rise = parse_long_schedule("constant:peak=1,horizon=1e15,warmup=1e14").pieces[0]
    assert_allclose(rise.rates(np.array([1.0, 2.0])), [1e-14, 2e-14], rtol=1e-15)


def test_scaled_and_with_a_batch():
    run = wsd.pieces(peak=0.2, horizon=50, warmup=10, final=0.01, decay="exponential")
    assert_allclose(run.scaled(3).rates(), 3 * run.rates(), rtol=1e-12)
    assert run.scaled(3).warmup == run.warmup == 10
    assert run.with_batch(8) == wsd.pieces(
        peak=0.2, horizon=50, warmup=10, final=0.01, decay="exponential", batch=8
    )
    assert {piece.batch for piece in run.with_batch(8).pieces} == {8}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cyclic:peak=1,horizon=99", "in pieces there are constant, .*; the other methods run"),
        ("knots:0=0,99=1", "in pieces there are"),
        ("wsd:peak=1,horizon=1e12,cooldown=1.5", "schedule wsd: cooldown is 1.5"),
        ("wsd:peak=1,horizon=1e40", r"schedule wsd: 1e\+40 updates|updates, expected at most"),
        ("wsd:peak=1,horizon=9,batch=0", "schedule wsd: batch is 0, expected above 0"),
        ("cosine:peak=1,horizon=5,warmup=9", r"schedule cosine: horizon \(5\) is not longer than"),
    ],
)
def test_what_makes_no_pieces(text, message):
    with pytest.raises(InputError, match=message):
        parse_long_schedule(text)


def test_too_much_to_write_out():
    with pytest.raises(InputError, match=r"horizon is 1e\+12, expected at most 1e\+08 updates"):
        LongSchedule((Piece(10**12, 1.0),)).written_out()
