"""Public runs: how they are had, from a server here, and that nothing else is taken for them."""

import gc
import hashlib
import json
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from losslaw.datasets import SETS, multipowerlaw, pinned, public_runs
from losslaw.datasets.pinned import FOLDER, Collection, Run, collection
from losslaw.errors import InputError, MissingExtra

LOG = "step,lr,loss\n10,0.1,3\n20,0.1,2.5\n30,0.05,2\n"
NAME = "logs/run.csv"


@pytest.fixture
def tiny(monkeypatch):
    """A collection of one run, in the place of the real one."""
    made = Collection(
        name="multipowerlaw",
        repository="someone/curves",
        commit="0123456789",
        licence="MIT",
        paper="none",
        files={NAME: hashlib.sha256(LOG.encode()).hexdigest()},
        runs={"run": Run(files=(NAME,), params=10**6, warmup=10)},
    )
    monkeypatch.setattr(public_runs, "collection", lambda name: made)
    monkeypatch.delenv(FOLDER, raising=False)
    return made


@pytest.fixture
def serve(tiny, monkeypatch, tmp_path):
    """A server that answers with what a test says, and the paths that were asked for."""
    pooch = pytest.importorskip("pooch", reason="pooch is not installed")
    asked, answers = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, text, length = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pinned, "SERVER", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)

    def to(*texts, status=200, length=None):
        answers[:] = [(status, text, length) for text in texts]
        return asked

    yield to
    server.shutdown()
    server.server_close()
    thread.join()
    with warnings.catch_warnings():  # requests leaves a connection that broke to the collector
        warnings.simplefilter("ignore")
        gc.collect()


def kept(folder):
    return [path.name for path in (folder / "cache").rglob("*") if path.is_file()]


def test_a_file_is_downloaded_once(serve, tmp_path):
    asked = serve(LOG)
    (curve,) = multipowerlaw()
    assert asked == ["/someone/curves/0123456789/logs/run.csv"]
    assert (curve.label, curve.model_size, curve.schedule.warmup) == ("run", 1e6, 10)
    assert curve.loss.tolist() == [3.0, 2.5, 2.0]
    serve("", status=500)  # the network is gone
    (again,) = multipowerlaw()
    assert len(asked) == 1
    assert again.schedule == curve.schedule


def test_a_file_that_is_not_what_it_was_is_not_kept(serve, tmp_path):
    asked = serve(LOG.replace("2.5", "2.4"))
    with pytest.raises(InputError, match=r"logs/run.csv came with another sha256 than it had"):
        multipowerlaw()
    assert len(asked) == 2
    assert kept(tmp_path) == []


def test_a_file_that_is_gone(serve, tmp_path):
    serve("", status=404)
    line = (
        r"logs/run.csv cannot be downloaded \(404 .*\); without a network, put github.com/someone"
    )
    with pytest.raises(InputError, match=line) as error:
        multipowerlaw()
    assert "\n" not in str(error.value)
    assert kept(tmp_path) == []


def test_a_download_that_breaks_off_is_tried_again_and_not_kept(serve, tmp_path):
    asked = serve(LOG[:20], LOG, length=len(LOG))
    (curve,) = multipowerlaw()
    assert (len(asked), len(curve)) == (2, 3)
    (path,) = (tmp_path / "cache").rglob("run.csv")
    path.unlink()
    serve(LOG[:20], length=len(LOG))
    with pytest.raises(InputError, match=r"logs/run.csv cannot be downloaded \(.*IncompleteRead"):
        multipowerlaw()
    assert kept(tmp_path) == []


def test_no_server(serve, monkeypatch):
    monkeypatch.setattr(pinned, "SERVER", "http://127.0.0.1:1")
    with pytest.raises(InputError, match=rf"FOLDER/multipowerlaw and say so \(folder=, {FOLDER}\)"):
        multipowerlaw()


def test_a_folder_of_the_users_takes_the_place_of_the_network(tiny, tmp_path, monkeypatch):
    path = tmp_path / "multipowerlaw" / NAME
    path.parent.mkdir(parents=True)
    path.write_text(LOG)
    (curve,) = multipowerlaw(folder=tmp_path)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    assert multipowerlaw(["run"])[0].schedule == curve.schedule
    path.write_text(LOG + "40,0.01,1.9\n")
    with pytest.raises(InputError, match=r"run.csv: not the file of commit 0123456"):
        multipowerlaw()
    path.unlink()
    with pytest.raises(InputError, match=r"run.csv: cannot be read \(No such file"):
        multipowerlaw()


def test_a_run_that_is_not_there(tiny):
    with pytest.raises(InputError, match="multipowerlaw has no run 'other'; there are 1: run"):
        multipowerlaw(["other"])


def test_without_pooch(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtra, match=r"needs pooch: pip install pooch, or in a clone"):
        multipowerlaw()


def test_validation_downloads_what_is_not_beside_the_project(serve, tiny, tmp_path, monkeypatch):
    public = pytest.importorskip("validation.public_runs", reason="validation/ is not here")
    monkeypatch.setattr(public, "CURVES", tmp_path / "curves")
    monkeypatch.setattr(public, "collection", lambda name: tiny)
    asked = serve(LOG)
    assert public.labels("mpl_llama2", "r*") == ["run"]
    curve = public.read("mpl_llama2", "run", warmup=10, lr_is="next")
    assert asked == ["/someone/curves/0123456789/logs/run.csv"]
    assert (curve.label, curve.model_size, curve.loss.tolist()) == ("run", 1e6, [3.0, 2.5, 2.0])
    assert curve.schedule.lr[[10, 20]].tolist() == [0.1, 0.1]
    assert public.missing("mpl_llama2") == ""
    assert "gemstones are not there" in public.missing("gemstones")
    assert "not there" in public.missing("mpl_llama2", files=True)
    # A folder beside the project comes first.
    beside = tmp_path / "curves" / "mpl_llama2"
    beside.mkdir(parents=True)
    (beside / "run.csv").write_text(LOG.replace("2.5", "2.4"))
    assert public.read("mpl_llama2", "run", warmup=10).loss.tolist() == [3.0, 2.4, 2.0]
    assert len(asked) == 1


@pytest.mark.parametrize("name", SETS)
def test_every_file_of_every_run_is_pinned(name):
    found = collection(name)
    assert len(found.commit) == 40
    assert {file for run in found.runs.values() for file in run.files} == set(found.files)
    assert all(
        len(sum_) == 64 and set(sum_) <= set("0123456789abcdef") for sum_ in found.files.values()
    )


def history(steps, losses, rates):
    return {
        "history": {
            "val": {"iter": steps, "val_loss": losses},
            "train": {"iter": list(rates), "train_lr": list(rates.values())},
        }
    }


def test_a_cooldown_is_led_by_the_run_it_was_branched_off(tmp_path, monkeypatch):
    texts = {
        # The run was resumed at step 600, and the rate at its end is that of no update.
        "trunk": history(
            [0, 200, 400, 600, 600],
            [9, 5, 4, 3.5, 3.7],
            dict.fromkeys(range(300, 801, 100), 0.01),
        ),
        "cooldown": history([600, 700], [3.4, 3.0], {600: 0.01, 650: 0.005, 800: 0.0}),
    }
    (tmp_path / "schaipp").mkdir()
    sums = {}
    for name, text in texts.items():
        (tmp_path / "schaipp" / name).write_text(json.dumps(text))
        sums[name] = hashlib.sha256(json.dumps(text).encode()).hexdigest()
    runs = {
        "trunk": Run(files=("trunk",), params=10),
        "cooldown": Run(files=("cooldown", "trunk"), params=10),
    }
    made = Collection(
        name="schaipp", repository="a/b", commit="0", licence="MIT", paper="", files=sums, runs=runs
    )
    monkeypatch.setattr(public_runs, "collection", lambda name: made)
    trunk, cooldown = public_runs.schaipp(folder=tmp_path)
    assert (trunk.steps.tolist(), trunk.loss.tolist()) == ([200, 400, 600], [5, 4, 3.6])
    assert (cooldown.steps.tolist(), cooldown.loss.tolist()) == (
        [200, 400, 600, 700],
        [5, 4, 3.4, 3.0],
    )
    assert (cooldown.schedule.warmup, cooldown.optimizer) == (300, "adamw")
    # Logged at step 600 is the rate of update 601.
    assert cooldown.schedule.lr[[299, 599, 600, 650]].tolist() == [0.01, 0.01, 0.01, 0.005]


def test_seeds_in_one_file(tmp_path, monkeypatch):
    text = "".join(
        f"code\nstep:{step}/4 val_loss:{loss + seed}\nstep:{step}/4 train_loss:9\n"
        for seed in (0, 1)
        for step, loss in ((0, 9.0), (2, 4.0), (4, 3.0))
    )
    (tmp_path / "track3").mkdir()
    (tmp_path / "track3" / "log").write_text(text)
    run = {"files": ("log",), "params": 10, "peak": 0.1, "cooldown": 0.5, "optimizer": "Muon"}
    made = Collection(
        name="track3", repository="a/b", commit="0", licence="MIT", paper="",
        files={"log": hashlib.sha256(text.encode()).hexdigest()},
        runs={"first": Run(**run), "mean": Run(**run, mean=True)},
    )  # fmt: skip
    monkeypatch.setattr(public_runs, "collection", lambda name: made)
    first, mean = public_runs.track3(folder=tmp_path)
    assert (first.loss.tolist(), mean.loss.tolist()) == ([4.0, 3.0], [4.5, 3.5])
    # Constant over the first half, then a line to 0 that the update after the last would use.
    assert first.schedule.lr.tolist() == [0.1, 0.1, 0.1, 0.05]
    assert first.optimizer == "muon"
