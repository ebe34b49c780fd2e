"""The engine with trivial jobs: what it does when workers die, jobs fail, and sweeps stop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from losslaw.errors import InputError, MissingExtra
from losslaw.kernel.sweeps import SweepError, sweep
from losslaw.kernel.sweeps.table import SweepTable, cell, job_key


def go(module, jobs, table, **options):
    options.setdefault("workers", 2)
    return sweep(jobs, module.run, table, columns=module.COLUMNS, **options)


def begun(marks, number):
    return len(list(marks.glob(f"{number}-*")))


def test_rows_are_in_the_order_of_the_jobs(jobs_module, tmp_path):
    # Later jobs are faster, so rows are appended in another order than they end in.
    jobs = [jobs_module.Job(i, seconds=0.2 if i == 0 else 0.0) for i in (3, 0, 2, 1)]
    seen = []
    outcome = go(jobs_module, jobs, tmp_path / "t.csv", tick=lambda *at: seen.append(at))
    assert (outcome.rows, outcome.new, outcome.refused, outcome.lost_workers) == (4, 4, 0, 0)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0] == "job,number,event,marks,seconds,status,square,root,deaf"
    assert [line.split(",")[1] for line in lines[1:]] == ["3", "0", "2", "1"]
    # The last cell: no worker hears Ctrl-C, from its birth on.
    assert lines[1].endswith(f"ok,9,{3**0.5!r},1")
    assert seen == [(i, 4) for i in range(5)]


def test_equal_jobs_are_one(jobs_module, tmp_path, marks):
    jobs = [jobs_module.Job(1, marks=str(marks))] * 3
    assert go(jobs_module, jobs, tmp_path / "t.csv").rows == 1
    assert begun(marks, 1) == 1


def test_a_killed_worker_costs_nothing_but_time(jobs_module, tmp_path, marks):
    jobs = [jobs_module.Job(i, "kill-once" if i == 3 else "", str(marks), 0.05) for i in range(8)]
    outcome = go(jobs_module, jobs, tmp_path / "killed.csv")
    assert outcome.rows == 8
    assert outcome.lost_workers >= 1
    assert begun(marks, 3) == 2
    # Rows that were there before the death were not run again: at most the two under way were.
    assert sum(begun(marks, i) for i in range(8)) <= 8 + 2
    again = go(jobs_module, jobs, tmp_path / "whole.csv")
    assert again.lost_workers == 0
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "killed.csv").read_bytes()


def test_a_job_that_always_kills_is_given_up_and_the_others_finish(jobs_module, tmp_path, marks):
    jobs = [jobs_module.Job(i, "kill-always" if i == 1 else "", str(marks)) for i in range(5)]
    with pytest.raises(SweepError, match=r"1 of 5 jobs .*died, 2 times"):
        go(jobs_module, jobs, tmp_path / "t.csv", retries=1)
    rows = (tmp_path / "t.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == ["0", "2", "3", "4"]
    # Once among others, then alone twice.
    assert begun(marks, 1) in (2, 3)


def test_a_broken_machine_ends_the_sweep(jobs_module, tmp_path, monkeypatch):
    monkeypatch.setattr("losslaw.workers.loop.DEATHS_IN_A_ROW", 0)
    jobs = [jobs_module.Job(i, "kill-always") for i in range(9)]
    with pytest.raises(SweepError, match="5 workers died in a row and no job ended"):
        go(jobs_module, jobs, tmp_path / "t.csv")


def test_refused_jobs_are_rows_and_failed_ones_are_not(jobs_module, tmp_path, marks):
    events = ["", "refuse", "fail"]
    jobs = [jobs_module.Job(i, event, str(marks)) for i, event in enumerate(events)]
    for tries in (1, 2):
        with pytest.raises(SweepError, match="ZeroDivisionError: no way"):
            go(jobs_module, jobs, tmp_path / "t.csv")
        rows = (tmp_path / "t.csv").read_text().splitlines()[1:]
        assert len(rows) == 2
        assert "number 1 is not wanted,," in rows[1]
        assert [begun(marks, i) for i in range(3)] == [1, 1, tries]


def test_a_half_row_is_dropped_and_nothing_else_is_repeated(jobs_module, tmp_path, marks):
    jobs = [jobs_module.Job(i, marks=str(marks)) for i in range(4)]
    table = tmp_path / "t.csv"
    go(jobs_module, jobs, table)
    whole = table.read_bytes()
    lines = whole.splitlines(keepends=True)
    table.write_bytes(b"".join([lines[0], lines[3], lines[1], lines[2][:-5]]))
    outcome = go(jobs_module, jobs, table)
    assert (outcome.new, outcome.rows) == (2, 4)
    assert [begun(marks, i) for i in range(4)] == [1, 2, 1, 2]
    assert table.read_bytes() == whole


def test_a_longer_sweep_keeps_the_rows_of_a_shorter_one(jobs_module, tmp_path, marks):
    jobs = [jobs_module.Job(i, marks=str(marks)) for i in range(4)]
    go(jobs_module, jobs[:2], tmp_path / "t.csv")
    assert go(jobs_module, jobs, tmp_path / "t.csv").new == 2
    assert [begun(marks, i) for i in range(4)] == [1] * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step,lr\n1,2\n", "is not a table of this sweep: its first line is not 'job,number"),
        ("no line end", "is not a table of this sweep"),
        ("{header}\nabc,0,,,0,ok,0,0,1\n", "line 2: a row of another sweep or version"),
        ("{header}\nabc,0\n", "line 2: 2 cells, expected 9"),
    ],
)
def test_other_files_are_left_alone(jobs_module, tmp_path, text, message):
    table = tmp_path / "t.csv"
    text = text.format(header="job,number,event,marks,seconds,status,square,root,deaf")
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        go(jobs_module, [jobs_module.Job(0)], table)
    assert table.read_text() == text


def test_two_sweeps_do_not_share_a_table(jobs_module, tmp_path):
    jobs = [jobs_module.Job(0)]
    with (
        SweepTable(tmp_path / "t.csv", jobs, ["square"]),
        pytest.raises(InputError, match="being written by another sweep"),
        SweepTable(tmp_path / "t.csv", jobs, ["square"]),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "jobs at a time is 0, expected at least 1"),
        ({"on": "cloud"}, "on is 'cloud', expected local or ray"),
    ],
)
def test_bad_options(jobs_module, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        go(jobs_module, [jobs_module.Job(0)], tmp_path / "t.csv", **options)
    with pytest.raises(InputError, match="at least one"):
        go(jobs_module, [], tmp_path / "t.csv")
    with pytest.raises(InputError, match=r"folder .* does not exist"):
        go(jobs_module, [jobs_module.Job(0)], tmp_path / "no" / "t.csv")


def test_ray_is_asked_for_by_name(jobs_module, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install ray, or in a clone"):
        go(jobs_module, [jobs_module.Job(0)], tmp_path / "t.csv", on="ray")
    assert not (tmp_path / "t.csv").exists()


def test_keys_and_cells(jobs_module):
    assert job_key(jobs_module.Job(1)) == job_key(jobs_module.Job(1))
    assert job_key(jobs_module.Job(1)) != job_key(jobs_module.Job(2))
    assert [cell(x) for x in (None, 1e3, 0.1, "a\nb", float("inf"))] == [
        "", "1000", "0.1", "a b", "inf",
    ]  # fmt: skip


# A process that a shell starts in the background is born deaf to SIGINT, and so are its children.
INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from losslaw.kernel.sweeps import sweep
import sweepjobs
jobs = [sweepjobs.Job(i, marks=sys.argv[2], seconds=float(sys.argv[3])) for i in range(20)]
sweep(jobs, sweepjobs.run, sys.argv[1], columns=sweepjobs.COLUMNS, workers=2)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_sweep_goes_on(jobs_module, tmp_path, marks, number):
    table = tmp_path / "t.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(table), str(marks), "0.3"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (table.exists() and table.read_text().count("\n") >= 4):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # A terminal interrupts the whole group; a kill -9 hits one process, and its workers follow.
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    if number == signal.SIGINT:
        assert errors.count("Traceback") == 1  # of this script alone, none of the workers
    had = table.read_text().count("\n") - 1
    assert 3 <= had < 20
    done = {line.split(",")[1] for line in table.read_text().splitlines()[1:]}
    before = {number: begun(marks, number) for number in done}
    jobs = [jobs_module.Job(i, marks=str(marks), seconds=0.3) for i in range(20)]
    outcome = go(jobs_module, jobs, table)
    assert (outcome.rows, outcome.new) == (20, 20 - had)
    assert {number: begun(marks, number) for number in done} == before


def test_the_first_workers_of_a_process_are_born_deaf_to_ctrl_c(jobs_module, tmp_path, marks):
    # Python's own helper for shared resources starts with them, and lets signals in again.
    table = tmp_path / "t.csv"
    script = [sys.executable, "-c", INTERRUPTED, str(table), str(marks), "0"]
    subprocess.run(script, check=True, timeout=60)
    assert {line.rpartition(",")[2] for line in table.read_text().splitlines()} == {"deaf", "1"}


def test_nobody_is_left_behind(jobs_module, tmp_path):
    def children():
        task = Path("/proc/self/task")
        if not task.exists():
            pytest.skip("needs /proc to list child processes")
        found = set()
        for children in task.glob("*/children"):
            found |= set(children.read_text().split())
        # loky's resource tracker lives as long as this process does.
        return {
            pid
            for pid in found
            if "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text()
        }

    before = children()
    go(jobs_module, [jobs_module.Job(i) for i in range(3)], tmp_path / "t.csv")
    assert children() <= before
