"""Files of trackers that were cut, mixed up or written by an enemy: a log or one line, soon."""

import random
import shutil
import time
from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

DATA = Path(__file__).parent / "data"
FILES = [
    *sorted(DATA.glob("tensorboard/*/events*")),
    DATA / "tensorboard/tensors/train/events.out.tfevents.1000000000.host.0.v2",
    *sorted(DATA.glob("wandb/*")),
    DATA / "mlflow/mlflow.db",
    DATA / f"mlflow/mlruns/1/{0:032x}/metrics/train/loss",
    DATA / "trackio/losses.db",
]
HISTORY = "_step,lr,train/loss\n" + "".join(f"{k},0.{k},{3 - k / 100}\n" for k in range(10, 99))
PANEL = '"Step","a - loss","a - loss__MIN","b - loss"\n' + "".join(
    f'"{k}","{3 - k / 100}","1","{4 - k / 100}"\n' for k in range(10, 99)
)
TEXTS = {"history.csv": HISTORY, "panel.csv": PANEL}


def sizes(path):
    """Contents to damage, with a name for the copy."""
    if isinstance(path, str):
        return path, TEXTS[path].encode()
    return path.name, path.read_bytes()


def reads(path):
    """What comes of a file: how many values it has, or one line that says why it has none."""
    start = time.monotonic()
    logs, said = [], []
    try:
        logs = read_logs(path)
        read_curves(path, schedule="constant:peak=1e-3,horizon=1000", on_nan="drop")
    except InputError as error:
        said.append(str(error))
    assert all("\n" not in text and len(text) < 500 + len(str(path)) for text in said)
    assert time.monotonic() - start < 5
    return {
        (log.label, step): float(cell)
        for log in logs
        for step, cell in zip(
            log.table.columns["step"], log.table.columns[log.columns.loss], strict=True
        )
        if cell is not None
    }


@pytest.mark.parametrize("path", [*FILES, *TEXTS], ids=lambda path: Path(path).name)
def test_cut_at_every_quarter(path, tmp_path):
    name, content = sizes(path)
    whole = tmp_path / "whole" / name
    whole.parent.mkdir()
    whole.write_bytes(content)
    values = {step: loss for (_, step), loss in reads(whole).items()}
    ways = {(step, loss) for (_, step), loss in reads(whole).items()}
    assert values
    for quarter in (1, 2, 3):
        cut = tmp_path / name
        cut.write_bytes(content[: len(content) * quarter // 4])
        # What is read of a part is in the whole: no half numbers.
        assert {(step, loss) for (_, step), loss in reads(cut).items()} <= ways


@pytest.mark.parametrize("path", [*FILES, *TEXTS], ids=lambda path: Path(path).name)
def test_bytes_changed_inserted_and_taken_out(path, tmp_path):
    name, content = sizes(path)
    rng = random.Random(name)
    for trial in range(25):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 3, 30))):
            at = rng.randrange(len(damaged))
            kind = rng.randrange(3)
            if kind == 0:
                damaged[at] = rng.randrange(256)
            elif kind == 1:
                damaged[at:at] = rng.choice((b"\xff" * 9, b"\x1b[31m", b"\n{]\n", b"\0" * 40))
            else:
                del damaged[at : at + rng.randrange(60)]
        file = tmp_path / f"{trial}-{name}"
        file.write_bytes(damaged)
        reads(file)


def test_checksums_keep_wrong_numbers_out(tmp_path):
    """One changed bit anywhere in the framed formats leaves only values of the whole file."""
    for path in FILES[0], FILES[2], FILES[-5]:
        content = path.read_bytes()
        right = set(reads(path).values())
        rng = random.Random(1)
        for _ in range(60):
            damaged = bytearray(content)
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            file = tmp_path / path.name
            file.write_bytes(damaged)
            assert set(reads(file).values()) <= right


def test_a_folder_with_a_damaged_file_in_it(tmp_path):
    shutil.copytree(DATA, tmp_path / "runs")
    for file in (tmp_path / "runs").rglob("*"):
        if file.is_file() and file.suffix in (".wandb", ".db"):
            file.write_bytes(file.read_bytes()[:300])
    logs = read_logs(tmp_path / "runs")
    assert {log.label for log in logs} >= {"restarted", "tensors", "first", "second"}
