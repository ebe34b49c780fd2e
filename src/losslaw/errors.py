"""What can go wrong, in the user's words.

Every error a user can cause is an `InputError` whose text is one line: what is wrong, where, what
was expected, and the way out. The command line prints that line and ends with status 2. A job that
was well posed and still has nothing to return raises `FitError`; the command line ends with 1.
"""


class InputError(ValueError):
    """Something the caller gave cannot be used; the message is one line that says why."""


class TooShort(InputError):
    """A log has too few losses yet; a run in progress may be waited for."""


class NothingUnseen(InputError):
    """No curve has a step that the fit has not seen, so there is nothing to score."""


class FitError(RuntimeError):
    """A fit or search ended with nothing to return."""


class MissingExtra(InputError):
    """An optional part needs a package that is not installed."""

    def __init__(self, task: str, package: str, extra: str):
        super().__init__(f'{task} needs {package}: pip install "losslaw[{extra}]"')
