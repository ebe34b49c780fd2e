"""Ctrl-C as a flag: work stops where it stands whole, not in the middle of an update."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def interruption() -> Generator[Callable[[], bool]]:
    """Turn the first Ctrl-C (or SIGTERM) inside the block into a flag; a second acts at once.

    Gives a function that says whether the flag is up. Python allows signal handlers in the main
    thread only; in another thread the flag stays down.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = False
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def press(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        restore()

    for number in before:
        signal.signal(number, press)
    try:
        yield lambda: pressed
    finally:
        restore()
