"""Scores against numbers worked out by hand; what was seen does not count as predicted."""

import numpy as np
import pytest
from helpers.fit_samples import PEAK, SCHEDULES, curves_of, law_of
from hypothesis import given, settings
from hypothesis import strategies as st

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.fitting import Fit, Status, compare, fit, score
from losslaw.fitting.prediction import FittedCurve
from losslaw.laws import Chinchilla
from losslaw.schedules import Schedule, cosine, join
from losslaw.schedules.agreement import agreement, departure


def constant_fit(loss, schedules=()):
    """A fit that predicts one loss everywhere, and has seen these schedules to their end."""
    curves = [
        FittedCurve(
            label=f"seen {i}",
            schedule=schedule,
            first_step=1,
            last_step=schedule.horizon,
            points=schedule.horizon,
            rmse=0.0,
            final_error=0.0,
        )
        for i, schedule in enumerate(schedules)
    ]
    status = Status(converged=True)
    law = Chinchilla(L0=loss)
    return Fit(law=law, free=(), objective=0.0, status=status, curves=tuple(curves))


def test_the_measures_by_hand():
    curve = LossCurve(Schedule([1.0] * 6), [1, 2, 4, 6], [4.0, 2.5, 2.0, 1.6], "run")
    (found,) = score(constant_fit(2.0), [curve]).curves
    # Errors -2, -.5, 0, .4.
    assert (found.label, found.points, found.after) == ("run", 4, 0)
    assert found.mae == pytest.approx(2.9 / 4)
    assert found.rmse == pytest.approx(np.sqrt((4 + 0.25 + 0.16) / 4))
    assert found.prede == pytest.approx((0.5 + 0.2 + 0 + 0.25) / 4)
    assert found.worste == pytest.approx(0.5)
    assert found.final_error == pytest.approx(-0.1 / 3)
    mean = 10.1 / 4
    spread = sum((y - mean) ** 2 for y in (4.0, 2.5, 2.0, 1.6))
    assert found.r2 == pytest.approx(1 - 4.41 / spread)
    assert found.coverage is None
    assert found.half_width is None


def test_the_mean_is_over_curves_and_final_errors_count_by_size():
    schedule = Schedule([1.0] * 4)
    above = LossCurve(schedule, [1, 4], [2.5, 2.5 + 1e-9], "above")
    below = LossCurve(schedule, [1, 2, 3, 4], [1.9, 1.9, 1.9, 1.9 + 1e-9], "below")
    mean = score(constant_fit(2.0), [above, below]).mean
    assert mean["mae"] == pytest.approx((0.5 + 0.1) / 2)
    assert mean["final_error"] == pytest.approx((0.5 + 0.1) / 2)
    assert mean["coverage"] is None


def test_a_flat_curve_has_no_r2():
    flat = LossCurve(Schedule([1.0] * 3), [1, 2, 3], [2.0, 2.0, 2.0], "flat")
    assert np.isnan(score(constant_fit(2.0), [flat]).curves[0].r2)


def test_only_steps_after_the_departure_are_scored():
    seen = SCHEDULES["flat"]
    asked = curves_of(law_of("momentum"), ["wsd", "flat"])
    found = score(constant_fit(2.0, [seen]), asked, unseen=True)
    # wsd falls over the last 450 of 1500 updates.
    (only,) = found.curves
    assert (only.label, only.after, only.points) == ("wsd", 1050, 30)
    assert found.skipped == ("flat",)
    both = score(constant_fit(2.0, [seen]), asked, unseen=False)
    assert [curve.points for curve in both.curves] == [100, 100]


def test_a_later_skip_leaves_out_more():
    asked = curves_of(law_of("momentum"), ["wsd"])
    found = score(constant_fit(2.0, [SCHEDULES["flat"]]), asked, unseen=True, skip=1300)
    assert found.curves[0].points == 14


def test_coverage_is_the_share_of_points_inside():
    curves = curves_of(law_of("momentum"), ["flat", "cosine", "wsd"], noise=1e-3, seed=3)
    found = fit(curves[:2], "momentum")
    (scored,) = score(found, curves[2:], unseen=True, level=0.5).curves
    steps = curves[2].steps[curves[2].steps > 1050]
    prediction = found.predict(curves[2].schedule, steps, 0.5)
    seen = curves[2].loss[-steps.size :]
    inside = np.mean((seen >= prediction.lower) & (seen <= prediction.upper))
    assert scored.coverage == pytest.approx(inside)
    assert scored.half_width == pytest.approx(np.mean(prediction.upper - prediction.lower) / 2)


def test_nothing_to_score_is_refused():
    (flat,) = curves_of(law_of("momentum"), ["flat"])
    with pytest.raises(ll.InputError, match="no curves to score"):
        score(constant_fit(2.0), [])
    with pytest.raises(ll.InputError, match=r"from step 0 on after it departs"):
        score(constant_fit(2.0, [SCHEDULES["flat"]]), [flat], unseen=True)
    with pytest.raises(ll.InputError, match=r"no curve has points from step 9000 on$"):
        score(constant_fit(2.0), [flat], skip=9000)


# Where a schedule leaves what was seen.


def test_schedules_agree_up_to_their_first_difference():
    base = Schedule([1.0, 1.0, 0.5, 0.5])
    assert agreement(base, base) == 4
    assert agreement(base, base.prefix(2)) == 2
    assert agreement(base, Schedule([1.0, 1.0, 0.5, 0.4])) == 3
    assert agreement(base, Schedule([0.9, 1.0, 0.5, 0.5])) == 0
    # The last digit of a log is no difference.
    assert agreement(base, Schedule([1.0, 1.0 + 5e-7, 0.5, 0.5])) == 4


def test_the_departure_is_from_what_was_fitted_not_from_what_was_planned():
    asked = SCHEDULES["cosine"]
    assert departure(asked, []) == 0
    assert departure(asked, [(asked, 400)]) == 400
    assert departure(asked, [(asked, 400), (SCHEDULES["flat"], 1500)]) == 400
    longer = cosine(peak=PEAK, horizon=3000, warmup=50)
    assert 50 <= departure(longer, [(asked, 1500)]) < 60


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([0.1, 0.5, 1.0]), min_size=1, max_size=12),
    st.lists(st.sampled_from([0.1, 0.5, 1.0]), min_size=1, max_size=12),
    st.integers(1, 12),
)
def test_a_departure_is_the_longest_common_beginning(one, two, last):
    a, b = Schedule(one), Schedule(two)
    common = next(
        (i for i, (x, y) in enumerate(zip(one, two, strict=False)) if x != y),
        min(len(one), len(two)),
    )
    assert agreement(a, b) == agreement(b, a) == common
    assert departure(a, [(b, last)]) == min(common, last)


# Which law.


def test_compare_leaves_out_repeats_together():
    law = law_of("momentum")
    curves = curves_of(law, ["flat", "cosine", "two"], noise=5e-4, seed=1)
    repeat = curves_of(law, ["cosine"], noise=5e-4, seed=2)[0].with_(label="cosine again")
    said = []
    (found,) = compare([*curves, repeat], ["momentum"], progress=said.append)
    assert said == ["momentum without flat", "momentum without cosine", "momentum without two"]
    assert {curve.label for curve in found.curves} == {"flat", "cosine", "cosine again", "two"}
    # Had the repeat been fitted, nothing of the cosine would be unseen.
    assert next(curve for curve in found.curves if curve.label == "cosine").after <= 60


def test_compare_ranks_the_law_that_made_the_curves_first():
    curves = curves_of(law_of("momentum"), SCHEDULES, noise=2e-4, seed=1)
    found = compare(curves, ["chinchilla", "momentum", "chinchilla"])
    assert [item.law for item in found] == ["momentum", "chinchilla"]
    best = found.laws[0]
    errors = [curve.rmse for curve in best.curves]
    assert best.rmse == pytest.approx(np.mean(errors))
    assert best.worst_rmse == max(errors)
    finals = [abs(curve.final_error) for curve in best.curves]
    assert (best.final_error, best.worst_final_error) == (
        pytest.approx(np.mean(finals)),
        max(finals),
    )


def test_a_schedule_that_is_the_beginning_of_another_is_not_predicted():
    law = law_of("momentum")
    whole = curves_of(law, ["flat", "cosine"])
    beginning = whole[0].until(900).with_(schedule=SCHEDULES["flat"].prefix(900), label="short")
    (found,) = compare([*whole, beginning], ["momentum"])
    assert {curve.label for curve in found.curves} == {"flat", "cosine"}
    assert next(curve for curve in found.curves if curve.label == "flat").after == 900


def test_what_stands_behind_the_mixture_is_said_first():
    curves = curves_of(law_of("effective"), ["flat", "cosine", "wsd"], noise=5e-4, seed=1)
    known = fit(curves[:2])
    scores = score(known, curves[2:], unseen=True)
    assert scores.trust == known.trust
    assert str(scores).startswith(str(known.trust))
    assert scores.as_dict()["trust"]["status"] == known.trust.status
    found = compare(curves, ["auto", "momentum"])
    assert str(found).startswith(f"{fit(curves).trust}\n\nlaw")
    assert found.as_dict()["trust"]["members"]


def test_one_law_alone_has_no_trust(trio):
    scores = score(fit(trio, "momentum"), trio)
    assert scores.as_dict()["trust"] is None
    assert str(scores).startswith("curve")
    found = compare(trio, ["momentum"])
    assert found.trust is None
    assert str(found).startswith("law")


def test_what_cannot_be_compared_is_refused(trio):
    with pytest.raises(ll.InputError, match="1 schedule in 1 curves, expected at least 2"):
        compare(trio[:1], ["momentum"])
    with pytest.raises(ll.InputError, match="unknown law 'kaplan'"):
        compare(trio, ["kaplan"])
    with pytest.raises(ll.InputError, match="no laws to compare"):
        compare(trio, [])


def test_joined_schedules_depart_where_they_were_joined():
    trunk = SCHEDULES["flat"].prefix(700)
    branch = join(trunk, Schedule(np.linspace(9e-4, 0, 100)))
    assert departure(branch, [(SCHEDULES["flat"], 1500)]) == 700
