"""The record: its checks, and its parts."""

import numpy as np
import pytest

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.schedules import constant

TEN = constant(peak=1.0, horizon=10)


@pytest.mark.parametrize(
    ("steps", "losses", "message"),
    [
        ([1, 2], [3], "2 steps for 1 losses"),
        ([1.5, 2], [3, 2], "step 1.5, expected whole numbers"),
        ([2, 2], [3, 2], "step 2 follows step 2, expected increasing"),
        ([3, 2], [3, 2], "step 2 follows step 3"),
        ([0, 2], [3, 2], r"run from 0 to 2, outside 1\.\.10"),
        ([1, 11], [3, 2], r"run from 1 to 11, outside 1\.\.10, the horizon"),
        ([1, 2], [3, 0], "positive: value 1 is 0"),
        ([1, 2], [3, -1], "non-negative: value 1 is -1"),
        ([1, 2], [3, float("nan")], "finite numbers: value 1 is nan"),
        ([], [], "empty"),
    ],
)
def test_what_is_no_curve(steps, losses, message):
    with pytest.raises(InputError, match=message):
        LossCurve(TEN, steps, losses, label="c")


def test_a_model_has_parameters():
    with pytest.raises(InputError, match="model_size is 0"):
        LossCurve(TEN, [1], [2], model_size=0)


def test_splitting_a_run_loses_no_point():
    curve = LossCurve(TEN, [2, 4, 6, 8], [5, 4, 3, 2], label="c")
    head, tail = curve.until(4), curve.after(4)
    assert [*head.steps, *tail.steps] == [2, 4, 6, 8]
    assert [*head.loss, *tail.loss] == [5, 4, 3, 2]
    assert head.schedule is tail.schedule is TEN
    with pytest.raises(InputError, match=r"no points after step 8; its steps are 2\.\.8"):
        curve.after(8)


def test_a_mean_is_over_its_window():
    curve = LossCurve(TEN, [2, 4, 7, 10], [5, 4, 3, 2], loss_is="mean")
    assert curve.window.tolist() == [2, 2, 3, 3]
    assert curve.begins.tolist() == [1, 3, 5, 8]
    assert curve.usual_window is None
    assert curve.until(7).window.tolist() == [2, 2, 3]
    assert curve.after(3).steps.tolist() == [7, 10]
    assert curve.some(np.array([1, 3])).window.tolist() == [2, 3]
    other = curve.with_(label="other")
    assert (other.loss_is, other.window.tolist()) == ("mean", curve.window.tolist())
    instant = curve.with_(loss_is="instant")
    assert (instant.window, instant.begins.tolist()) == (None, [2, 4, 7, 10])


def test_a_window_makes_a_mean():
    curve = LossCurve(TEN, [4, 8], [5, 4], window=4)
    assert (curve.loss_is, curve.usual_window) == ("mean", 4)
    assert LossCurve(TEN, [4, 8], [5, 4]).loss_is == "instant"
    assert LossCurve(TEN, [4, 8], [5, 4], loss_is="average").window is None
    with pytest.raises(InputError, match="a mean over 5 updates at step 4, where fewer are done"):
        LossCurve(TEN, [4, 8], [5, 4], window=5)
    with pytest.raises(InputError, match="loss_is is 'median', expected one of instant, mean"):
        LossCurve(TEN, [4, 8], [5, 4], loss_is="median")


def test_final_loss_is_the_mean_of_the_last_three():
    assert LossCurve(TEN, [1, 2, 3, 4], [9, 4, 3, 2]).final_loss == 3
    assert LossCurve(TEN, [1], [9]).final_loss == 9


def test_a_curve_does_not_change():
    curve = LossCurve(TEN, [1, 2], [3, 2])
    with pytest.raises(ValueError, match="read-only"):
        curve.loss[0] = 1
    with pytest.raises(AttributeError):
        curve.label = "other"
