"""Runs in memory are read as the files that they would be saved as."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import narwhals as nw
import numpy as np
import pytest

from losslaw.curves import LossCurve, curve_of, curves_of, read_curves
from losslaw.errors import InputError
from losslaw.schedules import constant

CSV = """\
step,lr,loss,note
1,0.001,9.25,a
2,0.002,,b
3,0.0025,7.5,
4,0.003,7.0,"c, d"
"""
HISTORY = [
    {"epoch": 0.1, "grad_norm": 1.0, "learning_rate": 9e-4, "loss": 3.0, "step": 10},
    {"epoch": 0.2, "grad_norm": 1.0, "learning_rate": 8e-4, "loss": 2.5, "step": 20},
    {"epoch": 0.2, "eval_loss": 2.4, "eval_runtime": 1.0, "step": 20},
    {"epoch": 0.3, "grad_norm": float("nan"), "learning_rate": 7e-4, "loss": 2.25, "step": 30},
]
WANDB = """\
_step,_runtime,train/loss,val/loss,lr
0,1.5,9.24,9.25,0
40,3.5,6.47,,2e-4
80,5.5,5.4,,4e-4
"""


def same(curve, other):
    """All but the name, and the folder of a file."""
    assert curve.schedule == other.schedule
    assert (curve.steps.tolist(), curve.loss.tolist()) == (
        other.steps.tolist(),
        other.loss.tolist(),
    )
    assert (curve.assumptions, curve.warnings) == (other.assumptions, other.warnings)
    assert curve.planned == other.planned
    assert replace(curve.origin, folder="") == replace(other.origin, folder="")


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return to


def frame(library, text):
    """The frame that a library makes of a CSV file."""
    made = pytest.importorskip(library, reason=f"{library} is not installed")
    read = made.csv.read_csv if library == "pyarrow.csv" else made.read_csv
    return read(io.BytesIO(text.encode()))


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("text", [CSV, WANDB], ids=["table", "W&B history"])
def test_a_frame_is_the_file_it_was_read_from(library, text, write):
    (file,) = read_curves(write("run.csv", text))
    given = frame(library, text)
    same(LossCurve.from_frame(given), file)
    same(LossCurve.from_frame(nw.from_native(given)), file)
    assert LossCurve.from_frame(given, label="run").label == "run"


def test_a_lazy_frame_and_an_index_of_steps(write):
    (file,) = read_curves(write("run.csv", CSV))
    same(curve_of(frame("polars", CSV).lazy()), file)
    same(curve_of(frame("pandas", CSV).set_index("step")), file)


def test_what_is_known_of_the_run_is_said_as_for_a_file(write):
    known = {"warmup": 3, "lr_is": "next", "optimizer": "muon", "loss_column": "loss"}
    (file,) = read_curves(write("run.csv", CSV), **known)
    same(LossCurve.from_frame(frame("pandas", CSV), **known), file)


def test_arrays_by_name(write):
    (file,) = read_curves(write("run.csv", CSV))
    arrays = {
        "step": np.arange(1, 5),
        "lr": np.array([0.001, 0.002, 0.0025, 0.003], np.float32),
        "loss": [9.25, None, 7.5, 7.0],
    }
    # 32 bits are as many digits as they have: rates are those that were meant.
    same(curve_of(arrays), file)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    arrays["loss"] = [torch.tensor(9.25), None, torch.tensor(7.5), torch.tensor(7.0)]
    same(curve_of([{**arrays, "step": torch.arange(1, 5)}]), file)


def test_a_nan_that_was_logged_is_no_missing_value():
    arrays = {"step": [1, 2, 3], "lr": [0.1] * 3, "loss": [3.0, float("nan"), 2.0]}
    with pytest.raises(InputError, match=r"mapping, line 3: loss is nan"):
        read_curves(arrays)
    assert len(read_curves(arrays, on_nan="drop")[0]) == 2


def test_records_are_json_lines(write):
    records = [{"step": k, "lr": np.float64(0.1), "loss": np.float32(3 / k)} for k in (1, 2, 4)]
    lines = [
        json.dumps({"step": k, "lr": 0.1, "loss": float(np.float32(3 / k))}) for k in (1, 2, 4)
    ]
    same(curve_of(records), read_curves(write("run.jsonl", "\n".join(lines)))[0])


def test_the_history_of_a_trainer(write):
    state = {"log_history": HISTORY, "max_steps": 40, "logging_steps": 10}
    (file,) = read_curves(write("trainer_state.json", json.dumps(state)))
    assert (file.planned, file.origin.lr_is) == (40, "next")
    same(curve_of(SimpleNamespace(best_metric=None, **state)), file)
    same(curve_of(state), file)
    # The history alone does not know how long the run will be.
    alone = curve_of(HISTORY)
    assert (alone.planned, alone.label) == (None, "log_history")
    assert replace(alone.origin, folder="") == replace(file.origin, folder="")


def test_the_state_of_transformers_own_trainer(write):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    state = transformers.TrainerState(log_history=HISTORY, max_steps=40, logging_steps=10)
    path = write("trainer_state.json", "")
    state.save_to_json(str(path))
    same(curve_of(state), read_curves(path)[0])


def test_several_runs_are_numbered_by_kind(write):
    arrays = {"step": [1, 2], "lr": [0.1, 0.1], "loss": [3, 2]}
    runs = [HISTORY, write("run.csv", CSV), arrays, arrays]
    names = ["log_history", "run", "mapping 1", "mapping 2"]
    assert [curve.label for curve in read_curves(runs)] == names
    made = read_curves(arrays)[0].with_(label="made")
    assert [curve.label for curve in curves_of([HISTORY, made])] == ["made", "log_history"]
    assert curves_of(made) == [made]
    assert curves_of([]) == []


def test_what_lies_in_the_folder_of_the_program_is_not_of_a_run_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meta.json").write_text('{"runs": {"mapping": {"weight_decay": 0.3}}}')
    curve = curve_of({"step": [1, 2], "lr": [0.1, 0.1], "loss": [3, 2]})
    assert curve.schedule.weight_decay is None


ACCEPTED = "a path, a data frame, arrays by name, trainer.state or its log_history, or several"
CURVE = LossCurve(constant(peak=1, horizon=2), [1, 2], [3, 2])


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (3, f"expected a LossCurve, {ACCEPTED} of these; got 3 (int)"),
        ([3.5], f"expected a LossCurve, {ACCEPTED} of these; got 3.5 (float)"),
        (None, f"expected a LossCurve, {ACCEPTED} of these; got None (NoneType)"),
        ({}, "mapping: it is empty"),
        ({"step": [1, 2], "loss": [3]}, "mapping: columns of several lengths: 'step' 2, 'loss' 1"),
        ({"step": 3}, "mapping: 'step' has shape (), expected one value a row, shape (rows,)"),
        ({"step": [[1], [2, 3]]}, "mapping: 'step' is no array of numbers"),
        (
            {"step": ["a", "b"], "lr": [1, 2], "loss": [3, 2]},
            "mapping, line 2: column 'step' holds",
        ),
        ({"time": [1, 2]}, "mapping: no step column; found time"),
        (
            {"tokens seen": [1, 2]},
            "mapping: no step column; found tokens seen; name one of them 'step' (updates done), or"
            " say which it is (step_column=, --step-column); if 'tokens seen' grows by N an update,"
            " --step-column 'tokens seen' --step-divisor N",
        ),
        (
            {"tokens" * 20: [1, 2]},
            f"mapping: no step column; found {'tokens' * 10}...; name one of them 'step' (updates"
            " done), or say which it is (step_column=, --step-column)",
        ),
        ([{"step": 1, "lr": 0.1}], "records: no loss column; found step, lr"),
        ([{"step": 1, "epoch": 0.1}], "log_history: no losses in its log_history"),
        ([CURVE, CURVE], "expected one run, got 2: curve, curve"),
        ([], "expected one run, got 0"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_told_in_one_line(given, line):
    with pytest.raises(InputError) as error:
        curve_of(given)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_frames_that_cannot_be_read():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    with pytest.raises(InputError, match=r"a pandas\.Series cannot be read as a data frame$"):
        curve_of(pandas.Series([1, 2]))
    with pytest.raises(InputError, match=r"a pandas.DataFrame cannot be read as a data frame: "):
        curve_of(pandas.DataFrame([[1, 2]], columns=["step", "step"]))


@pytest.mark.parametrize("series", [False, True])
def test_several_runs_are_called_as_in_their_dictionary(series):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(io.StringIO(CSV)).dropna(subset="loss")
    one = curve_of({"step": frame.step, "lr": frame.lr, "loss": frame.loss} if series else frame)
    runs = {"wide": frame, "deep": HISTORY, "seen": one, 7: {"step": [1, 2], "loss": [3, 2]}}
    runs[7]["lr"] = [1e-3, 1e-3]
    found = curves_of(runs)
    assert [curve.label for curve in found] == ["wide", "deep", "seen", "7"]
    same(found[0], one)


def test_a_run_that_is_given_as_a_column_is_told_so(write, tmp_path):
    with pytest.raises(InputError, match="'wide' is a run and not one of its columns"):
        read_curves({"wide": HISTORY, "step": [1, 2]})
    for name in ("a.csv", "b.csv"):
        write(name, CSV)
    with pytest.raises(InputError, match="'all' names 2 runs, expected one"):
        curves_of({"all": str(tmp_path), "one": HISTORY})
