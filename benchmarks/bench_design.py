"""Design: a fitted law to its best schedule.

*Published parameters* are those of the multi-power law for three model sizes, its search over
24,000 updates at peak 3e-4 with the warm-up as intrinsic time only, rates that do not rise, floor
1e-10. `Adam` is what 10,000 steps of Adam on the rates reach with the code published beside the law
and `blocks` a quasi-Newton search over blocks of updates; `one jump` the best single fall of the
rate. The law scores a whole fall at the rate after it: its best schedule is a staircase, which
searches of smooth schedules pass by.

*Growth* is the free form of the effective-rate law by its horizon (warm-up a tenth, peak 3e-4);
`gradient` one loss with its gradient by every rate. A search computes 100 to 200 of them, most on
blocks of updates, whose number does not grow with the horizon; what limits the others is the memory
that their arrays of n numbers pass through.

*Families* have their best setting of all knobs in 24,000 updates; `costs` is how much higher they
end than the free form.
"""

import losslaw as ll
from benchmarks.clock import best_of, markdown, seconds
from losslaw.designing import FAMILIES
from losslaw.designing.free_form import best_stairs
from losslaw.designing.task import Constraints, final_loss, pose

# arXiv:2503.12811: L0, A, alpha, B, C, beta, gamma.
PUBLISHED = {
    "25M": (3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812, 0.58279013, 0.64142257),
    "100M": (2.6514477, 0.60115152, 0.45295811, 437.9464276, 2.13245612, 0.59785199, 0.65523644),
    "400M": (2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457),
}
NAMES = ("L0", "A", "alpha", "B", "C", "beta", "gamma")
# Measured with that code, and with a search over blocks of updates.
ADAM = {"25M": 3.14974, "100M": 2.79406, "400M": 2.53344}
BLOCKS = {"25M": 3.14818, "100M": 2.79247, "400M": 2.53155}
EFFECTIVE = ll.Effective(L0=2.6, A=0.5, N=47.0)


def published() -> str:
    """Three sizes, their lowest predicted losses."""
    rows: list[list[str]] = []
    for size, values in PUBLISHED.items():
        law = ll.MultiPower(**dict(zip(NAMES, values, strict=True)))
        limits = dict(horizon=24_000, peak=3e-4, warmup=2160, floor=1e-10)
        found = ll.design(law, **limits)
        one = best_stairs(pose(law, Constraints(**limits)), 1)
        rows.append(
            [
                size,
                f"{ADAM[size]:.5f}",
                f"{BLOCKS[size]:.5f}",
                f"{law.predict(one, [24_000])[0]:.5f}",
                f"{found.loss:.5f}",
                str(found.evaluations),
                seconds(best_of(2, lambda law=law, limits=limits: ll.design(law, **limits))),
            ]
        )
    return markdown(["size", "Adam", "blocks", "one jump", "design", "losses", "time"], rows)


def growth() -> str:
    """The free form by its horizon."""
    rows: list[list[str]] = []
    for horizon in (1000, 3000, 10_000, 30_000, 100_000):
        limits = dict(horizon=horizon, peak=3e-4, warmup=horizon // 10)
        found = ll.design(EFFECTIVE, **limits)
        one = best_of(5, lambda found=found: final_loss(EFFECTIVE, found.schedule))
        whole = best_of(2, lambda limits=limits: ll.design(EFFECTIVE, **limits))
        rows.append(
            [
                f"{horizon:,}",
                seconds(one),
                str(found.evaluations),
                seconds(whole),
                f"{found.gap or 0.0:.0e}",
                f"{found.gain:.5f}",
            ]
        )
    header = ["updates", "gradient", "losses", "design", "gap, nats", "gain over the best usual"]
    return markdown(header, rows)


def laws() -> str:
    """One loss with its gradient, each law."""
    rows: list[list[str]] = []
    for name, law in ll.LAWS.items():
        asked = law(**dict.fromkeys(law.amplitudes(), 1.0))
        row = [name]
        for horizon in (10_000, 100_000):
            run = ll.wsd(peak=3e-4, horizon=horizon, warmup=1000, final=1e-6, weight_decay=0.1)
            row.append(seconds(best_of(5, lambda asked=asked, run=run: final_loss(asked, run))))
        rows.append(row)
    return markdown(["law", "10,000 updates", "100,000 updates"], rows)


def families() -> str:
    """Every family, its best setting."""
    limits = dict(horizon=24_000, peak=3e-4, warmup=2160)
    free = ll.design(EFFECTIVE, **limits).loss
    rows: list[list[str]] = []
    for name in FAMILIES:
        found = ll.design(EFFECTIVE, **limits, family=name)
        time = best_of(2, lambda name=name: ll.design(EFFECTIVE, **limits, family=name))
        knobs = ", ".join(f"{knob} {value:.3g}" for knob, value in found.knobs.items())
        rows.append(
            [name, knobs, str(found.evaluations), seconds(time), f"{found.loss - free:+.5f}"]
        )
    return markdown(["family", "setting", "losses", "time", "costs"], rows)


def table() -> str:
    """All of it."""
    return "\n\n".join(
        [
            f"### Published parameters\n\n{published()}",
            f"### Growth\n\n{growth()}",
            f"### A loss with its gradient\n\n{laws()}",
            f"### Families\n\n{families()}",
        ]
    )


if __name__ == "__main__":
    print(table())
