"""Learning rates of the trainers' own schedulers, run and written down.

    python tests/export/make_reference.py

writes tests/export/reference.json and needs megatron-core, deepspeed, torchtitan, nanotron,
ai2-olmo-core, dataclass-extensions and torch. Only schedulers run, so packages that their import
chains miss may be absent: `Missing` stands in.
Each case is what the trainer was told, and the rate that each update of a run of 60 then used.
"""

import ast
import importlib
import importlib.metadata
import importlib.util
import json
import math
import sys
import types
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import ClassVar

UPDATES = 60
PEAK = 0.01


class Anything(type):
    """A class that has every attribute, can be called with anything, and decorates."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name, (), {})

    def __call__(cls, *arguments, **named):
        return arguments[0] if arguments and callable(arguments[0]) else cls


class Missing:
    """Finder of last resort: of packages that are not installed it makes empty stand-ins."""

    roots: ClassVar[set[str]] = set()

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] in self.roots else None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = partial(getattr, Anything(spec.name, (), {}))
        return module

    def exec_module(self, module):
        pass


def imported(name):
    """A module of a trainer, with stand-ins for what its import chain misses."""
    while True:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            root = name.split(".")[0]
            if error.name.split(".")[0] == root:
                raise
            Missing.roots.add(error.name.split(".")[0])
            for loaded in [each for each in sys.modules if each.split(".")[0] == root]:
                del sys.modules[loaded]


def optimizer():
    import torch

    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)


def walk(scheduler, taken):
    """Rates of every update: read the group's rate, update, step the scheduler."""
    rates = []
    for _ in range(UPDATES):
        rates.append(float(taken.param_groups[0]["lr"]))
        taken.step()
        scheduler()
    return rates


def megatron(told):
    schedulers = imported("megatron.core.optimizer_param_scheduler")

    taken = optimizer()
    batch = 8  # samples an update
    scheduler = schedulers.OptimizerParamScheduler(
        taken,
        init_lr=told.get("--lr-warmup-init", 0.0),
        max_lr=told["--lr"],
        min_lr=told["--min-lr"],
        lr_warmup_steps=told["--lr-warmup-iters"] * batch,
        lr_decay_steps=told["--lr-decay-iters"] * batch,
        lr_decay_style=told["--lr-decay-style"],
        start_wd=0.1,
        end_wd=0.1,
        wd_incr_steps=UPDATES,
        wd_incr_style="constant",
        wsd_decay_steps=told.get("--lr-wsd-decay-iters", 0) * batch,
        lr_wsd_decay_style=told.get("--lr-wsd-decay-style"),
    )
    return walk(lambda: scheduler.step(batch), taken)


def deepspeed(told):
    schedulers = imported("deepspeed.runtime.lr_schedules")

    taken = optimizer()
    scheduler = getattr(schedulers, told["type"])(taken, **told["params"])
    return walk(scheduler.step, taken)


def torchtitan(told):
    schedulers = imported("torchtitan.components.optimizer.lr_scheduler")

    taken = optimizer()
    scheduler = schedulers.LRSchedulersContainer.Config(**told).build(
        optimizers=[taken], training_steps=UPDATES
    )
    return walk(scheduler.step, taken)


def nanotron(told):
    # The package 0.4 imports itself in a circle: its one function is compiled out of its file.
    folder = importlib.util.find_spec("nanotron").submodule_search_locations[0]
    tree = ast.parse((Path(folder) / "helpers.py").read_text())
    tree.body = [node for node in tree.body if getattr(node, "name", "") == "lr_scheduler_builder"]
    for argument in tree.body[0].args.args:
        argument.annotation = None
    from torch.optim.lr_scheduler import LambdaLR

    scope = {"math": math, "LambdaLR": LambdaLR}
    exec(compile(tree, "helpers.py", "exec"), scope)
    build = scope["lr_scheduler_builder"]

    class Wrapped:
        def __init__(self):
            self.taken = optimizer()

        def get_base_optimizer(self):
            return self.taken

    wrapped = Wrapped()
    scheduler = build(wrapped, types.SimpleNamespace(**told), UPDATES)
    return walk(scheduler.step, wrapped.taken)


def olmo_core(told):
    schedulers = imported("olmo_core.optim.scheduler")

    arguments = dict(told)
    scheduler = getattr(schedulers, arguments.pop("class"))(**arguments)
    group, rates = {"lr": PEAK, "initial_lr": PEAK}, []
    for step in range(1, UPDATES + 1):
        trainer = types.SimpleNamespace(global_step=step, max_steps=UPDATES)
        rates.append(float(scheduler.set_lr(group, trainer)))
    return rates


def megatron_cases():
    common = {"--train-iters": UPDATES, "--lr": PEAK, "--min-lr": 0.001}
    for style in ("constant", "linear", "cosine", "inverse-square-root"):
        ends = style in ("linear", "cosine")
        least = 1 if style == "inverse-square-root" else 0
        for early, warmup, initial in ((0, 7, 0.0), (ends, least, 0.0), (ends, 5, 0.002)):
            yield common | {
                "--min-lr": 0.001 if ends else 0.0,
                "--lr-decay-style": style,
                "--lr-decay-iters": UPDATES - early,
                "--lr-warmup-iters": warmup,
                "--lr-warmup-init": initial,
            }
    for shape in ("linear", "cosine", "minus_sqrt", "exponential"):
        for early, warmup in ((0, 7), (1, 0)):
            yield common | {
                "--lr-decay-style": "WSD",
                "--lr-decay-iters": UPDATES - early,
                "--lr-wsd-decay-style": shape,
                "--lr-wsd-decay-iters": 17,
                "--lr-warmup-iters": warmup,
                "--lr-warmup-init": 0.0,
            }


def deepspeed_cases():
    for kind in ("linear", "log"):
        warm = {"warmup_num_steps": 8, "warmup_type": kind}
        rates = {"warmup_min_lr": 0.001, "warmup_max_lr": PEAK}
        yield {"type": "WarmupLR", "params": rates | warm}
        for total in (60, 58):
            yield {"type": "WarmupDecayLR", "params": {"total_num_steps": total} | rates | warm}
            ratios = {"warmup_min_ratio": 0.0, "cos_min_ratio": 0.1}
            yield {"type": "WarmupCosineLR", "params": {"total_num_steps": total} | ratios | warm}


def torchtitan_cases():
    for shape in ("linear", "sqrt", "cosine"):
        yield {
            "warmup_steps": 6,
            "decay_ratio": 15 / 60,
            "decay_type": shape,
            "min_lr_factor": 0.1,
        }
        yield {
            "warmup_steps": 0,
            "total_steps": 59,
            "decay_ratio": 20 / 59,
            "decay_type": shape,
            "min_lr_factor": 0.0,
        }


def nanotron_cases():
    for shape in ("linear", "cosine"):
        for warmup, start, length in ((6, 40, 20), (6, 40, 19), (0, 39, 20)):
            yield {
                "learning_rate": PEAK,
                "lr_warmup_steps": warmup,
                "lr_warmup_style": "linear" if warmup else "constant",
                "lr_decay_style": shape,
                "lr_decay_starting_step": start,
                "lr_decay_steps": length,
                "min_decay_lr": 0.001,
            }


def olmo_core_cases():
    for initial in (0.0, 0.002):
        warm = {"warmup": 6, "warmup_min_lr": initial}
        yield {"class": "ConstantWithWarmup"} | warm
        yield {"class": "WSD", "decay": 15, "decay_fraction": None, "decay_min_lr": 0.001} | warm
        for name in ("LinearWithWarmup", "CosWithWarmup", "InvSqrtWithWarmup"):
            yield {"class": name, "alpha_f": 0.1} | warm


TRAINERS = {
    "megatron": ("megatron-core", megatron, megatron_cases),
    "deepspeed": ("deepspeed", deepspeed, deepspeed_cases),
    "torchtitan": ("torchtitan", torchtitan, torchtitan_cases),
    "nanotron": ("nanotron", nanotron, nanotron_cases),
    "olmo-core": ("ai2-olmo-core", olmo_core, olmo_core_cases),
}


def main():
    sys.meta_path.append(Missing())
    record = {"made by": "python tests/export/make_reference.py", "updates": UPDATES, "peak": PEAK}
    for name, (package, run, cases) in TRAINERS.items():
        record[name] = {
            "version": importlib.metadata.version(package),
            "cases": [{"told": told, "lr": run(told)} for told in cases()],
        }
    Path(__file__).with_name("reference.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
