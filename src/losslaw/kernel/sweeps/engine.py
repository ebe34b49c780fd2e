"""Run jobs through workers into a table, come what may.

* Every result is on disk before the next job is handed out, so an interrupted sweep goes on where
  it was, and repeats nothing.
* A job that is refused (`InputError`: an unstable rate, say) is a result: its row has the sentence.
  A job that fails otherwise has no row, and is tried again when the sweep is.

The engine knows nothing of kernels or schedules: a job is a frozen dataclass, the function that
runs it is any importable function from a job to a mapping of results. Who runs them, and what
happens when workers die, is in `losslaw.workers`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losslaw.errors import FitError, InputError
from losslaw.kernel.sweeps.table import SweepTable
from losslaw.workers import JobFunction, Report, WorkersLost, checked_workers, work
from losslaw.workers.loop import RETRIES


class SweepError(FitError):
    """The sweep is through, and some of its jobs have no result."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A finished sweep.

    Attributes:
        table: Where the results are.
        rows: Rows in the table.
        new: Rows that this call added.
        refused: Rows whose job was refused, with the reason in ``status``.
        lost_workers: Jobs that lost their worker and were run again, counted once a time.
        seconds: Time taken by this call.
    """

    table: Path
    rows: int
    new: int
    refused: int
    lost_workers: int
    seconds: float

    def __str__(self) -> str:
        text = f"{self.rows} rows in {self.table}, {self.new} of them new"
        if self.refused:
            text += f", {self.refused} refused (see status)"
        if self.lost_workers:
            text += f", {self.lost_workers} jobs run again after a worker died"
        return f"{text}; {self.seconds:.1f} s"


def sweep(
    jobs: Sequence[Any],
    function: JobFunction,
    table: str | Path,
    *,
    columns: Sequence[str],
    on: str = "local",
    workers: int | None = None,
    retries: int = RETRIES,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Run all jobs that the table has no row of, and sort the table.

    Args:
        jobs: Frozen dataclasses of one type, at least one.
        function: Importable function from a job to its results, by column.
        table: CSV file; begun if missing, continued if it belongs to these jobs.
        columns: Names of the results.
        on: ``local``: processes of this machine; ``ray``: a Ray cluster.
        workers: Jobs under way at a time; all processors by default.
        retries: How often a job that kills its worker is run again.
        tick: Called with (rows, jobs) at the start and after every row.

    Raises:
        InputError: no jobs, a bad ``on`` or ``workers``, or a table that is not of these jobs.
        MissingExtra: ``on="ray"`` without ray.
        SweepError: some jobs failed; the rows of all the others are in the table.
    """
    began = time.perf_counter()
    if not jobs:
        raise InputError("a sweep without jobs: expected at least one")
    checked_workers(on, workers)
    with SweepTable(table, jobs, columns) as rows:
        total = len(set(rows.keys))
        before = len(rows.rows)
        tick(before, total)

        def keep(report: Report) -> None:
            status = "ok" if report.kind == "done" else report.why
            rows.add(report.index, status, report.results)
            tick(len(rows.rows), total)

        todo = {index: jobs[index] for index in _first_of_each(rows)}
        try:
            deaths, failed = work(todo, function, keep, on=on, workers=workers, retries=retries)
        except WorkersLost as error:
            raise SweepError(f"{error}; what is done is in {rows.path}") from None
        rows.finish()
        outcome = Outcome(
            table=rows.path,
            rows=len(rows.rows),
            new=len(rows.rows) - before,
            refused=rows.refused(),
            lost_workers=deaths,
            seconds=time.perf_counter() - began,
        )
    if failed:
        first = min(failed)
        raise SweepError(
            f"{len(failed)} of {total} jobs have no result; the first is job"
            f" {rows.keys[first]}, {jobs[first]}: {failed[first]}; all others are in {rows.path},"
            " and the same command tries these again"
        )
    return outcome


def _first_of_each(rows: SweepTable) -> list[int]:
    """Jobs without a row; of equal ones the first."""
    first = {key: index for index, key in reversed(list(enumerate(rows.keys)))}
    return sorted(index for index in first.values() if not rows.done(index))
