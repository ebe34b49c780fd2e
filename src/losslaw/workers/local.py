"""Workers on this machine: processes of loky.

A dead process breaks the whole pool, and all jobs in it come back as lost: which of them killed it
nobody knows, so the engine runs them again one at a time.
"""

import os
import signal
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from loky import cpu_count  # pyright: ignore[reportMissingTypeStubs]
from loky.process_executor import (  # pyright: ignore[reportMissingTypeStubs]
    ProcessPoolExecutor,
)

from losslaw.workers.crew import (
    ONE_THREAD,
    Ending,
    JobFunction,
    Report,
    all_alike,
    call_all,
    reports,
)


class LocalCrew:
    """A pool of processes that is made anew when one of them dies.

    Args:
        function: What a job does; importable by the workers.
        workers: Processes; all cores by default.
    """

    exact = False

    def __init__(self, function: JobFunction, workers: int | None = None):
        self.width = workers or cpu_count()
        self._function = function
        self._pool: Any = None
        self._under_way: dict[Future[list[Ending]], Sequence[int]] = {}

    def submit(self, indexes: Sequence[int], jobs: Sequence[Any]) -> None:
        """Hand over a bundle of jobs; starts the processes if there are none."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=self.width,
                env=ONE_THREAD,
                initializer=_follow,
                initargs=(os.getpid(),),
            )
        try:
            with _no_interrupt():
                future: Future[list[Ending]] = self._pool.submit(call_all, self._function, jobs)
        except BrokenProcessPool as error:  # it broke while idle
            future = Future()
            future.set_exception(error)
        self._under_way[future] = indexes

    def collect(self) -> list[list[Report]]:
        """Wait until at least one bundle has ended."""
        ended, _ = wait(list(self._under_way), return_when=FIRST_COMPLETED)
        broken = any(isinstance(future.exception(), BrokenProcessPool) for future in ended)
        if broken:  # then all the others end too, whole or lost
            ended, _ = wait(list(self._under_way), timeout=60)
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None
        bundles = [self._reports(future, self._under_way.pop(future)) for future in ended]
        return sorted(bundles, key=lambda bundle: bundle[0].index)

    def close(self, *, at_once: bool) -> None:
        """Send the workers home."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=at_once)
            self._pool = None

    @staticmethod
    def _reports(future: Future[list[Ending]], indexes: Sequence[int]) -> list[Report]:
        error = future.exception()
        if error is None:
            return reports(indexes, future.result())
        if isinstance(error, BrokenProcessPool):
            return all_alike(indexes, "lost", "its worker process died")
        return all_alike(indexes, "failed", f"{type(error).__name__}: {error}")


@contextmanager
def _no_interrupt() -> Generator[None]:
    """Hold Ctrl-C back until the block is left; processes begun in it are deaf to it for good.

    A terminal sends Ctrl-C to the workers too. It is for the parent, which then ends them in order;
    a worker that is still loading Python would answer with a traceback of its own. Processes and
    threads inherit the mask, so workers that loky replaces later are born with it as well.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows: workers are deaf once they have begun
        yield
        return
    # Python 3.11 lets signals in again when it starts this helper: so let it start first.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow(parent: int) -> None:
    """Tie this worker's life to its parent's.

    After a ``kill -9`` of the parent nobody would end its workers: they watch for that themselves.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
