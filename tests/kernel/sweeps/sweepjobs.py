"""Jobs for the tests of the engine; workers import this module by name."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from losslaw.errors import InputError

COLUMNS = ("square", "root", "deaf")


@dataclass(frozen=True)
class Job:
    number: int
    # What happens on the way: kill-once, kill-always, refuse, fail, or nothing.
    event: str = ""
    # A folder in which runs leave marks, so that a test can count them.
    marks: str = ""
    seconds: float = 0.0


def run(job):
    here = Path(job.marks) if job.marks else None
    if here is not None:
        (here / f"{job.number}-{os.getpid()}-{time.time_ns()}").touch()
    if job.event == "kill-once" and here is not None and not (here / "killed").exists():
        (here / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if job.event == "kill-always":
        os._exit(3)
    if job.event == "refuse":
        raise InputError(f"number {job.number} is not wanted")
    if job.event == "fail":
        raise ZeroDivisionError("no way")
    time.sleep(job.seconds)
    deaf = int(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    return {"square": job.number**2, "root": job.number**0.5, "deaf": deaf}
