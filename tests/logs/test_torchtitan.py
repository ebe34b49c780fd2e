"""torchtitan: coloured lines of a rank, and what the line at the start says."""

import pytest
from helpers.printed_logs import LAST, loss, torchtitan
from helpers.read_text import log_in, points


def test_points_and_facts(tmp_path):
    log = log_in(tmp_path, torchtitan())
    assert [step for step, _ in points(log, "loss")] == [1, *range(5, LAST + 1, 5)]
    assert points(log, "val_loss")[-1] == (LAST, pytest.approx(loss(LAST) + 0.5, abs=5e-5))
    facts = log.facts
    assert (facts.batch, facts.sequence_length, facts.warmup) == (64, 2048, 10)
    assert (log.horizon, log.loss_is, log.columns.lr, log.skipped) == (LAST, "instant", None, ())


@pytest.mark.parametrize(
    "said",
    [
        "Training starts at step 1, with local batch size 8, global batch size 64, gradient"
        " accumulation steps 2, sequence length 2048, total steps 900 (warmup 10)",
        "Trainer is initialized with local batch size 8, global batch size 64, gradient"
        " accumulation steps 1, sequence length 2048, total steps 900 (warmup 10)",
        "Training starts at step 1, with local batch size 8, global batch size 64, total steps 900"
        " (warmup 10)",
    ],
)
def test_what_other_versions_say_at_the_start(tmp_path, said):
    lines = [line for line in torchtitan() if "Training starts" not in line]
    log = log_in(tmp_path, [f"[rank0]:[titan] INFO - {said}\n", *lines])
    facts = log.facts
    assert (facts.batch, facts.warmup, log.horizon) == (64, 10, 900)
    assert facts.sequence_length == (2048 if "length" in said else None)
