"""Console output of Hugging Face's Trainer: steps by its bars.

The texts are made of the format strings of transformers 4.46 (numbers) and 5.24 (texts of four
digits) and of tqdm 4.67.
"""

import pytest

from losslaw.errors import InputError
from losslaw.logs import read_logs


def bar(step, total=300, end="\r"):
    drawn = "█" * (step % 10)
    return f"{100 * step // total:3d}%|{drawn:10}| {step}/{total} [0:41<10:48, 2.3s/it]{end}"


def record(step, **more):
    values = {"loss": 2 + 1 / step, "grad_norm": 1.25, "learning_rate": 1e-3 * (1 - step / 300)}
    return f"{ {**values, 'epoch': step / 100, **more} }\n"


def printed(tmp_path, text):
    path = tmp_path / "run.out"
    path.write_text(text)
    (log,) = read_logs(path)
    table = log.table.columns
    return log, [int(cell) for cell in table["step"]], table


def test_steps_are_those_of_the_bars_before(tmp_path):
    text = "Loading\n" + "".join(bar(step) + record(step) for step in range(10, 60, 10))
    log, steps, table = printed(tmp_path, text)
    assert steps == [10, 20, 30, 40, 50]
    assert table["loss"][0] == "2.1"
    assert (log.horizon, log.window, log.loss_is, log.facts.lr_is) == (300, 10, "mean", "next")


def test_where_bars_are_late_those_below_are_taken(tmp_path):
    late = (3, 17, 22, 38, 41)
    text = "".join(
        bar(step) + record(row) + bar(row) + bar(row + 1)
        for step, row in zip(late, range(10, 60, 10), strict=True)
    )
    assert printed(tmp_path, text)[1] == [10, 20, 30, 40, 50]


def test_bars_of_evaluations_are_no_steps(tmp_path):
    text = ""
    for step in range(10, 60, 10):
        text += bar(step) + record(step)
        text += "".join(bar(k, total=7) for k in range(1, 8))
        text += f"{{'eval_loss': {1 + step}, 'eval_runtime': 3.5, 'epoch': 1.0}}\n"
    log, steps, table = printed(tmp_path, text + "{'train_runtime': 9.0, 'train_loss': 2.5}\n")
    assert steps == [step for step in range(10, 60, 10) for _ in range(2)]
    assert table["eval_loss"][:2] == [None, "11"]
    assert log.losses == ("loss", "eval_loss")


def test_numbers_as_texts_facts_colours_and_lines_cut_off(tmp_path):
    text = "  Total train batch size (w. parallel, distributed & accumulation) = 1,024\n"
    text += "  Total optimization steps = 300\n"
    for step in (10, 20, 30):
        text += f"\x1b[32m{bar(step)}\x1b[0m\n"
        text += f"{{'loss': '{2 + 1 / step:.4g}', 'learning_rate': '{step:.4g}', 'epoch': '1'}}\n"
    log, steps, table = printed(tmp_path, text + "{'loss': '2.0")
    assert steps == [10, 20, 30]
    assert table["loss"] == ["2.1", "2.05", "2.033"]
    assert log.facts.batch == 1024
    assert log.skipped == (("records cut off", 1),)


def test_without_bars_there_are_no_steps(tmp_path):
    with pytest.raises(InputError, match=r"no progress bars .* trainer_state\.json"):
        printed(tmp_path, record(10) + record(20))


@pytest.mark.parametrize("said", ["OptimizerNames.ADAMW_TORCH", "adamw_torch", "'adamw_torch'"])
def test_the_optimiser_is_among_the_arguments_that_were_printed(tmp_path, said):
    arguments = f"TrainingArguments(\noptim={said},\noptim_args=None,\n)\n"
    log, _, _ = printed(tmp_path, arguments + "".join(bar(k) + record(k) for k in (10, 20)))
    assert log.facts.optimizer.lower() == "adamw_torch"
