"""Reading a log from its lines, as if it were a file."""

from losslaw.logs import read_logs


def log_in(folder, lines):
    """The one log in ``lines``."""
    path = folder / "run.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (log,) = read_logs(path)
    return log


def points(log, column):
    """Steps and values of one column, where it has any."""
    pairs = zip(log.table.columns[log.columns.step], log.table.columns[column], strict=True)
    return [(int(step), float(cell)) for step, cell in pairs if cell is not None]
