"""Exported files in the real trainers: every update of the horizon, resumed half-way, and past it.

What a test compares with is the schedule's own array: update k uses ``lr[k - 1]``. Half of a run is
done in one process and the rest, from its checkpoint, in another. The files need the target library
only, so the processes that run them cannot import losslaw.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.exporting import export, prepare
from losslaw.schedules import Schedule, constant, cosine, cyclic, from_knots, join, linear, wsd

HORIZON, PAST = 240, 10
SCHEDULES = {
    "wsd": wsd(peak=3e-4, horizon=HORIZON, warmup=20, cooldown=0.2, decay="1-sqrt"),
    "cosine": cosine(peak=3e-4, horizon=HORIZON, warmup=20, final=3e-5),
    "lone jump": from_knots({1: 1e-3, 100: 1e-3, 101: 3e-3, 102: 1e-3, HORIZON: 2e-4}),
    "rewarmed": join(
        linear(peak=3e-4, horizon=HORIZON // 2, warmup=10),
        cyclic(peak=2e-4, horizon=HORIZON - HORIZON // 2, warmup=7),
    ),
    "zeros": Schedule(np.repeat([0.0, 1e-3, 0.0, 5e-4], [3, 117, 60, 60])),
}
# The pieces are within 1e-6 of each rate; below 1 % of the peak, of that (`relative_error`).
RELATIVE, OF_PEAK = 1.01e-6, 1.01e-8


def needs(package):
    return pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is not installed")


def run(code, folder, *arguments):
    """The JSON that a program prints last, in a process of its own without losslaw."""
    (folder / "program.py").write_text(code)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "program.py", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def wanted(schedule, past=PAST):
    return np.concatenate([schedule.lr, np.full(past, schedule.lr[-1])])


def close(rates, schedule, past=PAST, scale=1.0, relative=RELATIVE, of_peak=OF_PEAK):
    rates = np.asarray(rates)
    assert rates.size == schedule.horizon + past
    atol = of_peak * schedule.peak_lr * scale
    assert_allclose(rates, scale * wanted(schedule, past), rtol=relative, atol=atol)


TORCH = """
import json, sys
import torch
from exported import PEAK, make_scheduler

half, total = int(sys.argv[1]), int(sys.argv[2])
parts = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
groups = [{"params": parts[:1]}, {"params": parts[1:], "lr": PEAK / 10}]
optimizer = torch.optim.AdamW(groups, lr=PEAK)
scheduler = make_scheduler(optimizer)
start = 0
if half:
    saved = torch.load("checkpoint.pt", weights_only=True)
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    start = half
rates = []
for update in range(start, total):
    rates.append([group["lr"] for group in optimizer.param_groups])
    optimizer.step()
    scheduler.step()
torch.save(
    {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, "checkpoint.pt"
)
print(json.dumps(rates))
"""


@needs("torch")
def test_torch_resumes_in_a_new_process_and_groups_keep_their_ratio(tmp_path):
    schedule = SCHEDULES["wsd"]
    (tmp_path / "exported.py").write_text(export(schedule, "torch"))
    first = run(TORCH, tmp_path, 0, HORIZON // 2)
    # The schedule is in the checkpoint: a file that has changed since does not change the run.
    (tmp_path / "exported.py").write_text(export(SCHEDULES["cosine"], "torch"))
    rest = run(TORCH, tmp_path, HORIZON // 2, HORIZON + PAST)
    rates = np.array(first + rest)
    close(rates[:, 0], schedule)
    close(rates[:, 1], schedule, scale=0.1)


@needs("torch")
@pytest.mark.parametrize("target", ["torch", "hf", "deepspeed"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_lambdalr_follows_every_shape(name, target):
    import torch

    done = prepare(SCHEDULES[name], target)
    if target == "hf" and done.nearest is not None and done.nearest.exact:
        return  # then the file has arguments, no scheduler
    scope = {}
    exec(done.text, scope)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=scope["PEAK"])
    scheduler = scope["make_scheduler"](optimizer)
    rates = []
    for _ in range(HORIZON + PAST):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    close(rates, SCHEDULES[name])
    # What LambdaLR saves of the callable is plain lists.
    (state,) = scheduler.state_dict()["lr_lambdas"]
    assert {type(value) for value in state.values()} == {list}
    assert {type(each) for value in state.values() for each in value} <= {int, float}


@needs("torch")
def test_a_new_schedule_can_be_given_after_loading():
    """The checkpoint's schedule wins, until the scheduler is given another."""
    import torch

    old, new = {}, {}
    exec(export(SCHEDULES["cosine"], "torch"), old)
    exec(export(SCHEDULES["wsd"], "torch"), new)
    made = []
    for scope in (old, new):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=scope["PEAK"])
        made.append((optimizer, scope["make_scheduler"](optimizer)))
    (_, saved), (optimizer, scheduler) = made
    scheduler.load_state_dict(saved.state_dict())
    rates = []
    for update in range(HORIZON + PAST):
        if update == 100:
            scheduler.lr_lambdas = [new["RelativeRate"]()]
        if update > 0:
            optimizer.step()
            scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    mixed = np.concatenate([SCHEDULES["cosine"].lr[:100], SCHEDULES["wsd"].lr[100:]])
    close(rates, Schedule(mixed))


OPTAX = """
import json, sys
import jax, jax.numpy as jnp, numpy as np, optax
from exported import schedule

start, total = int(sys.argv[1]), int(sys.argv[2])
optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=schedule)
params = jnp.zeros(1)
state = optimizer.init(params)
if start:
    leaves = [jnp.asarray(each) for each in np.load("state.npz").values()]
    state = jax.tree.unflatten(jax.tree.structure(state), leaves)

@jax.jit
def update(state):
    _, state = optimizer.update(jnp.ones(1), state, params)
    return state

rates = []
for _ in range(start, total):
    state = update(state)
    rates.append(float(state.hyperparams["learning_rate"]))
np.savez("state.npz", *[np.asarray(leaf) for leaf in jax.tree.leaves(state)])
print(json.dumps(rates))
"""


@needs("optax")
def test_optax_resumes_in_a_new_process(tmp_path):
    schedule = SCHEDULES["wsd"]
    (tmp_path / "exported.py").write_text(export(schedule, "optax"))
    rates = run(OPTAX, tmp_path, 0, HORIZON // 2)
    rates += run(OPTAX, tmp_path, HORIZON // 2, HORIZON + PAST)
    # float32 has 6e-8 of relative rounding in each of a handful of operations.
    close(rates, schedule, relative=1.5e-6)


@needs("jax")
def test_optax_follows_every_shape_under_vmap(tmp_path):
    """Vectorised and traced: all counts of all shapes in one process."""
    for name, schedule in SCHEDULES.items():
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(export(schedule, "optax"))
    names = [name.replace(" ", "_") for name in SCHEDULES]
    code = (
        "import importlib, json\nimport jax, jax.numpy as jnp\n"
        f"counts = jnp.arange({HORIZON + PAST})\n"
        f"modules = [importlib.import_module(name) for name in {names!r}]\n"
        "print(json.dumps([jax.jit(jax.vmap(each.schedule))(counts).tolist() for each in modules]))"
    )
    for rates, schedule in zip(run(code, tmp_path), SCHEDULES.values(), strict=True):
        close(rates, schedule, relative=1.5e-6)


TRAINER = """
import json, sys
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
import exported

half, total = int(sys.argv[1]), int(sys.argv[2])

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(1, 1)
    def forward(self, x, labels):
        return {"loss": ((self.line(x) - labels) ** 2).mean()}

class Rates(TrainerCallback):
    def __init__(self):
        self.rates = []
    def on_pre_optimizer_step(self, args, state, control, optimizer=None, **more):
        self.rates.append([group["lr"] for group in optimizer.param_groups])
    def on_step_end(self, args, state, control, **more):
        if state.global_step == half:
            control.should_save = control.should_training_stop = True

model, rates = Model(), Rates()
told = getattr(exported, "TRAINING_ARGUMENTS", {})
args = TrainingArguments(
    output_dir="out", use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no",
    disable_tqdm=True, per_device_train_batch_size=1, **({"max_steps": total} | told),
)
given = {}
if not told:
    peak = exported.PEAK
    groups = [{"params": [model.line.weight]}, {"params": [model.line.bias], "lr": peak / 10}]
    optimizer = torch.optim.AdamW(groups, lr=peak)
    given = {"optimizers": (optimizer, exported.make_scheduler(optimizer))}
data = [{"x": torch.ones(1), "labels": torch.ones(1)}] * 64
trainer = Trainer(model=model, args=args, train_dataset=data, callbacks=[rates], **given)
trainer.train(resume_from_checkpoint=False if half else True)
print(json.dumps(rates.rates))
"""


@needs("transformers")
@needs("accelerate")
def test_trainer_with_lambdalr_resumes_in_a_new_process(tmp_path):
    schedule = wsd(peak=3e-4, horizon=60, warmup=10, cooldown=0.3, decay="1-sqrt")
    done = prepare(schedule, "hf")
    assert done.nearest is not None
    assert not done.nearest.exact
    (tmp_path / "exported.py").write_text(done.text)
    rates = run(TRAINER, tmp_path, 30, 60)
    rates = np.array(rates + run(TRAINER, tmp_path, 0, 60 + PAST))
    close(rates[:, 0], schedule)
    close(rates[:, 1], schedule, scale=0.1)


@needs("transformers")
@needs("accelerate")
def test_trainer_with_its_own_scheduler(tmp_path):
    schedule = cosine(peak=3e-4, horizon=60, warmup=10, final=3e-5)
    done = prepare(schedule, "hf")
    assert done.nearest is not None
    assert done.nearest.exact
    (tmp_path / "exported.py").write_text(done.text)
    rates = np.array(run(TRAINER, tmp_path, 60, 60))
    close(rates[:, 0], schedule, past=0)


LIGHTNING = """
import json, sys, logging
import torch
import lightning
from lightning.pytorch import LightningModule, Trainer
from exported import PEAK, configured

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
start, total = int(sys.argv[1]), int(sys.argv[2])
rates = []

class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(1, 1)
    def training_step(self, batch, index):
        return ((self.line(batch) - 1) ** 2).mean()
    def on_before_optimizer_step(self, optimizer):
        rates.append([group["lr"] for group in optimizer.param_groups])
    def configure_optimizers(self):
        groups = [{"params": [self.line.weight]}, {"params": [self.line.bias], "lr": PEAK / 10}]
        return configured(torch.optim.AdamW(groups, lr=PEAK))

trainer = Trainer(
    max_steps=total, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
# Two batches an epoch: a scheduler that is stepped once an epoch would be found out.
data = torch.utils.data.DataLoader(torch.ones(2, 1))
trainer.fit(Model(), data, ckpt_path="half.ckpt" if start else None)
trainer.save_checkpoint("half.ckpt")
print(json.dumps(rates))
"""


@needs("lightning")
def test_lightning_resumes_in_a_new_process(tmp_path):
    schedule = wsd(peak=3e-4, horizon=60, warmup=10, cooldown=0.3, decay="1-sqrt")
    (tmp_path / "exported.py").write_text(export(schedule, "lightning"))
    rates = run(LIGHTNING, tmp_path, 0, 30)
    rates = np.array(rates + run(LIGHTNING, tmp_path, 30, 60 + PAST))
    close(rates[:, 0], schedule)
    close(rates[:, 1], schedule, scale=0.1)


def test_csv_npy_and_json_are_the_array(tmp_path):
    from losslaw.schedules import read_schedule

    schedule = SCHEDULES["wsd"].with_(batch=np.repeat([8.0, 16.0], HORIZON // 2), weight_decay=0.1)
    (tmp_path / "s.csv").write_text(export(schedule, "csv"))
    assert read_schedule(tmp_path / "s.csv") == schedule
    (tmp_path / "s.npy").write_bytes(prepare(schedule, "npy").data)
    assert np.array_equal(np.load(tmp_path / "s.npy", allow_pickle=False), schedule.lr)
    record = json.loads(export(schedule, "json"))
    rates = np.interp(np.arange(1, HORIZON + 1), record["step"], record["lr"])
    close(rates, schedule, past=0)
    assert record["largest_relative_error"] <= 1e-6
    assert record["batch"] == {"from_step": [1, HORIZON // 2 + 1], "value": [8.0, 16.0]}
    assert record["weight_decay"] == 0.1


@pytest.mark.parametrize("target", ["torch", "optax"])
def test_a_changing_batch_comes_as_a_second_callable(target):
    pytest.importorskip("torch" if target == "torch" else "jax", reason=f"{target} is missing")
    sizes = np.repeat([8.0, 16.0, 24.0], HORIZON // 3)
    done = prepare(SCHEDULES["cosine"].with_(batch=sizes), target)
    scope = {}
    exec(done.text, scope)
    assert [scope["batch_size"](step) for step in range(HORIZON)] == sizes.tolist()
    assert scope["batch_size"](HORIZON + PAST) == 24
    assert "batch_size(step)" in done.notes[0]


def test_one_update():
    """The shortest schedule: its rate, for ever."""
    pytest.importorskip("torch", reason="torch is not installed")
    scope = {}
    exec(export(constant(peak=0.1, horizon=1), "torch"), scope)
    rate = scope["RelativeRate"]()
    assert [scope["PEAK"] * rate(step) for step in range(5)] == [0.1] * 5
