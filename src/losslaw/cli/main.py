"""``losslaw``: the commands, put together, and the one place where errors become words.

Commands import what they need when they run, so that ``losslaw --help`` stays fast. Whatever a
user can cause ends with one line on standard error: status 2 for bad input, 1 for a job that
failed, 130 for Ctrl-C.
"""

import gc
import importlib
import os
import signal
import sys

import typer

from losslaw.cli.completion import ASKS
from losslaw.cli.streams import open_streams
from losslaw.errors import FitError, InputError
from losslaw.text import shown
from losslaw.version import __version__

# Each module has `register(app)`. The order is the order of the help page: what is needed first.
GROUPS = (
    "demo",
    "inspect",
    "fit",
    "predict",
    "score",
    "compare",
    "forecast",
    "annealed",
    "ladder",
    "fleet",
    "continue_",
    "merge",
    "advise",
    "profile",
    "design",
    "run_length",
    "model_size",
    "design_batches",
    "export",
    "plot",
    "whatif",
    "report",
    "lab",
    "simulate",
    "theory",
    "reproduce",
    "sweep",
    "schema",
    "completion",
)

# Letters of a message: names and values that were given may be of any length.
LONGEST = 900

# Options that became commands.
MOVED = {
    ("losslaw design", "--loss"): "losslaw run-length fit.json --loss X",
    ("losslaw design", "--batches"): "losslaw design-batches fit.json --samples N --batches B,...",
    ("losslaw design", "--samples"): "losslaw design-batches fit.json --samples N --batches B,...",
}


def build() -> typer.Typer:
    """The application with every command group registered."""
    app = typer.Typer(
        name="losslaw",
        help="Predict, explain and design learning-rate schedules from loss curves.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        epilog="Examples of the help pages run in the folder of 'losslaw demo -o demo'.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(  # pyright: ignore[reportUnusedFunction]
        version: bool = typer.Option(
            False,
            "--version",
            callback=_say_version,
            is_eager=True,
            help="Print the version and stop.",
        ),
    ) -> None:
        pass

    for group in GROUPS:
        importlib.import_module(f"losslaw.cli.{group}").register(app)
    return app


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    # Before numpy is loaded: threads only slow down vectors of the length that occur here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    open_streams()
    if ASKS in os.environ:
        from typer.completion import completion_init  # pyright: ignore

        completion_init()
    command = typer.main.get_command(build())
    try:
        status = command.main(arguments, prog_name="losslaw", standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        return _fail(2, str(error))
    except FitError as error:
        return _fail(1, str(error))
    except BrokenPipeError:  # the reader of a pipe left; that is its right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UnicodeEncodeError as error:  # bytes of a command line that are no text
        return _fail(2, f"{shown(error.object)} is no text: {error.reason}")
    except MemoryError as error:
        return _fail(2, f"not enough memory: {str(error) or 'ask for fewer steps'}")
    except (KeyboardInterrupt, typer.Abort):
        return _fail(130, "interrupted")
    except OSError as error:
        return _fail(2, f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        # The parser's own complaints (unknown option, missing argument) know their text and status.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "losslaw"
        option = getattr(error, "option_name", "")
        if (where, option) in MOVED:
            return _fail(2, f"{option} is a command of its own: {MOVED[where, option]}")
        message = " ".join(error.format_message().split())  # pyright: ignore
        if not message:  # nothing was asked, and the help page has been the answer
            return 2
        return _fail(2, f"{message.rstrip('.')}; see '{where} --help'")
    if status == 130:  # the parser turns Ctrl-C into this status before it can be seen here
        return _fail(130, "interrupted")
    return status if isinstance(status, int) else 0


def _say_version(asked: bool) -> None:
    # Before the parser misses a command.
    if asked:
        typer.echo(f"losslaw {__version__}")
        raise typer.Exit()


def _fail(status: int, message: str) -> int:
    print(f"losslaw: {shown(message, LONGEST)}", file=sys.stderr)
    return status


def main() -> None:
    """Entry point of the ``losslaw`` script."""
    # To look for circles among objects that imports made, and that all stay, takes a fifth of a
    # command; half of it is at the very end.
    gc.set_threshold(100_000)
    try:
        status = run()
    except KeyboardInterrupt:  # a second one, while the first was being told
        status = 130
    if status == 130:  # and none disturbs the end of the interpreter
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    sys.exit(status)
