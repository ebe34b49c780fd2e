"""The protocols away from home are what they say: what is fitted, what is held out, after what."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.public_curves import needs_public_curves

protocols = pytest.importorskip("validation.away_protocols", reason="validation/ is not here")
from losslaw.curves import LossCurve  # noqa: E402
from losslaw.schedules import constant  # noqa: E402
from losslaw.schedules.agreement import departure  # noqa: E402
from validation import away, public_runs  # noqa: E402
from validation.dirty_logs import dirty  # noqa: E402

# Fitted and held-out runs of each trial.
COUNTS = {
    "A1 peaks": [(9, 13), (9, 6)],
    "leave one of five peaks out": [(11, 13), (11, 21), (11, 23), (11, 23), (12, 6)],
    "A2 between": [(5, 23)],
    "A3 low peak alone": [(3, 10)],
    "A4 other task": [(2, 7), (2, 7), (1, 8)],
    "A5 other optimiser": [(1, 1)] * 2,
    "A6 other optimiser, first 30 %": [(1, 1)] * 9,
    "A6 other optimiser, first 60 %": [(1, 1)] * 9,
    "A7 every update": [(1, 1)] * 2,
    "A8 large, raw loss": [(1, 1)] * 2,
    "A9 relative rate, constant": [(1, 10)] * 2,
    "A9 relative rate, two rates": [(2, 10)] * 2,
    "A9 relative rate, first end": [(2, 9)] * 2,
}


def test_every_protocol_is_counted_here_and_every_goal_is_of_one():
    assert COUNTS.keys() == protocols.AWAY.keys()
    titles = {*protocols.AWAY, *away.PROTOCOLS, away.DIRT}
    assert {name.partition(": ")[0] for name in away.REACH} <= titles


@needs_public_curves
@pytest.mark.parametrize("title", COUNTS)
def test_runs_are_scored_only_after_they_depart_from_what_is_fitted(title):
    if reason := protocols.missing_for(title):
        pytest.skip(reason)
    trials = list(protocols.AWAY[title]())
    assert [(len(trial.fitted), len(trial.held_out)) for trial in trials] == COUNTS[title]
    for trial in trials:
        fitted = [(run.schedule, int(run.steps[-1])) for run in trial.fitted]
        for run, after in trial.held_out:
            start = max(after, trial.skip or 0)
            assert (run.steps > start).any()
            # A decay that begins slowly is told from a constant rate a little later than it begins.
            assert departure(run.schedule, fitted) <= start + run.schedule.horizon // 500


@needs_public_curves
def test_goals_of_single_trials_name_trials():
    for title in {name.partition(": ")[0] for name in away.REACH if ": " in name}:
        if not protocols.missing_for(title):
            names = {f"{title}: {trial.name}" for trial in protocols.AWAY[title]()}
            assert names == {name for name in away.REACH if name.startswith(f"{title}: ")}


def test_a_protocol_without_its_curves_is_left_out_with_the_reason(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(public_runs, "CURVES", tmp_path)
    section = away.run("A9 relative rate, constant")
    assert "gemstones are not there" in section.left_out
    assert "gemstones are not there" in capsys.readouterr().out
    page = "\n".join([*away.summary([section]), *away.section_lines(section)])
    assert page.count("gemstones are not there") == 2


@needs_public_curves
def test_the_runs_of_the_track_say_their_optimiser():
    runs = {name: protocols.track3(name).optimizer for name in public_runs.labels("track3")}
    assert all(name.startswith("adamw") == (said == "adamw") for name, said in runs.items())
    assert None not in runs.values()


def test_block_means_keep_the_end():
    curve = LossCurve(constant(peak=0.1, horizon=70), np.arange(10, 71, 10), np.arange(1.0, 8.0))
    means = protocols.block_means(curve, 3)
    assert means.steps.tolist() == [30, 60]
    assert means.loss.tolist() == [3.0, 6.0]


@needs_public_curves
def test_dirt_is_what_its_name_says():
    clean = dirty("clean")
    assert clean.steps[[0, -1]].tolist() == [200, 49800]
    spikes = dirty("six points +3").loss - clean.loss
    assert sorted(spikes.round(6))[-7:] == [0, 3, 3, 3, 3, 3, 3]
    assert (dirty("one point +1").loss - clean.loss).sum() == pytest.approx(1)
    late = dirty("divergence in the last 5 %").loss - clean.loss
    assert late[-1] == pytest.approx(3)
    assert (late > 1e-6).sum() == 13
    # Half a window ago a falling loss was higher, by what it falls in that time.
    assert dirty("means over 500").loss[-1] == pytest.approx(
        np.interp(49800 - 249.5, clean.steps, clean.loss), abs=1e-3
    )
    every = dirty("every update, noise .04")
    assert len(every) == 49800
    assert np.diff(every.loss).std() == pytest.approx(0.04 * 2**0.5, rel=0.03)
    np.testing.assert_allclose(every.schedule.lr, clean.schedule.lr, rtol=1e-8)


@needs_public_curves
def test_what_a_fit_says_of_its_certainty_is_on_the_page(monkeypatch):
    trust = SimpleNamespace(
        status="assumed",
        sentence="assumed: nothing decays",
        members=[("E", "effective", 0.75), ("M", "multipower", 0.25)],
    )
    monkeypatch.setattr(away, "trust_of", lambda outcome: trust)
    section = away.run("A5 other optimiser")
    lines = away.section_lines(section)
    assert sum("| E 0.75, M 0.25 | assumed |" in line for line in lines) == len(section.outcomes)
    assert "* another rate: assumed: nothing decays" in lines
