"""What the table of a sweep says, over two things that were varied."""

import csv
import math

import numpy as np
import pytest

from losslaw.errors import InputError
from losslaw.kernel.sweeps.grid import SweepGrid, grid_of, read_grid
from losslaw.kernel.sweeps.kernel_job import COLUMNS, run_kernel_job
from losslaw.kernel.sweeps.sweep_file import jobs_of
from losslaw.kernel.sweeps.table import SweepTable

# Risk falls as horizon^-p with p the source, and the better schedule depends on it.
HORIZONS = (10, 100, 1000)


def rows():
    for source in (0.5, 1.0):
        for family, extra in (("constant", ""), ("wsd", ",cooldown=0.2")):
            for horizon in HORIZONS:
                plan = f"{family}:peak=0.1,horizon={horizon}{extra}"
                worse = 2 if (family == "wsd") == (source == 0.5) else 1
                risk = "" if horizon == 10 and source == 1 else f"{worse * horizon**-source!r}"
                yield {
                    "job": f"{source}{plan}",
                    "source": f"{source}",
                    "capacity": "2",
                    "schedule": plan,
                    "status": "ok" if risk else "not stable",
                    "excess_risk": risk,
                }


@pytest.fixture
def grid():
    return grid_of([*rows()], "t.csv")


def test_only_what_was_varied_is_there(grid):
    # A cooldown that all of one family have tells no more than the family.
    assert [*grid.columns] == ["source", "schedule", "horizon"]


def test_a_cell_is_the_lowest_risk_over_what_else_was_varied(grid):
    made = grid.map("source", "horizon")
    lowest = [[10**-0.5, math.nan], [0.1, 0.01], [1000**-0.5, 0.001]]
    assert np.allclose(made.cells, lowest, equal_nan=True, rtol=1e-12)
    assert made.title == ["excess risk", "lowest over schedule"]
    assert "1,000" in str(made)
    assert " -" in str(made)


def test_the_best_choice_and_the_exponent_of_a_cell(grid):
    best = grid.map("source", "horizon", "best:schedule")
    assert best.best == (("constant", ""), ("constant", "wsd"), ("constant", "wsd"))
    power = grid.map("source", "schedule", "exponent:horizon")
    assert np.allclose(power.cells, [[0.5, 1.0]] * 2, rtol=1e-12)
    assert power.title == ["p of excess risk ~ horizon^-p"]


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (("source", "peak"), "'peak' was not varied; varied was source, schedule, horizon"),
        (("source", "source"), "expected different names"),
        (("source", "horizon", "best"), "a cell cannot be 'best', expected risk, best:NAME"),
        (("source", "horizon", "risk:x"), "a cell cannot be 'risk:x'"),
        (("source", "horizon", "exponent:schedule"), "needs finite numbers above 0, not constant"),
    ],
)
def test_maps_that_cannot_be(grid, sides, message):
    with pytest.raises(InputError, match=message):
        grid.map(*sides)


def test_two_things_have_to_be_varied():
    one = [row for row in rows() if row["source"] == "0.5" and "horizon=10," not in row["schedule"]]
    grid = grid_of(one[:3], "t.csv")
    with pytest.raises(InputError, match=r"needs two things that were varied besides horizon"):
        grid.map(show="exponent:horizon")
    with pytest.raises(InputError, match="not the table of a sweep"):
        grid_of([], "t.csv")


def test_a_table_that_a_sweep_wrote_is_read(tmp_path):
    document = {
        "problem": {"source": [0.5, 1], "capacity": 2, "modes": 9},
        "run": {"schedule": "constant:peak={peak},horizon=9"},
        "values": {"peak": [0.1, 0.2]},
    }
    jobs = jobs_of(document)
    path = tmp_path / "t.csv"
    with SweepTable(path, jobs, COLUMNS) as table:
        for i, job in enumerate(jobs):
            table.add(i, "ok", run_kernel_job(job))
    made = read_grid(path).map()
    assert (made.x, made.y, made.cells.shape) == ("source", "peak", (2, 2))
    assert made.cells[1, 0] == jobs[1].problem().excess_risk(jobs[1].whole_schedule())[-1]


def test_a_best_number_at_the_edge_of_what_was_tried_is_marked():
    grid = SweepGrid(
        source="demo",
        excess=np.array([1.0, 2.0, 3.0, 2.0, 1.0, np.nan, 3.0, 2.0, 1.0]),
        columns={
            "source": [1.0] * 3 + [2.0] * 3 + [3.0] * 3,
            "peak": [0.1, 0.2, 0.4] * 3,
            "noise": [1.0] * 9,
        },
    )
    # What was refused beyond it was tried too.
    best = grid.map("source", "noise", "best:peak")
    assert best.best == (("0.1 (edge)", "0.2", "0.4 (edge)"),)
    assert "0.4 (edge)" in str(best)
    assert [each.get_text() for each in best.plot().get_legend().get_texts()] == [
        "0.1 (edge)", "0.2", "0.4 (edge)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-3], "line 13: a row that was cut off"),
        (lambda text: text.replace("ok,", "ok,7,", 1), r"line 2: a row that was cut off, or"),
        (lambda text: text.replace("capacity", "source", 1), "two columns are called 'source'"),
        (lambda text: text.replace(",ok,", ",ok,x", 1), "an excess_risk is 'x0.31"),
        (lambda text: text.replace(",ok,", ",ok,1e301", 1), "expected a number up to 1e[+]300"),
    ],
)
def test_a_damaged_table_is_not_drawn_as_if_it_were_whole(tmp_path, change, message):
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, [*next(rows())], lineterminator="\n")
        table.writeheader()
        table.writerows(rows())
    assert read_grid(path).map("source", "horizon").cells.shape == (3, 2)
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message):
        read_grid(path)


def test_a_map_without_a_job_that_ended_is_refused():
    refused = [{**row, "excess_risk": "", "status": "not stable"} for row in rows()]
    with pytest.raises(InputError, match="see the column status"):
        grid_of(refused, "t.csv").map()


def test_one_target_at_several_capacities_is_a_difficulty():
    sides = [(0.3, 2.0), (0.15, 4.0), (0.6, 2.0), (0.3, 4.0), (0.9, 2.0), (0.45, 4.0)]
    first = next(rows())
    named = [{**first, "source": f"{s}", "capacity": f"{b}", "excess_risk": "1"} for s, b in sides]
    made = grid_of(named, "t.csv").map()
    assert (made.x, made.xs) == ("difficulty", (0.6, 1.2, 1.8))
    assert not np.isnan(made.cells).any()


def test_many_choices_are_told_apart_or_are_numbers():
    for kind in (str, lambda i: f"plan{i}"):
        side = {"x": [float(i) for i in range(9)] * 2, "y": [1.0] * 9 + [2.0] * 9}
        choice = [float(i) if kind is str else kind(i) for i in range(9)] * 2
        grid = SweepGrid(source="t", columns={**side, "c": choice}, excess=np.arange(1.0, 19.0))
        ax = grid.map("x", "y", "best:c").plot()
        looks = {(each.get_facecolor(), each.get_hatch()) for each in ax.patches}
        assert len(looks) == (0 if kind is str else 9)
