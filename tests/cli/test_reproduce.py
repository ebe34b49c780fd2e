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
    assert list(json.loads(capsys.readouterr().out)) == list(figures.STUDIES)


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
