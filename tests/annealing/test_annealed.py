"""What runs are worth after a cooldown, and which of two is worth more."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.annealing import Cooldown
from losslaw.fitting.final_loss import FinalLoss, difference
from losslaw.fitting.mixture import FLOOR, OPEN
from losslaw.schedules import decay_rates

LAW = ll.Effective(L0=2.5, A=0.55, N=45.0)


def stable(peak=1e-3, n=6000, label="run", law=LAW, noise=0.002, seed=0, **known):
    """The log of a stable run that a law made, with noise."""
    schedule = ll.constant(peak=peak, horizon=n, warmup=200, weight_decay=0.1, **known)
    curve = law.curve(schedule, np.arange(50, n + 1, 50), label)
    draws = np.random.default_rng(seed).normal(0, noise, len(curve))
    return curve.with_(loss=curve.loss + draws)


def end_loss(law, schedule):
    """What a law says of the last update."""
    return float(law.predict(schedule, [schedule.horizon])[0])


def truth(curve, over, law=LAW):
    """What the law says of the end of the cooldown."""
    rates = decay_rates(curve.schedule.final_lr, 0.0, "linear", over)
    return end_loss(law, curve.schedule.extended(rates))


def test_the_annealed_loss_is_that_of_the_cooldown():
    runs = [stable(1e-3, label="low"), stable(2e-3, label="high", seed=1)]
    result = ll.annealed(runs, over=1200, law="effective")
    for run, found in zip(runs, result.runs, strict=True):
        assert (found.at, found.over, found.steps) == (6000, 1200, 7200)
        assert found.raw == pytest.approx(run.final_loss)
        assert found.loss == pytest.approx(truth(run, 1200), abs=0.01)
        assert found.loss < found.raw - 0.02
        assert found.interval.holds(truth(run, 1200))
    (pair,) = result.pairs
    assert (pair.a, pair.b, pair.at) == ("low", "high", (6000, 6000))
    assert pair.difference == pytest.approx(result["low"].loss - result["high"].loss, abs=1e-12)


def test_a_share_is_of_the_updates_so_far_and_totals_can_be_the_same():
    runs = [stable(n=6000, label="a"), stable(2e-3, n=4000, label="b", seed=1)]
    result = ll.annealed(runs, over=0.25, law="effective")
    assert [(run.at, run.over) for run in result.runs] == [(6000, 1500), (4000, 1000)]
    assert result.pairs[0].at == (4000, 4000)
    result = ll.annealed(runs, over=1000, same_total=True, law="effective")
    assert [(run.at, run.steps) for run in result.runs] == [(3000, 4000), (3000, 4000)]
    result = ll.annealed(runs, over=0.25, same_total=True, at=2500, law="effective")
    assert [(run.at, run.steps) for run in result.runs] == [(2000, 2500), (2000, 2500)]


def test_a_run_at_the_end_of_its_decay_is_worth_what_it_shows():
    schedule = ll.wsd(peak=1e-3, horizon=5000, warmup=200, cooldown=0.2, weight_decay=0.1)
    run = LAW.curve(schedule, np.arange(50, 5001, 50), "done")
    (found,) = ll.annealed(run, law="effective").runs
    assert found.over == 0
    assert found.loss == pytest.approx(run.loss[-1], abs=2e-3)


def done(label="done"):
    """The log of a run that was annealed over its last fifth, with noise."""
    schedule = ll.wsd(peak=1e-3, horizon=6000, warmup=200, cooldown=0.2, weight_decay=0.1)
    curve = LAW.curve(schedule, np.arange(50, 6001, 50), label)
    return curve.with_(loss=curve.loss + np.random.default_rng(7).normal(0, 0.002, len(curve)))


@pytest.mark.parametrize("first", [True, False])
def test_a_run_that_is_annealed_already_is_no_worse_for_having_fewer_updates(first):
    runs = [done(), stable()] if first else [stable(), done()]
    result = ll.annealed(runs, law="effective")
    assert result["run"].loss < result["done"].loss - 0.01  # after a fifth more updates
    (pair,) = result.pairs
    assert pair.at == ((6000, 4800) if first else (4800, 6000))
    assert pair.verdict == "not told apart"
    assert abs(pair.difference) < 0.006
    assert all(len(line) <= 80 for line in str(result).splitlines())
    assert "the cooldown of run ends there too, over as many updates (1,200)" in pair.caution


def test_a_trunk_is_no_worse_than_its_own_cooldown():
    """One run, annealed in its last 30 % and not: a cooldown of 20 % would not be as long."""
    known = {"peak": 1e-3, "horizon": 6000, "warmup": 200, "weight_decay": 0.1}
    ended = LAW.curve(ll.wsd(**known, cooldown=0.3), np.arange(50, 6001, 50), "ended")
    (pair,) = ll.annealed([ended, stable(noise=0.0)], law="effective").pairs
    assert pair.at == (6000, 4200)
    assert pair.difference == pytest.approx(0, abs=1e-9)


def test_a_run_that_decays_all_along_has_no_cooldown_of_its_own():
    cosine = ll.cosine(peak=1e-3, horizon=6000, warmup=200, weight_decay=0.1)
    run = LAW.curve(cosine, np.arange(50, 6001, 50), "cosine")
    (pair,) = ll.annealed([run, stable()], law="effective").pairs
    assert pair.at == (6000, 5000)


def test_a_final_rate_above_the_peak_is_refused():
    with pytest.raises(ll.InputError, match="ends at a rate of 1, and the peak of 'run' is"):
        ll.annealed(stable(), final=1.0)


def test_a_cooldown_that_cannot_end_there_is_said():
    cosine = ll.cosine(peak=1e-3, horizon=6000, warmup=200, weight_decay=0.1)
    ended = LAW.curve(cosine, np.arange(50, 6001, 50), "ended")
    (pair,) = ll.annealed([ended, stable()], over=5950, law="effective").pairs
    assert pair.at == (6000, 6000)
    assert "fewer updates in all" in pair.caution


def test_runs_of_one_schedule_that_stay_apart_are_two_models():
    a, b = stable(label="old data"), stable(label="new data", seed=1)
    b = b.with_(loss=b.loss - 0.02)
    result = ll.annealed([a, b], law="effective")
    assert [name for name, _, _ in result.models] == ["old data", "new data"]
    assert any("have one schedule up to step 6,000" in note for note in result.notes)
    (pair,) = result.pairs
    assert pair.verdict == "b is better"
    assert pair.difference == pytest.approx(0.02, abs=4e-3)
    assert pair.sentence.startswith("new data is better by 0.0")
    assert "data and tokenizer" in pair.caution


def test_the_difference_knows_more_than_either_loss():
    runs = [stable(1e-3, label="low"), stable(1.2e-3, label="high", seed=1)]
    result = ll.annealed(runs)
    widths = [run.interval.half_width for run in result.runs]
    assert result.pairs[0].interval.half_width < 0.7 * min(widths)


def test_the_variance_of_a_difference_is_the_formula():
    """Against gradients by differences and the sum written out, for a law that answers alone."""
    runs = [stable(1e-3, label="low"), stable(2e-3, n=4000, label="high", seed=1)]
    fit = ll.fit(runs, "effective")
    ends = [run.schedule.extended(decay_rates(run.peak_seen, 0, "linear", 800)) for run in runs]
    a, b = (FinalLoss.of(fit, end) for end in ends)
    found = difference(a, b, 0.9)
    names, covariance = fit.uncertainty.names, fit.uncertainty.covariance

    def slope(name):
        value = getattr(fit.law, name)
        step = 1e-5 * abs(value)
        up, down = (fit.law.with_(**{name: value + sign * step}) for sign in (1, -1))
        rise = [end_loss(up, end) - end_loss(down, end) for end in ends]
        per = 2 * step / (value if name in fit.law.shapes() else 1.0)
        return (rise[0] - rise[1]) / per

    apart = np.array([slope(name) for name in names])
    level = max(a.loss, b.loss)
    variance = OPEN * apart @ covariance @ apart + 2 * (FLOOR * level) ** 2
    gained = [
        end_loss(fit.law, end.with_(lr=np.maximum.accumulate(end.lr), spec=None))
        - end_loss(fit.law, end)
        for end in ends
    ]
    shares = [800 / 6800, 800 / 4800]
    away = level**2 * (
        (2e-3 * np.log(2)) ** 2
        + (2.5e-3 * np.log(6800 / 4800)) ** 2
        + (2e-3 * np.log(shares[0] / shares[1])) ** 2
    )
    variance += away + (0.03 * (gained[0] - gained[1])) ** 2
    assert found.loss == pytest.approx(a.loss - b.loss)
    assert_allclose(found.interval.half_width, 1.6448536 * np.sqrt(variance), rtol=2e-3)


def test_seeds_are_one_configuration_and_their_spread_is_the_noise():
    few = [stable(label=f"base_seed{i}", seed=i) for i in range(3)]
    spread = [
        run.with_(loss=run.loss + off) for run, off in zip(few, (-0.02, 0, 0.02), strict=True)
    ]
    other = stable(2e-3, label="other", seed=9)
    quiet, loud = (ll.annealed([*runs, other], law="effective") for runs in (few, spread))
    assert {run.configuration for run in quiet.runs} == {"base", "other"}
    assert [(pair.a, pair.b) for pair in quiet.pairs] == [("base", "other")]
    assert loud.pairs[0].interval.half_width > 1.3 * quiet.pairs[0].interval.half_width


def test_declared_seeds_need_no_names():
    runs = [stable(label="red", seed=0), stable(label="blue", seed=1)]
    result = ll.annealed(runs, law="effective", seeds=True)
    assert result.pairs == ()
    assert {run.configuration for run in result.runs} == {"red"}


def test_equal_tokens_and_compute():
    small = stable(label="small batch", batch=100).with_(model_size=1e8)
    large = stable(label="large batch", seed=1, batch=200).with_(model_size=1e8)
    result = ll.annealed([small, large], law="effective", equal="tokens", group_by="label")
    assert result.pairs[0].at == (6000, 3000)
    bigger = large.with_(model_size=2e8)
    result = ll.annealed([small, bigger], law="effective", equal="compute", group_by="label")
    assert result.pairs[0].at == (6000, 1500)
    assert "sizes differ" not in result.pairs[0].caution
    with pytest.raises(ll.InputError, match="batch size of 'no' is not known"):
        ll.annealed([small, stable(label="no")], law="effective", equal="tokens")
    with pytest.raises(ll.InputError, match="equal 'joules': expected one of updates, tokens"):
        ll.annealed([small, large], equal="joules")


def test_one_bad_log_is_reported_and_not_the_end():
    good = [stable(label="a"), stable(2e-3, label="b", seed=1)]
    bad = stable(label="c", n=300)
    bad = bad.some(np.arange(len(bad)) < 3)
    result = ll.annealed([*good, bad], law="effective", group_by="label")
    assert [run.label for run in result.runs] == ["a", "b"]
    assert any(text.startswith("c is left out: ") for text in result.warnings)


def test_a_diverged_run_is_annealed_from_before():
    run = stable(n=8000)
    late = np.where(run.steps > 6500, 3.0, 0.0)
    result = ll.annealed(run.with_(loss=run.loss + late), law="effective")
    assert result.runs[0].at <= 6500
    assert "has diverged from step" in result.warnings[0]


def test_the_loss_along_a_run_ends_at_its_answer():
    result = ll.annealed(stable(), law="effective", path=True)
    (run,) = result.runs
    assert run.path.steps[-1] == run.at
    assert run.path.loss[-1] == pytest.approx(run.loss)
    assert (run.path.loss < run.path.raw).all()
    assert (run.path.lower < run.path.loss).all()
    rows = result.csv().splitlines()
    assert rows[0] == "label,at,loss,lower,upper,raw"
    assert len(rows) == 1 + run.path.steps.size


def test_the_loss_between_points_that_are_asked_in_full():
    """Against questions about each step, of a law that answers alone."""
    run = stable(n=20_000)
    (found,) = ll.annealed(run, law="effective", path=True).runs
    for i in (0, 5, 18, 22, 38):
        (alone,) = ll.annealed(run, law="effective", at=int(found.path.steps[i])).runs
        assert found.path.loss[i] == pytest.approx(alone.loss, abs=2e-5)
        half = alone.interval.half_width
        assert found.path.lower[i] == pytest.approx(alone.interval.lower, abs=0.03 * half)
        assert found.path.upper[i] == pytest.approx(alone.interval.upper, abs=0.03 * half)


def test_against_the_best():
    runs = [stable(peak, label=f"{peak:g}", seed=i) for i, peak in enumerate((1e-3, 2e-3, 4e-3))]
    result = ll.annealed(runs, law="effective", against="best")
    best = min(result.runs, key=lambda run: run.loss).label
    assert {pair.a for pair in result.pairs} == {best}
    assert len(result.pairs) == 2
    named = [runs[0].with_(label="best"), *runs[1:]]
    assert {pair.a for pair in ll.annealed(named, law="effective", against="best").pairs} == {
        "best"
    }


def test_earlier_decays_narrow_the_answer_and_a_saved_fit_answers_alone():
    run = stable()
    schedule = ll.wsd(peak=1e-3, horizon=5000, warmup=200, cooldown=0.2, weight_decay=0.1)
    decay = LAW.curve(schedule, np.arange(50, 5001, 50), "decay")
    alone, helped = ll.annealed(run), ll.annealed(run, earlier=decay)
    assert helped.runs[0].interval.half_width < 0.7 * alone.runs[0].interval.half_width
    assert helped.trust.status == "confirmed"
    fit = ll.fit([run, decay])
    known = ll.annealed(run, fit=fit)
    assert known.runs[0].loss == pytest.approx(helped.runs[0].loss, abs=1e-6)
    with pytest.raises(ll.InputError, match="choose one"):
        ll.annealed(run, fit=fit, earlier=decay)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at": 7000}, "ends at step 6,000: it cannot be annealed from step 7,000"),
        ({"at": 100}, "its warm-up ends at step 200"),
        ({"over": 0}, "expected updates, as 2000, or a share"),
        ({"over": float("nan")}, "expected updates"),
        ({"shape": "zigzag"}, "zigzag"),
        ({"final": -1.0}, "expected 0 or above"),
        ({"against": "nobody"}, "no run of that name, but run"),
        ({"over": 9000, "same_total": True}, "cannot end at update 6,000"),
        ({"group_by": "("}, "expected one of label"),
        (
            {"group_by": "z+"},
            "nothing like it in the name 'run'; expected one of label, model_size",
        ),
        ({"level": 1.0}, "level is 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message):
    with pytest.raises(ll.InputError) as error:
        ll.annealed(stable(), law="effective", **options)
    assert message in str(error.value)


def test_two_runs_of_one_name_are_refused():
    with pytest.raises(ll.InputError, match="two runs are called 'run'"):
        ll.annealed([stable(), stable()], law="effective")


def test_cooldowns_say_what_they_are():
    assert str(Cooldown(over=0.2)) == "linear to 0 over 20 % of the updates so far"
    assert (
        str(Cooldown(over=2000, shape="1-sqrt", final=1e-5)) == "1-sqrt to 1e-05 over 2,000 updates"
    )


def test_of_two_that_are_not_told_apart_the_lower_is_named():
    runs = {"a": stable(1e-3), "b": stable(1.02e-3, seed=1)}
    result = ll.annealed(runs, law="effective")
    (pair,) = result.pairs
    assert pair.verdict == "not told apart"
    lower = min(result.runs, key=lambda run: run.loss).label
    assert f"not told apart ({lower} lower by {abs(pair.difference):.4f} ± " in pair.sentence


def test_sentences_of_a_report_are_in_eighty_columns():
    runs = {f"a run with a name {seed}": stable(seed=seed, n=3000) for seed in range(4)}
    report = str(ll.annealed(runs))
    assert max(map(len, report.splitlines())) <= 80
    assert "note: fitted together, as runs of one model: a run with a name 0, a run with" in report


def test_a_fit_of_another_model_confirms_nothing():
    smaller = [run.with_(loss=run.loss + 0.3) for run in (done("d"), stable(label="s", seed=3))]
    fit = ll.fit(smaller)
    found = ll.annealed(stable(), over=1200, fit=fit)
    assert found.trust.status == "not confirmed"
    assert any("run is -0." in said and "another model" in said for said in found.warnings)
    found = ll.continue_run(stable(), 1000, fit=fit)
    assert found.trust.status == "not confirmed"
    assert any("another model" in said for said in found.warnings)
    own = ll.annealed(smaller[1].with_(label="own"), over=1200, fit=fit)
    assert not any("another model" in said for said in own.warnings)


def test_few_noisy_losses_place_a_run_as_badly_as_they_do():
    """Against the scatter of what is fitted to other draws of the noise."""
    from losslaw.annealing.models import Model
    from losslaw.annealing.standing import fitted
    from losslaw.fitting.rules import Rules

    rules = Rules(skip=600, keep_all=False)
    found, said = [], []
    for seed in range(12):
        run = stable(noise=0.04, seed=seed)
        run = run.some(run.steps % 200 == 0)
        model = fitted(
            Model(name="one", runs=(run,)),
            (),
            None,
            Cooldown(),
            law="effective",
            rules=rules,
            new_data=False,
        )
        found.append(model.fit.law.predict(run.schedule, [6000])[0])
        said.append(model.placed(model.standings["run"], 6000))
    # On the safe side, as all intervals of few losses are.
    assert 1 < np.median(said) / np.std(found) < 2


def test_an_interval_between_logs_of_unlike_density_counts_what_the_sparse_one_leaves_open():
    dense = stable(noise=0.04, label="dense")
    steps = np.arange(1, 6001)
    every = LAW.curve(dense.schedule, steps, "dense")
    noise = np.random.default_rng(3).normal(0, 0.04, steps.size)
    dense = every.with_(loss=every.loss + noise)
    sparse = dense.some(dense.steps % 500 == 0).with_(label="sparse")
    options = {"law": "effective", "group_by": "label", "skip": 600}
    (pair,) = ll.annealed([dense, sparse], **options).pairs
    (again,) = ll.annealed([dense, dense.with_(label="sparse")], **options).pairs
    assert abs(pair.difference) < pair.interval.half_width
    assert pair.interval.half_width > 2 * again.interval.half_width
