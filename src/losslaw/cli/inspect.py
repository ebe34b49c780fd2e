"""``losslaw inspect``: what is in these logs."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
