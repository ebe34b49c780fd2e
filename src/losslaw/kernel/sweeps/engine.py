"""Run jobs through a crew of workers into a table, come what may.

* Every result is on disk before the next job is handed out, so an interrupted sweep goes on where
  it was, and repeats nothing.
* A job whose worker dies is run again, a bounded number of times. Where it is not known which of
  several jobs killed the workers, all of them run again *alone*: the guilty one dies by itself,
  the innocent ones finish, and only deaths alone count.
* A job that is refused (`InputError`: an unstable rate, say) is a result: its row has the sentence.
  A job that fails otherwise has no row, and is tried again when the sweep is.

The engine knows nothing of kernels or schedules: a job is a frozen dataclass, the function that
runs it is any importable function from a job to a mapping of results.

Ray alone would do on one machine too, but it is a large extra that takes seconds to start, so it
serves several machines only. Neither Ray nor loky counts how often a job has killed its worker, or
goes on after an interruption: that is what this file adds, for both.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losslaw.errors import FitError, InputError
from losslaw.kernel.sweeps.crew import Crew, JobFunction, Report
from losslaw.kernel.sweeps.table import SweepTable

# Deaths of its own worker that a job may cause before it is given up.
RETRIES = 2
# Workers, beyond two rounds of all of them, that may die in a row with no job ending in between:
# then it is not the jobs, and trying each of a million of them would take for ever.
DEATHS_IN_A_ROW = 20


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
    if workers is not None and workers < 1:
        raise InputError(f"jobs at a time is {workers}, expected at least 1")
    if on not in ("local", "ray"):
        raise InputError(f"on is {on!r}, expected local or ray")
    with SweepTable(table, jobs, columns) as rows:
        total = len(set(rows.keys))
        before = len(rows.rows)
        tick(before, total)
        todo = _first_of_each(rows)
        failed: dict[int, str] = {}
        deaths = 0
        if todo:
            crew = _crew(on, function, workers)
            finished = False
            try:
                deaths = _run(
                    todo, crew, rows, retries, failed, lambda: tick(len(rows.rows), total)
                )
                finished = True
            finally:
                crew.close(at_once=not finished)
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


def _crew(on: str, function: JobFunction, workers: int | None) -> Crew:
    if on == "ray":
        from losslaw.kernel.sweeps.remote import RayCrew

        return RayCrew(function, workers)
    from losslaw.kernel.sweeps.local import LocalCrew

    return LocalCrew(function, workers)


def _run(
    todo: Sequence[int],
    crew: Crew,
    rows: SweepTable,
    retries: int,
    failed: dict[int, str],
    tick: Callable[[], None],
) -> int:
    """Run jobs until each has a row or is given up; returns how many workers were lost."""
    waiting, suspects = deque(todo), deque[int]()
    under_way: set[int] = set()
    deaths = Counter[int]()
    lost, in_a_row = 0, 0

    def lose(report: Report, alone: bool) -> None:
        if crew.exact or alone:
            deaths[report.index] += 1
        if deaths[report.index] > retries:
            failed[report.index] = f"{report.why}, {deaths[report.index]} times"
        elif crew.exact:
            waiting.appendleft(report.index)
        else:
            suspects.append(report.index)

    def submit(index: int) -> None:
        under_way.add(index)
        crew.submit(index, rows.jobs[index])

    while waiting or suspects or under_way:
        if suspects:  # first let the others end, then one suspect at a time
            if not under_way:
                submit(suspects.popleft())
        else:
            while waiting and len(under_way) < crew.width:
                submit(waiting.popleft())
        alone = len(under_way) == 1
        for report in crew.collect():
            under_way.discard(report.index)
            in_a_row = in_a_row + 1 if report.kind == "lost" else 0
            if report.kind == "lost":
                lost += 1
                lose(report, alone)
            elif report.kind == "failed":
                failed[report.index] = report.why
            else:
                rows.add(
                    report.index, "ok" if report.kind == "done" else report.why, report.results
                )
                tick()
        if in_a_row > DEATHS_IN_A_ROW + 2 * crew.width:
            raise SweepError(
                f"{in_a_row} workers died in a row and no job ended: is there memory enough? try"
                f" fewer jobs at a time; what is done is in {rows.path}"
            )
    return lost
