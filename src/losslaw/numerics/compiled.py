"""Functions compiled to machine code when they are first called, and kept where that can be done.

`compiled` is numba's ``njit`` with three habits. numba is imported by the first call: a command
that runs no pass over a schedule does without. Machine code is kept beside the source or in the
user's cache, and where neither can be written (a read-only installation without a home) each
process compiles for itself; ``NUMBA_CACHE_DIR`` names a folder of one's own. And every array goes
in C-ordered and writable, so that there is one machine code for all: a function compiled for
arrays that may be written to would be compiled again, for seconds, for those that may not.
"""

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A function that is machine code from its first call on.

    numba sees its dispatcher, so that compiled functions can call one another.
    """

    def __init__(self, function: Callable[P, R], options: dict[str, Any]):
        self.py_func = function
        self.targetoptions = options
        update_wrapper(self, function)

    @cached_property
    def dispatcher(self) -> Any:
        """What numba makes of the function."""
        from numba import njit

        try:
            return njit(cache=True, **self.targetoptions)(self.py_func)
        except RuntimeError:  # there is no folder that a cache could be written to
            return njit(**self.targetoptions)(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        return self.dispatcher._numba_type_

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of the machine code."""
        return self.dispatcher(*map(_writable, args), **kwargs)


def _writable(value: Any) -> Any:
    """The value; of an array that is read-only or not C-ordered a copy."""
    if isinstance(value, np.ndarray) and not value.flags.carray:
        return np.array(value, order="C")  # pyright: ignore
    return value  # pyright: ignore


def compiled(**options: Any) -> Callable[[Callable[P, R]], Compiled[P, R]]:
    """Decorator: compile a function when it is first called.

    A compiled function returns its results, or writes them into arrays that its caller has made:
    what it writes into an array that is read-only or not C-ordered goes into a copy.

    Args:
        options: Options of ``numba.njit``, such as ``fastmath``.

    >>> import numpy as np
    >>> @compiled()
    ... def total(values):
    ...     out = 0.0
    ...     for value in values:
    ...         out += value
    ...     return out
    >>> total(np.arange(4.0)[::2])
    2.0
    """
    return lambda function: Compiled(function, options)
