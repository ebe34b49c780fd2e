"""A problem of the kernel world is designed for as a law is, by its exact risk."""

import importlib
import json

import numpy as np
import pytest
from helpers.kernel_oracles import mean_totals
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.cli.main import run
from losslaw.curves.objective import Objective
from losslaw.designing import FAMILIES, USUAL, design_batch
from losslaw.designing.record import BestSchedule
from losslaw.errors import InputError
from losslaw.kernel import free_optimum
from losslaw.laws import LAWS

# The function of the same name hides the module.
module = importlib.import_module("losslaw.designing.design")

HARD = ll.KernelRegression(source=0.5, capacity=4.0)
KERNEL = ["--source", "0.5", "--capacity", "4"]


def test_laws_and_problems_answer_the_same_questions():
    assert isinstance(HARD, Objective)
    for kind in LAWS.values():
        assert isinstance(kind(), Objective)


def test_final_risk_and_its_slope_are_those_of_the_dense_recursion():
    world = ll.KernelRegression(source=0.6, capacity=1.7, modes=40, noise=0.5)
    lr, batch = np.linspace(0.3, 0.01, 60), np.repeat([2.0, 8.0], 30)

    def risk(lr):
        total = mean_totals(world.true_modes, lr, batch, [60])[0]
        return 0.5 * (total + world.unlearned)

    schedule = ll.Schedule(lr, batch=batch)
    assert_allclose(world.final(schedule), risk(lr), rtol=1e-8)
    value, by_rate = world.slope(schedule)
    assert_allclose(value, risk(lr), rtol=1e-8)
    for k in (0, 17, 59):
        step = np.zeros(60)
        step[k] = 1e-4
        slope = (risk(lr + step) - risk(lr - step)) / 2e-4
        assert_allclose(by_rate[k], slope, rtol=1e-5, atol=1e-9)


@pytest.fixture(scope="module")
def designed():
    return ll.design(HARD, 400, tuned=True)


def test_the_free_form_is_the_free_optimum_and_no_family_beats_it(designed):
    assert_allclose(HARD.excess_risk(designed.schedule)[0], designed.loss, rtol=1e-6)
    best = free_optimum(HARD, designed.schedule, tolerance=1e-10)
    assert best.excess <= designed.loss < 1.0005 * best.excess
    assert designed.gap < 0.02 * designed.loss
    assert designed.baselines.keys() == USUAL.keys()
    assert designed.families.keys() == FAMILIES.keys()
    for name, other in designed.families.items():
        assert designed.loss < other.loss, name
        assert_allclose(HARD.final(other.schedule), other.loss, rtol=1e-9)
    # A knob more is no worse, and the tail that theory has is the best of one line.
    risks = {name: other.loss for name, other in designed.families.items()}
    assert min(risks, key=risks.__getitem__) == "wsd-power"
    assert risks["wsd-power"] < 1.001 * risks["power"]
    assert risks["wsd"] < 1.001 * risks["linear"] < risks["constant"]


def test_a_risk_has_no_nats(designed):
    text = str(designed)
    assert "lowest excess risk of the kernel regression" in text
    assert "nats" not in text
    assert f"final excess risk  {designed.loss:.5g}" in text
    assert "at its best setting" in text
    assert "%\n" in text
    record = designed.as_dict()
    assert (record["law"], record["unit"]) == ("kernel", "excess risk")
    assert record["tuned"]["linear"]["spec"].startswith("linear:peak=")


def test_what_a_problem_does_not_stand_or_know():
    with pytest.raises(InputError, match="largest admissible rate"):
        ll.design(HARD, 100, peak=2.0, family="linear")
    with pytest.raises(InputError, match="knows no weight decay"):
        ll.design(HARD, 100, weight_decay=0.1, family="linear")
    with pytest.raises(InputError, match="needs the uncertainty of a fit"):
        ll.design(HARD, 100, family="linear", quantile=0.9)


def test_floor_warmup_and_run_so_far():
    made = ll.design(HARD, 500, peak=0.3, warmup=50, floor=0.01)
    assert_allclose(made.schedule.lr[:50], 0.3 * np.arange(1, 51) / 50)
    assert made.schedule.lr[50:].min() >= 0.01
    more = ll.design(HARD, 500, prefix=made.schedule.prefix(200), floor=0.01)
    assert_allclose(more.loss, made.loss, rtol=1e-3)


def test_the_batch_grows_with_less_risk_than_any_batch_alone():
    made = design_batch(HARD, 4000, batches=(1, 8), rate="constant")
    sizes = made.schedule.batch
    assert sizes.sum() <= 4000
    assert (np.diff(sizes) >= 0).all()
    assert set(sizes) == {1.0, 8.0}
    assert_allclose(HARD.final(made.schedule), made.loss, rtol=1e-9)
    assert made.gain > 0.05 * made.loss
    assert "nats" not in str(made)
    assert "final excess risk" in str(made)


def test_at_the_command(capsys, tmp_path):
    path = str(tmp_path / "best.csv")
    assert run(["design", *KERNEL, "--horizon", "200", "--json", "-o", path]) == 0
    record = json.loads(capsys.readouterr().out)
    schedule = ll.read_schedule(path)
    assert_allclose(HARD.final(schedule), record["loss"], rtol=1e-9)
    problem = [*KERNEL, "--noise", "0.5", "--modes", "100"]
    assert run(["design", *problem, "--horizon", "200", "--family", "power", "-o", path]) == 0
    told = capsys.readouterr().out
    again = f"losslaw simulate {' '.join(KERNEL)} --modes 100 --noise 0.5 --schedule {path}"
    assert again in told
    assert run(again.split()[1:]) == 0
    capsys.readouterr()
    command = ["design-batches", *KERNEL, "--samples", "1000", "--batches", "1,4"]
    assert run([*command, "--rate", "constant", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unit"] == "excess risk"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give a saved fit, or a problem of the kernel world"),
        (["fit.json", *KERNEL], "a saved fit or a problem of the kernel world, not both"),
        (["--source", "1"], "give --capacity beta"),
        ([*KERNEL, "--modes", "many"], "--modes is 'many', expected a whole number or inf"),
    ],
)
def test_one_thing_is_designed_for(options, said, capsys):
    assert run(["design", *options, "--horizon", "100"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("noise", "horizon"), [(10.0, 20), (100.0, 20), (1e6, 10)])
def test_rates_far_below_the_largest_stable_one_are_found(noise, horizon):
    world = ll.KernelRegression(source=1, capacity=2, modes=20, noise=noise)
    made = ll.design(world, horizon, tuned=True)
    others = {**made.families, **made.baselines}
    assert made.loss <= min(other.loss for other in others.values())
    untrained = world.final(ll.Schedule([1e-15]))
    assert all(other.loss < untrained for other in made.families.values())
    assert made.gap < 1e-5 * made.loss
    if noise == 10:  # as rates searched by their own logs, from fifteen places
        assert_allclose(made.loss, 0.51900877, rtol=1e-7)


def test_a_free_form_is_searched_on_from_what_beats_it_or_says_that_it_has_not_converged(
    monkeypatch,
):
    world = ll.KernelRegression(source=1, capacity=2, modes=20, noise=10)
    bad = BestSchedule(
        schedule=ll.constant(peak=0.3, horizon=20),
        loss=world.final(ll.constant(peak=0.3, horizon=20)),
        gap=50.0,
        evaluations=1,
        peak=0.3,
    )
    monkeypatch.setattr(module, "_best", lambda *_: bad)
    made = ll.design(world, 20, tuned=True)
    assert_allclose(made.loss, 0.51900877, rtol=1e-6)
    monkeypatch.setattr(module, "_not_beaten", lambda task, best, others, say: best)
    assert "note: the search has not converged: to first order, " in str(ll.design(world, 20))


def test_a_single_update_is_designed():
    made = ll.design(HARD, 1, tuned=True)
    assert made.baselines.keys() == {"constant", "cosine-10%"}
    losses = [other.loss for other in made.families.values()]
    assert_allclose(losses, made.loss, rtol=1e-6)


@pytest.mark.parametrize("noise", ["0", "1"])
def test_without_a_target_there_is_nothing_to_design(noise, tmp_path, capsys):
    path = tmp_path / "spectrum.csv"
    path.write_text("eigenvalue,target\n1,0\n0.5,0\n")
    problem = ["--spectrum", str(path), "--noise", noise]
    assert run(["design", *problem, "--horizon", "10"]) == 2
    assert "there is nothing to learn" in capsys.readouterr().err
    assert run(["design-batches", *problem, "--samples", "100", "--batches", "1,2"]) == 2
    assert "there is nothing to learn" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--new-data"], ["--level", "0.5"], ["--model-size", "1e6"]])
def test_what_only_a_fit_has_is_refused(option, capsys):
    assert run(["design", *KERNEL, "--horizon", "10", *option]) == 2
    assert f"{option[0]}: for a fit only" in capsys.readouterr().err
