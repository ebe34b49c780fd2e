"""The same sweep on a real Ray cluster: two workers, and one of them dies on the way."""

import os
from pathlib import Path

import pytest

from losslaw.errors import InputError
from losslaw.kernel.sweeps import SweepError, sweep
from losslaw.kernel.sweeps.kernel_job import COLUMNS, run_kernel_job
from losslaw.kernel.sweeps.sweep_file import jobs_of

ray = pytest.importorskip("ray", reason="needs ray: pip install ray")

# Ray's own start and end are not under test here.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    """Two machines, as far as Ray can tell, of one processor each; found through RAY_ADDRESS."""
    from ray.cluster_utils import Cluster

    here = str(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(here)
        paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 10**8}
        machines = Cluster(initialize_head=True, head_node_args=head)
        second = machines.add_node(num_cpus=1, object_store_memory=10**8)
        patch.setenv("RAY_ADDRESS", machines.address)
        try:
            yield machines, second
        finally:
            ray.shutdown()
            machines.shutdown()


def test_a_killed_worker_is_replaced_and_the_table_is_the_local_one(cluster, tmp_path):
    import sweepjobs

    marks = tmp_path / "marks"
    marks.mkdir()
    jobs = [
        sweepjobs.Job(i, "kill-once" if i == 3 else "", str(marks), seconds=0.05) for i in range(8)
    ]
    outcome = sweep(jobs, sweepjobs.run, tmp_path / "ray.csv", columns=sweepjobs.COLUMNS, on="ray")
    assert (outcome.rows, outcome.lost_workers) == (8, 1)
    # Ray knows whose worker died: nobody else is run twice.
    assert [len(list(marks.glob(f"{i}-*"))) for i in range(8)] == [1, 1, 1, 2, 1, 1, 1, 1]
    sweep(jobs, sweepjobs.run, tmp_path / "local.csv", columns=sweepjobs.COLUMNS, workers=2)
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_a_job_that_always_kills_is_given_up(cluster, tmp_path):
    import sweepjobs

    jobs = [sweepjobs.Job(i, "kill-always" if i == 1 else "") for i in range(4)]
    with pytest.raises(SweepError, match=r"1 of 4 jobs .*died \(WorkerCrashedError\), 2 times"):
        sweep(
            jobs, sweepjobs.run, tmp_path / "t.csv", columns=sweepjobs.COLUMNS, on="ray", retries=1
        )
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 4


def test_kernel_sweep_survives_a_machine_and_is_bit_for_bit_the_local_one(cluster, tmp_path):
    machines, second = cluster
    jobs = jobs_of(
        {
            "problem": {"source": [0.5, 1.0], "capacity": [1.5, 4.0], "modes": 50},
            "run": {
                "schedule": "cosine:peak={peak},horizon=400",
                "batch": [1, 4],
                "runs": 20,
            },
            "values": {"peak": [0.1, 0.9]},
        }
    )
    killed = []

    def tick(done, total):
        if done == 3 and not killed:
            killed.append(done)
            machines.remove_node(second, allow_graceful=False)

    ours = sweep(
        jobs, run_kernel_job, tmp_path / "ray.csv", columns=COLUMNS, on="ray", workers=2, tick=tick
    )
    assert killed
    assert ours.rows == len(jobs) == 16
    sweep(jobs, run_kernel_job, tmp_path / "local.csv", columns=COLUMNS, workers=2)
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_no_cluster_at_the_address(cluster, tmp_path, monkeypatch):
    import sweepjobs

    ray.shutdown()
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(InputError, match=r"no Ray cluster at RAY_ADDRESS=127\.0\.0\.1:1") as caught:
        sweep(
            [sweepjobs.Job(0)],
            sweepjobs.run,
            tmp_path / "t.csv",
            columns=sweepjobs.COLUMNS,
            on="ray",
        )
    assert "\n" not in str(caught.value)
