"""Tables that W&B exports, written in the form of its web pages and of ``history().to_csv``."""

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_all, read_logs

HISTORY = """\
,_step,_runtime,train/loss,val/loss,lr,note
0,0,1.5,9.24,9.25,0,begins
1,40,3.5,6.47,,0.0002,
2,80,5.5,5.42,,0.0004,
3,120,7.5,4.44,NaN,0.0006,"a, b"
"""


def panel(metric, runs, steps=range(0, 100, 10), ranges=True):
    """A panel as the button "Export CSV" writes it: all cells quoted."""
    names = [
        f"{run} - {metric}{end}" for run in runs for end in ("", "__MIN", "__MAX")[: 1 + 2 * ranges]
    ]
    lines = [",".join(f'"{name}"' for name in ["Step", *names])]
    for step in steps:
        cells = [str(step)]
        for k, _ in enumerate(runs):
            value = 0.001 * (k + 1) if "lr" in metric else 2 + k + 1 / (step + 1)
            cells += [str(value), str(value / 2), str(value * 2)][: 1 + 2 * ranges]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    return "\n".join(lines)


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return to


def test_a_history(write):
    (log,) = read_logs(write("history.csv", HISTORY))
    assert log.format == "W&B history (CSV)"
    assert (log.columns.loss, log.columns.lr, log.facts.lr_is) == ("train/loss", "lr", "next")
    assert log.losses == ("train/loss", "val/loss")
    assert log.table.columns["step"] == ["0", "40", "80", "120"]
    assert log.table.columns["val/loss"] == ["9.25", None, None, "nan"]


def test_lines_that_cannot_be_read_are_counted(write):
    text = (
        HISTORY.replace("2,80,5.5", "2,8\x1b[0m0,5.5") + "4,160,9\nsome words\n5,200,9,x,,0,\n6,24"
    )
    (log,) = read_logs(write("history.csv", text))
    assert log.table.columns["step"] == ["0", "40", "80", "120"]
    assert log.skipped == (("lines that cannot be read", 4),)


def test_the_last_number_may_be_half_of_one(write):
    text = "_step,lr,train/loss\n1,0.1,3.25\n2,0.1,3.125\n3,0.1,3.0625\n"
    (log,) = read_logs(write("history.csv", text[:-4]))
    assert log.table.columns["train/loss"] == ["3.25", "3.125", None]


def test_a_panel_has_several_runs_and_no_rate(write):
    path = write("loss.csv", panel("train/loss", ["big - a", "small"]))
    logs = read_logs(path)
    assert [log.label for log in logs] == ["big - a", "small"]
    assert all(log.losses == ("train/loss",) and log.columns.lr is None for log in logs)
    assert logs[1].table.columns["train/loss"][0] == "4.0"
    with pytest.raises(InputError, match="no learning-rate column in this log"):
        read_curves(path)
    curves = read_curves(path, schedule="constant:peak=1e-3,horizon=100")
    assert [curve.label for curve in curves] == ["loss/big - a", "loss/small"]


@pytest.mark.parametrize("ranges", [True, False])
def test_two_panels_are_joined_by_run_and_step(write, tmp_path, ranges):
    files = [
        write("rate.csv", panel("lr", ["b", "a", "other"], ranges=ranges)),
        write("loss.csv", panel("train/loss", ["a", "b"], range(5, 100, 5), ranges=ranges)),
    ]
    for logs in (read_all(files), read_logs(tmp_path)):
        assert sorted(log.label for log in logs) == ["a", "b"]
        log = next(log for log in logs if log.label == "a")
        assert log.table.columns["step"][:3] == ["0", "5", "10"]
        assert log.table.columns["lr"][:3] == ["0.002", None, "0.002"]
        assert log.table.columns["train/loss"][1] == str(2 + 1 / 6)
    assert len(read_curves(files)) == len(read_curves(tmp_path)) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (panel("lr", ["a"]), "no loss in this W&B panel; give it together with the panel of"),
        (
            panel("loss", ["a"]).replace("Step", "Relative Time (Wall)"),
            "panel over 'Relative Time .Wall.', expected one over 'Step'",
        ),
        ("_step,gpu\n1,2\n", "no losses in it"),
        ("_step,loss\n", "no losses in it"),
    ],
)
def test_what_cannot_be_used_is_one_line(write, text, why):
    with pytest.raises(InputError, match=why) as caught:
        read_curves(write("a.csv", text))
    assert "\n" not in str(caught.value)
