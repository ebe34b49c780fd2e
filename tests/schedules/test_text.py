"""The text of a schedule, both ways, and schedule files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.schedules import (
    FAMILIES,
    Schedule,
    constant,
    cosine,
    format_schedule,
    from_knots,
    join,
    parse_schedule,
    read_schedule,
    schedule_csv,
    wsd,
)
from losslaw.schedules.shapes import DECAYS, decay_shape

RATES = st.floats(1e-7, 10.0)
SHARES = st.floats(0.01, 1.0)


@st.composite
def schedules(draw):
    """Any schedule that a family makes, arguments left out at random."""
    name = draw(st.sampled_from(sorted(FAMILIES)))
    horizon = draw(st.integers(4, 60))
    peak = draw(RATES)
    warmup = draw(st.integers(0, horizon // 4))
    final = peak * draw(SHARES)
    every = {"peak": peak, "horizon": horizon}
    maybe = {"warmup": warmup, "batch": draw(RATES), "weight_decay": draw(st.floats(0, 1))}
    if name in ("linear", "cosine", "power", "cyclic"):
        maybe["final"] = final
    if name == "exponential":
        every["final"] = final
    if name in ("power", "wsd", "inverse-power"):
        maybe["exponent"] = draw(st.floats(0.1, 5))
    if name == "wsd":
        every["decay"] = draw(st.sampled_from(DECAYS))
        maybe["cooldown"] = draw(st.floats(0, 0.7))
        (maybe if decay_shape(every["decay"]).to_zero else every)["final"] = final
    if name == "step":
        maybe["first"] = draw(st.floats(0.1, 0.8))
        maybe["second"] = draw(st.floats(0.8, 1.0))
        maybe["factor"] = draw(st.floats(0.5, 20))
    if name == "twostage":
        every["second"] = draw(st.floats(0.01, 2)) * peak
        maybe["switch"] = draw(st.floats(0.1, 0.99) | st.integers(1, horizon))
    if name == "cyclic":
        maybe["cycles"] = draw(st.floats(0.5, 9))
        maybe["shape"] = draw(st.sampled_from(["cosine", "linear"]))
    if name in ("inverse-sqrt", "inverse-power"):
        maybe["timescale"] = draw(st.floats(0.5, 100))
    chosen = draw(st.sets(st.sampled_from(sorted(maybe))))
    return FAMILIES[name](**every, **{key: maybe[key] for key in sorted(chosen)})


@st.composite
def knots(draw):
    at = draw(st.lists(st.integers(0, 200), min_size=1, max_size=8, unique=True))
    rates = draw(st.lists(st.floats(0, 1), min_size=len(at), max_size=len(at)))
    rates[0] = max(rates[0], 1e-6)
    made = dict(zip(at, rates, strict=True)) | {201: draw(RATES)}
    return from_knots(
        made,
        warmup=draw(st.none() | st.integers(0, 201)),
        batch=draw(st.none() | RATES),
        weight_decay=draw(st.none() | st.floats(0, 1)),
    )


@given(schedules() | knots())
def test_text_and_back_is_the_same_schedule_bit_for_bit(schedule):
    assert parse_schedule(format_schedule(schedule)) == schedule


@given(st.lists(schedules() | knots(), min_size=2, max_size=4))
def test_joined_schedules_come_back(parts):
    whole = join(*parts)
    assert whole.horizon == sum(part.horizon for part in parts)
    assert parse_schedule(format_schedule(whole)) == whole


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=40).filter(any))
def test_an_array_of_few_corners_has_a_text(rates):
    schedule = Schedule(np.repeat(rates, 3))
    again = parse_schedule(format_schedule(schedule))
    assert_array_equal(again.lr, schedule.lr)
    assert again.warmup == schedule.warmup


@given(schedules() | knots())
def test_a_file_and_back_is_the_same_schedule_bit_for_bit(tmp_path_factory, schedule):
    path = tmp_path_factory.mktemp("schedules") / "s.csv"
    write_text(path, schedule_csv(schedule))
    assert read_schedule(path) == schedule
    assert parse_schedule(f"file:{path}") == schedule


def test_a_changed_schedule_does_not_keep_its_text():
    schedule = wsd(peak=1.0, horizon=10)
    assert schedule.with_(lr=schedule.lr * 2).spec is None
    assert schedule.with_(batch=np.full(10, 3.0)).spec is None
    assert schedule.scaled(2).spec is None
    assert schedule.prefix(5).spec is None


def test_a_joined_file_has_no_text_of_its_own(tmp_path):
    path = tmp_path / "s.csv"
    write_text(path, schedule_csv(constant(peak=1.0, horizon=3)))
    whole = join(parse_schedule(f"file:{path}"), constant(peak=0.5, horizon=2))
    assert_array_equal(parse_schedule(format_schedule(whole)).lr, [1, 1, 1, 0.5, 0.5])


def test_names_that_people_use():
    assert parse_schedule("8-1-1:peak=1,horizon=10") == parse_schedule("step:peak=1,horizon=10")
    two = "twostage:peak=1,horizon=10,second=0.5"
    assert parse_schedule(two.replace("twostage", "two-stage")) == parse_schedule(two)
    assert parse_schedule(" cosine: peak = 1e+0 , horizon = 5.0 ,") == cosine(peak=1, horizon=5)


def test_a_path_alone_is_a_file(tmp_path):
    path = tmp_path / "s.csv"
    write_text(path, "step,lr\n1,0.5\n2,0.25\n")
    assert_array_equal(parse_schedule(str(path)).lr, [0.5, 0.25])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty schedule text: expected something like wsd:"),
        ("wds:peak=1", "unknown schedule 'wds': expected one of constant, .*knots, file; as in"),
        ("wsd", "schedule wsd: peak is missing; as in"),
        ("wsd:peak=1", "schedule wsd: horizon is missing; as in"),
        ("wsd:peek=1,horizon=5", "schedule wsd: unknown key 'peek', expected one of: peak, hor"),
        ("wsd:peak=1,horizon", "schedule wsd: 'horizon', expected key=value"),
        ("wsd:peak=1,horizon=", "schedule wsd: 'horizon=', expected key=value"),
        ("wsd:peak=1,peak=2,horizon=5", "schedule wsd: peak is given twice"),
        ("wsd:peak=high,horizon=5", "schedule wsd: peak is 'high', expected a number"),
        ("wsd:peak=nan,horizon=5", "schedule wsd: peak is 'nan', expected a finite number"),
        ("wsd:peak=1,horizon=5.5", "schedule wsd: horizon is '5.5', expected a whole number"),
        ("wsd:peak=1,horizon=5,decay=up", "schedule wsd: decay 'up', expected one of: linear"),
        ("cosine:peak=1,horizon=5,warmup=9", r"schedule cosine: horizon \(5\) is not longer than"),
        ("wsd:peak=1,horizon=5 + sin:peak=1", "unknown schedule 'sin'"),
        ("knots:", "no knots"),
        ("knots:a=1", "schedule knots: update is 'a', expected a number"),
        ("knots:1=x", "schedule knots: rate at 1 is 'x', expected a number"),
        ("knots:1=-1,5=1", "learning rates are non-negative"),
        ("file:nowhere.csv", r"nowhere\.csv: no such file"),
        ("nowhere.csv", r"nowhere\.csv: no such file"),
    ],
)
def test_a_wrong_text_is_one_clear_line(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_schedule(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("lr\n1\n", "no column 'step'; found lr"),
        ("step,rate\n1,1\n", "no column 'lr'; found step, rate"),
        ("step,lr\n", "empty"),
        ("step,lr\n1,1\n3,1\n", r"line 3: step 3, expected 2; .* one row an update, 1\.\.n"),
        ("step,lr\n0,1\n1,1\n", "line 2: step 0, expected 1"),
        ("step,lr\n1,x\n", "line 2: column 'lr' holds 'x'"),
        ("step,lr\n1,\n", r"s\.csv: learning rates are finite numbers: value 0 is nan"),
        ("step,lr\n1,-1\n", "learning rates are non-negative: value 0 is -1"),
        ("step,lr\n1,0\n", "all zero"),
        ("step,lr,batch\n1,1,0\n", "batch sizes are positive"),
        ("# warmup: x\nstep,lr\n1,1\n", "warmup is 'x', expected a whole number"),
        ("# warmup: 7\nstep,lr\n1,1\n", "warmup of 7 updates"),
    ],
)
def test_a_wrong_file_is_one_clear_line(content, message, tmp_path):
    path = tmp_path / "s.csv"
    write_text(path, content)
    with pytest.raises(InputError, match=message) as caught:
        read_schedule(path)
    assert "s.csv" in str(caught.value)


def test_a_curve_of_many_corners_belongs_in_a_file():
    schedule = cosine(peak=1.0, horizon=1000)
    with pytest.raises(InputError, match="knots; save it as a file and use file:PATH"):
        format_schedule(schedule.with_(batch=None))


def test_a_batch_that_changes_belongs_in_a_file():
    with pytest.raises(InputError, match="batch changes along this schedule"):
        format_schedule(Schedule([1.0, 1.0], batch=[1, 2]))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("constant:peak=1e300,horizon=10", r"peak is 1e\+300, expected 1e-15 .. 1e\+09"),
        ("constant:peak=1e-300,horizon=10", "peak is 1e-300, expected 1e-15"),
        ("constant:peak=1e-3,horizon=10,batch=1e308", r"one of the batch sizes is 1e\+308"),
        ("constant:peak=1e-3,horizon=10,weight_decay=1e308", r"weight decays is 1e\+308"),
        ("constant:peak=1_0,horizon=10", "peak is '1_0', expected a number"),
        ("knots:1=1,100=2,1e2=1", "update 100 is given twice"),
    ],
)
def test_numbers_that_cannot_be_are_one_line(text, line):
    with pytest.raises(InputError, match=line):
        parse_schedule(text)
