import json
import os
import signal
from dataclasses import replace

import pytest

from losslaw.errors import InputError
from losslaw.lab import BUNDLE, PlannedRun, TrainingInterrupted, make_bundle
from losslaw.lab.bundle import Branch, branches
from losslaw.schedules import parse_schedule
from losslaw.schedules.agreement import agreement

PLAN = (
    PlannedRun("constant", "constant:peak=1e-2,horizon=20,warmup=5"),
    PlannedRun("wsd", "wsd:peak=1e-2,horizon=20,warmup=5,cooldown=0.4"),
    PlannedRun("other", "constant:peak=1e-2,horizon=20,warmup=5", seed=1),
)


def tables(folder):
    return {path.name: path.read_text() for path in folder.glob("*.csv")}


def test_branches_leave_the_longest_common_beginning():
    assert branches(PLAN, every=5) == {"wsd": Branch("constant", 10)}
    # Between two evaluations there is no branch: 12 common updates, seen every 5.
    assert agreement(parse_schedule(PLAN[1].spec), parse_schedule(PLAN[0].spec)) in (12, 13)
    assert branches(PLAN, every=15) == {}


def test_labels_are_unique_and_schedules_can_be_read():
    assert len({run.label for run in BUNDLE}) == len(BUNDLE)
    for run in BUNDLE:
        assert run.schedule.warmup == 100
        assert f"T{run.schedule.horizon}" in run.label


class TestMaking:
    @pytest.fixture(autouse=True)
    def needs_torch(self):
        pytest.importorskip("torch").set_num_threads(1)

    def test_interrupted_and_resumed_gives_the_same_files(self, text, tiny, tmp_path):
        make_bundle(tmp_path / "a", plan=PLAN, config=tiny, text=text, every=5)

        def progress(run):
            def show(step, _loss):
                if run.label == "wsd" and step == 17:
                    os.kill(os.getpid(), signal.SIGINT)

            return show

        with pytest.raises(TrainingInterrupted):
            make_bundle(
                tmp_path / "b", plan=PLAN, config=tiny, text=text, every=5, progress=progress
            )
        made = []
        meta = make_bundle(
            tmp_path / "b",
            plan=PLAN,
            config=tiny,
            text=text,
            every=5,
            progress=lambda run: made.append(run.label),
        )
        assert made == ["wsd", "other"]
        assert tables(tmp_path / "a") == tables(tmp_path / "b")
        assert len(tables(tmp_path / "a")) == 3
        assert [run["updates_shared"] for run in meta["runs"].values()] == [0, 10, 0]
        assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
            "constant.csv",
            "meta.json",
            "other.csv",
            "wsd.csv",
        ]

    def test_a_record_from_before_there_were_optimizers_is_read(self, text, tiny, tmp_path):
        make_bundle(tmp_path, plan=PLAN[:1], config=tiny, text=text, every=5)
        path = tmp_path / "meta.json"
        meta = json.loads(path.read_text())
        for name in ("optimizer", "momentum", "init_std"):
            del meta["model"][name]
        path.write_text(json.dumps(meta))
        made = []
        make = {"plan": PLAN[:1], "text": text, "every": 5}
        make_bundle(tmp_path, config=tiny, progress=lambda run: made.append(run.label), **make)
        assert made == []
        with pytest.raises(InputError, match="records another model"):
            make_bundle(tmp_path, config=replace(tiny, optimizer="sgd"), **make)

    def test_another_bundle_is_refused(self, text, tiny, tmp_path):
        make_bundle(tmp_path, plan=PLAN[:1], config=tiny, text=text, every=5)
        with pytest.raises(InputError, match="records another loss"):
            make_bundle(tmp_path, plan=PLAN[:1], config=tiny, text=text, every=10)
        changed = (PlannedRun("constant", "constant:peak=1e-3,horizon=20,warmup=5"),)
        with pytest.raises(InputError, match="run 'constant' was made with"):
            make_bundle(tmp_path, plan=changed, config=tiny, text=text, every=5)
        (tmp_path / "meta.json").write_text("{}")
        with pytest.raises(InputError, match="not the record of a bundle"):
            make_bundle(tmp_path, plan=PLAN[:1], config=tiny, text=text, every=5)
