"""The problem of the kernel world that a command is about: its exponents, or a spectrum."""

import copy
import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from losslaw.cli.options import words
from losslaw.text import expanded

if TYPE_CHECKING:
    from losslaw.kernel import KernelRegression

# Where a command that is about a fit lists these options.
PANEL = "A problem of the kernel world, in place of the fit"

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
    typer.Option(
        "--capacity",
        help="Capacity exponent beta > 1: eigenvalues j^-beta; > 0 where features are finitely"
        " many.",
    ),
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

Modes = Annotated[str, typer.Option("--modes", help="Modes M, a whole number or inf.")]
Noise = Annotated[float, typer.Option("--noise", help="Standard deviation sigma of the labels.")]
Ambient = Annotated[
    str, typer.Option("--ambient", help="Features N there are, a whole number or inf.")
]


def problem(
    source: Source = None,
    difficulty: Difficulty = None,
    capacity: Capacity = None,
    spectrum: SpectrumFile = None,
    tolerance: Tolerance = 1e-12,
    modes: Modes = "inf",
    noise: Noise = 1.0,
    ambient: Ambient = "inf",
    **more: Any,
) -> "KernelRegression":
    """The problem that the options of a command are about.

    Raises:
        InputError: they contradict each other, or one is out of range.
    """
    from losslaw.kernel import KernelRegression

    given: dict[str, Any] = {"modes": _count(modes, "--modes"), "noise": noise, **more}
    if spectrum is None:
        given["source"], given["capacity"] = chosen_exponents(source, difficulty, capacity)
        given["ambient"] = _count(ambient, "--ambient")
    else:
        from losslaw.kernel.measured import read_spectrum

        refuse_exponents("--spectrum", source, difficulty, capacity)
        measured = read_spectrum(spectrum, tolerance)
        with about_file(spectrum):
            given |= {"spectrum": measured.eigenvalues, "targets": measured.targets}
    return KernelRegression(**given)


@contextmanager
def about_file(path: str | None) -> Generator[None]:
    """Put the name of a file before what is refused of its numbers."""
    from losslaw.errors import InputError

    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def with_problem(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``fit`` and ``world`` the options by which a problem is given.

    The command line sees the parameters of `problem` in the place of ``world``, after the command's
    own; the command gets either a fit's path or a world, and the other one as ``None``.
    """
    own = inspect.signature(command).parameters
    options = [
        each.replace(annotation=_in_panel(each.annotation))
        for each in inspect.signature(problem).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    shown = [each for each in own.values() if each.name != "world"] + options
    shown = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]

    @wraps(command)
    def run(*, fit: str | None, **arguments: Any) -> None:
        from losslaw.errors import InputError

        given = {each.name: arguments.pop(each.name) for each in options}
        if all(given[each.name] == each.default for each in options):
            if fit is None:
                raise InputError(
                    "give a saved fit, or a problem of the kernel world: --source s and"
                    " --capacity beta"
                )
            return command(fit=fit, world=None, **arguments)
        if fit is not None:
            raise InputError("give a saved fit or a problem of the kernel world, not both")
        command(fit=None, world=problem(**given), **arguments)

    run.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run


def in_words(world: "KernelRegression") -> str:
    """The options that give a problem, for a command to run next.

    >>> from losslaw import KernelRegression
    >>> in_words(KernelRegression(source=0.5, capacity=4, modes=100))
    '--source 0.5 --capacity 4 --modes 100'
    """
    if world.source is None:
        return "--spectrum FILE"
    given = {"source": world.source, "capacity": world.capacity}
    usual = {"modes": float("inf"), "noise": 1.0, "ambient": float("inf")}
    given |= {name: getattr(world, name) for name in usual if getattr(world, name) != usual[name]}
    return " ".join(words(given))


def _in_panel(annotation: Any) -> Any:
    kind, option = get_args(annotation)
    option = copy.copy(option)
    option.rich_help_panel = PANEL
    return Annotated[kind, option]


def _count(text: str, option: str) -> float:
    from losslaw.errors import InputError

    try:
        return float(expanded(text))
    except ValueError:
        raise InputError(f"{option} is {text!r}, expected a whole number or inf") from None


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
