import math
import pickle

import pytest

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression
from losslaw.kernel.sweeps.kernel_job import COLUMNS, KernelJob, run_kernel_job
from losslaw.kernel.sweeps.sweep_file import jobs_of, read_sweep
from losslaw.kernel.sweeps.table import cell, job_key
from losslaw.schedules import constant

TOML = """
[problem]
source = [0.5, 1]
capacity = 2.0
modes = [50, inf]

[run]
schedule = ["constant:peak={peak},horizon={n}", "linear:peak={peak},horizon=20"]
batch = [1, 8]
seed = 1e3

[values]
peak = [0.1, "2e-1"]
n = 10
"""


def test_jobs_are_the_nested_loops(tmp_path):
    (tmp_path / "s.toml").write_text(TOML)
    jobs = read_sweep(tmp_path / "s.toml")
    schedules = [
        "constant:peak=0.1,horizon=10",
        "constant:peak=2e-1,horizon=10",
        "linear:peak=0.1,horizon=20",
        "linear:peak=2e-1,horizon=20",
    ]
    assert jobs == [
        KernelJob(source, 2.0, modes, schedule=schedule, batch=batch, seed=1000)
        for source in (0.5, 1.0)
        for modes in (50, math.inf)
        for schedule in schedules
        for batch in (1.0, 8.0)
    ]


def test_a_schedule_file_is_written_out(tmp_path, monkeypatch):
    # The record has to be the same where there is no such file.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lr.csv").write_text("step,lr\n1,0.1\n2,0.1\n3,0.05\n")
    for text in ("file:lr.csv", "lr.csv"):
        document = {"problem": {"source": 1, "capacity": 2}, "run": {"schedule": text}}
        (job,) = jobs_of(document)
        assert job.schedule.startswith("knots:")
        assert job.whole_schedule().lr.tolist() == pytest.approx([0.1, 0.1, 0.05])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[problem]", "[problem", "not TOML: "),
        ("[values]", "[value]", r"it has 'value', expected problem, run, values"),
        ("source = [0.5, 1]", "sorce = 1", "problem has 'sorce', expected source, capacity, modes"),
        ("source = [0.5, 1]", "", "problem.source is missing"),
        (
            "source = [0.5, 1]",
            "source = []",
            r"problem.source is \[\], expected a finite number or a list of at least one",
        ),
        ("source = [0.5, 1]", 'source = "x"', "source is 'x', expected a finite number or a list"),
        ("source = [0.5, 1]", "source = true", "source is True, expected a finite number"),
        ("source = [0.5, 1]", "source = nan", "source is nan, expected a finite number"),
        (
            "source = [0.5, 1]",
            "source = [[1]]",
            r"problem.source\[0\] is \[1\], expected a finite number",
        ),
        ("source = [0.5, 1]", "source = [1, -1]", "source is -1, expected a number above 0"),
        ("capacity = 2.0", "capacity = 1.0", "capacity is 1, expected a number above 1"),
        ("modes = [50, inf]", "modes = 0", "modes is 0"),
        (
            "modes = [50, inf]",
            'features = "bottom"',
            "features is 'bottom', expected 'random' or 'top'",
        ),
        ("batch = [1, 8]", "batch = 0", r"\[run\] batch is 0, expected above 0"),
        ("batch = [1, 8]", "runs = -1", "runs is -1, expected a whole number of at least 0"),
        ("batch = [1, 8]", "runs = 2.5", "runs is 2.5, expected a whole number"),
        ("batch = [1, 8]", "runs = inf", "runs is inf, expected a whole number"),
        ("source = [0.5, 1]", "source = 1\ndifficulty = 1", "problem has source and difficulty"),
        ("source = [0.5, 1]", "difficulty = -1", "difficulty is -1"),
        ("batch = [1, 8]", 'method = "sgd"', "method is 'sgd', expected"),
        ("batch = [1, 8]", 'runs = 2\nmethod = "integrator"', "sampled runs have no integrator"),
        ("batch = [1, 8]", "runs = 2", "sampled runs need finite modes"),
        ("batch = [1, 8]", "momentum = 1", r"momentum is 1, expected from 0 to below 1"),
        ("batch = [1, 8]", "nesterov = true", "nesterov without momentum"),
        ("batch = [1, 8]", 'momentum = 0.9\nmethod = "sde"', "method sde knows no momentum"),
        ("capacity = 2.0", "", "problem.capacity is missing, or spectrum in its place"),
        ("capacity = 2.0", 'spectrum = "x.csv"', "spectrum, which takes the place of source"),
        ("capacity = 2.0", "capacity = 2\nambient = 40", "modes is 50, expected at most 40"),
        ("n = 10", "", r"\[values\] has no 'n'"),
        ("n = 10", "n = 10\nm = 1", r"\[values\] m: no schedule has {m}"),
        ("n = 10", "n = 0", "horizon"),
        ("n = 10", "n = true", "n is True, expected a number or a text"),
        ("linear:", "linar:", "unknown schedule 'linar'"),
        (TOML, "run = 1", r"run is 1, expected a section \[run\]"),
        (TOML, " ", "the file is empty"),
    ],
)
def test_bad_files_get_one_line_that_says_where(tmp_path, old, new, message):
    assert old in TOML
    path = tmp_path / "s.toml"
    path.write_text(TOML.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        read_sweep(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_sampled_runs_take_whole_batches(tmp_path):
    document = {
        "problem": {"source": 1, "capacity": 2, "modes": 9},
        "run": {"schedule": "constant:peak=0.1,horizon=2", "runs": 2, "batch": 1.5},
    }
    with pytest.raises(InputError, match=r"batch is 1\.5, and sampled runs need whole numbers"):
        jobs_of(document)


def test_too_many_jobs():
    document = {
        "problem": {"source": list(range(1, 2002)), "capacity": 2},
        "run": {"schedule": "constant:peak=0.1,horizon=2", "seed": list(range(1000))},
    }
    with pytest.raises(InputError, match="2001000 jobs, expected at most 1000000"):
        jobs_of(document)


def test_a_job_is_the_library_call():
    job = KernelJob(0.7, 2.0, 40, 0.5, schedule="linear:peak=0.2,horizon=50", batch=2, runs=30)
    results = run_kernel_job(job)
    assert tuple(results) == COLUMNS
    world, schedule = job.problem(), job.whole_schedule()
    exact = world.mean_curve(schedule, steps=[50]).loss[-1]
    assert results["risk"] == pytest.approx(exact, rel=1e-14)
    assert results["excess_risk"] == world.excess_risk(schedule)[-1]
    assert abs(results["sampled_risk"] - exact) < 4 * results["sampled_error"]
    assert results["sampled_spread"] == pytest.approx(results["sampled_error"] * math.sqrt(30))


def test_one_target_at_several_capacities_has_one_difficulty():
    document = {
        "problem": {"difficulty": [0.6, 1.5], "capacity": [1.5, 3]},
        "run": {"schedule": "constant:peak=0.1,horizon=2"},
    }
    pairs = [(job.source, job.capacity) for job in jobs_of(document)]
    assert pairs == [(0.6 / 1.5, 1.5), (0.6 / 3, 3), (1.0, 1.5), (0.5, 3)]


def test_relative_rates_are_shares_of_the_largest_of_each_problem_and_batch():
    document = {
        "problem": {"source": 0.5, "capacity": [1.5, 4.0]},
        "run": {"schedule": "constant:peak=0.5,horizon=50", "batch": [1, 8], "relative": True},
    }
    for job in jobs_of(document):
        world, plan = job.problem(), job.whole_schedule()
        scaled = plan.scaled(world.largest_lr(job.batch))
        assert run_kernel_job(job)["excess_risk"] == world.excess_risk(scaled)[-1]


def test_methods_stand_beside_each_other():
    methods = ["quadrature", "exact", "integrator", "sde", "volterra", "fsl"]
    document = {
        "problem": {"source": 0.5, "capacity": 2.0, "modes": 200},
        "run": {"schedule": "wsd:peak=0.05,horizon=3000", "method": methods, "relative": True},
    }
    risks = {job.method: run_kernel_job(job)["excess_risk"] for job in jobs_of(document)}
    assert risks["quadrature"] == pytest.approx(risks["exact"], rel=1e-7)
    assert risks["integrator"] == pytest.approx(risks["exact"], rel=3e-5)
    for method in ("sde", "volterra", "fsl"):
        assert risks[method] == pytest.approx(risks["exact"], rel=0.1)


def test_the_integrator_runs_horizons_that_nobody_writes_out():
    document = {
        "problem": {"source": 0.5, "capacity": 4.0},
        "run": {
            "schedule": "wsd:peak={peak},horizon=1e12,cooldown=0.2",
            "method": "integrator",
            "batch": 2,
            "relative": True,
        },
        "values": {"peak": [0.25, 0.5]},
    }
    risks = [run_kernel_job(job)["excess_risk"] for job in jobs_of(document)]
    assert 1e-7 < risks[1] < risks[0] < 1e-5
    document["run"]["method"] = "quadrature"
    with pytest.raises(InputError, match="schedule 'wsd:peak=0"):
        jobs_of(document)


def test_a_key_of_thousands_of_parts_is_refused_before_it_takes_memory(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text(".".join(["a"] * 50_000) + " = 1\n")
    with pytest.raises(InputError, match="a key has more than 50 parts"):
        read_sweep(path)


def test_momentum_and_a_finite_ambient_dimension():
    problem = {"source": 0.5, "capacity": 2.0, "modes": 10, "features": "random", "ambient": 30}
    run = {"schedule": "constant:peak=0.05,horizon=20", "momentum": [0, 0.9], "runs": 2}
    plain, moved = jobs_of({"problem": problem, "run": run})
    world, schedule = moved.problem(), moved.whole_schedule()
    assert world.ambient == 30
    results = run_kernel_job(moved)
    assert results["excess_risk"] == world.excess_risk(schedule, momentum=0.9)[-1]
    assert results["sampled_risk"] is not None
    assert results["excess_risk"] != run_kernel_job(plain)["excess_risk"]


def test_a_measured_spectrum_goes_with_its_jobs(tmp_path):
    path = tmp_path / "eigenvalues.csv"
    path.write_text("eigenvalue,target\n1,1\n0.25,0.5\n0,3\n")
    problem = {"spectrum": str(path), "noise": [0, 1]}
    run = {"schedule": "constant:peak={peak},horizon=9", "runs": 1, "relative": True}
    document = {"problem": problem, "run": run, "values": {"peak": [0.1, 0.2]}}
    jobs = jobs_of(document)
    assert jobs == jobs_of(document)
    assert [cell(job.spectrum) for job in jobs] == [str(path)] * 4
    keys = [job_key(job) for job in jobs]
    assert len(set(keys)) == 4
    job = pickle.loads(pickle.dumps(jobs[-1]))
    path.write_text("eigenvalue,target\n1,1\n0.5,0.5\n")
    assert job_key(job) == keys[-1]  # it needs the file no more
    assert job_key(jobs_of(document)[-1]) != keys[-1]
    world = KernelRegression(spectrum=[1, 0.25], targets=[1, 0.5], noise=1)
    plan = constant(peak=0.2 * world.largest_lr(1.0), horizon=9)
    assert run_kernel_job(job)["excess_risk"] == pytest.approx(
        world.excess_risk(plan)[-1], rel=1e-12
    )


def test_brackets_that_are_too_deep_are_said_and_too_many_runs(tmp_path):
    (tmp_path / "s.toml").write_text(f"[problem]\nsource = {'[' * 3000}1{']' * 3000}\n")
    with pytest.raises(InputError, match="brackets are too deep in one another"):
        read_sweep(tmp_path / "s.toml")
    document = {
        "problem": {"source": 1.0, "capacity": 2.0, "modes": 10},
        "run": {"schedule": "constant:peak=0.1,horizon=9", "runs": 1e300},
    }
    with pytest.raises(InputError, match=r"runs is 1e\+300, expected at most 1e\+07"):
        jobs_of(document)
