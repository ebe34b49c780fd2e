"""fairseq's output in its three forms, made with the format strings of 0.8 and 0.12.

Bits become nats; which rows are the curve, and what their losses are, depends on the form.
"""

import json
import math

import pytest
from helpers.read_text import points
from numpy.testing import assert_allclose

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

STEPS = range(100, 600, 100)
VALID = "| epoch 001 | valid on 'valid' subset"


def bits(step):
    return 5 + 100 / step


def stats(step, sign, between):
    values = {
        "loss": f"{bits(step) + 1:.3f}",
        "nll_loss": f"{bits(step):.3f}",
        "ppl": f"{2 ** bits(step):.2f}",
        "wps": 52922,
        "num_updates": step,
        "lr": f"{1e-7 + 2e-7 * step:g}",
        "gnorm": "1.543",
        "clip": "0%",
    }
    return between.join(f"{name}{sign}{value}" for name, value in values.items())


def old():
    for step in STEPS:
        yield f"| epoch 001: {step:6d} / 1891 {stats(step, '=', ', ')}"
        if step == 300:
            yield f"{VALID} | valid_loss 8.1 | valid_nll_loss 6.9 | num_updates 300"


def new():
    head = "2020-10-18 02:34:53 | INFO | "
    yield head + "fairseq_cli.train | Namespace(log_interval=100, max_epoch=50, max_update=150000)"
    for step in STEPS:
        yield f"{head}train_inner | epoch 001: {step:6d} / 1975 {stats(step, '=', ', ')}"
    yield f"{head}train | epoch 001 | {stats(500, ' ', ' | ')}"
    yield f"{head}valid {VALID} | loss 5.5 | nll_loss 4.1 | num_updates 500"


def epochs():
    yield json.dumps({"epoch": 0, "valid_loss": 9.0, "valid_nll_loss": 8.0, "valid_ppl": "256"})
    for epoch, step in enumerate(STEPS, start=1):
        record = dict(part.split("=") for part in stats(step, "=", ",").split(","))
        yield json.dumps({"epoch": epoch, **record, "num_updates": step, "clip": "100%"})
        yield json.dumps({"epoch": epoch, "valid_loss": 4.0 + epoch, "valid_ppl": "16"})


def log_of(tmp_path, lines):
    path = tmp_path / "train.log"
    path.write_text("\n".join(lines) + "\n")
    (log,) = read_logs(path)
    return log


@pytest.mark.parametrize(
    ("lines", "loss_is", "window", "validations", "horizon"),
    [
        (old, "epoch", None, [(300, 8.1)], None),
        (new, "mean", 100, [(500, 5.5)], 150000),
        (epochs, "epoch", 100, [(step, 4 + step / 100) for step in STEPS], None),
    ],
)
def test_the_three_forms(tmp_path, lines, loss_is, window, validations, horizon):
    log = log_of(tmp_path, lines())
    steps, losses = zip(*points(log, "nll_loss"), strict=True)
    assert steps == tuple(STEPS)
    assert_allclose(losses, [bits(step) * math.log(2) for step in STEPS], atol=4e-4)
    assert_allclose(dict(points(log, "lr"))[200], 1e-7 + 200 * 2e-7, rtol=1e-5)
    assert (log.loss_is, log.window, log.horizon) == (loss_is, window, horizon)
    assert (log.columns.loss, log.facts.lr_is) == ("loss", "next")
    expected = [(step, pytest.approx(loss * math.log(2))) for step, loss in validations]
    assert points(log, "valid_loss") == expected
    assert any("loss is in bits, by the perplexity" in note for note in log.notes)
    early = (("evaluations before the first updates", 1),)
    assert log.skipped == (early if lines is epochs else ())


def test_json_of_newer_versions(tmp_path):
    def lines():
        for step in STEPS:
            record = {"epoch": 1, "update": step / 2000, "loss": f"{bits(step):.3f}"}
            record |= {"num_updates": str(step), "lr": "2e-05"}
            yield f"2021-03-08 12:31:36 | INFO | train_inner | {json.dumps(record)}"
        record = {"epoch": 1, "train_loss": "9", "train_num_updates": "500", "train_lr": "2e-05"}
        yield f"2021-03-08 12:31:36 | INFO | train | {json.dumps(record)}"

    log = log_of(tmp_path, lines())
    assert [step for step, _ in points(log, "loss")] == list(STEPS)
    assert log.loss_is == "mean"


def test_the_oldest_form_has_no_updates_but_bars(tmp_path):
    line = "| epoch 010  {} / 8223 loss=1.27 (1.50), wps=962, bsz=32, lr=0.001, clip=100%"
    log = log_of(tmp_path, [line.format(n) for n in (2000, 3000)])
    assert points(log, "lr") == [(9 * 8223 + 2000, 0.001), (9 * 8223 + 3000, 0.001)]
    assert log.loss_is == "instant"


def test_lines_cut_off_are_counted(tmp_path):
    lines = [*old()]
    whole = lines[-1]
    for end in ("lr=0.0001", "num_updates=5", "loss=6"):
        lines.append(whole[: whole.index(end) + len(end)])
    log = log_of(tmp_path, lines)
    assert log.skipped == (("lines that cannot be read to their end", 3),)
    assert len(points(log, "loss")) == len(STEPS)
    (tmp_path / "x.log").write_text(lines[-1] + "\n" + lines[-3][:90] + "\nnum_updates\n")
    with pytest.raises(InputError):
        read_logs(tmp_path / "x.log")


@pytest.mark.parametrize(
    ("said", "optimizer"),
    [
        ("Namespace(optimizer='adam', max_update=100)", "adamw"),  # its Adam decays decoupled
        ("{'optimizer': {'_name': 'adafactor', 'lr': [0.1]}}", "adafactor"),
        ("", None),
    ],
)
def test_the_optimiser_is_among_the_arguments(tmp_path, said, optimizer):
    assert log_of(tmp_path, [said, *new()]).facts.optimizer == optimizer


def test_a_running_mean_is_over_the_epoch_so_far(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("\n".join(old()) + "\n")
    (curve,) = read_curves(path, warmup=0)
    assert curve.loss_is == "epoch"
    assert curve.window.tolist() == list(STEPS)
    assert curve.warnings == ()
    second = [line.replace("epoch 001", "epoch 002") for line in old()]
    path.write_text("\n".join(second).replace("num_updates=", "num_updates=2") + "\n")
    (curve,) = read_curves(path, warmup=0)
    assert curve.steps.tolist() == [2000 + step for step in STEPS]
    assert curve.window.tolist() == list(STEPS)


def test_epochs_of_different_lengths_are_means_since_the_row_before(tmp_path):
    lines = [
        f"| epoch {i:03d} | loss {5 - i} | nll_loss {5 - i} | ppl {2 ** (5 - i)} | lr 1e-05"
        f" | num_updates {at}"
        for i, at in enumerate((100, 199, 300), 1)
    ]
    path = tmp_path / "train.log"
    path.write_text("\n".join(lines) + "\n")
    (curve,) = read_curves(path, warmup=0)
    assert (curve.loss_is, curve.window.tolist()) == ("epoch", [99, 99, 101])
