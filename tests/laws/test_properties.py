"""What holds for every law on any schedule, whatever its formula."""

import json

import numpy as np
import pytest
from helpers.law_samples import RESCALED, schedules, sound
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from losslaw.fitting import Fit, Note, Status, load_fit
from losslaw.fitting.prediction import FittedCurve
from losslaw.laws import LAWS
from losslaw.schedules import Schedule, join

pytestmark = pytest.mark.parametrize("name", LAWS)
quick = settings(max_examples=15, deadline=None, derandomize=True)
# Passes over schedules of different lengths choose different rates: equal to the memory's 1e-8,
# of terms that may cancel.
CLOSE = {"rtol": 1e-7, "atol": 1e-8}


def decayed(schedule: Schedule, weight_decay: float) -> Schedule:
    return schedule.with_(weight_decay=weight_decay)


@quick
@given(schedule=schedules(), factor=st.floats(1e-3, 1e3))
def test_rates_and_amplitudes_scale_together(name, schedule, factor):
    if name not in RESCALED:
        pytest.skip(f"how {name} follows a change of unit is not written down")
    law = sound(LAWS[name])
    other = decayed(schedule.scaled(factor), 0.2 / factor)
    moved = law.with_(**RESCALED[name](law, factor))
    assert_allclose(moved.predict(other), law.predict(decayed(schedule, 0.2)), **CLOSE)


@quick
@given(schedule=schedules(), share=st.floats(0, 1))
def test_a_split_run_is_the_run(name, schedule, share):
    law = sound(LAWS[name])
    at = round(share * schedule.horizon)
    if 0 < at < schedule.horizon and schedule.lr[:at].any() and schedule.lr[at:].any():
        rest = Schedule(
            schedule.lr[at:], None if schedule.batch is None else schedule.batch[at:], warmup=0
        )
        whole = join(schedule.prefix(at), rest).with_(warmup=schedule.warmup)
        assert law.predict(whole).tolist() == law.predict(schedule).tolist()


@quick
@given(schedule=schedules(), rate=st.floats(0, 1e-2), more=st.integers(1, 40))
def test_constant_steps_after_the_end_change_nothing_before_it(name, schedule, rate, more):
    law = sound(LAWS[name])
    batch = None if schedule.batch is None else np.full(schedule.horizon + more, schedule.batch[0])
    lr = np.concatenate([schedule.lr, np.full(more, rate)])
    longer = Schedule(lr, batch, warmup=schedule.warmup)
    steps = np.arange(1, schedule.horizon + 1)
    together = law.predict(longer)[: schedule.horizon]
    assert law.predict(longer, steps).tolist() == law.predict(schedule).tolist()
    assert_allclose(together, law.predict(schedule), **CLOSE)


@quick
@given(schedule=schedules(), seed=st.integers(0, 999))
def test_a_fit_survives_json(name, tmp_path_factory, schedule, seed):
    rng = np.random.default_rng(seed)
    law = sound(LAWS[name])
    law = law.with_(**{key: rng.uniform(0, 9) * getattr(law, key) for key in law.amplitudes()})
    curve = FittedCurve(
        label='a, "b"\n<i>',
        schedule=schedule,
        first_step=1,
        last_step=schedule.horizon,
        points=1,
        rmse=0.1,
        final_error=-0.2,
    )
    kept = Fit(
        law=law,
        free=(),
        objective=0.5,
        status=Status(converged=False, sentences=("a doubt",)),
        curves=(curve,),
        notes=(Note(text="a note"), Note(text="another", label=curve.label)),
        skip=3,
    )
    path = tmp_path_factory.mktemp("fit") / "fit.json"
    kept.save(str(path))
    json.loads(path.read_text(encoding="utf-8"))
    back = load_fit(path)
    assert back.law == law
    assert (back.status, back.notes, back.skip) == (kept.status, kept.notes, kept.skip)
    assert back.curves[0].label == curve.label
    assert_allclose(back.curves[0].schedule.lr, schedule.lr, rtol=0, atol=2e-6 * schedule.peak_lr)
