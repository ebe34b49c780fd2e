"""Files at the border: tables in, artefacts out, nothing half-written."""

from losslaw.files.atomic import write_bytes, write_text
from losslaw.files.long_tables import is_long, long_table, read_table
from losslaw.files.tables import (
    Numbers,
    Table,
    decoded,
    listed,
    number_in,
    parse_table,
    read_text,
    table_of,
)

__all__ = [
    "Numbers",
    "Table",
    "decoded",
    "is_long",
    "listed",
    "long_table",
    "number_in",
    "parse_table",
    "read_table",
    "read_text",
    "table_of",
    "write_bytes",
    "write_text",
]
