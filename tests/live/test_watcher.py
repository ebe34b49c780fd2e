"""The watcher without a trainer: what it keeps, what it costs, and that it never raises."""

import logging
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import losslaw as ll
from losslaw.live import Watcher, watcher
from losslaw.live.answer import answer
from losslaw.live.question import Question
from losslaw.live.seen import Seen

RUN = next(run for run in ll.bundled_curves() if run.label == "cosine_peak3e-3_T12000")
LOSS = np.interp(np.arange(1, 12_001), RUN.steps, RUN.loss)


def fed(watched, first, last, lr=RUN.schedule.lr):
    for step in range(first, last + 1):
        watched.seen(step, LOSS[step - 1], lr[step - 1])
    return watched


def test_the_log_has_the_means_of_all_losses_however_long_the_run(monkeypatch):
    monkeypatch.setattr("losslaw.live.seen.MOST", 64)
    kept = Seen(row=10)
    for step in range(1, 4001):
        kept.add(step, LOSS[step - 1], RUN.schedule.lr[step - 1])
    steps, lr, loss = kept.arrays()
    assert len(steps) <= 64
    assert steps[-1] == 4000
    ends = np.concatenate([[0], steps])
    assert_allclose(loss, [LOSS[a:b].mean() for a, b in pairwise(ends)])
    assert_array_equal(lr, RUN.schedule.lr[steps - 1])
    assert set(np.diff(steps)) == {80}


def test_a_log_begun_in_the_middle_weighs_its_first_row_as_the_second(monkeypatch):
    monkeypatch.setattr("losslaw.live.seen.MOST", 4)
    kept = Seen()
    for step in (100, 110, 120, 130, 140):
        kept.add(step, step / 10, 1.0)
    assert (kept.steps, kept.loss) == ([110, 130, 140], [10.5, 12.5, 14.0])


def test_steps_that_come_again_supersede():
    kept = Seen(row=10)
    for step in [*range(1, 56), *range(41, 61)]:
        kept.add(step, float(step), 1.0)
    assert kept.steps == [10, 20, 30, 40, 50, 60]
    assert_allclose(kept.loss, [5.5, 15.5, 25.5, 35.5, 45.5, 55.5])


def test_updates_that_overflowed_leave_their_row_out():
    kept = Seen(row=1)
    for step, loss in enumerate([3.0, float("nan"), float("inf"), 2.0], 1):
        kept.add(step, loss, 1.0)
    assert (kept.steps, kept.loss) == ([1, 4], [3.0, 2.0])


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A run, watched to its middle, and what was said."""
    log = tmp_path_factory.mktemp("a") / "run.csv"
    said = []
    watched = Watcher(
        log, every=3000, horizon=12_000, weight_decay=0.1,
        say=lambda metrics, step: said.append((step, metrics)),
    )  # fmt: skip
    fed(watched, 1, 3000)
    assert watched.wait()
    fed(watched, 3001, 3001)
    watched.save()
    return log, said


def test_metrics_are_what_the_commands_say(asked):
    log, ((step, metrics),) = asked
    assert step == 3001
    assert metrics["losslaw/step"] == 3000
    (run,) = ll.read_curves(log)
    assert run.planned == 12_000  # the log says it
    forecast = ll.forecast(run.until(3000), 12_000)
    assert metrics["losslaw/end"] == pytest.approx(forecast.final, rel=1e-6)
    assert metrics["losslaw/end_lower"] == pytest.approx(forecast.interval.lower, rel=1e-6)
    now = {ending.over: ending for ending in forecast.endings if ending.when == "now"}
    for share in (5, 10, 15, 20, 30, 40):
        ending = now[3000 * share // 100]
        assert metrics[f"losslaw/decay_{share}pct"] == pytest.approx(ending.loss, rel=1e-6)
        assert metrics[f"losslaw/decay_{share}pct_gain"] == pytest.approx(ending.gain, rel=1e-6)
    (worth,) = ll.annealed(run.until(3000)).runs
    assert metrics["losslaw/annealed"] == pytest.approx(worth.loss, rel=1e-6)
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())


def test_a_loop_that_is_resumed_goes_on_from_its_log(asked, tmp_path):
    text = asked[0].read_text()
    log = tmp_path / "run.csv"
    log.write_text(text)
    watched = fed(Watcher(log, row=10), 2001, 2500)  # from a checkpoint at 2000
    assert watched.rows.steps == list(range(10, 2501, 10))
    watched.save()
    # A run from the beginning is another one: the log of the first is kept.
    fed(Watcher(log), 1, 50).save()
    assert (tmp_path / "run.1.csv").read_text().count("\n") == 253
    assert log.read_text().splitlines()[-1].startswith("50,")


def test_state_goes_through_a_checkpoint():
    first = fed(Watcher(), 1, 505)
    state = first.state_dict()
    second = Watcher()
    second.load_state_dict(state)
    for each in (first, second):
        fed(each, 506, 1000)
    assert first.state_dict() == second.state_dict()


def test_plans_that_the_run_keeps_are_its_schedule_and_others_are_not():
    steps = np.arange(10, 3001, 10)
    known = {"steps": steps, "lr": RUN.schedule.lr[steps - 1], "loss": LOSS[steps - 1]}
    kept = answer(Question(label="a", ahead=(0, RUN.schedule.lr), horizon=12_000, **known))
    resumed = answer(
        Question(label="a", ahead=(2000, RUN.schedule.lr[2000:]), horizon=12_000, **known)
    )
    assert kept["losslaw/end"] == pytest.approx(resumed["losslaw/end"], rel=1e-3)
    doubts = []
    plan = (0, RUN.schedule.lr * 2)
    other = answer(Question(label="a", ahead=plan, horizon=12_000, **known), doubts.append)
    (doubt,) = doubts
    assert "does not keep its plan: at step 1" in doubt
    assert other["losslaw/end"] == pytest.approx(kept["losslaw/end"], rel=1e-3)


def test_lengths_of_decays_name_their_metrics():
    steps = np.arange(10, 2001, 10)
    known = {"steps": steps, "lr": np.full(200, 3e-3), "loss": LOSS[steps - 1]}
    found = answer(Question(label="a", decay_over=(500, 0.125), **known))
    assert {"losslaw/decay_500", "losslaw/decay_12.5pct"} <= set(found)
    assert "losslaw/end" not in found  # nobody says how long the run is to be


def test_too_short_a_log_is_waited_for():
    steps = np.array([10, 20])
    known = {"steps": steps, "lr": np.full(2, 1e-3), "loss": np.array([3.0, 2.9])}
    assert answer(Question(label="a", **known)) == {}


@pytest.mark.parametrize("broken", ["program", "say", "loss", "log", "state", "answer"])
def test_nothing_that_goes_wrong_ends_a_run_and_it_is_told_once(
    broken, tmp_path, monkeypatch, caplog
):
    def fail(*_):
        raise RuntimeError("no")

    if broken == "program":
        monkeypatch.setattr(watcher, "PROGRAM", ("-c", "raise SystemExit('bad')"))
    if broken == "answer":
        monkeypatch.setattr(watcher, "PROGRAM", ("-c", 'print(\'{"problem": "InputError: bad"}\')'))
    (tmp_path / "file").write_text("")
    log = tmp_path / "file" / "log.csv" if broken == "log" else tmp_path / "log.csv"
    watched = Watcher(log, every=200, say=fail)
    if broken == "say":
        watched._ready = {"losslaw/end": 1.0}
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            if broken == "state":
                watched.load_state_dict({"steps": "nonsense"})
            fed(watched, 1, 400)
            if broken == "loss":
                watched.seen(401, "much", 1e-3)
            watched.wait()
            watched.close()
    (told,) = [each for each in caplog.records if each.name == "losslaw.live"]
    assert "the run goes on without losslaw's metrics" in told.getMessage()


@pytest.mark.parametrize(
    ("facts", "last", "loss", "words"),
    [
        ({}, 600, np.nan, "without losslaw's metrics: the losses of the last 200 updates, up to"),
        ({"horizon": 500}, 800, None, "of the run: the run is past its horizon of 500 updates"),
    ],
)
def test_what_leaves_an_answer_out_is_told_once(facts, last, loss, words, monkeypatch, caplog):
    monkeypatch.setattr(watcher, "PROGRAM", ("-c", 'print(\'{"metrics": {}, "doubts": []}\')'))
    watched = Watcher(every=200, **facts)
    for step in range(1, last + 1):
        watched.seen(step, loss or LOSS[step - 1], 1e-3)
        if step % 200 == 0:
            watched.wait()
    (told,) = [each.getMessage() for each in caplog.records if each.name == "losslaw.live"]
    assert words in told


def test_the_end_waits_a_moment_for_the_last_answer(monkeypatch):
    told = '{"metrics": {"losslaw/end": 1}, "doubts": []}'
    program = f"import time; time.sleep(0.2); print({told!r})"
    monkeypatch.setattr(watcher, "PROGRAM", ("-c", program))
    said = []
    watched = fed(Watcher(every=200, say=lambda *each: said.append(each)), 1, 300)
    assert watched.close() == {"losslaw/end": 1}
    assert said == [({"losslaw/end": 1}, 300)]
    assert watched.close() == {}


def test_one_computation_at_a_time_and_none_is_waited_for(monkeypatch):
    monkeypatch.setattr(watcher, "PROGRAM", ("-c", "import time; time.sleep(60)"))
    begun = time.perf_counter()
    watched = fed(Watcher(every=10), 1, 2000)
    first = watched._thread
    fed(watched, 2001, 4000)
    assert watched._thread is first
    assert watched.close(0) == {}
    assert watched.wait(30)
    assert time.perf_counter() - begun < 30


def test_options_that_make_no_sense_are_told_before_the_run():
    for options, line in (
        ({"every": 0}, "every 0 updates"),
        ({"log": "run.txt"}, "ends in .csv"),
        ({"level": 2}, "level"),
        ({"shape": "round"}, "round"),
        ({"colour": "red"}, "no option 'colour'"),
        ({"optimizer": "guess"}, "optimizer is 'guess'"),
        ({"schedule": "cosine"}, "cosine"),
        ({"fit": "nowhere.json"}, "nowhere.json"),
    ):
        with pytest.raises(ll.InputError, match=line):
            Watcher(**options)


def test_losses_on_a_device_are_read_once_a_row():
    torch = pytest.importorskip("torch")
    watched = Watcher()
    for step in range(1, 21):
        loss = torch.tensor(step / 8, dtype=torch.bfloat16, requires_grad=True)
        watched.seen(step, loss, 1e-3)
    # A sum in bfloat16 would have lost digits.
    assert_allclose(watched.rows.loss, [5.5 / 8, 15.5 / 8], rtol=2e-3)


def test_watching_loads_nothing_that_fits():
    code = """
import sys
from losslaw.live import Watcher
Watcher("a.csv", horizon=100, schedule="cosine:peak=0.1,horizon=100")
print({"scipy", "numba", "torch", "losslaw.fitting"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_loop_of_pytorch_in_five_lines_killed_and_resumed(tmp_path):
    torch = pytest.importorskip("torch")

    def train(first, last):
        watcher = Watcher(tmp_path / "mine.csv", horizon=400)
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 4)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
        watcher.plan(0, ll.Schedule.from_torch(scheduler, 400).lr)
        losses = {}
        for step in range(1, last + 1):
            lr = optimizer.param_groups[0]["lr"]
            loss = 1 + model(torch.ones(8, 4)).square().mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
            if step < first:  # stands for a checkpoint
                continue
            losses[step] = loss.item()
            watcher.seen(step, loss, lr)
            if step % 100 == 0:
                watcher.save()
        return losses

    train(1, 250)  # the last checkpoint is at 200, and nothing is closed
    losses = train(1, 400)
    assert (tmp_path / "mine.1.csv").exists()
    (tmp_path / "mine.csv").unlink()
    (tmp_path / "mine.1.csv").rename(tmp_path / "mine.csv")
    train(201, 400)
    (run,) = ll.read_curves(tmp_path / "mine.csv")
    assert run.steps.tolist() == list(range(10, 401, 10))
    means = [np.mean([losses[step - i] for i in range(10)]) for step in run.steps.tolist()]
    assert_allclose(run.loss, means, rtol=1e-6)
    assert run.planned == 400


def test_what_a_trainer_says_fills_what_was_left_open(tmp_path):
    watched = Watcher(weight_decay=0.2)
    watched.begin(
        0, log=tmp_path / "a.csv", horizon=100, row=1, weight_decay=0.1, batch=8, model_size=-1
    )
    assert watched.facts == {"weight_decay": 0.2, "batch": 8}  # no model has -1 parameters
    assert (watched.horizon, watched.rows.row) == (100, 1)
