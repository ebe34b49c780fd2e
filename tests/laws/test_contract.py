"""What every law promises; a new one is held to it by its line in ``LAWS``."""

import dataclasses
import json

import numpy as np
import pytest
from helpers.law_samples import RATES, RESCALED, sound
from numpy.testing import assert_allclose

from losslaw.errors import InputError
from losslaw.fitting.problem import blocks_of
from losslaw.laws import LAWS, Law, Prior, Query, law_named
from losslaw.schedules import Schedule, constant, cosine, join, wsd
from losslaw.schedules.averages import WeightedCheckpoints

# Two queries about one schedule may use other mixtures; each is right to 1e-8.
AGREE = 1e-9


def test_losses_are_finite_and_positive(law, schedule):
    losses = law.predict(schedule)
    assert losses.shape == (schedule.horizon,)
    assert (np.isfinite(losses) & (losses > 0)).all()


def test_terms_sum_to_the_prediction(law, schedule):
    terms = law.decompose(schedule)
    assert list(terms) == list(law.amplitudes())
    assert_allclose(sum(terms.values()), law.predict(schedule), rtol=1e-12)


def test_terms_scale_with_their_amplitude(law, schedule):
    terms = law.decompose(schedule)
    for name in law.amplitudes():
        doubled = law.with_(**{name: 2 * getattr(law, name)}).decompose(schedule)
        for other, term in terms.items():
            factor = 2.0 if other == name else 1.0
            assert_allclose(doubled[other], factor * term, rtol=1e-12)


def test_some_steps_have_the_losses_of_all_steps(law, schedule):
    every = law.predict(schedule)
    n = schedule.horizon
    for steps in ([n], [1], np.unique([1, (n + 1) // 2, n])):
        assert_allclose(law.predict(schedule, steps), every[np.asarray(steps) - 1], rtol=AGREE)


def test_what_comes_later_does_not_matter(law, schedule):
    steps = np.unique([1, (schedule.horizon + 1) // 2, schedule.horizon])
    alone = law.predict(schedule, steps)
    for rate in (0.0, 1e-3, 5e-3):
        longer = join(schedule, Schedule([1e-3] + [rate] * 30))
        assert law.predict(longer, steps).tolist() == alone.tolist()
        later = law.predict(longer, [*steps, longer.horizon])
        assert_allclose(later[:-1], alone, rtol=AGREE)


def test_a_run_in_two_pieces_is_the_whole_run(law):
    whole = wsd(peak=1e-3, horizon=90, warmup=10, cooldown=0.3, batch=8, weight_decay=0.2)
    pieces = join(
        whole.prefix(70), Schedule(whole.lr[70:], whole.batch[70:], whole.weight_decay[70:])
    )
    assert law.predict(pieces).tolist() == law.predict(whole).tolist()


def test_a_cooldown_of_no_length_is_a_constant_run(law):
    none = wsd(peak=1e-3, horizon=90, warmup=10, cooldown=0.0)
    flat = constant(peak=1e-3, horizon=90, warmup=10)
    assert law.predict(none).tolist() == law.predict(flat).tolist()


def test_one_update(law):
    assert np.isfinite(law.predict(Schedule([1e-3]))).all()


def test_nothing_happens_at_rate_zero_once_it_has_settled(law):
    # Laws that pay for the past at rate 0 (momentum) or count steps (chinchilla) go on; none jumps.
    tail = Schedule(np.concatenate([RATES["warm-up and cosine"], np.zeros(50)]))
    losses = law.predict(tail)[91:]
    assert np.isfinite(losses).all()
    assert np.abs(np.diff(losses)).max() < 0.01


def test_rates_that_begin_at_zero(law):
    losses = law.predict(Schedule([0.0, 0.0, 1e-3, 1e-3]))
    assert np.isfinite(losses).all()


def test_parameters_survive_json_and_with(law):
    values = json.loads(json.dumps(law.parameters))
    again = type(law)(**values, **{name: getattr(law, name) for name in law.settings()})
    assert again == law
    assert law.with_() == law
    assert set(law.parameters) == {*law.shapes(), *law.amplitudes()}


def test_a_law_is_frozen(law):
    with pytest.raises(dataclasses.FrozenInstanceError):
        law.L0 = 3.0


def test_the_curve_of_a_law_is_its_prediction(law):
    schedule = Schedule(RATES["warm-up and cosine"])
    curve = law.curve(schedule, [10, 90])
    assert curve.label == law.name
    assert curve.loss.tolist() == law.predict(schedule, [10, 90]).tolist()


@pytest.mark.parametrize("steps", [[0, 1], [2, 1], [1, 1], [91], [1.5], [], [np.nan]])
def test_steps_outside_the_schedule_are_refused(law, steps):
    with pytest.raises(InputError):
        law.predict(Schedule(RATES["warm-up and cosine"]), steps)


def test_parameters_out_of_range_are_refused(law):
    for name in law.parameters:
        for value in (-1.0, np.nan, np.inf):
            with pytest.raises(InputError, match=f"{law.name}: {name} is "):
                law.with_(**{name: value})
    for name, spec in law.shapes().items():
        if not spec.zero:
            with pytest.raises(InputError, match=f"{name} is 0, expected a number above 0"):
                law.with_(**{name: 0.0})


def test_shapes_at_their_bounds_give_finite_losses(law, schedule):
    # A search may go there, warnings are errors, and what it finds must be a number.
    for name, spec in law.shapes().items():
        for value in (spec.low, spec.high, *spec.starts):
            moved = law.with_(**{name: value})
            columns = moved.columns(Query.of(schedule))
            for column in columns.values():
                assert np.isfinite(column).all(), (name, value)


def test_a_law_says_what_it_is(law):
    kind = type(law)
    assert kind.name == law.name == next(name for name, item in LAWS.items() if item is kind)
    assert kind.title
    assert kind.reference
    for name, spec in law.shapes().items():
        assert spec.meaning, name
        value = getattr(kind(), name)
        assert spec.low < value < spec.high or (spec.zero and value == 0), name
        assert all(spec.low <= start <= spec.high for start in spec.starts), name
    assert all(spec.meaning for spec in law.amplitudes().values())
    assert "L0" in law.amplitudes()


def test_an_unknown_law_is_refused_with_the_known_ones():
    with pytest.raises(
        InputError, match=r"unknown law 'kaplan': expected one of auto, chinchilla.*effective"
    ):
        law_named("kaplan")


LONG = {
    "cosine": cosine(peak=3e-4, horizon=12_000, warmup=1000, final=3e-5),
    "wsd": wsd(peak=3e-4, horizon=12_000, warmup=1000, cooldown=0.2),
    "jumps": Schedule(
        np.repeat([3e-4, 3e-5, 3e-4, 0.0, 1e-4], [5000, 3000, 2000, 1000, 1000]),
        batch=np.repeat([32.0, 64.0], 6000),
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_blocks_of_updates_are_close_to_single_ones(law, name):
    query = Query(LONG[name], np.arange(1500, 12_001, 128))
    names = list(law.amplitudes())
    exact, blocks = (
        np.stack([columns[each] for each in names])
        for columns in (law.columns(query), law.columns(query.in_blocks(32)))
    )
    amplitudes = [getattr(law, each) for each in names]
    assert np.abs(amplitudes @ (blocks - exact)).max() < 1e-3


@pytest.mark.parametrize("name", LONG)
def test_the_few_updates_of_a_block_in_a_fit_move_no_loss_by_more_than_1e_4(law, name):
    steps = np.arange(1500, 12_001, 128)
    exact, blocks = (law.loss(Query(LONG[name], steps, block)) for block in (1, 3))
    assert np.abs(blocks - exact).max() < 1e-4


def test_the_blocks_of_many_short_runs_move_no_loss_by_more_than_1e_4(law):
    (block, *_) = blocks_of([5000] * 100)
    assert block > 1
    steps = np.arange(500, 5001, 25)
    for family in (cosine, wsd):
        schedule = family(peak=3e-4, horizon=5000, warmup=100)
        exact, blocks = (law.loss(Query(schedule, steps, each)) for each in (1, block))
        assert np.abs(blocks - exact).max() < 1e-4


@pytest.mark.parametrize("factor", [1e-3, 0.5, 30.0])
def test_the_unit_of_the_learning_rate_does_not_matter(law, factor):
    if law.name not in RESCALED:
        pytest.skip(f"how {law.name} follows a change of unit is not written down here")
    plain = wsd(peak=1e-3, horizon=90, warmup=10, cooldown=0.3, weight_decay=0.2)
    # The effective law knows the decay of the weights by the product wd * lr.
    other = plain.scaled(factor).with_(weight_decay=0.2 / factor)
    moved = law.with_(**RESCALED[law.name](law, factor))
    assert_allclose(moved.predict(other), law.predict(plain), rtol=1e-8)


def test_sound_laws_have_terms_worth_testing():
    for kind in LAWS.values():
        terms = sound(kind).decompose(Schedule(RATES["warm-up and cosine"]), [90])
        assert isinstance(sound(kind), Law)
        sizes = [abs(term[0]) for name, term in terms.items() if name != "L0"]
        assert max(sizes) > 0.01


@pytest.mark.parametrize("on", ["value", "log", "inverse"])
def test_the_slope_of_a_prior_is_that_of_its_distance(on):
    prior = Prior(2.0, 0.3, on)
    step = 1e-6
    difference = (prior.z(3.0 * np.exp(step)) - prior.z(3.0 * np.exp(-step))) / (2 * step)
    assert prior.slope(3.0) == pytest.approx(difference, rel=1e-8)


def test_a_merge_of_one_model_is_the_model(law, schedule):
    steps = np.unique([max(schedule.warmup, 1), schedule.horizon])
    merged = [law.merged_loss(Query.of(schedule, [step]), np.ones(1)) for step in steps]
    if merged[0] is not None:
        assert_allclose(merged, law.predict(schedule, steps), rtol=1e-8)


def test_a_merge_has_less_noise_than_its_models(law):
    """And is near to the end of its equivalent schedule, where many models are merged."""
    run = constant(peak=1e-3, horizon=3000, warmup=100, weight_decay=0.1, batch=8)
    average = WeightedCheckpoints(range(2000, 3001, 50), "linear")
    merged = law.merged_loss(Query.of(run, average.checkpoints), average.weights)
    if merged is None:
        return
    equivalent = float(law.predict(average.equivalent(run), [3000])[0])
    raw = float(law.predict(run, [3000])[0])
    assert merged < raw
    assert abs(merged - equivalent) < 0.5 * (raw - equivalent)
