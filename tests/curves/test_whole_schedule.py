"""The schedule of a whole run, found from logs that were made from it."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.curves import read_curves
from losslaw.curves.whole_schedule import whole_schedule
from losslaw.schedules import parse_schedule

REAL = Path(__file__).parents[3] / "shared" / "logs"
N = 4000


def rate_at(spec):
    """The rate at each clock 0..N: that of update k is at k - 1, as in PyTorch's schedulers."""
    schedule = parse_schedule(spec)
    peak = float(spec.split("peak=")[1].split(",")[0])
    first = peak if schedule.warmup == 0 else 0.0
    return np.r_[first, schedule.lr]


def found_in(spec, *, first, every, delay=0, write=float, horizon=N, last=N):
    rates = rate_at(spec)
    steps = np.arange(first, last + 1, every)
    logged = np.array([float(write(rate)) for rate in rates[steps - delay]])
    return whole_schedule(steps, logged, horizon=horizon, last=last), rates


WITHOUT = [
    f"linear:peak=2e-5,horizon={N}",
    f"linear:peak=2.5e-4,horizon={N},final=2.5e-5",
    f"cosine:peak=5e-5,horizon={N}",
    f"cosine:peak=5.946035575013605e-04,horizon={N},final=5.9e-05",
]
WITH = [
    f"linear:peak=2e-5,horizon={N},warmup=300",
    f"linear:peak=2.3632e-5,horizon={N},warmup=317,final=1e-6",
    f"cosine:peak=5.946035575013605e-04,horizon={N},warmup=300,final=5.9e-05",
    f"cosine:peak=6e-4,horizon={N},warmup=317",
    f"wsd:peak=3e-4,horizon={N},warmup=300",
    f"wsd:peak=3e-4,horizon={N},warmup=300,cooldown=0.33,final=3e-5",
    f"wsd:peak=3e-4,horizon={N},warmup=300,decay=1-sqrt",
    f"wsd:peak=3e-4,horizon={N},warmup=300,decay=cosine,final=1e-5",
]
WRITE = {"in full": float, "single": np.float32, "7 digits": lambda rate: f"{rate:.6e}"}


@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
@pytest.mark.parametrize("spec", WITHOUT)
def test_a_log_that_begins_late_shows_that_there_was_no_warm_up(spec, write):
    found, rates = found_in(spec, first=250, every=250, write=write)
    assert found is not None
    assert found.warmup == 0
    assert_allclose(found.rates(np.arange(N + 1.0)), rates, atol=1e-6 * rates.max())


@pytest.mark.parametrize("delay", [0, 1])
@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
@pytest.mark.parametrize("spec", WITH)
def test_the_warm_up_and_the_delay_are_found_from_a_few_rows_on_the_ramp(spec, write, delay):
    found, rates = found_in(spec, first=70, every=70, write=write, delay=delay)
    assert found is not None
    assert found.delay == delay or not found.decided
    assert found.warmup == parse_schedule(spec).warmup + delay - found.delay
    clock = np.arange(N + 1.0)
    assert_allclose(
        found.rates(clock + delay - found.delay)[1:], rates[1:], atol=2e-6 * rates.max()
    )


@pytest.mark.parametrize("delay", [0, 1])
@pytest.mark.parametrize("spec", [*WITHOUT, *WITH])
def test_rates_in_full_decide_between_the_next_update_and_the_one_done(spec, delay):
    """A line to a final rate above 0 is one either way; the final rate is round for one only."""
    found, _ = found_in(spec, first=40, every=40, delay=delay)
    assert found is not None
    assert (found.delay, found.decided) == (delay, True)


@pytest.mark.parametrize(("warmup", "peak"), [(200, "5e-05"), (400, "1e-05"), (123, "1.2e-4")])
def test_a_cosine_tells_a_warm_up_that_was_not_logged(warmup, peak):
    found, rates = found_in(f"cosine:peak={peak},horizon={N},warmup={warmup}", first=500, every=100)
    assert found is not None
    assert found.warmup == warmup
    assert found.warmup_is == "told"
    assert_allclose(found.rates(np.arange(N + 1.0)), rates, atol=1e-9 * rates.max())


def test_of_a_line_the_warm_up_with_the_roundest_peak_is_taken():
    found, rates = found_in(f"linear:peak=2e-5,horizon={N},warmup=200", first=500, every=500)
    assert found is not None
    assert (found.warmup, found.decay.peak, found.warmup_is) == (200, 2e-5, "round")
    assert_allclose(found.rates(np.arange(N + 1.0)), rates, atol=1e-9 * 2e-5)


@pytest.mark.parametrize("delay", [0, 1])
def test_a_line_that_leads_back_to_no_round_rate_tells_the_delay_only(delay):
    spec = f"linear:peak=2.3632e-5,horizon={N},warmup=200"
    found, rates = found_in(spec, first=500, every=500, delay=delay)
    assert found is not None
    assert (found.delay, found.decided, found.warmup_is) == (delay, True, "assumed")
    assert f"a linear warm-up over {500 - delay} updates is assumed" in found.warnings[0]
    assert_allclose(found.rates(np.arange(500.0, N + 1)), rates[500:], atol=1e-9 * 2e-5)
    steps = np.arange(500, N + 1, 500)
    found = whole_schedule(steps, rates[steps - delay], horizon=N, last=N, warmup=200)
    assert found is not None
    assert (found.warmup, found.delay, found.decided, found.warnings) == (200, delay, True, ())
    assert_allclose(found.rates(np.arange(N + 1.0)), rates, atol=1e-9 * 2e-5)


@pytest.mark.parametrize(
    "spec",
    [
        f"constant:peak=3e-4,horizon={N}",  # any warm-up would do
        f"wsd:peak=3e-4,horizon={N},warmup=300",  # likewise
        f"step:peak=3e-4,horizon={N}",
        f"cyclic:peak=3e-4,horizon={N}",
        f"exponential:peak=3e-4,final=1e-5,horizon={N}",
    ],
)
def test_what_the_rows_do_not_determine_is_not_made_up(spec):
    assert found_in(spec, first=500, every=500)[0] is None


@pytest.mark.parametrize("every", [1, 7, 40])
@pytest.mark.parametrize("horizon", [N, None], ids=["known", "not known"])
@pytest.mark.parametrize(
    "spec",
    [
        f"cosine:peak=6e-4,horizon={N},warmup=300",
        f"cosine:peak=6e-4,horizon={N},warmup=300,final=6e-5",
        f"linear:peak=6e-4,horizon={N},warmup=700",
        f"wsd:peak=6e-4,horizon={N},warmup=300,cooldown=0.27",
        f"wsd:peak=6e-4,horizon={N},warmup=300,decay=1-sqrt",
    ],
)
def test_rates_of_six_decimals_are_those_of_the_schedule_under_them(spec, horizon, every):
    found, rates = found_in(
        spec, first=0, every=every, write=lambda rate: f"{rate:.6f}", horizon=horizon
    )
    assert found is not None
    assert found.unit == pytest.approx(1e-6)
    assert "rounded to 1e-06" in found.assumptions[0]
    # Half a unit where there is a row; a warm-up or a start is known as well as rounding lets it.
    assert np.abs(found.rates(np.arange(N + 1.0)) - rates).max() < 1.05e-6
    assert found.warmup == parse_schedule(spec).warmup


def test_a_rounded_run_that_was_cut_short_says_where_it_was_to_end():
    found, rates = found_in(
        f"cosine:peak=6e-4,horizon={N},warmup=300",
        first=0,
        every=10,
        write=lambda rate: f"{rate:.6f}",
        horizon=None,
        last=2500,
    )
    assert found is not None
    assert abs(found.decay.end - N) <= 20
    assert np.abs(found.rates(np.arange(2501.0)) - rates[:2501]).max() < 1e-6


@pytest.mark.parametrize("factor", [2, 10])
def test_a_staircase_of_few_steps_stays_what_it_is(factor):
    levels = 6e-4 / factor ** np.arange(5.0)
    rates = np.repeat(levels, 100)
    steps = np.arange(1, 501)
    assert whole_schedule(steps, np.round(rates, 6), horizon=None, last=500) is None
    assert whole_schedule(steps, np.round(rates, 6), horizon=500, last=500) is None


def test_skipped_updates_are_counted_of_a_peak_that_is_not_round():
    rates = rate_at(f"cosine:peak=2.3632e-5,horizon={N}")
    steps = np.arange(50, N, 50)
    behind = 2 * (steps > 120) + (steps > 700)
    found = whole_schedule(steps, rates[steps - behind], horizon=N, last=int(steps[-1]))
    assert found is not None
    assert (found.warmup, found.skipped) == (0, 3)


def test_updates_that_were_skipped_hold_the_clock():
    """As with half precision: three at the beginning, and one at 1300."""
    rates = rate_at(f"linear:peak=1e-5,horizon={N},warmup=500")
    steps = np.arange(25, N + 1, 25)
    behind = 3 + (steps > 1300)
    found = whole_schedule(steps, rates[steps - behind], horizon=N, last=N)
    assert found is not None
    assert (found.warmup, found.decay.peak, found.skipped) == (500, 1e-5, 4)
    curve = found.reconstruction(N, "next")
    assert_allclose(curve.lr[steps[:-1]], rates[steps - behind][:-1], rtol=1e-9)
    assert any("stood still for 4 skipped updates" in said for said in curve.assumptions)


def trainer_state(tmp_path, delay, every=50):
    rates = rate_at(f"cosine:peak=5e-5,horizon={N},warmup=200")
    steps = range(every, N + 1, every)
    history = [
        {"step": s, "epoch": s / N, "learning_rate": rates[s - delay], "loss": 3 - s / N}
        for s in steps
    ]
    path = tmp_path / "trainer_state.json"
    path.write_text(
        json.dumps(
            {"global_step": N, "max_steps": N, "logging_steps": every, "log_history": history}
        )
    )
    return path, rates


@pytest.mark.parametrize(("delay", "lr_is"), [(0, "next"), (1, "used")])
def test_the_trainer_that_captures_its_rate_before_the_update_is_told_by_arithmetic(
    tmp_path, delay, lr_is
):
    path, rates = trainer_state(tmp_path, delay)
    (curve,) = read_curves(path)
    assert curve.origin.lr_is == lr_is
    assert_allclose(curve.schedule.lr, rates[:-1], rtol=1e-9, atol=1e-18)
    overruled = any("decided by arithmetic" in said for said in curve.assumptions)
    assert overruled == (lr_is == "used")
    assert overruled != any("as in Hugging Face" in said for said in curve.assumptions)


def test_what_the_user_declares_overrules_arithmetic(tmp_path):
    path, rates = trainer_state(tmp_path, 1)
    (curve,) = read_curves(path, lr_is="next")
    assert curve.origin.lr_is == "next"
    assert_allclose(curve.schedule.lr[1:], rates[:-2], rtol=1e-9, atol=1e-18)


def test_another_warm_up_that_is_declared_is_taken(tmp_path):
    path, _ = trainer_state(tmp_path, 0)
    (curve,) = read_curves(path, warmup=100)
    assert curve.schedule.warmup == 100


def real(name, **options):
    path = REAL / name
    if not path.exists():
        pytest.skip("the collection of real logs is not here")
    (curve,) = read_curves(path, **options)
    return curve


def test_a_real_line_without_warm_up():
    curve = real("hf_trainer_state_window500.json")
    k = np.arange(1, 5001)
    assert curve.schedule.warmup == 0
    assert curve.warnings == ()
    assert_allclose(curve.schedule.lr, 2e-5 * (5490 - (k - 1)) / 5490, rtol=1e-9)


def test_a_real_cosine_without_warm_up():
    """Two updates between steps 100 and 150 were skipped."""
    curve = real("hf_trainer_state_cosine.json")
    k = np.arange(1, 8701)
    assert curve.schedule.warmup == 0
    behind = np.where(k > 150, 2, 0)
    expected = 2.5e-5 * (1 + np.cos(np.pi * (k - 1 - behind) / 8712))
    sure = (k <= 101) | (k > 150)
    assert_allclose(curve.schedule.lr[sure], expected[sure], atol=1e-9 * 5e-5)


def test_a_real_log_of_six_decimals():
    curve = real("llmc_main.log")
    assert curve.schedule.warmup == 700
    oracle = parse_schedule("cosine:peak=6e-4,warmup=700,horizon=19560")
    assert np.abs(curve.schedule.lr[1:] - oracle.lr[:-1]).max() < 1e-6
    assert any("rounded to 1e-06" in said for said in curve.assumptions)


@pytest.mark.parametrize("write", [float, lambda rate: f"{rate:.6f}"], ids=["full", "six decimals"])
def test_a_log_of_every_update_of_a_long_run(write):
    n = 60_000
    rates = rate_at(f"cosine:peak=6e-4,horizon={n},warmup=700")
    steps = np.arange(n + 1)
    logged = np.array([float(write(rate)) for rate in rates])
    found = whole_schedule(steps, logged, horizon=n, last=n)
    assert found is not None
    assert (found.warmup, found.decay.peak) == (700, 6e-4)
    logged[1234] *= 0.9  # a row that is thinned out counts all the same
    assert whole_schedule(steps, logged, horizon=n, last=n) is None
