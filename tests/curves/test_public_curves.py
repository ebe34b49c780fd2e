"""Real logs whose schedules are known: the rates between the rows against the formulas.

The logs are not part of the repository; without them these tests skip.
"""

import json
from functools import cache

import numpy as np
import pytest
from helpers.public_curves import FOLDER, needs_public_curves

from losslaw.curves import read_curves
from losslaw.schedules import parse_schedule, recognise

SETS = ("mpl_llama2", "schaipp_llama_val", "schaipp_llama_train")

pytestmark = needs_public_curves


@cache
def curves(name):
    lr_is = "next" if name == "schaipp_llama_train" else None
    return read_curves(f"{FOLDER / name}/*.csv", lr_is=lr_is)


@cache
def runs(name):
    return json.loads((FOLDER / name / "meta.json").read_text())["runs"]


def formula(name, label, n):
    """Rates after the warm-up as the trainers computed them, and the update they begin at."""
    meta, k = runs(name)[label], np.arange(1.0, n + 1)
    peak = meta["peak_lr"]
    if name == "mpl_llama2":
        kind, *numbers = label.split("_", 1)[1].split("_")
        decay = (k - 20000) / 4000
        return 2160, {
            "constant": lambda: np.full(n, peak),
            "cosine": lambda: cosine(peak, 3e-5, (k - 2160) / (int(numbers[0]) - 2160)),
            "wsd": lambda: peak * 0.1 ** np.maximum(decay, 0),
            "wsdld": lambda: peak - 0.9 * peak * np.maximum(decay, 0),
            # The row at step 8000 has the second rate already.
            "wsdcon": lambda: np.where(k < 8000, peak, meta["min_lr"]),
        }[kind]()
    horizon, begin = meta["total_steps"], 301
    if meta["scheduler"] == "cos":  # torch's OneCycleLR: its phases end one update early
        return begin, cosine(peak, 0.1 * peak, (k - 300) / (horizon - 300))
    if meta["schedule"] == "constant":
        return begin, np.full(n, peak)
    cooldown = int(meta["decay_fraction"] * horizon)
    z = np.clip((k - 1 - (horizon - cooldown)) / cooldown, 0, 1)
    return begin, peak * (1 - (np.sqrt(z) if "sqrt" in meta["schedule"] else z))


def cosine(peak, final, z):
    return final + (peak - final) * (1 + np.cos(np.pi * np.clip(z, 0, 1))) / 2


@pytest.mark.parametrize("name", SETS)
def test_rates_between_rows_are_those_of_the_trainer(name):
    for curve in curves(name):
        begin, expected = formula(name, curve.label, curve.schedule.horizon)
        worst = np.abs(curve.schedule.lr - expected)[begin - 1 :].max() / expected.max()
        # The logs have eight digits; a fitted formula may be off by a few of the last ones.
        assert worst < 5e-7, curve.label


@pytest.mark.parametrize("name", SETS)
def test_every_schedule_is_recognised(name):
    for curve in curves(name):
        found = recognise(curve.schedule)
        assert found is not None, curve.label
        assert found.deviation < 1e-6, curve.label
        family = {"constant": "constant", "two_stage": "twostage", "cosine": "cosine"}
        kind = runs(name)[curve.label]["schedule"].removesuffix("_to_0.1_of_peak")
        assert found.spec.startswith(family.get(kind, "wsd")), curve.label
        assert parse_schedule(found.spec).horizon >= curve.schedule.horizon


def test_what_the_sidecars_say_arrives():
    for curve in curves("schaipp_llama_val"):
        assert curve.schedule.warmup == 300
        assert curve.schedule.weight_decay is not None
        assert curve.model_size == runs("schaipp_llama_val")[curve.label]["params"]
        assert any("next update" in sentence for sentence in curve.assumptions)
    for curve in curves("mpl_llama2"):
        assert curve.schedule.warmup == 2160
        assert curve.schedule.weight_decay is None


def test_all_of_them_are_read():
    assert [len(curves(name)) for name in SETS] == [27, 104, 11]
    assert all(curve.warnings == () for name in SETS for curve in curves(name))
