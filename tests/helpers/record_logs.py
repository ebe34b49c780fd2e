"""Records and tables of every format, with losses by a formula; what prints lines is elsewhere."""

import json

from logs import test_fairseq, test_hf_console, test_lightning, test_llamafactory, test_xlm

STEPS = range(10, 410, 10)


def loss(step):
    return round(2 + 6 / (1 + step / 20), 6)


def rate(step):
    return round(1e-3 * min(1.0, step / 40, (410 - step) / 100), 9)


def rows(separator, header):
    return "\n".join(
        [header, *(separator.join(map(str, (k, rate(k), loss(k)))) for k in STEPS), ""]
    )


def trainer_state():
    history = [{"step": k, "loss": loss(k), "learning_rate": rate(k)} for k in STEPS]
    return json.dumps({"log_history": history, "max_steps": 410, "global_step": 400}, indent=2)


def json_lines():
    return "".join(json.dumps({"step": k, "lr": rate(k), "loss": loss(k)}) + "\n" for k in STEPS)


def history():
    return "_step,lr,train/loss\n" + "".join(f"{k},0.{k},{3 - k / 100}\n" for k in range(10, 99))


def panel():
    return '"Step","a - loss","a - loss__MIN","b - loss"\n' + "".join(
        f'"{k}","{3 - k / 100}","1","{4 - k / 100}"\n' for k in range(10, 99)
    )


def epochs():
    rows = (f"{k},{2 + 1 / (k + 1)},2,0.1\n" for k in range(9))
    return "epoch,train_loss,eval_loss,lr\n" + "".join(rows)


def console():
    return "".join(test_hf_console.bar(k) + test_hf_console.record(k) for k in range(10, 90, 10))


def xlm():
    lines = [test_xlm.line(k, ("MLM-en", 2 + 1 / k)) for k in range(5, 50, 5)]
    return "\n".join([*lines, test_xlm.scores(0, 20.0), ""])


def of_a_script():
    for k in range(10, 500, 10):
        yield f"Step {k}/1000 | Loss: {2 + 9 / (k + 9):.4f} | LR: {1e-3 * (1 - k / 1000):.3e} | x"


def array():
    rows = [{"step": k, "optim": {"lr": 0.1}, "loss": 2 + 1 / k} for k in range(10, 99)]
    return json.dumps(rows)


def lines(made):
    return "".join(f"{line}\n" for line in made)


# Text by the name that its file has.
RECORDS = {
    "table.csv": rows(",", "step,lr,loss"),
    "table.tsv": rows("\t", "step\tlearning_rate\ttrain_loss"),
    "semicolons.csv": rows(";", "Step;Learning Rate;Training Loss"),
    "lines.jsonl": json_lines(),
    "summary.csv": epochs(),
    "trainer_state.json": trainer_state(),
    "trainer_log.jsonl": test_llamafactory.OLD,
    "console.log": console(),
    "metrics.csv": test_lightning.WRITTEN,
    "v0.log": lines(test_fairseq.old()),
    "new.log": lines(test_fairseq.new()),
    "epochs.jsonl": lines(test_fairseq.epochs()),
    "train.log": xlm(),
    "history.csv": history(),
    "panel.csv": panel(),
    "script.log": lines(of_a_script()),
    "array.json": array(),
}
