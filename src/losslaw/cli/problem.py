"""The problem of the kernel world that a command is about: its source, or its difficulty."""

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
    float, typer.Option("--capacity", help="Capacity exponent beta > 1: eigenvalues j^-beta.")
]


def chosen_source(source: float | None, difficulty: float | None, capacity: float) -> float:
    """The source exponent, given as it is or by the difficulty of the target.

    Raises:
        InputError: neither or both are given, or one is out of range.

    >>> chosen_source(None, 0.6, 2.0)
    0.3
    """
    from losslaw.errors import InputError
    from losslaw.kernel.theory import source_at

    if (source is None) == (difficulty is None):
        raise InputError("give one of --source s and --difficulty alpha (s = alpha / capacity)")
    if source is not None:
        return source
    assert difficulty is not None
    return source_at(difficulty, capacity)
