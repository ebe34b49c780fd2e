"""Where runs end that go on, and whether it is worth it."""

import numpy as np
import pytest

import losslaw as ll
from losslaw.continuing import Comparison, SecondPhase, WayOn
from losslaw.continuing.continue_run import NEW_DATA, TOO_HIGH
from losslaw.continuing.ways import REHEATED
from losslaw.fitting.final_loss import FinalLoss
from losslaw.numerics.interval import Interval

LAW = ll.Effective(L0=2.5, A=0.55, N=45.0)


def run_of(schedule, label="run", seed=0):
    """The log that a law makes of a schedule, with noise."""
    curve = LAW.curve(schedule, np.arange(50, schedule.horizon + 1, 50), label)
    return curve.with_(loss=curve.loss + np.random.default_rng(seed).normal(0, 0.002, len(curve)))


def end(schedule):
    """What the law says of the last update."""
    return float(LAW.predict(schedule, [schedule.horizon])[0])


AT = {"peak": 1e-3, "horizon": 5000, "warmup": 200, "weight_decay": 0.1}
WSD = run_of(ll.wsd(cooldown=0.2, **AT), "annealed")
STABLE = run_of(ll.constant(**AT), "stable")
COSINE = run_of(ll.cosine(final=1e-4, **AT), "cosine")


@pytest.fixture(scope="module")
def annealed():
    """The annealed run, asked about 2,000 updates more."""
    return ll.continue_run(WSD, 2000, law="effective")


def test_the_ends_of_a_run_that_follows_the_law(annealed):
    assert annealed.annealed
    assert [way.kind for way in annealed.ways] == ["stop", "peak", "peak", "peak", "later"]
    assert [way.peak for way in annealed.ways[1:4]] == pytest.approx([1e-3, 5e-4, 2e-4])
    phase = SecondPhase(updates=2000)
    first = end(WSD.schedule)
    for way in annealed.ways[1:4]:
        truth = end(phase.to_peak(WSD.schedule, way.peak))
        assert way.loss == pytest.approx(truth, abs=5e-3)
        assert way.interval.holds(truth)
        assert way.gain_interval.holds(first - truth)
        assert (way.rewarmup, way.cooldown, way.steps) == (200, 1400, 7000)


def test_gains_are_differences_of_the_ends(annealed):
    first = annealed.against
    assert (first.kind, first.gain, first.gain_interval) == ("stop", 0.0, None)
    # The loss of a run that stops is the one in its log.
    assert (first.loss, first.interval) == (WSD.final_loss, None)
    for way in annealed.ways[1:]:
        assert way.gain == pytest.approx(first.loss - way.loss, abs=1e-12)
    assert annealed.best.loss == min(way.loss for way in annealed.ways[1:4])
    assert annealed.verdict.startswith("re-heating gains 0.0")
    assert "than a decay begun 2,000 updates later" in annealed.verdict
    assert annealed.longer.gain == pytest.approx(annealed.ways[-1].loss - annealed.best.loss)
    assert str(annealed).index("re-heating gains") < str(annealed).index("way on")


def test_new_data_are_outside_the_law(annealed):
    assert NEW_DATA in annealed.warnings
    with pytest.raises(ll.InputError, match="what other data cost is known of the mixture only"):
        ll.continue_run(WSD, 2000, law="effective", new_data=True)
    known = ll.fit([WSD, STABLE])
    plain = ll.continue_run(WSD, 2000, fit=known, peaks=[5e-4])
    wider = ll.continue_run(WSD, 2000, fit=known, peaks=[5e-4], new_data=True)
    assert NEW_DATA not in wider.warnings
    assert wider.best.interval.half_width > plain.best.interval.half_width
    assert wider.best.loss == pytest.approx(plain.best.loss)


def test_a_stable_run_is_held_against_decaying_from_now_on():
    result = ll.continue_run(STABLE, 2000, law="effective", peaks=[1e-3, 2e-3, 3e-4])
    assert not result.annealed
    assert [way.kind for way in result.ways] == ["decay", "stop", "stay", "peak", "peak", "peak"]
    assert [way.name for way in result.ways[3:]] == [
        "re-heat to 0.002",
        "hold 0.001, then decay",
        "lower to 0.0003",
    ]
    assert result.against.name == "decay from now on"
    assert result.ways[2].loss > result.against.loss
    assert result.reheating.way == "re-heat to 0.002"
    # A cooldown over all that is to come is the decay from now on, and is not shown twice.
    brief = ll.continue_run(STABLE, 500, law="effective", peaks=[1e-3, 3e-4])
    assert [way.name for way in brief.ways] == [
        "decay from now on",
        "stop now",
        "stay at 0.001",
        "lower to 0.0003",
    ]


def test_a_cosine_that_ends_above_zero_can_go_on_without_reheating():
    result = ll.continue_run(COSINE, 2000, law="effective")
    assert result.annealed
    assert {way.kind for way in result.ways} == {"stop", "decay", "stay", "peak", "later"}
    heated = result.reheating
    ways = {way.name: way for way in result.ways}
    assert heated.gain == pytest.approx(ways[heated.over].loss - ways[heated.way].loss)
    assert heated.sentence in result.verdict


def test_what_the_law_misses_and_another_peak_widen_a_gain():
    known = ll.fit([WSD, STABLE])
    (plain,) = [w for w in ll.continue_run(WSD, 2000, fit=known, peaks=[1e-3]).ways if w.peak]
    off = WSD.with_(loss=WSD.loss + 0.03)
    (missed,) = [w for w in ll.continue_run(off, 2000, fit=known, peaks=[1e-3]).ways if w.peak]
    assert missed.loss == pytest.approx(plain.loss)
    assert missed.gain == pytest.approx(plain.gain + 0.03)
    assert missed.gain_interval.half_width > 0.03 - 0.005 > plain.gain_interval.half_width
    whole = SecondPhase(updates=2000).to_peak(WSD.schedule, 5e-4)
    half = FinalLoss.of(known.settled(whole), whole).interval(0.9)
    (way,) = [w for w in ll.continue_run(WSD, 2000, fit=known, peaks=[5e-4]).ways if w.peak]
    error = 1.645 * REHEATED * known.mixture.ground.level * np.hypot(1, np.log(2))
    assert way.interval.half_width == pytest.approx(np.hypot(half.half_width, error), rel=0.02)


def test_peaks_far_above_the_own_one_are_warned_of():
    result = ll.continue_run(STABLE, 2000, law="effective", peaks=[4e-3])
    assert TOO_HIGH in result.warnings
    assert TOO_HIGH not in ll.continue_run(STABLE, 2000, law="effective", peaks=[2e-3]).warnings


def test_verdicts_in_words(annealed):
    def asked(gain, half):
        ways = (
            WayOn(
                kind="stop", name="stop now", peak=None, rewarmup=0, cooldown=0, steps=100,
                loss=2.98, interval=None, gain=0.0, gain_interval=None,
            ),
            WayOn(
                kind="peak", name="re-heat to 0.001", peak=1e-3, rewarmup=5, cooldown=9, steps=120,
                loss=2.98 - gain, interval=None, gain=gain,
                gain_interval=Interval.around(gain, half, level=0.9),
            ),
        )  # fmt: skip
        return type(annealed)(**{**vars(annealed), "ways": ways, "longer": None}).verdict

    numbers = "2.9800 stopped, {} after 2,000 more (re-heat to 0.001)"
    assert asked(-1e-4, 4e-3) == (
        f"re-heating buys nothing here: {numbers.format('2.9801 ± 0.0040')}"
    )
    assert asked(0.003, 4e-3).startswith("what re-heating buys is not certain: 2.9800 stopped")
    assert asked(0.02, 4e-3) == (
        f"re-heating gains 0.0200 ± 0.0040 here: {numbers.format('2.9600 ± 0.0040')}"
    )
    assert asked(-0.02, 4e-3).startswith("re-heating costs 0.0200 ± 0.0040 here")
    words = Comparison(
        way="a", over="b", gain=0.01, interval=Interval.around(0.01, 0.02, level=0.9)
    )
    assert words.sentence == "a ends 0.0100 ± 0.0200 lower than b, which cannot be told apart"


def test_json_holds_what_the_report_says(annealed):
    form = annealed.as_dict()
    assert form["verdict"] == annealed.verdict
    assert form["against"] == "stop now"
    way = form["ways"][1]
    assert {"kind", "peak", "steps", "loss", "lower", "upper", "gain", "gain_lower"} <= set(way)
    assert form["reheating"] is None
    assert form["longer"]["over"] == "a decay begun 2,000 updates later"


def test_a_run_that_diverged_goes_on_from_before_that():
    loss = STABLE.loss.copy()
    loss[90:] = 8.0
    result = ll.continue_run(STABLE.with_(loss=loss), 2000, law="effective")
    assert result.at <= 4550
    assert any("has diverged" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"updates": 0}, "0 updates to come"),
        ({"updates": 10, "level": 2.0}, "level is 2"),
        ({"updates": 10, "peaks": [1e-3, -1.0]}, "peak -1: expected a rate above the final one"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ll.InputError, match=words):
        ll.continue_run(STABLE, law="effective", **arguments)


def test_laws_are_weighed_for_the_peak_nearest_to_the_own_one():
    known = ll.fit([WSD, STABLE])
    near = ll.continue_run(WSD, 2000, fit=known, peaks=[1e-3])
    both = ll.continue_run(WSD, 2000, fit=known, peaks=[1e-3, 2e-2])
    assert both.trust.sentence == near.trust.sentence
    assert both.ways[2].loss == pytest.approx(near.ways[1].loss, abs=1e-12)
    assert both.ways[1].interval.half_width > 1.5 * near.ways[1].interval.half_width


def test_several_runs_or_sources_are_refused():
    with pytest.raises(ll.InputError, match="2 runs are to go on, expected one"):
        ll.continue_run([WSD, STABLE], 100)
    with pytest.raises(ll.InputError, match="'annealed' is among the earlier runs as well"):
        ll.continue_run(WSD, 100, earlier=[STABLE, WSD])
    fit = ll.fit(WSD, "effective")
    with pytest.raises(ll.InputError, match="choose one"):
        ll.continue_run(WSD, 100, fit=fit, law="effective")
