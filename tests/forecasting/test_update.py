"""A fit brought up to date by a run: where it goes, and what its interval keeps."""

from dataclasses import replace

import numpy as np
import pytest

import losslaw as ll
from losslaw.forecasting.update import OfSize, Updated, updated

SCHEDULE = ll.constant(peak=1e-3, horizon=4000, warmup=100)
LAW = ll.Effective(L0=2.0, A=0.5, N=40.0)
RUN = LAW.curve(SCHEDULE, range(40, 4001, 40), "run")


class Lopsided:
    """Says 3.0, from 0.05 below to 0.4 above, or an interval of which half is not known."""

    def __init__(self, below=0.05, above=0.4):
        self.below, self.above = below, above

    def predict(self, schedule, steps=None, level=0.9, *, window=None):
        made = LAW.curve(schedule, steps if steps is not None else [schedule.horizon])
        loss = np.full(made.steps.size, 3.0)
        return ll.Prediction(
            schedule=schedule,
            steps=made.steps,
            loss=loss,
            lower=loss - self.below,
            upper=loss + self.above,
            level=level,
        )


def test_a_lopsided_interval_stays_lopsided():
    late = Updated(fit=Lopsided(), offset=0.1, believed=0.5, now=2000).predict(SCHEDULE, [4000])
    assert late.final == pytest.approx(3.05)
    narrower = np.sqrt(1 - 0.5 * 0.5**4)
    assert late.final - late.interval.lower == pytest.approx(0.05 * narrower)
    assert late.interval.upper - late.final == pytest.approx(0.4 * narrower)


def test_no_loss_is_below_zero_and_no_end_stays_none():
    low = Updated(fit=Lopsided(below=2.99), offset=-1.0, believed=0.0, now=4000)
    assert low.predict(SCHEDULE, [4000]).interval.lower == 0
    open_ = Updated(fit=Lopsided(np.inf, np.inf), offset=0.0, believed=0.9, now=2000)
    assert not open_.predict(SCHEDULE, [4000]).interval.bounded


def test_nothing_observed_makes_a_run_surer_than_two_runs_differ_by():
    """At the last loss all that was not known is, but for 1e-3 nats, or the fit's own error."""
    seen = Updated(fit=Lopsided(below=1e-4), offset=0.0, believed=1.0, now=4000)
    interval = seen.predict(SCHEDULE, [4000]).interval
    assert interval.upper - 3.0 == pytest.approx(1e-3)
    assert 3.0 - interval.lower == pytest.approx(1e-4 / 1.6449, rel=1e-3)


def test_a_departure_is_believed_by_the_width_of_both_sides():
    """Half of .05 + .4 at 90 % is what was expected; the departure is even, so 1e-3 stands by."""
    run = RUN.with_(loss=np.full(len(RUN), 3.02))
    prior, error = (0.05 + 0.4) / 2 / 1.6449, 1e-3
    fresh = updated(Lopsided(), run, 400)
    assert fresh.believed == pytest.approx(prior**2 / (prior**2 + error**2), rel=1e-4)
    assert fresh.offset == pytest.approx(fresh.believed * 0.02)


def test_a_fit_of_several_sizes_is_settled_for_the_size_that_is_asked():
    runs = [
        LAW.curve(make(peak=1e-3, horizon=1500, warmup=50), range(30, 1501, 30), f"{size} {i}")
        .with_(model_size=size)
        for size in (1e6, 2e6)
        for i, make in enumerate((ll.cosine, ll.wsd))
    ]  # fmt: skip
    runs = [run.with_(loss=run.loss + 0.1 * (run.model_size < 2e6)) for run in runs]
    asked = OfSize(ll.fit(runs), 1e6)
    plan = ll.wsd(peak=1e-3, horizon=3000, warmup=50)
    settled = asked.settled(plan)
    assert settled.fit.mixture.settled is not None
    assert settled.predict(plan).final == pytest.approx(asked.predict(plan).final, abs=1e-4)
    assert replace(asked, model_size=2e6).predict(plan).final < asked.predict(plan).final - 0.05
