"""A user's first quarter of an hour: the demo, a log of one's own, and the questions asked of it.

Everything happens in the folder that ``losslaw demo`` makes, where the examples of the help pages
can be tried as well.
"""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from losslaw.cli.main import run

# A log in words that no trainer of the formats has, as many write their own.
OWN = "iter,train_loss,learning_rate\n"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first") / "losslaw-demo"
    assert run(["demo", "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def losslaw(demo, monkeypatch, capsys):
    monkeypatch.chdir(demo)
    monkeypatch.setenv("COLUMNS", "80")

    def command(line):
        status = run(shlex.split(line))
        captured = capsys.readouterr()
        assert (status, captured.err) == (0, ""), f"{line}: {captured.err}"
        return captured.out

    return command


def test_from_the_demo_to_a_file_of_a_trainer(losslaw):
    rows = [line.split(",") for line in Path("run.csv").read_text().splitlines()[2:]]
    Path("mine.csv").write_text(OWN + "".join(f"{k},{loss},{lr}\n" for k, lr, loss in rows))
    assert "mine" in losslaw("inspect mine.csv")
    ends = {}
    for log in ("mine.csv --warmup 100", "run.csv"):
        said = json.loads(losslaw(f"forecast {log} --horizon 12k --fit fit.json --json"))
        ends[log] = said["final"]
    one, other = ends.values()
    assert one == other
    annealed = json.loads(losslaw("annealed run.csv mine.csv --warmup 100 --fit fit.json --json"))
    first = annealed["runs"][0]
    assert first["loss"] < first["raw"]
    design = losslaw("design fit.json --horizon 4000 --family wsd -o mine_next.csv")
    assert "next: losslaw predict fit.json --schedule mine_next.csv" in design
    assert "exact" in losslaw("export mine_next.csv --to pytorch --fit fit.json -o mine_next.py")
    compile(Path("mine_next.py").read_text(), "mine_next.py", "exec")
    predicted = json.loads(losslaw("predict fit.json --schedule mine_next.csv --json"))
    assert np.isfinite(predicted["loss"][-1])


# Of each command the first example that is quick; the others take minutes, networks or packages.
QUICK = {
    *("inspect", "predict", "score", "forecast", "annealed", "continue", "merge", "design"),
    *("run-length", "export", "theory", "reproduce"),
}


@pytest.mark.parametrize("command", sorted(QUICK))
def test_the_first_example_of_a_help_page_runs_in_the_folder_of_the_demo(command, losslaw):
    page = losslaw(f"{command} --help")
    (example, *_) = re.findall(rf"^ +(losslaw {command} .*)$", page, re.MULTILINE)
    assert losslaw(example.removeprefix("losslaw "))
