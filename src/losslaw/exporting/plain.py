"""Files of numbers: CSV, NPY and JSON.

CSV is the form that `losslaw.read_schedule` reads back, every digit kept, one row an update. NPY is
the array of rates, shape ``(n,)``, float64, ``rates[k - 1]`` for update k; it loads without pickle.
JSON has the knots and says their error.
"""

import io
import json
from typing import Any

import numpy as np

from losslaw.exporting.job import Exported, Job, changes, predicted_ends
from losslaw.exporting.pieces import runs
from losslaw.exporting.text import comment, number
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.text import csv_blocks
from losslaw.version import __version__

FORMAT = "losslaw.schedule"
VERSION = 1


def write_csv(job: Job) -> Exported:
    """``step,lr[,batch][,weight_decay]``, dense."""
    table = io.BytesIO()  # grows in place: pieces that are joined take twice the room
    table.write((comment(job.provenance(knots=False)[:1]) + "\n").encode("utf-8"))
    for text in csv_blocks(job.schedule):
        table.write(text.encode("utf-8"))
    return _record(job, "csv", table.getvalue(), "column lr of row k is the rate of update k")


def write_npy(job: Job) -> Exported:
    """The array of rates."""
    stream = io.BytesIO()
    np.save(stream, job.schedule.lr, allow_pickle=False)
    note = "NPY carries the learning rates only, not the batch sizes: use csv or json"
    return _record(
        job,
        "npy",
        stream.getvalue(),
        'numpy.load("FILE")[k - 1] is the rate of update k',
        (note,) if job.batch_changes else (),
    )


def write_json(job: Job) -> Exported:
    """One object with the knots, what was measured of them, and where they are from."""
    s, p = job.schedule, job.pieces
    record: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "losslaw": __version__,
        "date": job.date,
        "source": job.source,
        "law": None if job.fit is None else job.fit.law.name,
        "fit": job.fit_source,
        "predicted_loss": job.predicted,
        **predicted_ends(job.interval),
        "trust": None if job.trust is None else job.trust.as_dict(),
        "horizon": s.horizon,
        "warmup": s.warmup,
        "peak_lr": s.peak_lr,
        "meaning": "update step[i], counted from 1, uses lr[i]; straight lines in between",
        "largest_relative_error": p.error,
        "step": p.updates.tolist(),
        "lr": [float(number(rate)) for rate in (p.peak * p.factors).tolist()],
        "batch": _along(s.batch),
        "weight_decay": _along(s.weight_decay),
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    return _record(job, "json", text.encode("utf-8"), "interpolate lr over step, from update 1 on")


def _along(values: FloatArray | None) -> float | dict[str, list[float]] | None:
    """One number, or where each value begins to hold."""
    if values is None:
        return None
    if not changes(values):
        return float(values[0])
    first, each = runs(values)
    return {"from_step": first.tolist(), "value": each.tolist()}


def _record(
    job: Job, target: str, data: bytes, next_step: str, notes: tuple[str, ...] = ()
) -> Exported:
    return Exported(
        target,
        data,
        exact=True,
        pieces=job.pieces,
        nearest=None,
        next_step=next_step,
        notes=notes,
    )
