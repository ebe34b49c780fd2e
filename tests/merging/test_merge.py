"""What an average of checkpoints is said to be worth, and what it is in the kernel world."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.errors import InputError
from losslaw.fitting import fit
from losslaw.fitting.trust import Trust
from losslaw.kernel import KernelRegression
from losslaw.merging.average_loss import (
    CORRECTION_ERROR,
    LAB_DRIFT,
    NO_DRIFT,
    Drift,
    average_loss,
    distance,
)
from losslaw.merging.record import Merge
from losslaw.numerics.interval import Interval, Level
from losslaw.schedules import constant, wsd
from losslaw.schedules.averages import WeightedCheckpoints

LAW = ll.OneClock(L0=1.0, A=0.15, N=45.0)
RUN = constant(peak=3e-3, horizon=4000, warmup=100, weight_decay=0.1, batch=16)
STEPS = range(50, 4001, 50)


@pytest.fixture(scope="module")
def curve():
    return LAW.curve(RUN, STEPS, "run")


@pytest.fixture(scope="module")
def decayed():
    other = wsd(peak=3e-3, horizon=3000, warmup=100, cooldown=0.3, weight_decay=0.1, batch=16)
    return LAW.curve(other, range(50, 3001, 50), "decayed")


def test_a_law_that_made_the_curves_is_answered_exactly(curve, decayed):
    """Equivalent schedule and correction together are the law's own answer for the average."""
    found = fit([curve, decayed], "oneclock")
    law = found.law
    for weights in ("uniform", "1-sqrt"):
        average = WeightedCheckpoints(range(3200, 4001, 100), weights)
        told = average_loss(found, RUN, average, 0.9, NO_DRIFT)
        query = ll.laws.query.Query.of(RUN, average.checkpoints)
        assert_allclose(told.loss, law.merged_loss(query, average.weights), atol=3e-5)
        equivalent = found.predict(average.equivalent(RUN), [4000], 0.9)
        assert_allclose(told.loss - told.correction, equivalent.final, rtol=1e-12)
        # Wider than that of the schedule, by a share of the correction.
        wide = Level(0.9).quantile * CORRECTION_ERROR * told.correction
        half = np.hypot(equivalent.interval.half_width, wide)
        assert_allclose(told.interval.half_width, half, rtol=1e-2)


def test_a_law_that_knows_no_averages_answers_for_the_schedule(curve, decayed):
    found = fit([curve, decayed], "momentum")
    told = average_loss(found, RUN, WeightedCheckpoints([3000, 4000]), 0.9)
    assert told.correction == 0
    assert told.drift > 0


def test_models_far_apart_cost_their_average():
    pairs = [WeightedCheckpoints([4000 - apart, 4000]) for apart in (100, 400, 1600)]
    near, further, far = (distance(RUN, pair) for pair in pairs)
    assert 0 < near < further < far
    # Four times as many updates apart, and the root of it; early updates count for more.
    assert_allclose(further / near, 2, rtol=0.05)
    one = WeightedCheckpoints([4000])
    assert distance(RUN, one) == 0
    drift = Drift.seen(0.02, RUN, pairs[1])
    assert_allclose(drift.amount * further, 0.02)


def test_a_measured_average_tells_the_others(curve, decayed):
    """Of a run that drifts by a third of the lab's: its averages are hit, more surely."""
    truth = Drift(amount=LAB_DRIFT.amount / 3, error=0.0)
    asked = {"checkpoints": 100, "last": 17, "earlier": decayed, "law": "oneclock"}
    found = fit([curve, decayed], "oneclock")
    whole = WeightedCheckpoints(range(2400, 4001, 100))
    loss = average_loss(found, RUN, whole, 0.9, truth).loss
    told, untold = ll.merge(curve, **asked, measured=loss), ll.merge(curve, **asked)
    assert told.whole.loss == pytest.approx(loss, abs=1e-3)
    for one, other in zip(told.merges, untold.merges, strict=True):
        assert one.interval.half_width < 0.5 * other.interval.half_width
        window = WeightedCheckpoints(range(one.first, 4001, 100))
        assert_allclose(one.loss, average_loss(found, RUN, window, 0.9, truth).loss, atol=2e-3)
    with pytest.raises(InputError, match="measured loss of the average is -1"):
        ll.merge(curve, **asked, measured=-1)


def test_windows_the_best_one_and_decays(curve, decayed):
    asked = ll.merge(curve, 100, last=17, earlier=decayed, law="oneclock")
    assert [each.checkpoints for each in asked.merges] == [2, 3, 4, 5, 7, 9, 13, 17]
    assert asked.whole.span == 1600
    assert asked.best.loss == min(each.loss for each in asked.merges)
    assert asked.raw == pytest.approx(curve.final_loss, abs=0.01)
    # What the decays end at is what the law says of them.
    law = fit([curve, decayed], "oneclock").law
    rates = 3e-3 * np.arange(1599, -1, -1) / 1600
    further = RUN.extended(rates)
    assert_allclose(asked.whole.decay, law.predict(further, [5600])[0], atol=2e-3)
    instead = RUN.prefix(2400).extended(rates)
    assert_allclose(asked.whole.instead, law.predict(instead, [4000])[0], atol=2e-3)
    assert str(asked).count("\n") > 12


def test_checkpoints_to_come_are_answered_on_the_plan(curve, decayed):
    early = curve.until(3000)
    asked = ll.merge(early, [3600, 4000], earlier=decayed, law="oneclock")
    done = ll.merge(curve, [3600, 4000], earlier=decayed, law="oneclock")
    assert asked.whole.loss == pytest.approx(done.whole.loss, abs=0.01)
    planned = ll.merge(early, [3600, 4000], earlier=decayed, law="oneclock", schedule=RUN)
    assert planned.whole.loss == pytest.approx(asked.whole.loss, abs=1e-9)


def test_a_run_that_has_ended_has_no_checkpoints_to_come(decayed):
    with pytest.raises(InputError, match="ended at step 3,000, at rate 0: it has no checkpoint at"):
        ll.merge(decayed, checkpoints=[2500, 3001], law="oneclock")


def test_a_difference_is_told_apart_beyond_what_errors_explain():
    def merge(loss, half, own=0.0):
        return Merge(
            checkpoints=2, first=1, last=2, loss=loss,
            interval=Interval.around(loss, np.hypot(half, 1.645 * own), level=0.9),
            drift=own, own_error=own,
            decay=2.0, decay_interval=Interval.around(2.0, half, level=0.9),
            instead=2.0, instead_interval=None,
        )  # fmt: skip

    assert merge(2.01, 0.01).told_apart
    assert not merge(2.001, 0.01).told_apart
    assert not merge(2.01, 0.01, own=0.01).told_apart


@pytest.mark.parametrize(("source", "capacity", "better"), [(0.5, 2.0, 3.0), (0.5, 4.0, 3.0)])
def test_pairs_of_states_answer_where_the_equivalent_schedule_does_not(source, capacity, better):
    """A law fitted to exact curves, asked about exact averages: the correction is worth its place.

    Rates are a tenth of the largest, where the law is right to a percent.
    """
    world = KernelRegression(source, capacity)
    peak, n = 0.1 * world.largest_lr(), 20_000
    runs = {
        "constant": constant(peak=peak, horizon=n, batch=1),
        "wsd": wsd(peak=peak, horizon=n, cooldown=0.2, batch=1),
    }
    steps = np.unique(np.geomspace(50, n, 80).round())
    found = fit(
        [world.mean_curve(run, steps, label=name) for name, run in runs.items()],
        "convolution", uncertainty=False, skip=50,
    )  # fmt: skip
    errors = []
    for average in (
        WeightedCheckpoints(range(16_000, n + 1, 400)),
        WeightedCheckpoints(range(12_000, n + 1, 2000), "1-sqrt"),
    ):
        told = average_loss(found, runs["constant"], average, 0.9, NO_DRIFT)
        exact = world.mean_curve(runs["constant"], [n], average=average).loss[0]
        errors.append([told.loss - exact, told.loss - told.correction - exact])
    ours, schedules = np.abs(errors).max(axis=0)
    assert ours < schedules / better


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checkpoints": []}, "0, expected at least 2"),
        ({"checkpoints": [0, 4000]}, "checkpoint at step 0"),
        ({"checkpoints": 500, "level": 2}, "level is 2"),
        ({"checkpoints": 500, "weights": [0.5, 0.5]}, "2 weights for 8 checkpoints"),
        ({"checkpoints": 500, "new_data": True}, "new data are data"),
    ],
)
def test_what_makes_no_average_is_refused(curve, arguments, message):
    with pytest.raises(InputError, match=message):
        ll.merge(curve, law="oneclock", **arguments)


def test_steps_are_given_as_people_have_them(curve):
    asked = [
        ll.merge(curve, steps, law="oneclock").whole.loss
        for steps in ([3000, 3500, 4000], range(3000, 4001, 500), np.array([3000, 3500, 4000]))
    ]
    assert len(set(asked)) == 1
    assert ll.merge(curve, np.int64(500), last=3, law="oneclock").whole.loss == asked[0]


def test_order_is_not_mended_in_silence(curve):
    """Weights belong to their checkpoints: to sort these would hand them to others."""
    with pytest.raises(InputError, match="increasing whole numbers"):
        ll.merge(curve, [4000, 3000], [0.3, 0.7], law="oneclock")


def test_nothing_is_compared_where_the_interval_is_too_wide(curve):
    asked = ll.merge(curve, 500, law="oneclock")
    trust = Trust(status="assumed", sentence="assumed", members=(), foretold=(), refused=True)
    refused = replace(asked, trust=trust)
    assert "Windows and decays are not compared" in str(refused)
    assert "best window" not in str(refused)
    assert refused.as_dict()["best"] is None


def test_a_note_does_not_repeat_a_warning(curve):
    unsaid = curve.with_(schedule=constant(peak=3e-3, horizon=4000, warmup=100))
    result = ll.merge(unsaid, 100, last=3)
    said = [each for each in (*result.notes, *result.warnings) if "weight decay" in each]
    assert len(said) == 1
