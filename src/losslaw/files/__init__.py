"""Files at the border: tables in, artefacts out, nothing half-written."""

from losslaw.files.atomic import write_bytes, write_text
from losslaw.files.long_tables import is_long, long_table, read_table
from losslaw.files.tables import Numbers, Table, parse_table, read_text, table_of

__all__ = [
    "Numbers",
    "Table",
    "is_long",
    "long_table",
    "parse_table",
    "read_table",
    "read_text",
    "table_of",
    "write_bytes",
    "write_text",
]
