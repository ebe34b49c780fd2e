"""``losslaw completion``: a script by which a shell completes commands, options and names."""

from typing import Annotated

import typer

from losslaw.cli.options import Command

SHELLS = ("bash", "zsh", "fish")
# A shell that is to complete a line calls the program with this variable set.
ASKS = "_LOSSLAW_COMPLETE"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(cls=Command)
    def completion(  # pyright: ignore[reportUnusedFunction]
        shell: Annotated[str, typer.Argument(metavar="SHELL", help="One of: bash, zsh, fish.")],
    ) -> None:
        """Print the script by which a shell completes commands, options, names and files.

        It is read when the shell starts: in ~/.bashrc 'source <(losslaw completion bash)', in
        ~/.zshrc the same with zsh, after compinit; for fish see the example.

        \b
        Examples:
          losslaw completion bash
          losslaw completion zsh
          losslaw completion fish > ~/.config/fish/completions/losslaw.fish
        """
        from typer.completion import get_completion_script  # pyright: ignore

        from losslaw.errors import InputError

        if shell not in SHELLS:
            raise InputError(f"{shell!r}: expected one of: {', '.join(SHELLS)}")
        print(get_completion_script(prog_name="losslaw", complete_var=ASKS, shell=shell))
