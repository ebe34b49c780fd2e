"""Lines of no known trainer that say a step and a loss, written as people's scripts print them."""

import re

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs
from losslaw.schedules import parse_schedule

RATES = parse_schedule("cosine:peak=1e-3,horizon=1000,warmup=100").lr
STEPS = range(10, 801, 10)


def loss(step):
    return 2 + 6 / (1 + step / 20)


FORMS = {
    "equals": "2025-05-01 10:00:00 INFO step={s} loss={x:.4f} lr={r:.3e} tok/s=12345",
    "bars": "Step {s}/1000 | Loss: {x:.4f} | LR: {r:.3e} | Tokens/s: 12345",
    "colons": "[train] global_step: {s}, train_loss: {x:.4f}, learning_rate: {r:.8f}, z_loss: 9.0",
    "words": "iter {s} of 1000 training loss {x:.4f} val loss {v:.4f} lr {r:.3e}",
    "brackets": "Iteration [{s}/1000] Train Loss: {x:.4f} LR {r:.3e} loss_scale: 65536.0",
}


@pytest.fixture(params=FORMS)
def path(request, tmp_path):
    lines = ["Namespace(lr=0.001)", "epoch 1"]
    for s in STEPS:
        lines += [FORMS[request.param].format(s=s, x=loss(s), v=loss(s) + 0.1, r=RATES[s - 1]), "x"]
    path = tmp_path / "run.log"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_steps_losses_and_rates(path):
    (log,) = read_logs(path)
    assert log.format.startswith("printed lines")
    assert log.horizon == (1000 if re.search(r"(/|of )1000", path.read_text()) else None)
    (curve,) = read_curves(path, loss_column="loss")
    assert curve.steps.tolist() == list(STEPS)
    assert curve.loss.tolist() == pytest.approx([loss(s) for s in STEPS], abs=5.1e-5)
    assert curve.schedule.lr[499] == pytest.approx(RATES[499], rel=0.01)
    assert ("val_loss" in log.losses) == ("val loss" in path.read_text())


def test_a_line_that_was_cut_off_is_counted_and_no_other_number(path):
    text = path.read_text()
    cut = text.index(f"{loss(400):.4f}") + 4
    path.write_text(text[:cut] + "\n" + text[cut:].partition("\n")[2])
    (curve,) = read_curves(path, loss_column="loss")
    assert 400 not in curve.steps
    assert dict(curve.origin.skipped) == {"lines that cannot be read to their end": 1}


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_file_that_was_cut_off(path, quarter):
    text = path.read_text()
    path.write_text(text[: quarter * len(text) // 4])
    (curve,) = read_curves(path, loss_column="loss")
    assert curve.loss.tolist() == pytest.approx([loss(s) for s in curve.steps], abs=5.1e-5)


def test_prose_is_no_log(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("In step 3 the loss fell.\nStep by step, loss 4 was reached.\n" * 3)
    with pytest.raises(InputError):
        read_curves(path)


def test_of_several_ranks_in_one_log_the_last_is_kept_and_that_is_said(tmp_path):
    lines = [f"[rank{r}] step={s} loss={loss(s) + r:.4f} lr=0.001" for s in STEPS for r in (0, 1)]
    (tmp_path / "ranks.log").write_text("\n".join(lines))
    (curve,) = read_curves(tmp_path / "ranks.log")
    assert curve.loss[-1] == pytest.approx(loss(800) + 1, abs=1e-4)
    said = "80 rows repeat a step with other values (several ranks in one log?): the last one is"
    assert any(text.startswith(said) for text in curve.warnings)
