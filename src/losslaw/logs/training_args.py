"""``training_args.bin``: the arguments of a Hugging Face Trainer, in each of its checkpoints.

It is a pickle in a ZIP file, and a pickle can do anything when it is loaded. It is not: its opcodes
are listed, and a name that is known with the plain value right behind it is an argument.
"""

import math
import pickletools
import zipfile
from pathlib import Path

from losslaw.logs.run_facts import Facts

FILE = "training_args.bin"
NAMES = ("lr_scheduler_type", "optim", "warmup_ratio", "warmup_steps", "weight_decay")
# More bytes than arguments ever have.
MOST = 10_000_000
# Schedules without a warm-up, whatever the arguments say of one.
AT_ONCE = ("constant", "reduce_lr_on_plateau")


def facts_beside(state: Path, horizon: int | None) -> Facts:
    """What the arguments beside a ``trainer_state.json`` say; nothing if there are none."""
    given = _arguments(state.parent / FILE)
    numbers = {name: value for name, value in given.items() if isinstance(value, int | float)}
    warmup: float | None = numbers.get("warmup_steps", 0)
    share = numbers.get("warmup_ratio", 0) or (warmup if 0 < warmup < 1 else 0)
    if not warmup or warmup < 1:  # steps come before a share, and may be one
        warmup = math.ceil(share * horizon) if horizon and 0 < share < 1 else None
    if given.get("lr_scheduler_type", "constant") in AT_ONCE:
        warmup = None
    decay, optimizer = numbers.get("weight_decay"), given.get("optim")
    return Facts(
        warmup=None if warmup is None else int(warmup),
        weight_decay=decay if decay is not None and decay >= 0 else None,
        optimizer=optimizer if isinstance(optimizer, str) else None,
    )


def _arguments(path: Path) -> dict[str, object]:
    try:
        with zipfile.ZipFile(path) as archive:
            (part,) = [each for each in archive.infolist() if each.filename.endswith("/data.pkl")]
            data = archive.read(part) if part.file_size <= MOST else b""
        return _named(data)
    # What a damaged file raises has no common name.
    except Exception:
        return {}


def _named(data: bytes) -> dict[str, object]:
    """The plain values behind the names; a string that was there before is put by its number."""
    found: dict[str, object] = {}
    strings: dict[object, str] = {}
    name = last = None
    for opcode, argument, _ in pickletools.genops(data):
        value: object = argument
        if opcode.name in ("BINPUT", "LONG_BINPUT"):
            if isinstance(last, str):
                strings[argument] = last
            last = None
            continue
        if opcode.name in ("BINGET", "LONG_BINGET"):
            value = strings.get(argument)
        elif opcode.name in ("NEWTRUE", "NEWFALSE", "NONE"):
            name = None
        last = value
        if opcode.name == "GLOBAL" or value is None:
            continue
        if name is not None:
            found.setdefault(name, value)
            name = None
        elif value in NAMES:
            name = value
    return found
