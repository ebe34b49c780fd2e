"""Files at the border: tables in, artefacts out, nothing half-written."""

from losslaw.files.atomic import write_bytes, write_text
from losslaw.files.tables import Table, parse_table, read_table, read_text, table_of

__all__ = [
    "Table",
    "parse_table",
    "read_table",
    "read_text",
    "table_of",
    "write_bytes",
    "write_text",
]
