"""Run pyright on the package as it can be checked here.

Files about an optional package that is not installed are left out, and named: without torch, every
type in the lab is unknown.
"""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

OPTIONAL = ("bokeh", "jinja2", "ray", "torch", "tornado")
ROOMS = {"torch": "src/losslaw/lab"}


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def main() -> int:
    """The status of pyright."""
    missing = {name for name in OPTIONAL if importlib.util.find_spec(name) is None}
    closed = tuple(Path(ROOMS[name]) for name in missing if name in ROOMS)
    files = sorted(Path("src").rglob("*.py"))
    left_out = [
        path
        for path in files
        if imported(path) & missing or any(path.is_relative_to(room) for room in closed)
    ]
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    if left_out:
        print(f"without {', '.join(sorted(missing))}, not checked: {', '.join(map(str, left_out))}")
        command += [str(path) for path in files if path not in left_out]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
