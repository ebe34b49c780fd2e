"""What trainers leave behind: one file a format, told apart by content and not by name.

Every format turns what a trainer wrote into a `Log`: a table of numbers, which column is which, and
what else the file says of the run. What a log leaves open is for `losslaw.curves` to find or ask.
"""

from losslaw.logs.formats import FORMATS, Format, files_in, read_all, read_logs
from losslaw.logs.in_memory import in_memory
from losslaw.logs.log import Log
from losslaw.logs.source import Source

__all__ = ["FORMATS", "Format", "Log", "Source", "files_in", "in_memory", "read_all", "read_logs"]
