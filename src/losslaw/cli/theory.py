"""``losslaw theory``: what the closed forms say about a budget."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli.options import Command, Json, JsonFile

if TYPE_CHECKING:
    from losslaw.kernel.theory import Relation


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(cls=Command)
    def theory(  # pyright: ignore[reportUnusedFunction]
        source: Annotated[
            float, typer.Option("--source", help="Source exponent s > 0: signal left is t^-s.")
        ],
        capacity: Annotated[
            float,
            typer.Option("--capacity", help="Capacity exponent beta > 1: eigenvalues j^-beta."),
        ],
        budget: Annotated[
            float, typer.Option("--budget", help="Samples D, or with --compute C = modes * D.")
        ],
        schedule: Annotated[
            str | None,
            typer.Option(
                "--schedule",
                help="constant, exponential, wsd, power, linear, 1-sqrt or cosine; all of the"
                " first four, ranked, when left out.",
            ),
        ] = None,
        compute: Annotated[
            bool,
            typer.Option(
                "--compute/--data", help="Whether the budget is compute or data (default)."
            ),
        ] = False,
        exponent: Annotated[
            float | None,
            typer.Option("--exponent", help="g of a power decay (1-z)^g; default 2 beta - 1."),
        ] = None,
        floor: Annotated[
            float,
            typer.Option("--floor", help="Final rate of a power-like decay, share of the peak."),
        ] = 0.0,
        json: Json = False,
        output: JsonFile = None,
    ) -> None:
        """Regime, scaling exponents and optimal hyper-parameters, with their theorems.

        For one-pass SGD on power-law kernel regression. Constants are set to one: exponents and
        ratios between budgets mean something, single values only an order of magnitude.

        \b
        Examples:
          losslaw theory --source 0.5 --capacity 4 --budget 1e9
          losslaw theory --source 0.5 --capacity 4 --budget 1e9 --schedule cosine
        """
        from losslaw.cli.output import print_json, save_json
        from losslaw.errors import InputError
        from losslaw.kernel.theory import (
            Exponents,
            batch_relations,
            optimal_relations,
            ranking,
            regime,
            scaling,
        )

        exponents = Exponents(source, capacity)
        limited = "compute" if compute else "data"
        if schedule is None:
            if exponent is not None or floor:
                raise InputError(
                    "--exponent and --floor are for one schedule: add --schedule power"
                )
            results = ranking(exponents, budget, limited=limited)
        else:
            results = (
                scaling(
                    exponents, schedule, budget, limited=limited, exponent=exponent, floor=floor
                ),
            )
        side = regime(exponents)
        # What is best of all is stated for a number of samples, so for a budget of data.
        best: dict[str, tuple[Relation, ...]] = {}
        if schedule is None and not compute:
            best["optimal schedule"] = optimal_relations(exponents, budget)
            best["batch schedule at a constant rate"] = batch_relations(exponents, budget)
        record = {
            "source": source,
            "capacity": capacity,
            "budget": budget,
            "limited": limited,
            "regime": asdict(side),
            "schedules": [asdict(result) for result in results],
            "best": {name: list(map(asdict, relations)) for name, relations in best.items()},
        }
        save_json(output, record)
        if json:
            print_json(record)
            return
        letter = "C" if compute else "D"
        typer.echo(
            f"{side.name} regime: {side.formula} = {side.boundary:.4g}; {side.meaning}"
            f"  [{side.source}]\n"
            f"{letter} = {budget:g}, L = log {letter}; constants are set to one"
        )
        footnotes: dict[str, int] = {}
        for result in results:
            title = f"{result.schedule}, {limited}-limited"
            _print_relations(title, result.relations, result.notes, footnotes)
        for name, relations in best.items():
            _print_relations(name, relations, (), footnotes)
        typer.echo()
        for text, number in footnotes.items():
            typer.echo(f"[{number}] {text}")


def _print_relations(
    title: str,
    relations: "Sequence[Relation]",
    notes: Sequence[str],
    footnotes: dict[str, int],
) -> None:
    from losslaw.text import table

    def see(text: str) -> str:
        return f"[{footnotes.setdefault(text, len(footnotes) + 1)}]"

    header = [title, "value", "exponent", "log power", "source, validity", "formula"]
    rows = [
        [
            relation.quantity,
            f"{relation.value:.4g}",
            # + 0.0 turns a negative zero into a plain one.
            "" if relation.power is None else f"{relation.power.exponent + 0.0:.4f}",
            "" if relation.power is None else f"{relation.power.log_power + 0.0:.4f}",
            see(relation.source) + see(relation.validity),
            relation.formula,
        ]
        for relation in relations
    ]
    lines = table(header, rows, left=(0, 4, 5), rule=True)
    typer.echo("\n".join(["", *lines]))
    for note in notes:
        typer.echo(f"note: {note}")
