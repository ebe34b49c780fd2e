"""The house: rooms stand on floors, imports point down, optional packages stay in their rooms."""

import ast
import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "losslaw"
FILES = sorted(SRC.rglob("*.py"))

# Lower floors first. Rooms on one floor do not know each other.
FLOORS = (
    ("errors", "progress", "version", "text"),
    ("numerics",),
    ("files",),
    ("schedules",),
    ("curves",),
    ("laws", "kernel"),
    ("fitting",),
    ("forecasting", "advising"),
    ("designing",),
    ("exporting",),
    ("views", "lab", "kernel.figures", "kernel.sweeps"),
    ("demo",),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}

# Packages of extras, and the rooms that may import them when they are imported themselves.
OPTIONAL = {
    "torch": ("lab",),
    "ray": (),
    "bokeh": (),
    "pandas": (),
    "tensorboard": (),
    "jax": (),
    "optax": (),
    "transformers": (),
    "lightning": (),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The room of a module; the figures and sweeps of the kernel world count as their own."""
    parts = module.split(".")[1:]
    wing = ".".join(parts[:2])
    return wing if wing in FLOOR else ".".join(parts[:1])


def imports(tree: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def targets(node: ast.Import | ast.ImportFrom, path: Path) -> list[str]:
    """Full names of what is imported; names out of a package count as modules of it."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        here = module_name(path).split(".")
        package = here if path.name == "__init__.py" else here[:-1]
        base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
    return [f"{base}.{alias.name}" for alias in node.names]


def eager(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """Imports that happen when the module is imported: not in functions, not for types only."""
    found: list[ast.Import | ast.ImportFrom] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_room_has_a_floor():
    rooms = {
        path.stem
        for path in SRC.iterdir()
        if (path.is_dir() and any(path.glob("*.py"))) or path.suffix == ".py"
    }
    assert rooms - {"__init__", "__pycache__"} <= set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_down(path):
    here = room(module_name(path))
    if not here:  # the package itself hands out names of every room, lazily
        assert not [
            name
            for node in eager(parsed(path))
            for name in targets(node, path)
            if "losslaw" in name and not name.startswith("losslaw.version")
        ]
        return
    for node in imports(parsed(path)):
        for name in targets(node, path):
            there = room(name) if name.startswith("losslaw.") else ""
            if there in ("", here):
                continue
            assert FLOOR[there] < FLOOR[here], f"line {node.lineno}: {here} imports {name}"


@pytest.mark.parametrize(("one", "other"), [("simulate", "theory"), ("theory", "simulate")])
def test_simulation_and_theory_do_not_know_each_other(one, other):
    """Their agreement is a test, so neither may be made out of the other."""
    for path in sorted((SRC / "kernel" / one).rglob("*.py")):
        for node in imports(parsed(path)):
            for name in targets(node, path):
                assert not name.startswith(f"losslaw.kernel.{other}"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_optional_packages_are_imported_where_they_are_used(path):
    for node in eager(parsed(path)):
        for name in targets(node, path):
            package = name.partition(".")[0]
            allowed = OPTIONAL.get(package)
            assert allowed is None or room(module_name(path)) in allowed, f"line {node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_every_module_says_its_idea(path):
    assert ast.get_docstring(parsed(path))


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name != "__main__.py"], ids=module_name
)
def test_every_module_can_be_imported(path):
    """Doctests of modules that cannot be imported are skipped; so that none is by mistake."""
    names = [name for node in imports(parsed(path)) for name in targets(node, path)]
    for package in {name.partition(".")[0] for name in names} & set(OPTIONAL):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    importlib.import_module(module_name(path))


HEAVY = ("numpy", "scipy", "numba", "matplotlib", *OPTIONAL)
ASK = """
import json, sys
from losslaw.cli.main import run
status = run({arguments!r})
print(json.dumps([status, sorted(name for name in {heavy!r} if name in sys.modules)]))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["fit", "--help"]], ids=" ".join)
def test_help_is_fast_because_it_loads_nothing_heavy(arguments):
    code = ASK.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, losslaw; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
