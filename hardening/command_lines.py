"""Hostile command lines: every option of every command with values that it cannot mean.

Commands and options are those of the application itself. Each option is given, from a seed, values
that are missing, odd, huge, negative or no numbers; files that are missing, empty, binary, folders,
damaged or of another kind; schedules that make no sense; names that steer a terminal; places that
cannot be written. The rest of a line is good, but for some further options. Each line runs in a
process of its own, in a folder that is made again where it was changed.

* *clean*: status 0; JSON is JSON where it was asked for;
* *refused*: status 2, nothing on standard output, one line on standard error, no file changed;
* *failed*: the same with status 1: a job that was well posed and has nothing to return;
* *fault*: a traceback or a warning, more than 20 s of processor time or 1 GB of memory, another
  status, a byte that steers a terminal, a second line that a name made, a file half written or
  changed by a line that was refused.
"""

import contextlib
import importlib.util
import io
import json
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from hardening.watched import Fault, Watched
from losslaw.cli.main import build
from losslaw.cli.main import run as run_command
from losslaw.curves import LossCurve
from losslaw.fitting import fit
from losslaw.laws import Chinchilla, Momentum
from losslaw.schedules import constant, cosine, wsd

KINDS = ("clean", "refused", "failed", "fault")
# Lines of each option and argument.
EACH = 6
# What waits for a log to grow, or serves a page, is not asked for, nor what ends every other
# option; and no value names a cluster, which would be started.
LEFT_OUT = {"--follow", "--help"}
SERVES = ("whatif",)
# A name that begins a second line, and one that sets the title of a window.
SECOND = "x\nSECOND"
TITLE = "x\x1b]0;owned\x07\x1b[31m"

SPEC = "wsd:peak=1e-2,horizon=100,warmup=10,cooldown=0.2"
# Arguments that a command needs, and that are good.
GOOD = {
    "demo": [],
    "inspect": ["flat.csv"],
    "fit": ["flat.csv", "cosine.csv", "--law", "momentum"],
    "predict": ["fit.json", "--schedule", SPEC],
    "score": ["fit.json", "wsd.csv"],
    "compare": ["flat.csv", "wsd.csv", "--laws", "chinchilla,momentum"],
    "forecast": ["flat.csv", "--horizon", "300", "--fit", "fit.json"],
    "annealed": ["flat.csv", "cosine.csv", "--fit", "fit.json"],
    "ladder": ["small.csv", "large.csv", "--fit", "sizes.json"],
    "fleet": ["flat.csv", "cosine.csv", "--law", "momentum"],
    "continue": ["flat.csv", "--updates", "50", "--fit", "fit.json"],
    "merge": ["flat.csv", "--checkpoints", "100,150,200", "--fit", "fit.json"],
    "advise": ["flat.csv", "--for", SPEC, "--law", "chinchilla", "--max-updates", "300"],
    "profile": ["flat.csv", "--law", "chinchilla", "--of", "alpha", "--points", "3"],
    "design": ["fit.json", "--horizon", "100", "--family", "wsd"],
    "run-length": ["fit.json", "--loss", "2.3"],
    "model-size": [
        *["sizes.json", "--compute", "1e14", "--batch", "32"],
        *["--sequence-length", "64"],
    ],
    "design-batches": ["batches.json", "--samples", "4000", "--batches", "20,40"],
    "export": [SPEC, "--to", "csv"],
    "plot": ["flat.csv", "-o", "out.png"],
    "report": ["fit.json", "-o", "out.html"],
    "schema": ["fit"],
    "completion": ["bash"],
    "simulate": [
        *["--source", "1", "--capacity", "2", "--modes", "20"],
        *["--schedule", "constant:peak=0.1,horizon=50"],
    ],
    "theory": ["--source", "1", "--capacity", "2", "--budget", "1e4"],
    "reproduce": ["--list"],
    "sweep": ["sweep.toml", "-o", "sweep.csv", "--jobs", "1"],
    "lab train": ["-s", "constant:peak=1e-3,horizon=2", "-o", "lab.csv", "--layers", "1"],
    "lab bundle": ["-o", "flat.csv"],
}
FILES = (
    *["missing.csv", "empty.csv", "binary.csv", "folder", "list.json", "kind.json", "cut.json"],
    *["damaged.json", "damaged.json", "damaged.csv", "row.csv", "header.csv", "far.csv"],
    *["deep.json", "number.json", "columns.csv", "loop", "dangling", "", "-", "--", ".", "*"],
    *["[", "~nobody/x", "/dev/null", "/proc/self/mem", "x" * 300, "a" * 5000, "bad.toml"],
    "\udcff.csv",
    *[SECOND, SECOND + ".csv", TITLE, TITLE + ".csv", "fit.json", "flat.csv"], "hostile.toml",
)  # fmt: skip
OUTPUTS = (
    *["folder", "no/such/out", "link", "dangling", "loop", "/dev/full", "/proc/out", "", "-", "."],
    *["/", "x" * 300, SECOND, TITLE, "\udcff.json", "out.json", "out.png", "out.csv"],
    *["fit.json", "out.xyz", "flat.csv/out"],
)
SPECS = (
    *[
        "",
        " ",
        ":",
        "wsd",
        "wsd:",
        "wsd:peak",
        "wsd:peak=",
        "cosine:peak=nan,horizon=10",
        "foo:a=1",
    ],
    *["cosine:peak=1e300,horizon=10", "cosine:peak=1e-300,horizon=10", "cosine:peak=1,horizon=0"],
    *["constant:peak=1e-2,horizon=1e30", "constant:peak=1e-2,horizon=3e8", "knots:1=1,1e2=2,100=3"],
    *["wsd:peak=1,horizon=10,cooldown=-1", "wsd:peak=1,horizon=10,warmup=1e9", "knots:", "knots:1"],
    *["knots:0=0,5=inf", "knots:" + ",".join(f"{k}=1" for k in range(1, 3000)), "file:", "file:-"],
    *["file:missing.csv", "file:folder", "file:binary.csv", "flat.csv", "plan.csv", " + ", "+"],
    *["constant:peak=1,horizon=2 + " * 200 + "linear:peak=1,horizon=2", SECOND, TITLE, "x" * 9000],
    *["constant:peak=1e-2,horizon=" + "9" * 5000, "constant:peak=1e-2,horizon=1_0"],
    *["constant:peak=1e-2,horizon=200,weight_decay=1e308", "constant:peak=5e-324,horizon=9"],
    *["constant:peak=1e-2,horizon=200,batch=1e308", "step:peak=1,horizon=3", "file:" + TITLE],
    *["cyclic:peak=1,horizon=10,cycles=1e9", "power:peak=1,horizon=10,power=1e300", "wsd:\ud800=1"],
    "foo:a=1",
    *["inverse-power:peak=1e-2,horizon=20,power=-1e9", "exponential:peak=1,horizon=9,final=1e-320"],
    *["constant:peak=0,horizon=9", "wsd:peak=1e-2,horizon=1,cooldown=1,warmup=1", SPEC],
)
NUMBERS = (
    *["", " ", "nan", "inf", "-inf", "0", "-0.0", "-1", "1", "1e300", "-1e300", "1e-300", "5e-324"],
    *["1e15", "1e30", "9" * 30, "9" * 5000, "1_000", "0x10", "1e", "\uff11\uff12", "ten", "1,5"],
    *["1;2", "24k", "20%", "-5%", "1e400%", "0.5", "0.999999", "1e9", "100000000", SECOND, TITLE],
    *["2**64", "18446744073709551616", "-9223372036854775809", "true", "None", "\ud800"],
)
TEXTS = (
    *["", " ", ",", ",,,", "=", "a=b=c", SECOND, TITLE, "'", '"', '"; rm x', "x" * 5000, "\ud800"],
    *["\udcff", "[red]x[/red]", "[/]", "{0}", "%s%n", "\u202egnp.exe", "nan", "1e400", "0"],
    *["-1", "1,1", "1,,2", "0,1e300", "..", "9" * 5000, "1e300..1e-300", "1..", "..1", "2..1"],
    *["every:0", "every:1e9", "every:-3", "alpha=1,alpha=2", "alpha=nan", "momentum,momentum"],
    *[
        "auto",
        "loss",
        "step",
        "used",
        "next",
        "rays",
        "torch",
        "2020-01-01\nimport os",
        "1e-3..1e-2",
    ],
)
# What an option is, told from how its help names the value, or from its own name.
PATHS = {"files", "log", "file", "fit", "earlier", "fit.json", "FILE", "resume"}
PLACES = {"output", "out"}
SCHEDULES = {"schedule", "target", "run", "prefix", "SPEC", "SPEC|FILE"}


@dataclass(frozen=True)
class Line:
    """A command line.

    Attributes:
        command: The command that it is about.
        arguments: All of it.
        seed: Of the damage to its files.
    """

    command: str
    arguments: tuple[str, ...]
    seed: str

    def __str__(self) -> str:
        shown = [each if len(each) < 60 else f"{each[:60]}..." for each in self.arguments]
        return " ".join(ascii(each) if not re.fullmatch(r"[\w./:=,+-]+", each) else each
                        for each in shown)  # fmt: skip


def commands() -> dict[str, list[Any]]:
    """The commands, and the options and arguments of each."""
    found: dict[str, list[Any]] = {}

    def walk(command: Any, way: tuple[str, ...]) -> None:
        for name, each in getattr(command, "commands", {}).items():
            walk(each, (*way, name))
        if not hasattr(command, "commands") and way != SERVES:
            found[" ".join(way)] = [
                each for each in command.params if not LEFT_OUT & set(each.opts)
            ]

    walk(typer.main.get_command(build()), ())
    return found


def hostile(parameter: Any) -> tuple[str, ...]:
    """The values that are bad for an option or argument."""
    names = {parameter.name, parameter.metavar}
    if names & PLACES:
        return OUTPUTS
    if names & SCHEDULES:
        return SPECS + FILES[:12]
    if names & PATHS:
        return FILES
    kind = str(parameter.type_descriptor.annotation)
    return NUMBERS if "int" in kind or "float" in kind else TEXTS + NUMBERS[:20]


def lines(seed: int) -> list[Line]:
    """The command lines: some of each option and argument of each command."""
    made: list[Line] = []
    for command, parameters in commands().items():
        options = [each for each in parameters if each.param_type_name == "option"]
        for parameter in parameters:
            rng = random.Random(f"{seed} {command} {parameter.name}")
            values = hostile(parameter)
            several = 4 * EACH if parameter.param_type_name == "argument" else EACH
            for i, value in enumerate(rng.sample(values, min(several, len(values)))):
                arguments = _with(GOOD[command], parameter, value)
                if rng.random() < 0.4 and options:  # a second option that is bad or contradicts
                    other = rng.choice(options)
                    arguments = _with(arguments, other, rng.choice(hostile(other)))
                if rng.random() < 0.2 and "--json" not in arguments:
                    arguments = [*arguments, "--json"]
                if rng.random() < 0.03:
                    del arguments[rng.randrange(len(arguments))]
                if command == "lab bundle" or (command in ("demo", "reproduce") and i > 0):
                    arguments = [*arguments, rng.choice(TEXTS)]  # else it works for long
                made.append(
                    Line(command, (*command.split(), *arguments), f"{seed} {len(made)}")
                )  # fmt: skip
    return made


def _with(arguments: list[str], parameter: Any, value: str) -> list[str]:
    """Arguments with one of them put in, or in the place of what is there."""
    arguments = list(arguments)
    if parameter.param_type_name == "argument":
        if arguments and not arguments[0].startswith("-"):
            arguments[0] = value
            return arguments
        return [value, *arguments]
    if parameter.is_flag:
        return [*arguments, parameter.opts[0]]
    for name in parameter.opts:
        if name in arguments[:-1]:
            arguments[arguments.index(name) + 1] = value
            return arguments
    return [*arguments, parameter.opts[0], value]


@dataclass
class Place:
    """A folder with good files and bad ones, which is the same before each line."""

    folder: Path
    good: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.good = _files()

    def restore(self, rng: random.Random) -> None:
        """Make the folder what it was, but for the damaged files, which are damaged anew."""
        contents = {**self.good, **_damaged(self.good, rng)}
        for path in list(self.folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.is_symlink() or path.name not in contents:
                path.unlink()
        for name, content in contents.items():
            path = self.folder / name
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)
        (self.folder / "folder").mkdir()
        for link, to in (("link", "plan.csv"), ("dangling", "gone.csv"), ("loop", "loop")):
            (self.folder / link).symlink_to(to)

    def state(self) -> dict[str, bytes | None]:
        """What is there."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else None
            for path in self.folder.rglob("*")
        }


def _files() -> dict[str, bytes]:
    """The good files, and the bad ones that are always the same."""
    about: dict[str, Any] = {"warmup": 10, "weight_decay": 0.1, "batch": 20}
    runs = {
        "flat": constant(peak=1e-2, horizon=200, **about),
        "cosine": cosine(peak=1e-2, horizon=200, **about),
        "wsd": wsd(peak=1e-2, horizon=200, cooldown=0.3, **about),
    }
    law = Momentum(L0=2.0, A=0.3, C=0.3, alpha=0.5)
    curves = {name: law.curve(run, range(5, 201, 5), name) for name, run in runs.items()}
    sizes: dict[str, LossCurve] = {}
    for size, name in ((1e5, "small"), (4e5, "large"), (2e6, "larger")):
        law = Chinchilla(L0=2.0 + size**-0.2, A=0.3, alpha=0.5)
        sizes[name] = law.curve(runs["wsd"], range(5, 201, 5), name).with_(model_size=size)
    made = {f"{name}.csv": _log(curve) for name, curve in (curves | sizes).items()}
    fits = {
        "fit.json": fit([curves["flat"], curves["cosine"]], "momentum"),
        "batches.json": fit([curves["flat"], curves["cosine"]], "effective"),
        "sizes.json": fit(list(sizes.values()), "chinchilla"),
    }
    for name, found in fits.items():
        made[name] = json.dumps(found.as_dict())
    head = "step,lr,loss\n1,0.1,3\n"
    made |= {
        "plan.csv": "step,lr\n" + "".join(f"{k},0.01\n" for k in range(1, 51)),
        "empty.csv": "",
        "list.json": "[]",
        "kind.json": '{"format": "losslaw.design", "version": 1}',
        "cut.json": made["fit.json"][:400],
        "row.csv": head,
        "header.csv": "step,lr,loss\n",
        "far.csv": head + "2,0.1,2.9\n100000000,0.1,2\n",
        "deep.json": "[" * 100_000,
        "number.json": '{"format": ' + "1" * 5000 + "}",
        "columns.csv": f'step,lr,"{TITLE}"\n1,0.1,3\n2,0.1,2\n',
        "bad.toml": "[problem\nsource = " + "1" * 5000,
        "hostile.toml": f"[problem]\nsource = 1e300\n{json.dumps(TITLE)} = 3\n",
        "sweep.toml": "[problem]\nsource = 1\ncapacity = 2.0\nmodes = 9\n[run]\nruns = 2\n"
        'schedule = "constant:peak=0.1,horizon=9"\n',
        f"{SECOND}.csv": made["flat.csv"],
        f"{TITLE}.csv": made["flat.csv"],
    }
    contents = {name: text.encode() for name, text in made.items()}
    return {**contents, "binary.csv": b"\x89PNG\r\n\x1a\n\xff\0" * 20}


def _log(curve: LossCurve) -> str:
    head = ["# warmup: 10", "# weight_decay: 0.1", "# batch: 20"]
    if curve.model_size is not None:
        head.append(f"# model_size: {curve.model_size:g}")
    rows = zip(curve.steps.tolist(), curve.loss.tolist(), strict=True)
    lr = curve.schedule.lr
    text = [f"{step},{lr[step - 1]:.10g},{loss:.8f}" for step, loss in rows]
    return "\n".join([*head, "step,lr,loss", *text]) + "\n"


def _damaged(good: dict[str, bytes], rng: random.Random) -> dict[str, bytes]:
    """A fit and a log, damaged at a place."""
    record = json.loads(good["fit.json"])
    values = (
        None,
        -1,
        0,
        1e300,
        1e-300,
        10**400,
        "x",
        "",
        TITLE,
        [],
        {},
        [[1]],
        True,
        float("nan"),
    )
    inner, key = record, "format"
    while isinstance(inner, dict | list) and inner:
        whole = inner
        key = rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        inner = inner[key]
        if rng.random() < 0.15:
            break
    if rng.random() < 0.2:
        del whole[key]
    else:
        whole[key] = rng.choice(values)
    rows = good["flat.csv"].decode().splitlines()
    cells = rows[at := rng.randrange(4, len(rows))].split(",")
    cells[rng.randrange(3)] = rng.choice(NUMBERS + TEXTS)
    rows[at] = ",".join(cells)
    log = "\n".join(rows).encode("utf-8", "replace")
    return {"damaged.json": json.dumps(record).encode(), "damaged.csv": log}


class Runner:
    """Runs lines in a folder and tells what came of them."""

    def __init__(self, place: Place):
        self.place = place

    def __call__(self, line: Line) -> tuple[str, str]:
        """The kind of a line, and what is wrong, if it is a fault."""
        os.chdir(self.place.folder)
        self.place.restore(random.Random(line.seed))
        before = self.place.state()
        status, out, err = _captured(list(line.arguments))
        after = self.place.state()
        return self.verdict(line, status, out, err, before == after)

    def verdict(self, line: Line, status: int, out: str, err: str, same: bool) -> tuple[str, str]:
        """The kind of what a line did."""
        for text in (out, err):
            for each in text.split("\n"):
                if not each.isprintable():
                    return "fault", f"a byte that steers a terminal: {each[:200]!r}"
                if each.startswith("SECOND"):
                    return "fault", f"a name made a second line: {text[:200]!r}"
        if status == 0:
            if "--json" in line.arguments and out and line.command != "reproduce":
                json.loads(out, parse_constant=lambda word: 1 / 0)
            left = [path.name for path in self.place.folder.rglob("*.part")]
            return ("fault", f"half a file is left: {left}") if left else ("clean", "")
        if status not in (1, 2):
            return "fault", f"status {status}: {err[:200]}"
        if not out and not err and not line.arguments:
            return "refused", ""
        if out:
            return "fault", f"status {status}, and on standard output {out[:100]!r}"
        if err.count("\n") != 1 or not err.startswith("losslaw: "):
            return "fault", f"not one line: {err[:300]!r}"
        if len(err) > 1000:
            return "fault", f"a line of {len(err)} letters: {err[:200]!r}"
        if not same and line.command != "lab train":  # a run that diverges leaves its log
            return "fault", f"refused, and files are changed: {err[:200]}"
        return ("refused" if status == 2 else "failed"), ""


def _captured(arguments: list[str]) -> tuple[int, str, str]:
    """Status and output of a command line; text is what a pipe gets."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run_command(arguments)
    finally:
        sys.stdin = stdin
    return status, *(each.buffer.getvalue().decode() for each in (out, err))


def run(seed: int, tell: Callable[[str], None]) -> tuple[str, int]:
    """Run all lines; a table and how many faults there are."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    faults: list[str] = []
    every = lines(seed)
    here = Path.cwd()
    if importlib.util.find_spec("torch"):  # larger than the memory that a line may take
        importlib.import_module("torch")
    with tempfile.TemporaryDirectory() as folder:
        runs = Watched(Runner(Place(Path(folder))))
        try:
            for i, line in enumerate(every, 1):
                try:
                    kind, why = runs(line)
                except Fault as fault:
                    kind, why = "fault", str(fault)
                counts[line.command][kind] += 1
                if kind == "fault":
                    faults.append(f"`{line}`: {why}")
                    tell(f"FAULT {faults[-1]}")
                if i % 100 == 0 or i == len(every):
                    tell(f"{i} of {len(every)} command lines, {len(faults)} faults")
        finally:
            runs.close()
            os.chdir(here)
    return page(counts, faults), len(faults)


def page(counts: dict[str, Counter[str]], faults: list[str]) -> str:
    """The table, by command."""
    rows = {**counts, "**all**": sum(counts.values(), Counter())}
    table = [f"{rows['**all**'].total()} command lines, {len(faults)} faults.", ""]
    table += [f"| command | lines | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 2) + "|"]
    table += [
        f"| {name} | {count.total()} | {' | '.join(str(count[kind]) for kind in KINDS)} |"
        for name, count in rows.items()
    ]
    return "\n".join([*table, "", *(f"* {fault}" for fault in faults)]).rstrip() + "\n"
