"""Event files: framing, both kinds of scalars, several files of one run."""

import struct
from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs
from losslaw.logs.tensorboard import masked_crc32c

DATA = Path(__file__).parent / "data" / "tensorboard"
RESTARTED = DATA / "restarted"


def rate(step):  # as in scripts/log_fixtures.py
    return 0.001 * min(1.0, step / 40, (400 - step) / 100)


def loss(step):
    return 2.0 + 6.0 / (1 + step / 20)


def column(log, name):
    return {
        int(step): float(cell)
        for step, cell in zip(log.table.columns["step"], log.table.columns[name], strict=True)
        if cell is not None
    }


def field(number, value):
    """A field of a protocol buffer: a whole number, or bytes."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def record(message):
    size = struct.pack("<Q", len(message))
    sums = (struct.pack("<I", masked_crc32c(memoryview(part))) for part in (size, message))
    return size + next(sums) + message + next(sums)


def event(step, *values, time=1.0):
    summary = b"".join(field(1, value) for value in values)
    return record(b"\x09" + struct.pack("<d", time) + field(2, step) + field(5, summary))


def simple(tag, value):
    return field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag, dtype, *fields):
    return field(1, tag.encode()) + field(8, field(1, dtype) + b"".join(fields))


def test_a_run_in_two_files_that_was_restarted():
    (log,) = read_logs(RESTARTED)
    losses, rates = column(log, "train/loss"), column(log, "train/lr")
    assert list(losses) == list(range(0, 401, 20))
    for step in losses:
        shift = -0.125 if step >= 220 else 0.0
        assert losses[step] == pytest.approx(loss(step) + shift, rel=1e-7)
        assert rates[step] == pytest.approx(rate(step), rel=1e-7)
    assert any("restarted at step 220: 4 earlier values" in note for note in log.notes)
    assert (log.facts.lr_is, log.loss_of, log.skipped) == ("next", ("instant", None), ())
    (curve,) = read_curves(RESTARTED)
    assert (curve.label, len(curve), curve.schedule.horizon) == ("restarted", 20, 400)


def test_one_file_of_them():
    first, _ = sorted(RESTARTED.iterdir())
    (log,) = read_logs(first)
    assert list(column(log, "train/loss")) == list(range(0, 241, 20))


def test_tensors_in_two_parts_of_one_run():
    (log,) = read_logs(DATA / "tensors")
    assert (log.label, log.columns.lr) == ("tensors", "train/learning_rate")
    assert log.losses == ("train/loss", "validation/loss")
    for step in range(0, 401, 20):
        assert column(log, "train/loss")[step] == pytest.approx(loss(step), rel=1e-7)
        assert column(log, "validation/loss")[step] == pytest.approx(loss(step) + 0.25, rel=1e-7)


def test_each_folder_of_a_folder_is_a_run():
    assert sorted(log.label for log in read_logs(DATA)) == ["restarted", "tensors"]


def test_numbers_in_all_the_forms_a_tensor_has(tmp_path):
    values = [  # DT_FLOAT 1, DT_DOUBLE 2, DT_INT32 3, DT_INT64 9; content 4
        tensor("loss", 1, field(4, struct.pack("<f", 2.5))),
        tensor("loss", 1, field(5, struct.pack("<f", 2.5))),
        tensor("loss", 2, field(4, struct.pack("<d", 2.5))),
        tensor("loss", 2, field(6, struct.pack("<d", 2.5))),
        tensor("loss", 3, field(7, 3)),
        tensor("loss", 9, field(4, struct.pack("<q", 3))),
        tensor("loss", 9, field(10, 3)),
        simple("loss", 2.5),
    ]
    others = [
        tensor("loss", 1, field(4, struct.pack("<2f", 2.5, 1))),  # two numbers
        tensor("loss", 7, field(8, b"text")),
        tensor("loss", 1),
        field(1, b"loss"),
    ]
    path = tmp_path / "events"
    path.write_bytes(b"".join(event(k, value) for k, value in enumerate(values + others)))
    (log,) = read_logs(path)
    assert log.table.columns["loss"] == ["2.5"] * 4 + ["3.0"] * 3 + ["2.5"]


def test_a_number_of_32_bits_is_the_shortest_decimal_that_means_it(tmp_path):
    path = tmp_path / "events"
    path.write_bytes(event(1, simple("loss", 3e-4)) + event(2, simple("loss", 9.24417495727539)))
    (log,) = read_logs(path)
    assert log.table.columns["loss"] == ["0.0003", "9.244175"]


def test_a_damaged_record_is_left_out_and_a_half_one_ends_the_file(tmp_path):
    events = [event(k, simple("loss", 3 - k / 10)) for k in range(1, 6)]
    bad = bytearray(events[1])
    bad[-6] ^= 1  # in the number
    path = tmp_path / "events"
    path.write_bytes(events[0] + bytes(bad) + events[2] + events[3][:-3])
    (log,) = read_logs(path)
    assert log.table.columns["step"] == ["1", "3"]
    assert dict(log.skipped) == {"damaged records": 1, "ends of files that cannot be read": 1}
    assert any(f"at byte {3 * len(events[0])}" in note for note in log.notes)


def test_lengths_in_the_file_are_not_believed(tmp_path):
    size = struct.pack("<Q", 2**62)
    huge = size + struct.pack("<I", masked_crc32c(memoryview(size)))
    path = tmp_path / "events"
    path.write_bytes(event(1, simple("loss", 2)) + event(2, simple("loss", 1.5)) + huge)
    (log,) = read_logs(path)
    assert log.table.columns["step"] == ["1", "2"]
    long_tag = b"\x0a" + varint(2**63) + b"loss"
    path.write_bytes(event(1, simple("loss", 2)) + record(field(5, field(1, long_tag))))
    (log,) = read_logs(path)
    assert log.skipped == (("damaged records", 1),)


def test_no_losses(tmp_path):
    path = tmp_path / "events.out.tfevents.1.a"
    path.write_bytes(event(1, simple("accuracy", 0.5)))
    for name in (path, tmp_path):
        with pytest.raises(InputError, match="no losses in it; found accuracy"):
            read_curves(name)
