"""How long work tells that it goes on: in a few words now and then, or in parts that are done."""

from collections.abc import Callable

Progress = Callable[[str], None]
# Called with how many parts are done, and of how many.
Counted = Callable[[int, int], None]


def silent(words: str) -> None:
    """The progress nobody watches."""


def uncounted(done: int, total: int) -> None:
    """The parts nobody counts."""


class Parts:
    """Parts of some work, counted as they are done.

    >>> parts = Parts(3, lambda done, total: print(done, "of", total))
    >>> parts.done()
    1 of 3
    >>> parts.done(2)
    3 of 3
    """

    def __init__(self, total: int, tell: Counted = uncounted):
        self.total = total
        self.count = 0.0
        self._tell = tell

    def done(self, parts: float = 1) -> None:
        """So many more are done."""
        self.reached(self.count + parts)

    def reached(self, count: float) -> None:
        """So many are done in all."""
        self.count = min(count, self.total)
        self._tell(round(self.count), self.total)
