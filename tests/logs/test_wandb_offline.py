"""``run-ID.wandb``: records in blocks, nested names, settings, resumed runs."""

import json
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

DATA = Path(__file__).parent / "data" / "wandb"
OWN, FACE = DATA / "run-own1.wandb", DATA / "run-face.wandb"
BLOCK = 32768


def loss(step):  # as in scripts/log_fixtures.py
    return 2.0 + 6.0 / (1 + step / 20)


def field(number, value):
    key, size, out = number << 3 | 2, len(value), bytearray()
    for count in (key, size):
        while count > 127:
            out.append(count & 127 | 128)
            count >>= 7
        out.append(count)
    return bytes(out) + value


def row(**items):
    return field(2, b"".join(
        field(1, field(1, name.encode()) + field(16, json.dumps(value).encode()))
        for name, value in items.items()
    ))  # fmt: skip


def chunk(kind, piece):
    tail = bytes([kind]) + piece
    return struct.pack("<IH", zlib.crc32(tail), len(piece)) + tail


def log_file(*records):
    """A log of the records, in blocks as LevelDB cuts them."""
    out = bytearray(b":W&B\xe1\xbe\0")
    for record in records:
        first = True
        while record or first:
            room = BLOCK - len(out) % BLOCK
            if room <= 7:
                out += bytes(room)
                continue
            piece, record = record[: room - 7], record[room - 7 :]
            out += chunk((1 if first else 4) if not record else (2 if first else 3), piece)
            first = False
    return bytes(out)


def test_a_run_that_logs_at_steps_of_its_own():
    (log,) = read_logs(OWN)
    assert (log.label, log.horizon, log.facts.weight_decay) == ("run own1", 400, 0.1)
    assert (log.columns.loss, log.columns.lr, log.facts.lr_is) == ("train.loss", "lr", "next")
    assert log.facts.model_size == 1e6
    assert log.table.columns["step"] == [str(step) for step in range(0, 401, 20)]
    assert list(log.table.numbers("train.loss")) == [loss(step) for step in range(0, 401, 20)]
    assert not log.skipped


def test_a_run_of_the_hugging_face_trainer():
    (log,) = read_logs(FACE)
    assert log.losses == ("train/loss", "eval/loss")
    assert (log.facts.lr_is, log.loss_of, log.horizon) == ("next", ("mean", 20), 400)
    assert log.table.columns["step"] == [str(step) for step in range(20, 401, 20)]
    assert any("not '_step', which counts rows" in note for note in log.notes)
    (curve,) = read_curves(FACE)
    assert (curve.label, curve.planned, curve.loss_is) == ("run face", 400, "mean")


def test_a_folder_of_runs_and_a_run_that_was_resumed(tmp_path):
    wandb = tmp_path / "wandb"
    for date, file in (("20260101_000000", OWN), ("20260102_000000", FACE)):
        place = wandb / f"offline-run-{date}-{file.stem[4:]}"
        place.mkdir(parents=True)
        shutil.copy(file, place)
    later = wandb / "offline-run-20260103_000000-own1"
    later.mkdir()
    run_id = field(17, field(1, b"own1") + field(8, b"later name"))
    later.joinpath(OWN.name).write_bytes(
        log_file(
            run_id, *(row(_step=s, **{"train.loss": 1.0, "lr": 1e-3}) for s in (380, 400, 420))
        )
    )
    (wandb / "latest-run").symlink_to(later)
    for place in (wandb, tmp_path):
        logs = {log.label: log for log in read_logs(place)}
        assert sorted(logs) == ["later name", "run face"]
        own = logs["later name"]
        assert own.table.columns["train.loss"][-4:] == [str(loss(360)), "1.0", "1.0", "1.0"]
        assert any("restarted at step 380" in note for note in own.notes)
    assert sorted(curve.label for curve in read_curves(wandb)) == ["later name", "run face"]


def test_records_that_go_over_blocks(tmp_path):
    records = [row(_step=s, loss=3 - s / 100, text="x" * 900 * s) for s in range(1, 90)]
    path = tmp_path / "a.wandb"
    path.write_bytes(log_file(*records))
    assert path.stat().st_size > 50 * BLOCK
    (log,) = read_logs(path)
    assert log.table.columns["step"] == [str(s) for s in range(1, 90)]
    assert not log.skipped
    damaged = bytearray(path.read_bytes())
    damaged[20 * BLOCK + 5000] ^= 4
    path.write_bytes(damaged)
    (log,) = read_logs(path)
    assert 80 < len(log.table.lines) < 89
    assert log.skipped[0][0] == "damaged records"


def test_values_that_json_has_no_word_for_and_other_forms_of_items(tmp_path):
    number = field(1, b"loss") + b"\x31" + struct.pack("<d", 2.5)
    nested = field(2, b"train") + field(2, b"lr") + field(16, b"0.5")
    step = field(2, b"\x08\x07")
    path = tmp_path / "a.wandb"
    path.write_bytes(
        log_file(
            row(_step=6, loss="NaN", lr=1.0),
            field(2, field(1, number) + field(1, nested) + step),
            row(_step=8, loss={"_type": "histogram"}),
            row(_step=9, loss=float("inf")),
        )
    )
    (log,) = read_logs(path)
    assert log.table.columns["step"] == ["6", "7", "9"]
    assert log.table.columns["loss"] == ["nan", "2.5", "inf"]
    assert log.table.columns["train.lr"] == [None, "0.5", None]


def test_no_losses(tmp_path):
    path = tmp_path / "run-a.wandb"
    for content in (log_file(), log_file(row(_step=1, gpu=2.0)), b":W&B\xe1\xbe\0" + b"\xff" * 99):
        path.write_bytes(content)
        for name in (path, tmp_path):
            with pytest.raises(InputError, match="no losses in it"):
                read_curves(name)
