"""The problem of the kernel world that a command is about: its exponents, or a spectrum."""

from typing import Annotated

import typer

Source = Annotated[
    float | None,
    typer.Option("--source", help="Source exponent s > 0: signal left is t^-s."),
]
Difficulty = Annotated[
    float | None,
    typer.Option(
        "--difficulty",
        help="In place of --source: alpha = s * beta > 0, the same for one target at every"
        " capacity.",
    ),
]
Capacity = Annotated[
    float | None,
    typer.Option("--capacity", help="Capacity exponent beta > 1: eigenvalues j^-beta."),
]
SpectrumFile = Annotated[
    str | None,
    typer.Option(
        "--spectrum",
        metavar="FILE",
        help="Measured, in place of exponents: a table with a column eigenvalue, and target,"
        " projection or signal.",
    ),
]
Tolerance = Annotated[
    float,
    typer.Option("--tolerance", help="Eigenvalues up to so much of the largest are zeros."),
]


def chosen_exponents(
    source: float | None, difficulty: float | None, capacity: float | None
) -> tuple[float, float]:
    """Source and capacity, the source given as it is or by the difficulty of the target.

    Raises:
        InputError: neither or both are given, or one is out of range.

    >>> chosen_exponents(None, 0.6, 2.0)
    (0.3, 2.0)
    """
    from losslaw.errors import InputError
    from losslaw.kernel.theory import source_at

    if capacity is None:
        raise InputError("give --capacity beta, and --source s or --difficulty alpha")
    if (source is None) == (difficulty is None):
        raise InputError("give one of --source s and --difficulty alpha (s = alpha / capacity)")
    if source is not None:
        return source, capacity
    assert difficulty is not None
    return source_at(difficulty, capacity), capacity


def refuse_exponents(name: str, *exponents: float | None) -> None:
    """Refuse exponents beside a file that has them.

    Raises:
        InputError: there are some.
    """
    from losslaw.errors import InputError

    if any(value is not None for value in exponents):
        raise InputError(f"{name} takes the place of --source, --difficulty and --capacity")
