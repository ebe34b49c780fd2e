"""A user's first quarter of an hour: the demo, a log of one's own, and the questions asked of it.

Everything happens in the folder that ``losslaw demo`` makes, where the examples of the help pages
can be tried as well.
"""

import json
import re
import shlex
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.schemas import closed

from losslaw.cli.main import GROUPS, run
from losslaw.cli.schemas import schema_of
from losslaw.demo import run_demo

# A log in words that no trainer of the formats has, as many write their own.
OWN = "iter,train_loss,learning_rate\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("first") / "losslaw-demo")


@pytest.fixture
def demo(made):
    return made.files[0].parent


def test_the_demo_says_what_it_made(made, monkeypatch, capsys):
    jsonschema = pytest.importorskip("jsonschema")
    monkeypatch.setattr("losslaw.demo.run_demo", lambda *_: made)
    assert run(["demo"]) == 0
    said = capsys.readouterr().out
    assert said.strip() == str(made).strip()
    assert all(str(path) in said for path in made.files)
    assert run(["demo", "--json"]) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), closed(schema_of("demo")))


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


def test_the_demo_writes_a_report_that_is_made_again_by_its_own_line(demo, losslaw, tmp_path):
    page = (demo / "report.html").read_text()
    assert "<title>The demo of losslaw</title>" in page
    (line,) = re.findall(r"losslaw (report fit.json .*) -o report.html", page)
    assert all(Path(word).is_file() for word in line.split()[1:])


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


PAGES = [group.rstrip("_").replace("_", "-") for group in GROUPS if group != "lab"]
# What is not run here: the demo itself, which this folder is of; half a minute of work; what is
# written where a shell looks for it; a page that is served until Ctrl-C.
NEEDS = {"lab train": "torch", "whatif": "bokeh"}
SERVED = "losslaw whatif fit.json"
NOT_RUN = ("losslaw demo", "losslaw reproduce optimal", "losslaw completion fish")


@pytest.mark.parametrize("page", [*PAGES, "lab train"])
def test_the_examples_of_a_help_page_run_in_the_folder_of_the_demo(
    page, demo, tmp_path, monkeypatch, capsys
):
    if page in NEEDS:
        pytest.importorskip(NEEDS[page])
    monkeypatch.chdir(shutil.copytree(demo, tmp_path / "demo"))
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*page.split(), "--help"]) == 0
    text = re.sub(r"\\ *\n", " ", capsys.readouterr().out)
    examples = re.findall(r"^ +(losslaw .*[^ ]) *$", text.partition("Example")[2], re.MULTILINE)
    assert examples
    assert all(f"losslaw {page}" in text for text in examples[-1:])
    for example in examples:
        if example.startswith(NOT_RUN) or example == SERVED:
            continue
        words = [name for word in shlex.split(example)[1:] for name in _expanded(word)]
        with monkeypatch.context() as patch:
            # Whoever follows a log that does not grow ends it with Ctrl-C.
            if "--follow" in words:
                patch.setattr(time, "sleep", _interrupted)
            # As wide as a terminal of 80 columns, but what is for programs.
            patch.setattr("losslaw.text.on_terminal", lambda: True)
            status = run(words)
        captured = capsys.readouterr()
        expected = (130, "losslaw: interrupted\n") if "--follow" in words else (0, "")
        assert (status, captured.err) == expected, f"{example}: {captured.err}"
        assert captured.out or page == "export", example
        assert "\x1b" not in captured.out, example
        # Some is for programs, and what follows a log says all in a line.
        if not {"--json", "completion", "schema", "--follow"} & {*words} and (
            page != "export" or "-o" in words
        ):
            wide = [line for line in captured.out.splitlines() if len(line) > 80]
            assert all(" " not in line.strip() for line in wide), f"{example}: {wide}"


def _expanded(word: str) -> list[str]:
    names = sorted(str(path) for path in Path().glob(word)) if "*" in word else [word]
    assert names, f"{word}: there is no such file"
    return names


def _interrupted(seconds: float) -> None:
    raise KeyboardInterrupt
