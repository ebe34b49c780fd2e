"""Workers on many machines: tasks of a Ray cluster.

Joins the cluster that ``RAY_ADDRESS`` names or that runs on this machine; starts a small one here
if there is none. Every machine needs the same version of losslaw; results of another are refused.
"""

import os
import signal
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from losslaw.errors import InputError, MissingExtra
from losslaw.workers.crew import JobFunction, Report, all_alike, call_all, reports


class RayCrew:
    """Tasks of a Ray cluster. A dead worker loses its own bundle only, and Ray says which.

    Args:
        function: What a job does; importable on every machine.
        workers: Jobs under way at a time; all processors of the cluster by default.

    Raises:
        MissingExtra: ray is not installed.
        InputError: there is no cluster at ``RAY_ADDRESS``.
    """

    exact = True

    def __init__(self, function: JobFunction, workers: int | None = None):
        try:
            import ray
        except ImportError:
            raise MissingExtra("work on several machines", "ray", "ray") from None
        self._ray: Any = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            self._join(workers)
        processors = int(self._ray.cluster_resources().get("CPU", 1))
        self.width = workers or max(processors, 1)
        self._function = function
        # Retries are the engine's, so that they are counted in one place.
        self._task: Any = ray.remote(num_cpus=1, max_retries=0)(call_all)
        self._under_way: dict[Any, Sequence[int]] = {}

    def _join(self, workers: int | None) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        named = os.environ.get("RAY_ADDRESS")
        if named:
            _knock(named)
        try:
            self._ray.init(address=named or "auto", **quiet)
        except ConnectionError as error:
            if named:
                raise InputError(f"no Ray cluster at RAY_ADDRESS={named}: {error}") from None
            try:
                self._ray.init(num_cpus=workers, include_dashboard=False, **quiet)
            except Exception as error:  # Ray says so by no kind of its own
                reason = str(error).partition("\n")[0]
                raise InputError(f"Ray does not start on this machine: {reason}") from None

    def submit(self, indexes: Sequence[int], jobs: Sequence[Any]) -> None:
        """Hand over a bundle of jobs."""
        self._under_way[self._task.remote(self._function, jobs)] = indexes

    def collect(self) -> list[list[Report]]:
        """Wait until at least one bundle has ended."""
        ended, _ = self._ray.wait(list(self._under_way), num_returns=1)
        return [self._reports(ref, self._under_way.pop(ref)) for ref in ended]

    def close(self, *, at_once: bool) -> None:
        """Give up what is under way, and leave the cluster."""
        # To leave ends them too. Where jobs that are about to end are cancelled by force, Ray fails
        # a check of its own and ends the process, with a stack of C++ and status 1.
        with _undisturbed():
            if self._ours:
                self._ray.shutdown()
            else:
                for ref in self._under_way:
                    self._ray.cancel(ref)
            self._under_way.clear()

    def _reports(self, ref: Any, indexes: Sequence[int]) -> list[Report]:
        errors = self._ray.exceptions
        try:
            return reports(indexes, self._ray.get(ref))
        except errors.RayTaskError as error:  # e.g. the job cannot be read on that machine
            lines = str(error.cause).split("\n")
            return all_alike(indexes, "failed", f"{type(error.cause).__name__}: {lines[0]}")
        except errors.RayError as error:  # the worker or its machine died, or ran out of memory
            return all_alike(indexes, "lost", f"its worker died ({type(error).__name__})")


@contextmanager
def _undisturbed() -> Generator[None]:
    """No second Ctrl-C: Ray that is half closed ends the process, with a status of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _knock(address: str) -> None:
    """Fail at once where nobody listens; Ray itself tries for minutes, then ends the process.

    Raises:
        InputError: no connection to ``host:port``.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):  # "auto" and the like are Ray's to understand
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"no Ray cluster at RAY_ADDRESS={address}: {reason}") from None
