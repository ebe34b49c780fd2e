"""The rest of a schedule: usual schedules cut short are continued to what they were."""

import json

import numpy as np
import pytest

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.forecasting.continuation import planned

PEAK, HORIZON, WARMUP = 3e-3, 12_000, 100
SAME = {"peak": PEAK, "horizon": HORIZON, "warmup": WARMUP}
IN_PROGRESS = {
    "constant": (ll.constant(**SAME), 5000),
    "cosine": (ll.cosine(**SAME, final=3e-4), 3000),
    "linear": (ll.linear(**SAME), 5000),
    "wsd": (ll.wsd(**SAME), 11_000),
    "1-sqrt": (ll.wsd(**SAME, decay="1-sqrt"), 11_000),
    "late cosine": (ll.wsd(**SAME, decay="cosine"), 11_000),
    "exponential": (ll.wsd(**SAME, decay="exponential", final=3e-5), 11_000),
    "inverse-sqrt": (ll.inverse_sqrt(**SAME), 5000),
    "inverse-power": (ll.inverse_power(**SAME, exponent=0.7), 5000),
    "late inverse": (ll.wsd(**SAME, decay="inverse-power", final=3e-4), 11_000),
    "power": (ll.power(**SAME, exponent=2.0), 5000),
    "two-stage": (ll.twostage(**SAME, second=1e-3), 9000),
    # One jump, just before the log ends: the rate after it is at rest.
    "just jumped": (ll.twostage(**SAME, second=1e-3), 6010),
}


def run(schedule, now, every=100, label="run"):
    """A curve as a log would give it: nothing of what comes later."""
    steps = np.arange(every, now + 1, every)
    return LossCurve(schedule.prefix(now), steps, np.linspace(4, 3, steps.size), label)


@pytest.mark.parametrize("name", IN_PROGRESS)
def test_the_rest_is_that_of_the_whole_schedule(name):
    whole, now = IN_PROGRESS[name]
    plan = planned(run(whole, now), HORIZON)
    assert plan.now == now - now % 100
    # Formulas fitted to their own beginnings come back to rounding.
    assert np.abs(plan.schedule.lr - whole.lr).max() <= 1e-9 * PEAK
    assert plan.schedule.warmup == WARMUP
    assert plan.sentence


@pytest.mark.parametrize(
    ("name", "words", "last"),
    [
        ("constant", "stays at 0.003, where it has been since step 100", PEAK),
        ("cosine", "to 0.0003 at step 12000, its own end, and rests there", 3e-4),
        ("wsd", "reaches 0 at step 12000 and rests there", 0.0),
        ("1-sqrt", "reaches 0 at step 12000 and rests there", 0.0),
        ("exponential", "goes on to 9.49e-08 at the horizon", 3e-5 * 10 ** (-2 * 3000 / 2400)),
    ],
)
def test_a_longer_horizon_says_what_becomes_of_the_fall(name, words, last):
    whole, now = IN_PROGRESS[name]
    plan = planned(run(whole, now), 15_000)
    assert words in plan.sentence
    assert plan.schedule.final_lr == pytest.approx(last, rel=1e-6, abs=1e-12)
    assert plan.schedule.horizon == 15_000


def test_a_shorter_horizon_cuts_a_cosine():
    whole, now = IN_PROGRESS["cosine"]
    plan = planned(run(whole, now), 9000)
    assert "cut short by the horizon" in plan.sentence
    np.testing.assert_allclose(plan.schedule.lr, whole.lr[:9000], rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["linear", "1-sqrt", "exponential", "inverse-sqrt", "inverse-power"]
)
def test_a_fall_without_an_end_stops_at_the_final_rate(name):
    whole, now = IN_PROGRESS[name]
    final = 0.6 * float(whole.lr[now - 1])
    plan = planned(run(whole, now), 40_000, final=final)
    rest = plan.schedule.lr[now:]
    assert rest.min() == pytest.approx(final)
    assert (np.diff(rest) <= 0).all()
    # Until then it is the formula: no jump where the log ends.
    assert abs(rest[0] - whole.lr[now]) <= 1e-6 * PEAK


def test_few_losses_in_a_fall_make_its_shape_a_guess():
    whole = ll.wsd(**SAME)
    plan = planned(run(whole, 9900), HORIZON)
    (doubt,) = plan.doubts
    assert "only 3 losses were logged since the rate began to fall at step 9600" in doubt
    assert not planned(run(whole, 11_000), HORIZON).doubts


def test_the_schedule_of_the_curve_is_the_plan_where_it_goes_on():
    whole = ll.step(**SAME)
    curve = LossCurve(whole, [100, 200], [4.0, 3.0], "run")
    assert planned(curve).schedule.lr.tolist() == whole.lr.tolist()
    assert planned(curve, 5000).schedule.horizon == 5000


def test_a_declared_plan_is_followed_after_the_log():
    whole = ll.wsd(**SAME, cooldown=0.5)
    curve = run(whole, 3000)
    plan = planned(curve, schedule=whole)
    assert plan.schedule.lr.tolist() == whole.lr.tolist()
    # A trainer may be one update off; what is done stays as the log has it.
    shifted = ll.Schedule(np.append(whole.lr[1:], 0.0), warmup=WARMUP - 1)
    plan = planned(curve, schedule=shifted)
    assert plan.schedule.lr[:3000].tolist() == whole.lr[:3000].tolist()
    assert plan.schedule.lr[3000:].tolist() == shifted.lr[3000:].tolist()


def test_a_plan_brings_its_weight_decay_and_batch():
    whole = ll.constant(**SAME, weight_decay=0.05, batch=64)
    plan = planned(run(ll.constant(**SAME), 3000), schedule=whole)
    assert set(plan.schedule.weight_decay) == {0.05}
    assert set(plan.schedule.batch) == {64.0}


def test_a_plan_that_disagrees_says_where_and_by_how_much():
    curve = run(ll.cosine(**SAME, final=3e-4), 6000)
    with pytest.raises(ll.InputError, match=r"at step \d+ the log has a rate of") as caught:
        planned(curve, schedule=ll.cosine(peak=PEAK, horizon=14_000, warmup=WARMUP, final=3e-4))
    message = str(caught.value)
    assert "furthest apart at step 6000, 0.00166782 against 0.00196738" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("curve", "horizon", "schedule", "words"),
    [
        (run(ll.constant(**SAME), 3000), 3000, None, "not beyond the log of 'run', which ends"),
        (run(ll.constant(**SAME), 3000), None, None, "the horizon of 'run' is not known"),
        (run(ll.constant(**SAME), 3000), 9000, ll.constant(**SAME).prefix(8000), "8000 updates"),
        (run(ll.cyclic(**SAME), 5000), 9000, None, "cannot be told from the log"),
        (run(ll.constant(**SAME), 80, every=20), 9000, None, "ends inside the warm-up"),
    ],
    ids=["behind", "unknown", "short plan", "cyclic", "warm-up"],
)
def test_what_cannot_be_continued_is_said(curve, horizon, schedule, words):
    with pytest.raises(ll.InputError) as caught:
        planned(curve, horizon, schedule)
    assert words in str(caught.value)
    assert "schedule" in str(caught.value) or "horizon" in str(caught.value)


def test_holding_on_keeps_the_rate_of_the_last_update():
    whole, now = IN_PROGRESS["cosine"]
    plan = planned(run(whole, now), HORIZON)
    held = plan.held(4000)
    assert held.horizon == 4000
    assert set(held.lr[now:]) == {whole.lr[now - 1]}


def test_a_cosine_that_stood_still_for_skipped_updates_goes_on_by_its_formula(tmp_path):
    """Half precision: from step 150 on the rates are two updates behind the steps."""
    clock = [step if step < 150 else step - 2 for step in range(50, 4001, 50)]
    rates = [2.5e-5 * (1 + np.cos(np.pi * at / 8712)) for at in clock]
    history = [
        {"step": at, "learning_rate": rate, "loss": 3.0}
        for at, rate in zip(range(50, 4001, 50), rates, strict=True)
    ]
    log = tmp_path / "trainer_state.json"
    log.write_text(json.dumps({"log_history": history, "max_steps": 8712}))
    (curve,) = ll.read_curves(log)
    assert curve.origin.plan.spec == "cosine:peak=5e-05,horizon=8712"
    plan = planned(curve)
    assert plan.horizon == 8712
    assert plan.sentence.startswith("the rest of cosine:peak=5e-05,horizon=8712")
    updates = np.arange(4001, 8713)
    expected = 2.5e-5 * (1 + np.cos(np.pi * (updates - 3) / 8712))
    np.testing.assert_allclose(plan.schedule.lr[4000:], expected, rtol=1e-6, atol=1e-12)
    # Of another schedule the log's formula says nothing.
    other = curve.with_(schedule=curve.schedule.scaled(2.0))
    with pytest.raises(InputError, match="cannot be told"):
        planned(other)
    assert planned(curve, 6000).horizon == 6000
