"""Records and tables as accidents leave them: a reading, or one line that says why not."""

import json
import random

import pytest
from logs import test_fairseq, test_hf_console, test_lightning, test_llamafactory, test_xlm

from losslaw.curves import read_curves
from losslaw.errors import InputError


def texts():
    history = [{"step": k, "loss": 2 + 1 / k, "learning_rate": 1e-3} for k in range(10, 90, 10)]
    state = {"log_history": history, "max_steps": 100, "global_step": 80}
    yield "trainer_state.json", json.dumps(state, indent=2)
    bars = (test_hf_console.bar(k) + test_hf_console.record(k) for k in range(10, 90, 10))
    yield "console.log", "".join(bars)
    yield "trainer_log.jsonl", test_llamafactory.OLD
    yield "metrics.csv", test_lightning.WRITTEN
    yield "v0.log", "\n".join(test_fairseq.old())
    yield "new.log", "\n".join(test_fairseq.new())
    yield "epochs.jsonl", "\n".join(test_fairseq.epochs())
    lines = [test_xlm.line(k, ("MLM-en", 2 + 1 / k)) for k in range(5, 50, 5)]
    yield "train.log", "\n".join([*lines, test_xlm.scores(0, 20.0)])
    rows = (f"{k},{2 + 1 / (k + 1)},2,0.1\n" for k in range(9))
    yield "summary.csv", "epoch,train_loss,eval_loss,lr\n" + "".join(rows)


def mutations(text, rng):
    for quarter in range(1, 4):
        yield text[: len(text) * quarter // 4]
    lines = text.splitlines(keepends=True)
    for _ in range(12):
        at = rng.randrange(len(lines))
        line = rng.choice(lines)
        foreign = rng.choice(
            [
                line[: rng.randrange(len(line) + 1)],
                line[: rng.randrange(len(line))] + line,
                "\x1b[31mWARNING: something {else} happened\x1b[0m\n",
                "{'loss': nan, 'learning_rate': inf}\n",
                '{"epoch": 1, "loss": [1, 2], "num_updates": {}, "lr": null}\n',
                "\ufffd\x07;;;,,,|||\n",
                "9" * 400 + "\n",
                line.replace("5", "5" * 5000, 1),
                line.replace("5", "inf", 1).replace("0", "nan", 1),
                line.rstrip("\n") * 300 + "\n",
            ]
        )
        yield "".join([*lines[:at], foreign, *lines[at:]])
        yield "".join([*lines[:at], line.replace("0", "", 1), *lines[at + 1 :]])
    yield "".join(f"\x1b[32m{line[:-1]}\x1b[0m\n" for line in lines)
    yield text.replace("\n", "\r\n")
    yield text + text


TEXTS = dict(texts())


@pytest.mark.parametrize("name", TEXTS)
def test_never_anything_but_curves_or_one_line(name, tmp_path):
    text, rng = TEXTS[name], random.Random(7)
    path = tmp_path / name
    path.write_text(text)
    assert read_curves(path, steps_per_epoch=10, warmup=0)
    said: list[str] = []
    for changed in mutations(text, rng):
        path.write_text(changed)
        try:
            read_curves(path, steps_per_epoch=10, warmup=0)
        except InputError as error:
            said.append(str(error))
    assert not [text for text in said if "\n" in text or len(text) > 1500]
