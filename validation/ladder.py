"""Ladders of three sizes: ends without a cooldown, or with another one, corrected to one cooldown.

The runs of the multi-power paper's models (25M, 100M and 400M parameters, 24,000 updates). The ends
that are corrected are those of runs at a constant rate, of cosines, and of ladders in which the
sizes differ; the common cooldown is that of the WSD runs (exponential to a tenth of the peak in the
last 4,000 updates), whose measured ends are the truth.

*Error*: the loss less the truth, root mean square over the sizes. *Between sizes*: standard
deviation of the errors, which is what bends a law of size. *As ended*: losses as they are.
*Corrected*: `losslaw.ladder`, which fits all sizes as a family and adds the law's difference to the
end. *Law alone*: the same fit, its own loss taken for the end. *Apart*: corrected likewise, but
each size fitted by itself. *Inside*: corrected ends whose 90 % interval holds the truth. *400M from
two*: error of the loss of 400M that the law of size through the other two rungs foretells, as ended
and corrected; the row of the WSD runs themselves has what that law errs by through true ends.
"""

import numpy as np

import losslaw as ll
from losslaw.annealing.cooldown import Cooldown
from losslaw.curves import LossCurve
from losslaw.fitting.final_loss import FinalLoss, difference
from losslaw.fleets.ladder import common
from validation.page import markdown
from validation.public_runs import read

SIZES = ("25M", "100M", "400M")
PARAMETERS = {"25M": 2.5e7, "100M": 1e8, "400M": 4e8}
UPDATES = 24_000
WANTED = {"over": 4000, "shape": "exponential", "final": 3e-5}
LADDERS = {
    "constant": ("constant_24000",) * 3,
    "constant, cut from 72,000": ("constant_72000",) * 3,
    "cosine": ("cosine_24000",) * 3,
    "constant, cosine, constant": ("constant_24000", "cosine_24000", "constant_24000"),
    "cosine, WSD, constant": ("cosine_24000", "wsd_20000_24000", "constant_24000"),
    "WSD": ("wsd_20000_24000",) * 3,
    "constant, WSD, cosine": ("constant_24000", "wsd_20000_24000", "cosine_24000"),
}


def run(size: str, name: str) -> LossCurve:
    """A run up to the common number of updates."""
    curve = read("mpl_llama2", f"{size}_{name}", warmup=2160)
    return curve.with_(model_size=PARAMETERS[size]).until(UPDATES)


def table() -> str:
    """A row for each ladder."""
    truth = np.array([run(size, "wsd_20000_24000").final_loss for size in SIZES])
    rows: list[list[str]] = []
    for name, kinds in LADDERS.items():
        runs = [run(size, kind) for size, kind in zip(SIZES, kinds, strict=True)]
        result = ll.ladder(runs, **WANTED)
        ended = np.array([rung.ended for rung in result.rungs])
        corrected = np.array([rung.corrected for rung in result.rungs])
        inside = sum(
            rung.interval is not None and rung.interval.holds(loss)
            for rung, loss in zip(result.rungs, truth, strict=True)
        )
        two = ll.ladder(runs[:2], **WANTED, next_size=PARAMETERS["400M"])
        assert two.after is not None
        foretold = [law.loss(PARAMETERS["400M"]) for law in (two.before, two.after)]
        row = [name]
        for losses in (ended, corrected, alone(runs), apart(runs)):
            off = losses - truth
            row += [f"{np.sqrt(np.mean(off**2)):.4f}", f"{off.std():.4f}"]
        row.append(f"{inside} of 3")
        row += [f"{loss - truth[2]:+.3f}" for loss in foretold]
        rows.append(row)
    header = ["ladder", "as ended", "between sizes", "corrected", "between sizes"]
    header += ["law alone", "between sizes", "apart", "between sizes", "inside"]
    return "\n".join(markdown([*header, "400M from two, as ended", "corrected"], rows))


def alone(runs: list[LossCurve]) -> np.ndarray:
    """The law's own losses with the common cooldown, of a fit of all sizes."""
    fit = ll.fit(runs)
    wanted = [common(each, Cooldown(**WANTED)) for each in runs]
    return np.array(
        [
            FinalLoss.of(fit.settled(end, each.model_size), end, each.model_size).loss
            for each, end in zip(runs, wanted, strict=True)
        ]
    )


def apart(runs: list[LossCurve]) -> np.ndarray:
    """Ends corrected by fits of each size by itself."""
    out: list[float] = []
    for each in runs:
        wanted = common(each, Cooldown(**WANTED))
        fit = ll.fit(each).settled(wanted)
        had = each.schedule.prefix(int(each.steps[-1]))
        one, other = (FinalLoss.of(fit, end) for end in (wanted, had))
        out.append(each.final_loss + difference(one, other, 0.9).loss)
    return np.array(out)
