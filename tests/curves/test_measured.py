"""The norm of the weights as logs have it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.curves import read_curves
from losslaw.files import parse_table
from losslaw.logs import read_logs
from losslaw.logs.clocks import by_group, measure_of, measures
from losslaw.logs.columns import find_columns
from losslaw.logs.metrics import kind_of, log_from_points

STEPS = np.arange(10, 201, 10)
LR = 1e-3 * np.minimum(1, (210 - STEPS) / 100)
NORM = 50 + STEPS / 4
STEP = 1 / (1 + STEPS / 1000)  # of an update at rate 1


def curve_of(tmp_path, **columns):
    names = {"step": STEPS, "lr": LR, "loss": 2 + 1 / STEPS, **columns}
    rows = [",".join(names)]
    rows += [",".join(map(str, row)) for row in zip(*names.values(), strict=True)]
    (tmp_path / "run.csv").write_text("\n".join(rows) + "\n")
    return read_curves(tmp_path / "run.csv")[0]


@pytest.mark.parametrize(
    ("measure", "names"),
    [
        ("effective rate", "effective_lr|effective_lr_matrix|train/eff_lr|effectiveLearningRate"),
        ("weight norm", "weight_norm|param_norm|params norm|train/weight-norm|parameter_norm"),
        ("update norm", "update_norm|optim/update_norm|updates norm"),
        (None, "grad_norm|lr|norm|layers.3.weight_norm|update_ratio|weight|params_norm_ratio"),
    ],
)
def test_names_of_measures(measure, names):
    for name in names.split("|"):
        assert (name, measure_of(name)) == (name, measure)
        assert measure is None or kind_of(name) == "clock"


@pytest.mark.parametrize(
    ("columns", "squared"),
    [
        ({"weight_norm": NORM}, NORM**2),
        ({"effective_lr_embed": 7 * LR, "effective_lr_matrix": 3 * LR / NORM}, NORM**2),
        ({"weight_norm": NORM, "update_norm": STEP}, (NORM / STEP) ** 2),
        # An update as it is made has the rate in it.
        ({"weight_norm": NORM, "update_norm": STEP * LR}, (NORM / STEP) ** 2),
        ({"update_norm": STEP}, None),
        ({"grad_norm": NORM}, None),
    ],
)
def test_every_measure_is_a_norm(tmp_path, columns, squared):
    curve = curve_of(tmp_path, **columns)
    said = [text for text in curve.assumptions if "is measured" in text]
    if squared is None:
        assert curve.norm is None
        assert said == []
        return
    assert curve.norm.steps.tolist() == STEPS.tolist()
    assert_allclose(curve.norm.squared, squared / squared[0], rtol=1e-9)
    assert said[0].startswith("the norm of the weights is measured, by '")
    assert ("effective_lr_embed" in columns) == ("', not 'effective_lr_embed'" in said[0])


def test_what_is_no_number_is_not_there(tmp_path):
    cells = ["nan", "off", "", "0", "-1", *map(str, NORM[5:])]
    curve = curve_of(tmp_path, weight_norm=cells)
    assert curve.norm.steps.tolist() == STEPS[5:].tolist()
    assert curve_of(tmp_path, weight_norm=["1"] * 4 + [""] * 16).norm is None


def test_megatron_prints_the_norm_of_its_parameters(tmp_path):
    line = (
        " iteration {0:8d}/     300 | elapsed time (ms): 1.0 | learning rate: 1.000E-03 | global"
        " batch size: 8 | lm loss: {1:.6E} | grad norm: 0.1 | params norm: {2:.3f} |"
    )
    lines = (line.format(k, 2 + 1 / k, 50 + k / 4) for k in range(10, 301, 10))
    (tmp_path / "run.log").write_text("\n".join(lines) + "\n")
    (curve,) = read_curves(tmp_path / "run.log")
    assert curve.norm.squared[-1] == pytest.approx((125 / 52.5) ** 2, rel=1e-4)


def test_trackers_keep_it_and_it_is_no_rate():
    names = {"loss": 2.0, "lr": 1e-3, "effective_lr": 5e-4, "layers.0.weight_norm": 1.0}
    points = [(name, step, value) for step in range(1, 9) for name, value in names.items()]
    log = log_from_points("a", "b", points)
    assert log.columns.lr == "lr"
    assert measures(log.table.columns) == {"effective rate": "effective_lr"}
    alone = log_from_points("a", "b", [each for each in points if each[0] != "lr"])
    assert alone.columns.lr == "effective_lr"


def test_the_rate_is_that_of_the_matrices(tmp_path):
    names = ["lr/embed", "lr/matrix", "lr/head"]
    assert by_group(names)[0] == "lr/matrix"
    table = parse_table("step,loss," + ",".join(names) + "\n1,2,3,4,5\n2,2,3,4,5\n", "a")
    columns = find_columns(table)
    said = "the rate is that of the matrices, 'lr/matrix': what 'lr/embed', 'lr/head' does is left"
    assert columns.lr == "lr/matrix"
    assert any(said in text for text in columns.assumptions)
    points = [(name, step, 1e-3) for step in range(1, 9) for name in [*names, "loss"]]
    log = log_from_points("a", "b", points)
    assert log.columns.lr == "lr/matrix"
    assert any(said in text for text in log.notes)
    plain = parse_table("step,loss,lr/group_0,lr/group_1\n1,2,3,4\n2,2,3,4\n", "a")
    assert find_columns(plain).lr == "lr/group_0"


def test_a_log_without_any_reads_as_it_did(tmp_path):
    curve = curve_of(tmp_path)
    assert curve.norm is None
    assert read_logs(tmp_path / "run.csv")[0].columns.lr == "lr"
