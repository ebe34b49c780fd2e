"""Trainers' own styles: their formulas against their programs, and the nearest to a schedule."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.exporting import deepspeed, huggingface, megatron, nanotron, olmo_core, torchtitan
from losslaw.exporting.styles import Rates, Style, fall, nearest
from losslaw.schedules import Schedule, constant, cosine, inverse_sqrt, linear, wsd

# Written by the real programs; their versions are in the file.
REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text())
N, PEAK = REFERENCE["updates"], REFERENCE["peak"]
STYLES = {
    "megatron": megatron.STYLES,
    "deepspeed": deepspeed.STYLES,
    "torchtitan": torchtitan.STYLES,
    "nanotron": nanotron.STYLES,
    "olmo-core": olmo_core.STYLES,
}


def numbers(trainer, told):
    """Warm-up, decay, floor and initial rate in what a trainer was told."""
    if trainer == "megatron":
        return (
            told["--lr-warmup-iters"],
            told.get("--lr-wsd-decay-iters", 0),
            told["--min-lr"],
            told["--lr-warmup-init"],
        )
    if trainer == "deepspeed":
        params = told["params"]
        floor = params.get("warmup_min_lr", PEAK * params.get("cos_min_ratio", 0.0))
        return params["warmup_num_steps"], 0, floor, 0.0
    if trainer == "torchtitan":
        decay = round(told.get("total_steps", N) * told["decay_ratio"])
        return told["warmup_steps"], decay, PEAK * told["min_lr_factor"], 0.0
    if trainer == "nanotron":
        return told["lr_warmup_steps"], told["lr_decay_steps"], told["min_decay_lr"], 0.0
    floor = told.get("decay_min_lr", PEAK * told.get("alpha_f", 0.0))
    return told["warmup"], told.get("decay", 0), floor, told["warmup_min_lr"]


def as_told(trainer, style, setting, rates):
    told = style.arguments(setting, rates)
    if trainer == "megatron":
        return {"--lr-warmup-init": 0.0} | told
    if trainer == "olmo-core":
        return {"class": style.name, "warmup_min_lr": 0.0} | told
    return told


def made(style, setting, rates):
    columns = style.columns(setting, np.arange(1.0, setting[0] + 1))
    return columns @ [rates.floor, rates.peak - rates.floor, rates.initial]


@pytest.mark.parametrize("trainer", sorted(STYLES))
def test_formulas_and_arguments_are_those_of_the_programs(trainer):
    """Every case is said by one of our styles, in the same words, and has the program's rates."""
    said = set()
    for case in REFERENCE[trainer]["cases"]:
        warmup, decay, floor, initial = numbers(trainer, case["told"])
        setting, rates = (N, warmup, decay), Rates(PEAK, floor, initial)
        found = [
            style
            for style in STYLES[trainer]
            if style.decays == (decay > 0)
            and as_told(trainer, style, setting, rates) == case["told"]
        ]
        assert found, case["told"]
        for style in found:
            # The programs compute in float64 too, in another order.
            assert_allclose(made(style, setting, rates), case["lr"], rtol=1e-11, atol=1e-15)
            said.add(style.title)
    # 1-sqrt is newer than the nanotron that can be installed.
    silent = {style.title for style in STYLES[trainer]} - said - {"1-sqrt", "constant"}
    assert not silent


@pytest.mark.parametrize("style", huggingface.STYLES, ids=lambda style: style.title)
@pytest.mark.parametrize("warmup", [0, 6])
def test_formulas_are_those_of_transformers(style, warmup):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    setting, rates = (N, warmup, 15 if style.decays else 0), Rates(PEAK, 0.1 * PEAK, 0.0)
    if not style.floor:
        rates = Rates(PEAK, 0.0, 0.0)
    told = style.arguments(setting, rates)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=told["learning_rate"])
    kwargs = dict(told.get("lr_scheduler_kwargs", {}))
    # transformers warns where both are given, as its Trainer does.
    total = None if "num_stable_steps" in kwargs else N
    scheduler = transformers.get_scheduler(
        told["lr_scheduler_type"], optimizer, told["warmup_steps"], total, kwargs
    )
    used = []
    for _ in range(N):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert_allclose(made(style, setting, rates), used, rtol=1e-11, atol=1e-15)


SHAPES = {
    "wsd": wsd(peak=3e-4, horizon=3000, warmup=100, cooldown=0.2),
    "wsd 1-sqrt": wsd(peak=3e-4, horizon=3000, warmup=100, cooldown=0.3, decay="1-sqrt"),
    "wsd floor": wsd(peak=3e-4, horizon=3000, warmup=0, cooldown=0.2, final=1e-5),
    "cosine": cosine(peak=3e-4, horizon=3000, warmup=100, final=3e-5),
    "linear": linear(peak=3e-4, horizon=3000, warmup=100),
    "constant": constant(peak=3e-4, horizon=3000, warmup=100),
    "inverse": inverse_sqrt(peak=3e-4, horizon=3000, warmup=100),
}
# The trainers whose own styles are this package's families, update for update.
SAME = {
    "megatron": {"wsd", "wsd 1-sqrt", "wsd floor", "cosine", "linear", "constant"},
    "torchtitan": {"wsd", "wsd 1-sqrt", "wsd floor", "constant"},
    "olmo-core": {"wsd", "wsd floor", "cosine", "linear", "constant", "inverse"},
    "nanotron": {"wsd floor"},
    "deepspeed": set(),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("trainer", sorted(STYLES))
def test_a_family_that_the_trainer_has_is_found_exactly(trainer, shape):
    found = nearest(SHAPES[shape], STYLES[trainer])
    assert found.exact == (shape in SAME[trainer])
    if found.exact:
        assert_allclose(found.lr, SHAPES[shape].lr, rtol=1e-6, atol=1e-14)


def test_what_a_style_made_is_found_again():
    """The search finds the style, setting and rates that rates were made with."""
    style = next(each for each in megatron.STYLES if each.title == "WSD minus_sqrt")
    rates = Rates(2e-3, 1e-4, 1e-5)
    lr = made(style, (5000, 137, 911), rates)
    found = nearest(Schedule(lr, warmup=137), megatron.STYLES)
    assert found.arguments == style.arguments((5000, 137, 911), rates)
    assert found.largest < 1e-9


def test_the_nearest_style_is_the_best_of_a_brute_force():
    """Against every warm-up and decay of a small schedule, rates by least squares."""
    lr = np.concatenate([np.linspace(0.1, 1, 5), np.linspace(1, 0.6, 20), np.linspace(0.6, 0, 16)])
    schedule = Schedule(lr, warmup=5)
    style = next(each for each in olmo_core.STYLES if each.name == "WSD")
    found = nearest(schedule, [style])
    best = np.inf
    for warmup in range(3, 8):
        for decay in range(1, lr.size - warmup + 1):
            columns = style.columns((lr.size, warmup, decay), np.arange(1.0, lr.size + 1))
            for peak in np.linspace(0.7, 1.0, 31):
                for initial in (0.0, 0.05, 0.1):
                    miss = columns @ [0.0, peak, initial] - lr
                    best = min(best, float(np.sqrt(np.mean(miss**2))))
    # The grid has no better one; TIDY rates may cost 2 %.
    assert found.rms <= 1.021 * best


def test_a_near_miss_never_starts_or_peaks_higher_and_keeps_the_warmup():
    lr = np.concatenate([np.linspace(0.01, 1, 100), np.linspace(1.0, 0.2, 2900) ** 3])
    schedule = Schedule(lr, warmup=100)
    for trainer, styles in STYLES.items():
        found = nearest(schedule, styles)
        assert found.lr.max() <= 1 + 1e-9
        # DeepSpeed's warm-up starts from the floor, whatever that has to be.
        assert trainer == "deepspeed" or found.lr[0] <= 0.01 + 1 / 88
        reached = int(np.argmax(found.lr >= found.lr.max() * (1 - 1e-9)))
        assert 88 <= reached <= 112


def test_long_schedules_are_searched_on_a_sample_and_measured_on_all_updates():
    schedule = wsd(peak=1e-3, horizon=200_000, warmup=1234, cooldown=0.137, decay="cosine")
    found = nearest(schedule, megatron.STYLES)
    assert found.exact
    assert found.lr.size == 200_000


def test_unknown_levels_are_refused():
    with pytest.raises(ValueError, match="steep"):
        fall("steep", np.zeros(1))


def test_gaps_are_shares_of_the_peak():
    """A style that can only be constant, against a schedule that halves for its last quarter."""
    flat = Style(
        "flat",
        lambda setting, k: olmo_core.STYLES[0].phases((setting[0], 0, 0), k),
        lambda setting, rates: {"lr": rates.peak},
        floor=False,
        room=0,
    )
    lr = np.repeat([2.0, 1.0], [30, 10])
    found = nearest(Schedule(lr), [flat])
    mean = (30 * 2 + 10 * 1) / 40
    assert found.arguments == {"lr": mean}
    assert found.largest == pytest.approx((mean - 1) / 2)
    assert found.rms == pytest.approx(
        np.sqrt((30 * (2 - mean) ** 2 + 10 * (mean - 1) ** 2) / 40) / 2
    )
