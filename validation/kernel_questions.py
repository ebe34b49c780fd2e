"""Ten questions of a researcher to the kernel world: how each is asked, the answer, theory

One-pass SGD on power-law kernel regression; all modes, label noise 1, batch 1 where nothing else is
said; a problem is (source, capacity), risks are those above the irreducible one. *Answer* is what
the commands below print with `--json`, in the exact mean dynamics, or a line of Python where no
command asks it; *theory* the closed form, or the functional scaling law with nothing fitted
(`--method fsl`).
"""

import contextlib
import io
import json
import math
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from losslaw.cli.main import run
from losslaw.kernel import KernelRegression, long_constant
from losslaw.kernel.agreement import (
    cap,
    final_risk,
    growing_run,
    largest_batch_pair,
    switch_pair,
    two_stage_run,
)
from losslaw.kernel.theory import Exponents
from validation.page import markdown


@dataclass
class Desk:
    """Where a question is asked: it remembers how."""

    asked: list[str] = field(default_factory=list)

    def ask(self, command: str) -> dict[str, Any]:
        """What ``losslaw COMMAND --json`` prints; ``error`` is its line if it refuses."""
        if command not in self.asked:
            self.asked.append(command)
        out, complaint = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
            status = run([*shlex.split(command), "--json"])
        if status:
            return {"error": complaint.getvalue().strip().removeprefix("losslaw: ")}
        return json.loads(out.getvalue())

    def theory(self, source: float, capacity: float, budget: float, more: str) -> dict[str, Any]:
        """``losslaw theory``."""
        power = round(math.log10(budget))
        problem = f"--source {source:g} --capacity {capacity:g} --budget 1e{power}"
        return self.ask(f"theory {problem} {more}".strip())

    def curve(self, source: float, capacity: float, schedule: str, more: str = "") -> np.ndarray:
        """Steps and excess risks of ``losslaw simulate``. Shape ``(2, m)``."""
        problem = f"--source {source:g} --capacity {capacity:g} --schedule {schedule}"
        found = self.ask(f"simulate {problem} {more}".strip())
        return np.array([found["step"], found["excess"]])

    def end(self, source: float, capacity: float, schedule: str, more: str = "") -> float:
        """The last of them."""
        return float(self.curve(source, capacity, schedule, more)[1, -1])


def last_slope(curve: np.ndarray) -> float:
    """Slope of a risk over the last decade of a run."""
    (step, risk), at = curve, int(np.searchsorted(curve[0], curve[0, -1] / 10))
    return float(np.log(risk[-1] / risk[at]) / np.log(step[-1] / step[at]))


def exponent(found: dict[str, Any]) -> float:
    """The exponent that theory has for the risk of the only schedule asked about."""
    return found["schedules"][0]["risk"]["power"]["exponent"]


def optimum(found: dict[str, Any], kind: str = "exact") -> dict[str, float]:
    """The exact optimum, or the closed one, of the only schedule asked about."""
    return next(iter(found["exact"].values()))[kind]


def compute_optimal(desk: Desk) -> tuple[str, str]:
    """Which model and how much data for C = 10^12, and for a hundred times as much? (1, 2), WSD"""
    near, far = (desk.theory(1, 2, c, "--compute --schedule wsd --exact") for c in (1e12, 1e14))
    one, two = optimum(near), optimum(far)
    closed, later = optimum(near, "closed"), optimum(far, "closed")

    def said(a: dict[str, float], b: dict[str, float]) -> str:
        return (
            f"M {a['modes']:.0f}, D {a['samples']:.3g}, peak {a['peak']:.2g}, cooldown"
            f" {a['cooldown']:.2f}; then M times {b['modes'] / a['modes']:.2f}, D times"
            f" {b['samples'] / a['samples']:.1f}, risk times {b['risk'] / a['risk']:.4f}"
        )

    cost = near["exact"]["wsd"]["cost"]
    return said(one, two), f"{said(closed, later)}; its constants (one) cost {cost:.1%} of risk"


def cooldown(desk: Desk) -> tuple[str, str]:
    """Which cooldown? Share and shape at 10^6 and 10^9 samples, easy (1, 2) and hard (0.5, 4)"""
    answers: list[str] = []
    theories: list[str] = []
    for source, capacity in ((1.0, 2.0), (0.5, 4.0)):
        found = [desk.theory(source, capacity, d, "--schedule wsd --exact") for d in (1e6, 1e9)]
        order = desk.theory(source, capacity, 1e9, "")["ranking"]
        risks = {each["schedule"]: each["exact_risk"] for each in order}
        share = ", ".join(f"{optimum(each)['cooldown']:.3f}" for each in found)
        best = min(risks, key=lambda name: risks[name])
        answers.append(
            f"({source:g}, {capacity:g}): share {share}; lowest at 10^9: {best}, exponential WSD"
            f" {risks['wsd'] / risks[best]:.2f} times it"
        )
        closed = ", ".join(f"{optimum(each, 'closed')['cooldown']:.3f}" for each in found)
        first = order[0]["schedule"]
        theories.append(f"({source:g}, {capacity:g}): {closed}; {first} first")
    return "; ".join(answers), "; ".join(theories)


def warmup(desk: Desk) -> tuple[str, str]:
    """What does a warm-up cost? WSD, 10^5 updates at 0.02 and 0.5 of the largest rate, (1, 2)"""

    def costs(more: str) -> str:
        parts: list[str] = []
        for peak in (0.02, 0.5):
            run = f"wsd:peak={peak:g},horizon=100000,cooldown=0.2"
            none = desk.end(1, 2, run, f"--relative --points 10{more}")
            rises = [
                desk.end(1, 2, f"{run},warmup={w}", f"--relative --points 10{more}") / none - 1
                for w in (1000, 10_000)
            ]
            parts.append(f"{peak:g}: {rises[0]:+.2%} and {rises[1]:+.2%}")
        return "of 1 % and 10 % of the run at " + "; ".join(parts)

    return (
        costs("") + ". It makes no rate stable that is not so without it",
        costs(" --method fsl") + "; of the signal a warm-up of w in N updates leaves s w / 2N more",
    )


def batch_ramp(desk: Desk) -> tuple[str, str]:
    """Does a batch ramp pay? (0.5, 4), 10^9 samples at 0.9 of the largest rate of batch 1"""
    problem, samples = Exponents(0.5, 4.0), 1e9
    lr = cap(problem)
    fixed = {
        2**k: final_risk(problem, long_constant(lr, round(samples / 2**k), 2**k))
        for k in range(0, 24, 2)
    }
    batch = min(fixed, key=lambda b: fixed[b])

    def lowest(risk: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
        found = minimize_scalar(
            lambda log: math.log(risk(math.exp(log))),
            bounds=(math.log(low), math.log(high)),
            method="bounded",
            options={"xatol": 1e-2},
        )
        return math.exp(float(found.x)), math.exp(float(found.fun))

    def switched(large: int) -> tuple[float, float]:
        return lowest(
            lambda n: final_risk(problem, two_stage_run(lr, samples, samples - n, 1, large)),
            10 * large,
            0.9 * samples,
        )

    switches = {large: switched(large) for large in fixed if 1 < large < 10**6}
    large = min(switches, key=lambda b: switches[b][1])
    largest, grown = lowest(
        lambda b: final_risk(problem, growing_run(problem, lr, samples, b)), 1e3, 1e8
    )
    desk.asked.append("reproduce batch-schedule")
    cooled = optimum(desk.theory(0.5, 4, samples, "--schedule wsd-power --exact"))["risk"]
    told = desk.theory(0.5, 4, samples, "")["best"]["batch schedule at a constant rate"]
    power = {each["quantity"]: each["power"] for each in told}
    pairs = (
        switch_pair(problem, (1e8, 1e9)).measured,
        largest_batch_pair(problem, (1e8, 1e9)).measured,
    )
    return (
        f"best constant batch {batch}: risk {fixed[batch]:.2e}; best switch, 1 to {large} with"
        f" {switches[large][0] / samples:.1%} of the samples to go: {switches[large][1]:.2e}; best"
        f" ramp, from 1 to {largest:.2g}: {grown:.2e}; batch 1 and the best cooldown instead:"
        f" {cooled:.2e}. Samples to go grow as D^{pairs[0]:.3f}, the last batch as"
        f" D^{pairs[1]:.3f} (`losslaw.kernel.agreement`; as a study, the first command)",
        f"D^{power['samples after switch']['exponent']:.3f},"
        f" D^{power['largest batch']['exponent']:.3f}; a ramp is a cooldown of lr / B and no"
        " better",
    )


def power_decay(desk: Desk) -> tuple[str, str]:
    """Rates t^-p that know no horizon: which p, and what do they lose? (1, 2), to 10^12 updates"""
    powers = (0.25, 0.5, 0.75)

    def curve(p: float, timescale: int) -> np.ndarray:
        run = f"inverse-power:peak=0.5,horizon=1e12,exponent={p:g},timescale={timescale}"
        return desk.curve(1, 2, run, "--relative --method integrator")

    slopes = [last_slope(curve(p, 10)) for p in powers]
    end = min(float(curve(0.5, timescale)[1, -1]) for timescale in (1, 3, 10, 30))
    best = optimum(desk.theory(1, 2, 1e12, "--schedule wsd --exact"))["risk"]
    constant = optimum(desk.theory(1, 2, 1e12, "--schedule constant --exact"))["risk"]
    each = ", ".join(f"{slope:.3f}" for slope in slopes)
    return (
        f"slopes {each} for p = 1/4, 1/2, 3/4; p = 1/2, its timescale the best of four, ends at"
        f" {end / constant:.2f} times the best constant rate for this horizon, and {end / best:.0f}"
        " times the best WSD",
        ", ".join(f"{-min(1 - p, p):.3f}" for p in powers)
        + ": t^-s is N^-(s (1-p)), noise follows the rate, N^-p; best p = s/(1+s), where the"
        " exponent is that of the best constant rate",
    )


def momentum(desk: Desk) -> tuple[str, str]:
    """Is momentum more than a larger rate? 0.9, WSD of 10^5 updates, (1, 2)"""
    world = KernelRegression(source=1, capacity=2)
    ratios: list[str] = []
    shares = (0.01, 0.1, 0.5)
    for share in shares:
        peak = share * world.largest_lr()
        runs = [f"wsd:peak={p:.6g},horizon=100000,cooldown=0.2" for p in (peak / 10, peak)]
        heavy = desk.curve(1, 2, runs[0], "--momentum 0.9 --points 100")
        plain = desk.curve(1, 2, runs[1], "--points 100")
        stable = int(np.searchsorted(heavy[0], 80_000, side="right")) - 1
        ratios.append(
            f"{heavy[1, stable] / plain[1, stable]:.3f} and {heavy[1, -1] / plain[1, -1]:.3f}"
        )
    limits = [10 * world.largest_lr(b, momentum=0.9) / world.largest_lr(b) for b in (1, 32)]
    return (
        "risk over that of plain SGD at the rate lr / (1 - momentum), before the cooldown and at"
        f" the end, at 0.01, 0.1, 0.5 of the largest: {', '.join(ratios)}. Largest such rate"
        f" {limits[0]:.2f} and {limits[1]:.2f} times that of SGD at batch 1 and 32"
        " (`largest_lr(batch, momentum=0.9)`)",
        "1 to the lowest order in the rate; at larger rates momentum makes less noise, and is"
        " stable further",
    )


def misspecified(desk: Desk) -> tuple[str, str]:
    """What if the target is not in the space (s < 1), or not the one a run was tuned for?"""
    found = [desk.theory(0.3, 2, d, "--schedule wsd --exact") for d in (1e11, 1e12)]
    slope = math.log10(optimum(found[1])["risk"] / optimum(found[0])["risk"])
    largest = KernelRegression(source=0.3, capacity=2).largest_lr()
    peaks = ", ".join(f"{optimum(each)['peak'] / largest:.2f}" for each in found)
    losses: list[float] = []
    for d in (1e9, 1e12):
        tuned = optimum(desk.theory(1, 2, d, "--schedule wsd --exact"))
        right = optimum(desk.theory(0.5, 2, d, "--schedule wsd --exact"))["risk"]
        run = (
            f"wsd:peak={tuned['peak']:.6g},horizon={d:.0f},cooldown={tuned['cooldown']:.4f},"
            f"decay=exponential,final={tuned['peak'] / d:.4g}"
        )
        losses.append(desk.end(0.5, 2, run, "--method integrator --points 10") / right)
    grows = math.log10(losses[1] / losses[0]) / 3
    return (
        f"s = 0.3, 10^11 to 10^12 samples: exponent {slope:.3f}, best peaks {peaks} of the largest."
        f" Tuned for s = 1 where s = 0.5: risk {losses[0]:.1f} and {losses[1]:.0f} times the best"
        f" at 10^9 and 10^12 samples, as D^{grows:.2f}",
        f"exponent {exponent(found[1]):.3f}; a peak of D^(-1/3) leaves"
        " signal D^(-s 2/3) = D^(-1/3) where D^(-1/2) could be: D^0.17, its logarithm aside",
    )


def noiseless(desk: Desk) -> tuple[str, str]:
    """And without label noise? Constant rate at half the largest, slopes at 10^8, capacity 2"""
    sources = (0.5, 1.0, 1.5, 2.0)
    run = "constant:peak=0.5,horizon=1e8"
    slopes = [
        last_slope(desk.curve(s, 2, run, "--relative --method integrator --noise 0"))
        for s in sources
    ]
    return (
        f"{', '.join(f'{slope:.3f}' for slope in slopes)} for s = 0.5, 1, 1.5, 2",
        f"{', '.join(f'{-min(s, 1.5):.3f}' for s in sources)}: min(s, 2 - 1/beta)",
    )


def saturation(desk: Desk) -> tuple[str, str]:
    """Which decays cannot use the capacity? (1, 4), best peaks, slopes from 10^15 to 10^16"""
    measured: list[str] = []
    known: list[str] = []
    for schedule in ("linear", "cosine", "power"):
        near, far = (desk.theory(1, 4, d, f"--schedule {schedule} --exact") for d in (1e15, 1e16))
        slope = math.log10(optimum(far)["risk"] / optimum(near)["risk"])
        measured.append(f"{schedule} {slope:.3f}")
        known.append(f"{exponent(far):.3f}")
    return ", ".join(measured), f"{', '.join(known)}: capacity counts as min(beta, g + 1)"


def phase(desk: Desk) -> tuple[str, str]:
    """In which phase is a problem? With label noise, and without it at capacities down to .4"""
    sides = [
        desk.theory(source, capacity, 1e9, "--schedule wsd")["regime"]
        for source, capacity in ((1, 2), (0.5, 4), (0.3, 2))
    ]
    ask = "--noise 0 --compute --exact"
    quiet = [
        desk.theory(2, 1.5, 1e12, f"{ask} --schedule wsd"),
        *(desk.theory(2, capacity, 1e12, ask) for capacity in (0.8, 0.4)),
    ]
    names = ", ".join(side["name"] for side in sides)
    bounds = ", ".join(f"{side['boundary']:.3g}" for side in sides)
    phases = ", ".join(each["phase"]["name"] for each in quiet)
    slopes = ", ".join(f"{each['frontier']['risk']['measured']:.3f}" for each in quiet)
    limits = ", ".join(f"{each['frontier']['risk']['predicted']:.3f}" for each in quiet)
    return (
        f"(1, 2), (0.5, 4), (0.3, 2): {names}. Noise 0, (2, 1.5), (2, 0.8), (2, 0.4): {phases};"
        f" compute-optimal slopes from 10^11 to 10^12 {slopes}",
        f"easy from s = 1 - 1/beta on: {bounds}. Slopes {limits}",
    )


QUESTIONS = (
    compute_optimal,
    cooldown,
    warmup,
    batch_ramp,
    power_decay,
    momentum,
    misspecified,
    noiseless,
    saturation,
    phase,
)


def table() -> str:
    """The table, and below it the commands."""
    begun = time.process_time()
    rows: list[list[str]] = []
    commands: list[str] = []
    for i, question in enumerate(QUESTIONS, 1):
        desk = Desk()
        answer, theory = question(desk)
        text = (question.__doc__ or "").strip()
        rows.append([str(i), text, answer, theory])
        commands += [f"## {i}. {text}", "", "```sh"]
        commands += [f"losslaw {command}" for command in desk.asked]
        commands += ["```", ""]
    lines = markdown(("", "question", "answer", "theory"), rows)
    spent = f"{time.process_time() - begun:.0f} s of processor time in all."
    return "\n".join([*lines, "", *commands, spent])
