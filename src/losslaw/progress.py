"""How long work tells that it goes on: a function called with a few words now and then."""

from collections.abc import Callable

Progress = Callable[[str], None]


def silent(words: str) -> None:
    """The progress nobody watches."""
