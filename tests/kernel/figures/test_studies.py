"""Every study at a small size: its files, and its measured numbers against theory."""

import math

import numpy as np
import pytest

from losslaw.errors import InputError
from losslaw.files import read_table
from losslaw.kernel import KernelRegression
from losslaw.kernel.agreement import cap
from losslaw.kernel.figures import (
    STUDIES,
    Averaging,
    BatchSchedules,
    Capacity,
    CapacitySaturation,
    FslFigure1,
    MomentumStudy,
    OptimalSchedules,
    Phases,
    ScalingTable,
    SdeGap,
    Work,
    find_study,
    write_result,
)
from losslaw.kernel.figures.optimal_schedule import closed_form, rates_at
from losslaw.kernel.figures.sde_gap import at_rest
from losslaw.kernel.figures.study import changed
from losslaw.kernel.theory import Exponents

SMALL = {
    "fsl-fig1": FslFigure1(
        modes=32,
        horizon=500,
        runs=40,
        budgets=(50, 200),
        reach=2e5,
        final_runs=20,
        shares=(0.02, 0.1, 0.5),
    ),
    "scaling-table": ScalingTable(problems=((0.3, 4.0),), schedules=("constant", "power")),
    "capacity": Capacity(
        difficulties=(0.6,),
        capacities=(1.5, 3.0),
        data=(1e5, 1e7, 1e9),
        compute=(1e7, 1e9, 1e11),
        modes=(10.0,),
    ),
    "optimal-schedule": OptimalSchedules(budgets=(1e4,), tails=(1e15, 1e18)),
    "batch-schedule": BatchSchedules(hard=((0.3, 4.0),), budgets=(1e7, 1e11, 1e12), switch=10**5),
    "capacity-saturation": CapacitySaturation(
        capacities=(4.0,), budgets=(1e3, 1e11, 1e12), exponents=(1.0,), floors=(0.1,)
    ),
    "sde-gap": SdeGap(problems=((0.5, 4.0),), horizon=3000, shares=(0.01, 0.1, 0.5)),
    "momentum": MomentumStudy(
        horizon=2000, momenta=(0.5, 0.9), shares=(0.01, 0.1, 0.5), cooldowns=(10, 100), runs=50
    ),
    "averaging": Averaging(problems=((1.0, 2.0), (0.5, 4.0)), budgets=(1e3, 1e4, 1e5)),
    "phases": Phases(
        capacities=(0.8, 2.0),
        sources=(0.5, 2.0),
        problems=((2.0, 0.8), (2.0, 0.55)),
        decades=(8.0, 12.0, 16.0),
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Every study once, with what it said of its progress."""
    found = {}
    for name, study in SMALL.items():
        parts = {"expected": 0, "done": 0}
        work = Work(
            saved=tmp_path_factory.mktemp("runs"),
            expect=lambda n, parts=parts: parts.update(expected=n),
            tick=lambda n, parts=parts: parts.update(done=parts["done"] + n),
        )
        found[name] = (study.run(work), parts)
    return found


def test_names_are_those_of_the_studies():
    assert list(STUDIES) == list(SMALL)
    with pytest.raises(InputError, match="nothing is called 'fig2', expected one of: fsl-fig1,"):
        find_study("fig2")


@pytest.mark.parametrize("name", SMALL)
def test_a_study_writes_figure_tables_and_paragraph(name, results, tmp_path):
    result, _ = results[name]
    files = write_result(result, name, tmp_path)
    assert {path.suffix for path in files} == {".png", ".csv", ".txt"}
    assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / f"{name}.png").stat().st_size < 150_000
    for path in files:
        if path.suffix == ".csv":
            columns = read_table(path).columns
            assert len(columns) > 1
    assert len(result.paragraph.split()) > 50
    assert all(math.isfinite(value) for value in result.numbers.values())


@pytest.mark.parametrize("name", SMALL)
def test_progress_ends_where_it_was_expected_to(name, results):
    _, parts = results[name]
    assert parts["done"] == parts["expected"] > 0


def test_the_law_is_close_to_sampled_and_exact_curves(results):
    numbers = results["fsl-fig1"][0].numbers
    # Root mean square of correlated deviations in standard errors: 1 if the mean is right.
    assert 0.4 < numbers["sampled_rms_score"] < 1.8
    for name in ("cosine", "wsd", "cyclic"):
        assert numbers[f"{name}_without_median"] < 0.05
        assert numbers[f"{name}_fitted_median"] < 0.15
    # 2e5 updates are not yet asymptotic.
    for kind in ("constant", "exponential", "wsd"):
        assert numbers[f"slope_{kind}"] == pytest.approx(numbers[f"slope_{kind}_theory"], abs=0.06)


def test_scaling_exponents_arrive_at_theory(results):
    numbers = results["scaling-table"][0].numbers
    for limited in ("data", "compute"):
        assert abs(numbers[f"worst_{limited}_far"]) < 0.01
        assert abs(numbers[f"worst_{limited}_far"]) < abs(numbers[f"worst_{limited}_near"])


def test_no_form_beats_the_free_optimum_and_the_closed_one_is_near(results):
    numbers = results["optimal-schedule"][0].numbers
    for key in ("closed", "power", "cosine"):
        for side in ("easy", "hard"):
            # The free search stops at 1e-6 or after 15 rounds.
            assert numbers[f"{side}_{key}_last"] > 0.999
    assert numbers["easy_closed_last"] < 1.01
    assert numbers["hard_closed_last"] < 1.10
    for key in ("power", "exponential"):
        assert numbers[f"tail_{key}"] == pytest.approx(numbers[f"tail_{key}_theory"], abs=0.02)


def test_switches_growth_and_catch_up_have_the_exponents_of_theory(results):
    numbers = results["batch-schedule"][0].numbers
    assert numbers["switch_0.3_4"] == pytest.approx(1.3 / 1.75, abs=0.005)
    assert numbers["growth_0.3_4"] == pytest.approx(1.3 / 2, abs=0.02)
    assert numbers["growth_1_2"] == pytest.approx(2.5 / 3, abs=0.02)
    assert numbers["catch_up_early"] == pytest.approx(-0.75, abs=0.03)
    assert numbers["catch_up_late"] == pytest.approx(-1.75, abs=0.02)


def test_fixed_shapes_saturate(results):
    numbers = results["capacity-saturation"][0].numbers
    assert numbers["worst_capacity_gap"] < 0.05
    for shape in ("linear", "cosine", "power"):
        assert numbers[f"slope_{shape}"] == pytest.approx(numbers[f"theory_{shape}"], abs=0.003)


def test_momentum_is_an_effective_rate_until_it_is_not(results):
    numbers = results["momentum"][0].numbers
    assert numbers["steady_0.9_0.01"] < 0.01 < 0.1 < numbers["steady_0.9_0.5"]
    assert numbers["cooldown_0.9_10"] > numbers["cooldown_0.5_10"] > 0
    assert numbers["limit_heavy_ball_32"] > numbers["limit_heavy_ball_1"] > 1.3
    assert numbers["sampled_z"] < 2.5


def test_averages_have_the_exponent_of_the_power_decay(results):
    numbers = results["averaging"][0].numbers
    for key in ("1_2", "0.5_4"):
        assert numbers[f"slope_{key}"] == pytest.approx(numbers[f"theory_{key}"], abs=0.07)
        assert numbers[f"wsd_over_average_{key}"] > 1
        assert numbers[f"power_over_average_{key}"] > 1


def test_slopes_at_fixed_compute_come_to_those_of_the_phases(results):
    result = results["phases"][0]
    assert result.numbers["map_worst_gap"] < 0.003
    assert result.numbers["risk_IVa"] == pytest.approx(-0.4, abs=0.003)
    assert result.numbers["modes_IVa"] == pytest.approx(0.5, abs=0.01)
    assert "Slowest is phase IVb" in result.paragraph


def test_capacity_pays_for_one_target(results):
    numbers = results["capacity"][0].numbers
    for limited, budgets in (("data", ("1e+07", "1e+09")), ("compute", ("1e+09", "1e+11"))):
        for budget in budgets:
            assert numbers[f"{limited}_0.6_1.5_{budget}"] < numbers[f"{limited}_0.6_3_{budget}"]
        for beta in ("1.5", "3"):
            assert numbers[f"decay_gain_{limited}_{beta}"] > 1
            assert numbers[f"wsd_gain_{limited}_{beta}"] > 1
    # The best WSD at 10^9 samples, as an independent computation has it.
    assert numbers["data_0.6_1.5_1e+09"] == pytest.approx(7.8e-4, rel=0.02)
    assert numbers["data_0.6_3_1e+09"] == pytest.approx(1.2e-2, rel=0.03)
    assert numbers["worst_gap"] < 0.01


def test_equations_part_from_sgd_as_the_rate_grows_and_decay_heals_it(results):
    numbers = results["sde-gap"][0].numbers
    rest = at_rest(KernelRegression(source=0.5, capacity=4.0), 0.5)
    for method in ("sde", "volterra"):

        def number(kind, share, end, method=method):
            return numbers[f"{kind}_{method}_0.5_4_{share:g}_{end}"]

        # 3000 updates are at rest to some percent of the difference.
        assert number("constant", 0.5, "end") == pytest.approx(-rest[method], rel=0.05)
        assert number("constant", 0.01, "largest") < 0.01 < number("constant", 0.5, "largest")
        assert number("cosine", 0.5, "end") < 0.05 * number("cosine", 0.5, "largest")


def test_rates_are_read_off_a_schedule_in_pieces():
    hard = Exponents(0.5, 4.0)
    form = closed_form(hard, 10**5)
    written = form.run.written_out().lr
    share = np.array([0.9, 0.5, 0.01])
    expected = written[np.round((1 - share) * written.size).astype(int) - 1]
    assert rates_at(form.run, share) == pytest.approx(expected, rel=1e-6)
    assert written[0] == cap(hard)
    assert written[-1] < 0.01 * cap(hard)


class Stop(Exception):
    """In place of Ctrl-C."""


def test_sampled_runs_of_an_interrupted_study_are_found_again(tmp_path):
    study = FslFigure1(
        modes=8, horizon=60, runs=30, budgets=(20, 40), reach=1e3, final_runs=10, shares=(0.1,)
    )

    def count(folder):
        return sorted(path.name for path in folder.glob("*.npy"))

    ticks = []

    def stop_after_two(runs):
        ticks.append(runs)
        if len(ticks) == 2:
            raise Stop

    with pytest.raises(Stop):
        study.run(Work(saved=tmp_path / "a", tick=stop_after_two))
    begun = count(tmp_path / "a")
    assert len(begun) == 2
    stamps = {name: (tmp_path / "a" / name).stat().st_mtime_ns for name in begun}
    resumed = study.run(Work(saved=tmp_path / "a"))
    whole = study.run(Work(saved=tmp_path / "b"))
    assert resumed.tables == whole.tables
    assert count(tmp_path / "a") == count(tmp_path / "b")
    for name, stamp in stamps.items():
        assert (tmp_path / "a" / name).stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("compute=1e15,1e15", "a value stands there twice|compute is .* amounts that grow"),
        ("compute=1e16,1e15", r"amounts that grow, two or more, from 1e4 to 1e24"),
        ("decades=6,6", "decades=6,6: a value stands there twice"),
        ("decades=6", "decades is 6, expected amounts that grow"),
        ("decades=nan", "decades=nan: expected something like 6,8"),
        ("decades=1000,2000", r"decades is 1000,2000, .* \(exponents of ten\)"),
        ("problems=1", "1 values where 2 belong together"),
        ("problems=1,2;3", "1 values where 2 belong together"),
        ("capacities=2,2", "capacities=2,2: a value stands there twice"),
    ],
)
def test_choices_that_are_no_study_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        changed(Phases(), [setting])


def test_a_schedule_that_a_study_does_not_know_is_refused():
    with pytest.raises(InputError, match="schedules=wsd,foo: 'foo' is none of constant, expo"):
        changed(find_study("scaling-table"), ["schedules=wsd,foo"])
    assert changed(find_study("scaling-table"), ["schedules=wsd"]).schedules == ("wsd",)
