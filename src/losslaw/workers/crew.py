"""What the engine asks of those who do the work, wherever they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from losslaw.errors import InputError
from losslaw.version import __version__

JobFunction = Callable[[Any], Mapping[str, object]]
# Enough for one job: threaded BLAS on small vectors is far slower than one thread.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREAD_LIMITS, "1")


@dataclass(frozen=True)
class Report:
    """What became of one job.

    Attributes:
        index: Which job.
        kind: ``done``; ``refused``: the job made no sense, now and for ever; ``failed``: it raised;
            ``lost``: its worker died.
        results: Results of a job that is done, by column.
        why: The sentence for one that is not.
    """

    index: int
    kind: Literal["done", "refused", "failed", "lost"]
    results: Mapping[str, object]
    why: str = ""


class Crew(Protocol):
    """Workers. At most ``width`` jobs are given to them at a time."""

    width: int
    # Whether a lost job is known to have lost its own worker, and not a neighbour's.
    exact: bool

    def submit(self, index: int, job: Any) -> None:
        """Hand over a job."""
        ...

    def collect(self) -> list[Report]:
        """Wait until at least one job has ended."""
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


def report(index: int, ending: Ending) -> Report:
    """The report of a job that came back."""
    version, kind, results, why = ending
    if version != __version__:
        return Report(index, "failed", {}, f"its worker has losslaw {version}, not {__version__}")
    return Report(index, kind, results, why)
