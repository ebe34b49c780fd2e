"""Work in a process of its own, with a limit for its time and its memory.

The process is killed where it takes too long, for what hangs cannot be trusted to stop by itself.
"""

import multiprocessing
import resource
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import Any

SECONDS = 20  # of processor time
WAITING = 200  # by the clock, on a machine that may be busy
MEMORY = 1 << 30  # beyond what the process has at the beginning


class Fault(Exception):
    """Work that ended in anything but a result."""


class Watched:
    """A process that does one piece of work after the other."""

    def __init__(self, work: Callable[..., Any]):
        self._work = work
        self._process = None

    def __call__(self, *arguments: Any) -> Any:
        """The result of the work.

        Raises:
            Fault: it raised an error, took too long, too much memory, or ended the process.
        """
        if self._process is None:
            context = multiprocessing.get_context("fork")
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other, self._pipe, self._work))
            self._process.start()
            other.close()
        self._pipe.send(arguments)
        try:
            kind, value = self._pipe.recv()
        except EOFError:
            self._process.join()
            code, self._process = self._process.exitcode, None
            if code == -signal.SIGALRM:
                raise Fault(f"a hang: waited for more than {WAITING} s") from None
            if code == -signal.SIGPROF:
                raise Fault(f"a hang: more than {SECONDS} s of processor time") from None
            raise Fault(f"the process ended with {code}") from None
        if kind == "fault":
            raise Fault(value)
        return value

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()


def _serve(pipe: Any, others: Any, work: Callable[..., Any]) -> None:
    others.close()  # so that the pipe ends when the process that watches does
    warnings.simplefilter("error")  # as in the tests: what overflows is a fault
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for limit in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(limit, signal.SIG_DFL)
    with open("/proc/self/statm") as file:  # noqa: PTH123
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, WAITING)
        try:
            answer = ("result", work(*arguments))
        except BaseException as error:
            places = traceback.extract_tb(error.__traceback__)
            ours = [each for each in places if "/losslaw/" in each.filename] or places
            place = ours[-1]
            name = place.filename.rpartition("/losslaw/")[2]
            said = " ".join(str(error).split())[:300]
            answer = ("fault", f"{type(error).__name__} at {name}:{place.lineno}: {said}")
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        pipe.send(answer)
