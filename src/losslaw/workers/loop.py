"""Run jobs through a crew of workers, come what may.

* Every result is handed back before the next job is handed out, so that a caller who keeps them
  repeats nothing after an interruption.
* Short jobs are handed over in bundles, which grow while they take less than `BUNDLE` seconds.
* A job whose worker dies is run again, a bounded number of times. Where it is not known which of
  several jobs killed the workers, all of them run again *alone*: the guilty one dies by itself,
  the innocent ones finish, and only deaths alone count.
* A job that is refused (`InputError`) has come to an end like one that is done; one that fails
  otherwise has no result.

Ray alone would do on one machine too, but it is a large extra that takes seconds to start, so it
serves several machines only. Neither Ray nor loky counts how often a job has killed its worker:
that is what this file adds, for both.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from losslaw.errors import FitError, InputError
from losslaw.workers.crew import BUNDLE, Crew, JobFunction, Report

# Deaths of its own worker that a job may cause before it is given up.
RETRIES = 2
# Workers, beyond two rounds of all of them, that may die in a row with no job ending in between:
# then it is not the jobs, and trying each of a million of them would take for ever.
DEATHS_IN_A_ROW = 20
# Jobs that are handed over together, at most; short ones are, for the sake of those milliseconds.
MOST_IN_A_BUNDLE = 100


class WorkersLost(FitError):
    """Workers die whatever they do."""


def checked_workers(on: str, workers: int | None) -> None:
    """Check where work is to be done, and by how many.

    Raises:
        InputError: no such place, or nobody to do it.
    """
    if workers is not None and workers < 1:
        raise InputError(f"jobs at a time is {workers}, expected at least 1")
    if on not in ("local", "ray"):
        raise InputError(f"on is {on!r}, expected local or ray")


def work(
    jobs: Mapping[int, Any],
    function: JobFunction,
    keep: Callable[[Report], None],
    *,
    on: str = "local",
    workers: int | None = None,
    retries: int = RETRIES,
) -> tuple[int, dict[int, str]]:
    """Run all jobs, in their order.

    Args:
        jobs: Jobs by number; none is fine.
        function: Importable function from a job to its results, by name.
        keep: Called with the report of each job that is done or refused, as they end.
        on: ``local``: processes of this machine; ``ray``: a Ray cluster.
        workers: Jobs under way at a time; all processors by default.
        retries: How often a job that kills its worker is run again.

    Returns:
        How many workers were lost, and why jobs have failed, by number.

    Raises:
        InputError: a bad ``on`` or ``workers``.
        MissingExtra: ``on="ray"`` without ray.
        WorkersLost: workers die in a row and no job ends.
    """
    checked_workers(on, workers)
    failed: dict[int, str] = {}
    if not jobs:
        return 0, failed
    crew = _crew(on, function, workers)
    finished = False
    try:
        lost = _run(jobs, crew, keep, retries, failed)
        finished = True
    finally:
        crew.close(at_once=not finished)
    return lost, failed


def _crew(on: str, function: JobFunction, workers: int | None) -> Crew:
    if on == "ray":
        from losslaw.workers.remote import RayCrew

        return RayCrew(function, workers)
    from losslaw.workers.local import LocalCrew

    return LocalCrew(function, workers)


def _run(
    jobs: Mapping[int, Any],
    crew: Crew,
    keep: Callable[[Report], None],
    retries: int,
    failed: dict[int, str],
) -> int:
    """Run jobs until each has ended or is given up; returns how often one lost its worker."""
    waiting, suspects = deque(jobs), deque[int]()
    begun: dict[int, float] = {}  # bundles under way, by their first job
    deaths = Counter[int]()
    lost, in_a_row, size = 0, 0, 1

    def submit(indexes: Sequence[int]) -> None:
        begun[indexes[0]] = time.perf_counter()
        crew.submit(indexes, [jobs[index] for index in indexes])

    def lose(report: Report, alone: bool) -> None:
        if alone:
            deaths[report.index] += 1
        if deaths[report.index] > retries:
            failed[report.index] = f"{report.why}, {deaths[report.index]} times"
        else:
            suspects.append(report.index)

    while waiting or suspects or begun:
        if suspects and not crew.exact:  # first let the others end, then one suspect at a time
            if not begun:
                submit([suspects.popleft()])
        else:
            while suspects and len(begun) < crew.width:
                submit([suspects.popleft()])
            while waiting and len(begun) < crew.width:
                # All are to have work: as the end comes near, bundles get smaller.
                count = min(size, MOST_IN_A_BUNDLE, -(-len(waiting) // crew.width))
                submit([waiting.popleft() for _ in range(count)])
        alone = crew.exact or len(begun) == 1
        for bundle in crew.collect():
            took = time.perf_counter() - begun.pop(bundle[0].index)
            left = [report.index for report in bundle if report.kind == "left"]
            waiting.extendleft(reversed(left))
            size = 2 * len(bundle) if took < BUNDLE / 2 else len(bundle) - len(left)
            died = bundle[0].kind == "lost"
            in_a_row = in_a_row + 1 if died else 0
            for report in bundle:
                if report.kind == "lost":
                    lost += 1
                    lose(report, alone and len(bundle) == 1)
                elif report.kind == "failed":
                    failed[report.index] = report.why
                elif report.kind != "left":
                    keep(report)
        if in_a_row > DEATHS_IN_A_ROW + 2 * crew.width:
            raise WorkersLost(
                f"{in_a_row} workers died in a row and no job ended: is there memory enough? try"
                " fewer jobs at a time"
            )
    return lost
