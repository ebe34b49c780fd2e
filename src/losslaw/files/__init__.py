"""Files at the border: tables in, artefacts out, nothing half-written."""

from losslaw.files.atomic import write_bytes, write_text
from losslaw.files.tables import Table, read_table

__all__ = ["Table", "read_table", "write_bytes", "write_text"]
