"""What can go wrong, in the user's words.

Every error a user can cause is an `InputError` whose text is one line: what is wrong, where, what
was expected, and the way out. The command line prints that line and ends with status 2. A job that
was well posed and still has nothing to return raises `FitError`; the command line ends with 1.
"""

from typing import SupportsFloat


class InputError(ValueError):
    """Something the caller gave cannot be used; the message is one line that says why."""


def expect(what: str, value: object, kinds: type | tuple[type, ...], accepted: str) -> None:
    """Check what a caller gave: one of some kinds.

    Args:
        what: What it is for, which begins the message.
        value: What was given.
        kinds: As for `isinstance`.
        accepted: What is accepted, in words.

    Raises:
        InputError: it is of no such kind.

    >>> expect("a path", "fit.json", str, "a path")
    """
    if not isinstance(value, kinds):
        given = type(value).__name__
        raise InputError(f"{what} is given as a {given}, expected {accepted}")


def expect_number(name: str, value: object) -> None:
    """Check that what a caller gave is one number.

    Raises:
        InputError: it is not; the message has its name.

    >>> expect_number("horizon", 1000)
    """
    if isinstance(value, float | int):
        return
    scalar = getattr(value, "ndim", 0) == 0 and getattr(value, "size", 1) == 1
    expect(name, value, SupportsFloat if scalar else (), "a number")


def expect_numbers(**values: object) -> None:
    """Check that what a caller gave are numbers, each or ``None``; see `expect_number`."""
    for name, value in values.items():
        if value is not None:
            expect_number(name, value)


class TooShort(InputError):
    """A log has too few losses yet; a run in progress may be waited for."""


class NothingUnseen(InputError):
    """No curve has a step that the fit has not seen, so there is nothing to score."""


class FitError(RuntimeError):
    """A fit or search ended with nothing to return."""


class MissingExtra(InputError):
    """An optional part needs a package that is not installed."""

    def __init__(self, task: str, package: str, extra: str):
        super().__init__(
            f"{task} needs {package}: pip install {package.partition(' or ')[0]}, or in a clone of"
            f' losslaw pip install ".[{extra}]"'
        )
