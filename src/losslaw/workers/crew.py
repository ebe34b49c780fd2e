"""What the engine asks of those who do the work, wherever they are."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from losslaw.errors import InputError
from losslaw.version import __version__

JobFunction = Callable[[Any], Mapping[str, object]]
# Enough for one job: threaded BLAS on small vectors is far slower than one thread.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREAD_LIMITS, "1")
# Seconds that a bundle of jobs takes at most, unless its first job alone takes longer: to hand one
# over costs some milliseconds, and what a dead worker or Ctrl-C leaves behind is run again.
BUNDLE = 0.05


@dataclass(frozen=True)
class Report:
    """What became of one job.

    Attributes:
        index: Which job.
        kind: ``done``; ``refused``: the job made no sense, now and for ever; ``failed``: it raised;
            ``lost``: its worker died; ``left``: others of its bundle took all the time there was.
        results: Results of a job that is done, by column.
        why: The sentence for one that is not.
    """

    index: int
    kind: Literal["done", "refused", "failed", "lost", "left"]
    results: Mapping[str, object]
    why: str = ""


class Crew(Protocol):
    """Workers. At most ``width`` bundles of jobs are given to them at a time."""

    width: int
    # Whether a lost job is known to have lost its own worker, and not a neighbour's.
    exact: bool

    def submit(self, indexes: Sequence[int], jobs: Sequence[Any]) -> None:
        """Hand over a bundle of jobs."""
        ...

    def collect(self) -> list[list[Report]]:
        """Wait until at least one bundle has ended; the reports of its jobs, in their order."""
        ...

    def close(self, *, at_once: bool) -> None:
        """Send the workers home, at once or after what they are doing."""
        ...


Ending = tuple[str, Literal["done", "refused", "failed"], Mapping[str, object], str]


def call(function: JobFunction, job: Any) -> Ending:
    """Run one job in a worker. What it raises comes back as words, which always travel."""
    try:
        return __version__, "done", dict(function(job)), ""
    except InputError as error:
        return __version__, "refused", {}, str(error)
    except Exception as error:
        return __version__, "failed", {}, f"{type(error).__name__}: {error}"


def call_all(function: JobFunction, jobs: Sequence[Any]) -> list[Ending]:
    """Run jobs in a worker, in their order: the first, and others while `BUNDLE` lasts."""
    until = time.perf_counter() + BUNDLE
    endings = [call(function, jobs[0])]
    for job in jobs[1:]:
        if time.perf_counter() >= until:
            break
        endings.append(call(function, job))
    return endings


def reports(indexes: Sequence[int], endings: Sequence[Ending]) -> list[Report]:
    """The reports of a bundle that came back."""
    ended = [_report(index, ending) for index, ending in zip(indexes, endings, strict=False)]
    return ended + [Report(index, "left", {}) for index in indexes[len(ended) :]]


def all_alike(indexes: Sequence[int], kind: Literal["failed", "lost"], why: str) -> list[Report]:
    """The reports of a bundle that did not come back."""
    return [Report(index, kind, {}, why) for index in indexes]


def _report(index: int, ending: Ending) -> Report:
    """The report of a job that has ended."""
    version, kind, results, why = ending
    if version != __version__:
        return Report(index, "failed", {}, f"its worker has losslaw {version}, not {__version__}")
    return Report(index, kind, results, why)
