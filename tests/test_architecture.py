"""The house: imports point down and never in circles; what is optional or slow loads when used."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]

# The extras, and the trainers that schedules are exported to.
OPTIONAL = (
    "bokeh", "jax", "lightning", "optax", "pandas", "polars", "pooch", "pyarrow", "ray", "torch",
    "tornado", "transformers",
)  # fmt: skip
HEAVY = ("numpy", "scipy", "numba", "matplotlib", "narwhals", *OPTIONAL)

GRAPH = grimp.build_graph("losslaw", cache_dir=None)
MODULES = sorted(GRAPH.modules - {"losslaw.__main__", "losslaw.cli.__main__"})
LAB = [name for name in MODULES if name.startswith("losslaw.lab")]
# Callbacks, which are classes of their trainer's.
CALLBACKS = {"losslaw.live.huggingface": "transformers", "losslaw.live.lightning": "lightning"}
# Handlers of the live page, which are classes of tornado's.
HANDLERS = {"losslaw.views.whatif.guard", "losslaw.views.whatif.saving"}


def printed(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_the_floors_hold():
    """The contracts of `pyproject.toml`."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_file_imports_the_face_of_its_own_room():
    """Nor that of the package: through either, names of everything come back, lazily or not."""
    imports = {module: GRAPH.find_modules_directly_imported_by(module) for module in MODULES}
    assert [m for m in MODULES if imports[m] & {"losslaw", m.rpartition(".")[0]}] == []


def test_optional_packages_are_imported_where_they_are_used():
    """Where none of them is installed, everything but lab, callbacks and handlers can be."""
    code = f"""
import importlib, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
for name in {sorted(set(MODULES) - set(LAB) - set(CALLBACKS) - HANDLERS)}:
    importlib.import_module(name)
"""
    printed(code)


@pytest.mark.parametrize(
    ("name", "needs"), [*((name, "torch") for name in LAB), *CALLBACKS.items()]
)
def test_what_needs_an_optional_package_can_be_imported_with_it(name, needs):
    """Doctests of modules that cannot be imported are skipped; so that none is by mistake."""
    pytest.importorskip(needs)
    importlib.import_module(name)


RUN = ROOT / "src/losslaw/curves/bundled/cosine_peak3e-3_T4000.csv"
WSD = "wsd:peak=3e-4,horizon=2400,warmup=216,cooldown=0.2"
SLOW = ("scipy", "numba", "matplotlib", "narwhals", "losslaw.fitting", *OPTIONAL)


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (["--help"], ("numpy", *SLOW)),
        (["--version"], ("numpy", *SLOW)),
        (["predict", "--help"], ("numpy", *SLOW)),
        # It names the laws there are.
        (["fit", "--help"], ("numba", "matplotlib", "losslaw.fitting", *OPTIONAL)),
        (["export", WSD, "--to", "torch"], SLOW),
        (["inspect", str(RUN)], SLOW),
        # What its ranking ties is told apart by the exact dynamics.
        (
            ["theory", "--source", "0.5", "--capacity", "4", "--budget", "1e9"],
            ("matplotlib", "narwhals", "losslaw.fitting", *OPTIONAL),
        ),
    ],
    ids=lambda words: words[0],
)
def test_commands_load_nothing_slow_that_they_do_not_need(arguments, without):
    code = f"""
import json, sys
from losslaw.cli.main import run
status = run({arguments})
print(json.dumps([status, sorted(set({without}) & set(sys.modules))]))
"""
    assert json.loads(printed(code).splitlines()[-1]) == [0, []]


def test_importing_the_package_loads_nothing_heavy():
    assert printed(f"import sys, losslaw; print(set({HEAVY}) & set(sys.modules))") == "set()\n"


def test_closed_forms_and_workers_do_without_the_simulation():
    rooms = "losslaw.kernel.theory, losslaw.kernel.sweeps"
    wanted = "{'losslaw.kernel.kernel_regression', 'scipy', 'numba'}"
    assert printed(f"import sys, {rooms}; print({wanted} & set(sys.modules))") == "set()\n"
