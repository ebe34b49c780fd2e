"""Real logs of trainers that print lines, where they are at hand, against their known readings."""

from pathlib import Path

import pytest
from helpers.read_text import points

from losslaw.errors import InputError
from losslaw.logs import read_logs

FOLDER = Path(__file__).parents[3] / "shared" / "logs"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the real logs are not beside the repository (../shared/logs)"
)

# File: loss, points, first, last; then rate of the first and of the last row.
KNOWN = [
    ("llmc_main.log", "train_loss", 489, (0, 11.0091), (19520, 3.3053), (1e-6, 0.0)),
    ("llmc_main.log", "val_loss", 80, (0, 11.0092), (19560, 3.2722), (1e-6, 0.0)),
    ("llmkeller_adamw.log", "train_loss", 477, (0, 10.965596), (9520, 3.356082), None),
    ("llmkeller_adamw.log", "val_loss", 76, (0, 10.968871), (9536, 3.275959), None),
    ("modded_nanogpt_run.txt", "train_loss", 248, (25, 6.3684), (6200, 3.2533), None),
    ("modded_nanogpt_run.txt", "val_loss", 51, (0, 10.9264), (6200, 3.2785), None),
    ("megatron_stdout.log", "lm loss", 4, (122, 2.50422), (125, 2.477393), (9.15e-6, 9.375e-6)),
    ("megatron_deepspeed_stdout.log", "lm loss", 1, (1, 10.65542), (1, 10.65542), (0.0, 0.0)),
    ("nanotron_stdout.log", "lm_loss", 15, (1, 5.32), (15, 5.22), (1.5e-4, 1e-5)),
    ("torchtitan_stdout.log", "loss", 6, (200, 6.1384), (250, 5.8383), None),
    ("nanochat_stdout.log", "loss", 6, (200, 5.147944), (249, 4.911746), (1.0, 1.0)),
]
# File: format, what a loss is, its window, what a rate is, horizon, batch.
FACTS = {
    "llmc_main.log": ("llm.c main.log", "instant", None, "next", None, None),
    "llmkeller_adamw.log": ("llm.c main.log", "instant", None, None, None, None),
    "modded_nanogpt_run.txt": ("modded-nanogpt", "instant", None, None, 6200, None),
    "megatron_stdout.log": ("Megatron-LM", "mean", 1, "next", 250000, 1024),
    "megatron_deepspeed_stdout.log": ("Megatron-DeepSpeed", "mean", None, "next", 2500, 32),
    "nanotron_stdout.log": ("nanotron", "instant", None, "next", 15, 2),
    "torchtitan_stdout.log": ("torchtitan", "instant", None, None, None, None),
    "nanochat_stdout.log": ("nanochat", "average", 19, "next", 35280, None),
}


@pytest.mark.parametrize(("file", "name", "count", "first", "last", "rates"), KNOWN)
def test_points(file, name, count, first, last, rates):
    (log,) = read_logs(FOLDER / file)
    pairs = points(log, name)
    assert (len(pairs), pairs[0], pairs[-1]) == (count, first, last)
    if rates is None:
        assert log.columns.lr is None
    else:
        logged = points(log, log.columns.lr)
        assert (logged[0][1], logged[-1][1]) == rates


@pytest.mark.parametrize("file", FACTS)
def test_facts(file):
    (log,) = read_logs(FOLDER / file)
    facts = log.facts
    assert (log.format, log.loss_is, log.window, facts.lr_is, log.horizon, facts.batch) == (
        FACTS[file]
    )
    assert log.skipped == ()


def test_a_log_without_losses():
    with pytest.raises(InputError, match="no loss in this log"):
        read_logs(FOLDER / "megatron_no_loss.log")
