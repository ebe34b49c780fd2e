"""`losslaw reproduce`: names, files, errors, and Ctrl-C."""

import json

import pytest

from losslaw.cli.main import run
from losslaw.kernel import figures
from losslaw.kernel.figures import FslFigure1

TINY = FslFigure1(
    modes=8, horizon=60, runs=20, budgets=(20, 40), reach=1e3, final_runs=10, shares=(0.1,)
)


@pytest.fixture
def tiny(monkeypatch):
    """A study of a second; figures are drawn in tests/kernel/figures."""
    monkeypatch.setitem(figures.STUDIES, "fsl-fig1", TINY)
    monkeypatch.setattr("losslaw.kernel.figures.study.png", lambda figure, dpi: b"a picture")


def test_list_names_every_study(capsys):
    assert run(["reproduce", "--list"]) == 0
    out = capsys.readouterr().out
    for name in ("fsl-fig1", "scaling-table", "optimal-schedule", "batch-schedule"):
        assert name in out
    assert run(["reproduce", "--list", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["schema", *figures.STUDIES]


def test_a_study_says_what_is_seen_and_what_it_wrote(tiny, tmp_path, capsys):
    folder = tmp_path / "out"
    assert run(["reproduce", "fsl-fig1", "-o", str(folder)]) == 0
    out = capsys.readouterr().out
    for words in ("sampled runs agree with the exact mean", "wrote", "done in"):
        assert words.split()[0] in out
    for name in ("fsl-fig1.png", "fsl-fig1.csv", "fsl-fig1-final.csv", "fsl-fig1.txt"):
        assert (folder / name).is_file()
    assert run(["reproduce", "fsl-fig1", "-o", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["numbers"]["slope_wsd_theory"] == pytest.approx(-0.5)
    assert (folder / "fsl-fig1.txt").read_text() == document["paragraph"] + "\n"


def test_an_interrupted_study_leaves_sampled_runs_and_nothing_else(
    tiny, tmp_path, capsys, monkeypatch
):
    def stop(self, share):
        raise KeyboardInterrupt

    monkeypatch.setattr(FslFigure1, "_law_errors", stop)
    folder = tmp_path / "out"
    assert run(["reproduce", "fsl-fig1", "-o", str(folder)]) == 130
    assert "which the same command finds again" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["runs"]
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reproduce", "fig2"], "nothing is called 'fig2', expected one of: fsl-fig1"),
        (["reproduce"], "name a study: one of fsl-fig1"),
        (["reproduce", "fsl-fig1", "-o", "{file}"], "cannot make the folder"),
    ],
)
def test_bad_input_is_one_line_and_status_two(tmp_path, capsys, arguments, words):
    (tmp_path / "file").write_text("")
    arguments = [one.format(file=tmp_path / "file") for one in arguments]
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_another_choice_another_picture(tmp_path, capsys):
    command = ["reproduce", "sde-gap", "--set", "problems=1,2", "--set", "horizon=500"]
    command += ["--set", "shares=0.1,0.5", "--set", "shown=0.1"]
    assert run([*command, "-o", str(tmp_path), "--picture", ".svg"]) == 0
    assert (tmp_path / "sde-gap.svg").read_text().startswith("<?xml")
    text = (tmp_path / "sde-gap.csv").read_text()
    assert text.startswith("# study: how far SDE and SGD differ")
    assert "problems=1,2; horizon=500" in text.splitlines()[0]
    assert text.splitlines()[1].startswith("# units: risks are half squared errors")
    assert text.splitlines()[2].startswith("source,capacity")
    capsys.readouterr()
    for bad, words in (
        (["--set", "horizons=3"], "sde-gap has no choice 'horizons=3', expected one of: problems"),
        (["--set", "horizon=many"], "horizon=many: expected something like 10000"),
        (["--picture", ".gif"], ".gif"),
    ):
        assert run(["reproduce", "sde-gap", *bad, "-o", str(tmp_path)]) == 2
        assert words in capsys.readouterr().err
