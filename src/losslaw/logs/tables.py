"""Tables with a header: CSV, TSV and JSON lines, under whatever names trainers give to columns."""

from losslaw.files import parse_table
from losslaw.logs.columns import LOSS, find_columns
from losslaw.logs.log import Log
from losslaw.logs.run_facts import facts_from
from losslaw.logs.source import Source

NAME = "table (CSV, TSV or JSON lines)"


def read(source: Source, loss: str | None = None, lr: str | None = None) -> list[Log]:
    """The one run of a table.

    Raises:
        InputError: no table, or no column for step or loss.
    """
    table = parse_table(source.text, source.name)
    columns = find_columns(table, loss_column=loss, lr_column=lr)
    known = {alias: i for i, alias in enumerate(LOSS)}
    losses = sorted(
        (name for name in table.columns if name.lower() in known),
        key=lambda name: known[name.lower()],
    )
    facts = facts_from(table.notes, table.source)
    return [Log(format=NAME, table=table, columns=columns, losses=tuple(losses), facts=facts)]
