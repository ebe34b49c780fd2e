"""``losslaw sweep``: a grid of kernel problems into one table."""

from dataclasses import asdict
from typing import Annotated

import typer

from losslaw.cli.options import Command, Json
from losslaw.cli.output import aside, show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(cls=Command)
    def sweep(  # pyright: ignore[reportUnusedFunction]
        file: Annotated[
            str, typer.Argument(metavar="FILE.toml", help="What to run; '-' reads standard input.")
        ],
        output: Annotated[
            str, typer.Option("-o", "--output", help="CSV table; continued if it is there.")
        ],
        on: Annotated[
            str, typer.Option("--on", help="'local' processes, or a 'ray' cluster (RAY_ADDRESS).")
        ] = "local",
        jobs: Annotated[
            int | None, typer.Option("--jobs", help="Jobs at a time; all processors by default.")
        ] = None,
        json: Json = False,
    ) -> None:
        """Run every combination in FILE.toml: exact mean final risk, and sampled SGD beside it.

        Rows reach the table as they finish. A sweep that was interrupted goes on with the same
        command, and repeats nothing. A run that is refused (say, an unstable learning rate) has
        its reason in the column 'status'.

        \b
        Example:
          losslaw sweep grid.toml -o table.csv --jobs 4
        """
        from losslaw.cli.output import counter, print_json
        from losslaw.kernel.sweeps import sweep as run_sweep
        from losslaw.kernel.sweeps.kernel_job import COLUMNS, run_kernel_job
        from losslaw.kernel.sweeps.sweep_file import read_sweep

        cells = read_sweep(file)
        done = 0
        try:
            with counter("sweep") as move:

                def tick(rows: int, total: int) -> None:
                    nonlocal done
                    done = rows
                    move(completed=rows, total=total)

                outcome = run_sweep(
                    cells, run_kernel_job, output, columns=COLUMNS, on=on, workers=jobs, tick=tick
                )
        except KeyboardInterrupt:
            aside(
                f"{done} of {len(cells)} rows are in {output}; the same command goes on from there"
            )
            raise
        if json:
            print_json(asdict(outcome))
            return
        show(outcome)
