"""A fleet: each group as it is answered alone, bad logs named, and nothing done twice."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import losslaw as ll
from losslaw.fleets.fleet import GroupJob
from losslaw.fleets.fleet_record import FleetGroup


def stable(label, peak=1e-3, n=4000, L0=2.5, seed=0, **known):
    """The log of a stable run that a law made, with noise."""
    schedule = ll.constant(peak=peak, horizon=n, warmup=100, weight_decay=0.1)
    law = ll.Effective(L0=L0, A=0.55, N=45.0)
    curve = law.curve(schedule, np.arange(40, n + 1, 40), label).with_(**known)
    draws = np.random.default_rng(seed).normal(0, 0.002, len(curve))
    return curve.with_(loss=curve.loss + draws)


def runs_of(*models, L0=2.5):
    return [
        stable(f"{model}_peak{peak:g}", peak, L0=L0 + 0.3 * i, seed=j)
        for i, model in enumerate(models)
        for j, peak in enumerate((1e-3, 2e-3, 3e-3))
    ]


def test_each_group_is_answered_as_it_is_alone():
    runs = runs_of("small", "large")
    result = ll.fleet(runs, group_by="small|large", law="effective")
    assert [group.name for group in result.groups] == ["large", "small"]
    for group in result.groups:
        own = [run for run in runs if run.label.startswith(group.name)]
        alone = ll.annealed(own, law="effective", against="best")
        assert [run.loss for run in group.runs] == sorted(run.loss for run in alone.runs)
        pairs = {pair.b: pair for pair in alone.pairs}
        for run in group.runs:
            assert run.loss == alone[run.label].loss
            if run.label in pairs:
                pair = pairs[run.label]
                assert run.difference == -pair.difference
                assert run.half_width == pair.interval.half_width
                assert run.needs == pair.needs
            else:
                assert (run.verdict, run.label) == ("best", group.against)


def test_the_baseline_of_each_group():
    runs = [*runs_of("small", "large"), stable("medium_other", L0=2.7)]
    result = ll.fleet(runs, group_by="small|large|medium", against="peak0.003", law="effective")
    assert [group.against for group in result.groups] == [
        "large_peak0.003",
        "medium_other",
        "small_peak0.003",
    ]
    verdicts = {run.label: run.verdict for group in result.groups for run in group.runs}
    assert verdicts["small_peak0.003"] == "baseline"
    assert set(verdicts.values()) <= {"baseline", "alone", "better", "worse", "not told apart"}
    assert verdicts["medium_other"] == "alone"
    exact = ll.fleet(runs_of("small"), against="small_peak0.002", law="effective")
    assert exact.groups[0].against == "small_peak0.002"
    with pytest.raises(ll.InputError, match="no run of that name, and no name that fits it"):
        ll.fleet(runs_of("small"), against="(", law="effective")


def test_groups_are_named_and_sorted_as_people_would():
    runs = [
        stable(f"{size:.0f}_{optimizer}", 1e-3 * (1 + i), model_size=size, optimizer=optimizer)
        for size, optimizer in ((1.3e9, "adamw"), (123_587_328, "muon"), (123_587_328, "adamw"))
        for i in range(2)
    ]
    runs = [run.with_(label=f"run-{12 - i}") for i, run in enumerate(runs)]
    by_facts = ll.fleet([*runs, stable("other")], law="effective").groups
    names = ["124M adamw", "124M muon", "1.3B adamw", "all runs"]
    assert [group.name for group in by_facts] == names
    assert [group.name for group in ll.fleet(runs, group_by="model_size", law="effective").groups]
    by_peak = ll.fleet(runs, group_by="peak", law="effective").groups
    assert [group.name for group in by_peak] == ["peak 0.001", "peak 0.002"]
    by_name = ll.fleet(runs, group_by=r"run-\d+", law="effective").groups
    assert [group.name for group in by_name] == [f"run-{i}" for i in range(7, 13)]
    near = [stable(f"{size}", model_size=size) for size in (123.6e6, 124.4e6)]
    assert [group.name for group in ll.fleet(near, law="effective").groups] == ["123.6M", "124.4M"]


def test_the_best_is_first_and_is_not_compared_with_itself():
    seeds = [stable(f"high_seed{i}", 2e-3, seed=i) for i in range(2)]
    alone = ll.fleet(seeds[0], law="effective").groups[0]
    assert ([run.verdict for run in alone.runs], alone.against) == (["alone"], "high_seed0")
    shorter = stable("low", 1e-3, n=2000, seed=5)
    result = ll.fleet([*seeds, shorter, stable("low_far", 1e-3, seed=7)], law="effective")
    runs = result.groups[0].runs
    assert [run.loss for run in runs] == sorted(run.loss for run in runs)
    assert runs[0].verdict == "best"
    assert {run.verdict for run in runs[1:]} <= {"seed of best", "worse", "not told apart"}
    assert [run.difference is None for run in runs].count(True) == (
        2 if runs[0].label.startswith("high") else 1
    )
    assert "compared with what the best was worth after as many" in " ".join(str(result).split())


@pytest.mark.parametrize("begin", ["", "a_very_long_name_of_a_project_that_all_runs_share_"])
def test_long_names_fit_and_stay_apart(begin):
    law = ll.fleet(runs_of("a"), law="effective").groups[0]
    middle = "wsd-linear-0.4_peak0.002_T50"
    runs = [replace(run, label=f"{begin}{middle}{i}") for i, run in enumerate(law.runs, start=1)]
    text = str(replace(law, runs=tuple(runs)))
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"T50{i}" in text for i in (1, 2, 3))
    # Where the middle tells names apart it is not cut.
    apart = [replace(run, label=f"{'x' * 40}{i}{'y' * 40}") for i, run in enumerate(law.runs)]
    text = str(replace(law, runs=tuple(apart)))
    assert all(run.label in text for run in apart)


def test_bad_logs_are_named_and_spoil_nothing(tmp_path):
    good = runs_of("a")
    few = stable("a_few")
    few = few.some(few.steps > 3800)
    late = np.where(good[0].steps > 3000, 3.0, 0.0)
    diverged = good[0].with_(label="a_diverged", loss=good[0].loss + late)
    files = [tmp_path / name for name in ("words.csv", "empty.csv", "nan.csv")]
    files[0].write_text("step,lr,loss\n1,0.1,many\n")
    files[1].touch()
    files[2].write_text("step,lr,loss\n1,0.1,3\n2,0.1,nan\n")
    result = ll.fleet([*good, few, diverged, *files], law="effective")
    assert {run.label for group in result.groups for run in group.runs} == {
        *(run.label for run in good),
        "a_diverged",
    }
    reasons = dict(result.all_left_out)
    assert "line 2: column 'loss' holds 'many'" in reasons[str(files[0])]
    assert "empty" in reasons[str(files[1])]
    assert "loss is nan" in reasons[str(files[2])]
    assert reasons["a_few"].startswith("5 losses from step 400 on, expected at least 10")
    assert any("a_diverged has diverged" in text for text in result.groups[0].warnings)
    alone = ll.fleet(good, law="effective")
    same = {run.label: run.loss for run in alone.groups[0].runs}
    for run in result.groups[0].runs:
        if run.label in same:
            assert run.loss == pytest.approx(same[run.label], abs=2e-3)
    text = str(result)
    assert "4 left out" in text
    assert max(len(line) for line in text.partition("4 left out")[0].splitlines()) <= 80
    rows = list(csv.DictReader(io.StringIO(result.csv())))
    assert [row["verdict"] for row in rows].count("left out") == 4
    assert rows[0]["verdict"] == "best"


def test_where_nothing_can_be_used(tmp_path):
    with pytest.raises(ll.InputError, match="no run can be annealed: 0 losses from step"):
        ll.fleet(stable("x").until(200), skip=1000)
    bad = tmp_path / "a.csv"
    bad.touch()
    with pytest.raises(ll.InputError, match=r"no run can be used: .*a\.csv"):
        ll.fleet(bad)


def test_a_name_that_is_of_no_group_is_left_out():
    result = ll.fleet([*runs_of("a"), stable("other")], group_by="a_peak", law="effective")
    assert [len(group.runs) for group in result.groups] == [3]
    assert "nothing like it in the name 'other'" in dict(result.left_out)["other"]


def test_the_reason_of_most_is_told_where_none_can_be_annealed():
    with pytest.raises(ll.InputError, match=r"no run can be annealed: cannot be fitted: .*updates"):
        ll.fleet([stable("x").until(80), *runs_of("a")], over=10**12, law="effective")


def test_two_runs_of_one_name_are_one():
    result = ll.fleet([*runs_of("a"), runs_of("a")[0]], law="effective")
    assert len(result) == 3
    assert "is taken" in dict(result.left_out)["a_peak0.001"]


def test_a_step_that_some_do_not_reach():
    runs = [*runs_of("a"), stable("a_short", n=2000)]
    result = ll.fleet(runs, at=3000, law="effective")
    assert {run.at for run in result.groups[0].runs} == {3000}
    assert "ends at step 2,000" in dict(result.all_left_out)["a_short"]


def test_groups_by_folder(tmp_path):
    for i, folder in enumerate(("small", "large")):
        (tmp_path / folder).mkdir()
        for run in runs_of(f"run{i}"):
            rows = zip(run.steps, run.schedule.lr[run.steps - 1], run.loss, strict=True)
            lines = ["step,lr,loss", *(f"{step},{lr:.6g},{loss:.6f}" for step, lr, loss in rows)]
            (tmp_path / folder / f"{run.label}.csv").write_text("\n".join(lines) + "\n")
    result = ll.fleet(ll.read_curves(tmp_path, warmup=100), group_by="folder", law="effective")
    assert [group.name for group in result.groups] == ["large", "small"]


def test_several_workers_give_the_same_and_nothing_is_done_twice(tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    runs, options = runs_of("a", "b"), {"group_by": "^.", "law": "effective"}
    told = []
    first = ll.fleet(runs, **options, jobs=2, resume=kept, progress=lambda *at: told.append(at))
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert ll.fleet(runs, **options).as_dict() == first.as_dict()
    with kept.open("a") as stream:
        stream.write('{"key": "half')
    done = []
    module = sys.modules["losslaw.fleets.fleet"]
    monkeypatch.setattr(module, "annealed", lambda *_, **__: done.append(1))
    again = ll.fleet(runs, **options, resume=kept)
    assert (again.as_dict(), done) == (first.as_dict(), [])
    assert kept.read_text().count("\n") == 3
    monkeypatch.undo()
    longer = [*runs[:-1], stable("b_peak0.003", 3e-3, n=4400, L0=2.8)]
    ll.fleet(longer, **options, resume=kept)
    assert kept.read_text().count("\n") == 4


def test_the_key_knows_all_that_matters():
    run = stable("a")
    asked = {"name": "g", "against": None, "asked": _asked()}
    key = GroupJob(curves=(run,), **asked).key
    changed = [
        run.with_(loss=run.loss + 1e-9),
        run.with_(label="b"),
        run.with_(optimizer="muon"),
        run.with_(schedule=run.schedule.with_(weight_decay=0.05)),
        run.until(3000),
    ]
    assert key not in {GroupJob(curves=(each,), **asked).key for each in changed}
    assert key != GroupJob(curves=(run,), **{**asked, "asked": _asked(over=0.1)}).key
    assert key == GroupJob(curves=(stable("a"),), **asked).key


def _asked(**changes):
    from losslaw.fleets.fleet import Asked

    usual = {
        "over": 0.2, "shape": "linear", "final": 0.0, "at": None, "same_total": False,
        "equal": "updates", "seeds": False, "law": "effective", "level": 0.9, "skip": None,
        "keep_all": False, "new_data": False,
    }  # fmt: skip
    return Asked(**{**usual, **changes})


@pytest.mark.parametrize("text", ["", "step,lr,loss\n", '{"losslaw": "finished groups"}\n[]\n'])
def test_other_files_are_left_alone(tmp_path, text):
    kept = tmp_path / "kept"
    kept.write_text(text)
    with pytest.raises(ll.InputError, match="is no file of finished groups"):
        ll.fleet(runs_of("a"), law="effective", resume=kept)
    assert kept.read_text() == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs at a time is 0"),
        ({"on": "cloud"}, "on is 'cloud'"),
        ({"level": 2.0}, "level is 2"),
        ({"over": -1.0}, "expected updates"),
        ({"equal": "joules"}, "expected one of updates"),
        ({"group_by": "z+"}, "nothing like it in the name"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message):
    with pytest.raises(ll.InputError, match=message):
        ll.fleet(runs_of("a"), law="effective", **options)


def test_groups_travel_whole():
    group = ll.fleet(runs_of("a"), law="effective").groups[0]
    assert FleetGroup.read(json.loads(json.dumps(group.as_dict()))) == group


def test_a_group_that_fails_is_reported(tmp_path, monkeypatch):
    module = sys.modules["losslaw.fleets.fleet"]
    whole = module.annealed

    def sometimes(runs, **options):
        if runs[0].label.startswith("b"):
            raise ZeroDivisionError("no way")
        return whole(runs, **options)

    monkeypatch.setattr(module, "annealed", sometimes)
    kept = tmp_path / "kept"
    result = ll.fleet(runs_of("a", "b"), group_by="^.", law="effective", resume=kept)
    assert [len(group.runs) for group in result.groups] == [3, 0]
    reasons = dict(result.all_left_out)
    assert reasons["b_peak0.001"] == "b has no answer: ZeroDivisionError: no way"
    # It is tried again.
    monkeypatch.undo()
    again = ll.fleet(runs_of("a", "b"), group_by="^.", law="effective", resume=kept)
    assert len(again) == 6


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ray_gives_the_same():
    pytest.importorskip("ray", reason="needs ray: pip install ray")
    runs, options = runs_of("a", "b"), {"group_by": "^.", "law": "effective"}
    found = ll.fleet(runs, **options, on="ray", jobs=2)
    assert found.as_dict() == ll.fleet(runs, **options).as_dict()


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from losslaw.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_ctrl_c_and_on(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for run in runs_of(*"abcdef"):
        rows = zip(run.steps, run.schedule.lr[run.steps - 1], run.loss, strict=True)
        lines = ["step,lr,loss", *(f"{step},{lr:.6g},{loss:.6f}" for step, lr, loss in rows)]
        (logs / f"{run.label}.csv").write_text("\n".join(lines) + "\n")
    table, kept = tmp_path / "fleet.csv", tmp_path / "fleet.csv.groups"
    words = ["fleet", str(logs), "--group-by", "^.", "--law", "effective", "-o", str(table)]
    words += ["--jobs", "2", "--warmup", "100"]
    command = [sys.executable, "-c", INTERRUPTED, *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not (kept.exists() and kept.read_text().count("\n") >= 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 6 groups are in" in errors
    assert "Traceback" not in errors
    before = kept.read_text()
    assert 1 <= before.count("\n") - 1 < 6
    assert not table.exists()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "18 runs in 6 groups" in done.stdout
    assert len(table.read_text().splitlines()) == 19
    assert not kept.exists()
    assert {Path(each).name for each in tmp_path.iterdir()} == {"logs", "fleet.csv"}
