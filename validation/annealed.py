"""What stable runs are worth: annealed losses and their differences, against real cooldowns.

Public stable runs are cut where a cooldown left them, and `losslaw.annealed` is asked, knowing
nothing after the cut, for the loss at the end of that cooldown: linear or 1-sqrt to 0, over 10, 20
and 40 % of the whole, at four horizons. *Jointly*: the stable runs of several peaks together.
*Singly*: each by itself (`group_by="label"`). *With one decay*: an earlier, shorter run at one of
the peaks, that decays. Differences are between all pairs of a question, except of the repeats of a
run. *Raw*: the last losses of the logs instead of annealed ones.

Errors are predicted minus observed last losses, in nats. *Right*: share of the pairs that end
further apart than .005 whose order is foretold; *said*: share of all pairs of which `losslaw` says
that one is better; *wrong*: how many of these are not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from rich.progress import track

from losslaw.annealing import Annealed, annealed
from losslaw.curves import LossCurve
from losslaw.drawing.axes import legend
from losslaw.drawing.style import FAINT, cycled, dressed, new_figure
from losslaw.views.annealed import plot_annealed
from validation.away_protocols import SHAPES, cooldown_ends, track3
from validation.page import markdown, save
from validation.protocols import PEAKS, SIZES, public, schaipp, schaipp_labels
from validation.public_runs import labels, missing, read

# Differences below this are not asked to be ordered.
TELLING = 0.005
HORIZONS = ("15000", "25000", "35000", "50000")
WIDE = ("0.0001", *PEAKS, "0.003")


@dataclass(frozen=True)
class Case:
    """Stable runs, and how each ended that was annealed from where it is cut.

    Attributes:
        runs: The runs, whole.
        ends: The run that each became, by label.
        shape: Of the cooldowns.
        earlier: Earlier runs that are known.
        options: Of `losslaw.annealed`.
    """

    runs: Sequence[LossCurve]
    ends: dict[str, LossCurve]
    shape: str = "linear"
    earlier: Sequence[LossCurve] = ()
    options: dict[str, object] = field(default_factory=dict[str, object])

    def cut(self) -> tuple[list[LossCurve], int, int]:
        """The runs up to where the cooldowns leave them, that step, and the cooldowns' length."""
        lr = next(iter(self.ends.values())).schedule.lr
        at = int(np.flatnonzero(lr >= lr.max() * (1 - 1e-6))[-1]) + 1
        parts = [run.until(at) for run in self.runs]
        cut = [part.with_(schedule=part.schedule.prefix(at)) for part in parts]
        return cut, at, lr.size - at


@dataclass
class Tally:
    """What came out."""

    errors: list[float] = field(default_factory=list[float])
    inside: list[bool] = field(default_factory=list[bool])
    halves: list[float] = field(default_factory=list[float])
    gaps: list[tuple[float, float, bool, float, bool]] = field(
        default_factory=list[tuple[float, float, bool, float, bool]]
    )
    raw_gaps: list[float] = field(default_factory=list[float])

    def add(self, result: Annealed, ends: dict[str, LossCurve], at: int) -> None:
        """Count the answers of one question."""
        seen = {label: float(run.loss[-1]) for label, run in ends.items()}
        for run in result.runs:
            if run.label not in seen or run.interval is None:
                continue
            assert run.at <= at
            self.errors.append(run.loss - seen[run.label])
            self.inside.append(run.interval.holds(seen[run.label]))
            self.halves.append(run.interval.half_width)
        raw = {run.label: run.raw for run in result.runs}
        for pair in result.pairs:
            if pair.a in seen and pair.b in seen and pair.interval is not None:
                truth = seen[pair.a] - seen[pair.b]
                holds = pair.interval.holds(truth)
                said = pair.verdict != "not told apart"
                self.gaps.append((pair.difference, truth, holds, pair.interval.half_width, said))
                self.raw_gaps.append(raw[pair.a] - raw[pair.b] - truth)

    def row(self) -> list[str]:
        """The numbers of a table."""
        cells = [
            str(len(self.errors)),
            _rms(self.errors),
            f"{np.mean(self.inside):.2f}",
            f"{np.mean(self.halves):.3f}",
        ]
        if not self.gaps:
            return [*cells, *[""] * 7]
        found, truth, holds, halves, said = map(np.array, zip(*self.gaps, strict=True))
        far = np.abs(truth) > TELLING
        right = f"{np.mean(found[far] * truth[far] > 0):.2f} of {far.sum()}" if far.any() else ""
        wrong = int((said & (found * truth < 0)).sum())
        return [
            *cells,
            str(len(self.gaps)),
            _rms((found - truth).tolist()),
            _rms(self.raw_gaps),
            f"{np.mean(holds):.2f}",
            f"{np.mean(halves):.3f}",
            right,
            f"{np.mean(said):.2f} ({wrong} wrong)",
        ]


def _rms(errors: Sequence[float]) -> str:
    return f"{np.sqrt(np.mean(np.square(errors))):.4f}"


def stable(peak: str) -> LossCurve:
    """The stable run of a peak, 124M."""
    return schaipp(f"124M_constant_peak{peak}_T50000")


def one_model(
    peaks: Sequence[str], *, decay: bool = False, singly: bool = False, shares: str = "124"
) -> Iterator[Case]:
    """Stable runs of 124M at several peaks, and their cooldowns."""
    earlier = [schaipp("124M_wsd-linear-0.2_peak0.001_T15000")] if decay else []
    kinds = [("linear", "linear", f"0.{share}") for share in shares] + [("sqrt", "1-sqrt", "0.2")]
    for horizon in HORIZONS:
        for word, shape, share in kinds:
            named = {
                peak: f"124M_wsd-{word}-{share}_peak{peak}_T{horizon}"
                for peak in peaks
                if schaipp_labels(f"124M_wsd-{word}-{share}_peak{peak}_T{horizon}")
            }
            known = {run.label for run in earlier}
            ends = {
                stable(peak).label: schaipp(label)
                for peak, label in named.items()
                if label not in known
            }
            if ends:
                options: dict[str, object] = {"group_by": "label"} if singly else {}
                yield Case([stable(peak) for peak in named], ends, shape, earlier, options)


def sizes() -> Iterator[Case]:
    """Stable runs of 25M, 100M and 400M given together, cut at 20,000 of 24,000 updates."""
    runs = [public(size, "constant_72000").with_(label=size) for size in SIZES]
    yield Case(runs, {size: public(size, "wsdld_20000_24000") for size in SIZES})


def other_sizes() -> Iterator[Case]:
    """Stable runs of 33M, 93M and 209M, each by itself."""
    for size in ("33M", "93M", "209M"):
        (label,) = schaipp_labels(f"{size}_constant_*")
        for end in schaipp_labels(f"{size}_wsd-linear-0.2_*"):
            yield Case([schaipp(label)], {label: schaipp(end)})


def two_shapes() -> Iterator[Case]:
    """Two shapes of a model, each stable at two rates known only relatively; 10 % cooldowns."""
    for n in range(3, 10):
        runs: list[LossCurve] = []
        ends: dict[str, LossCurve] = {}
        for shape in SHAPES:
            runs += [read("gemstones", f"{kind}_{shape}") for kind in ("hot", "halflr")]
            ends[f"hot_{shape}"] = cooldown_ends(shape)[n][0]
        yield Case(runs, ends, options={"group_by": "1024x28|512x12", "skip": 900})


def optimizers() -> Iterator[Case]:
    """Muon at two rates, cut where their cooldowns over 70 % begin."""
    for name in labels("track3", "muon*_mean_of_*"):
        yield Case([track3(name)], {name: track3(name)}, options={"skip": 300})


def other_task() -> Iterator[Case]:
    """Image tokens: a constant run, and its decay over the last 20 %."""
    run = read("cifar5m", "const1_D1024_T10B")
    yield Case([run], {run.label: read("cifar5m", "linear0.2_D1024_T10B")}, options={"skip": 2000})


QUESTIONS: dict[str, tuple[str, Callable[[], Iterator[Case]]]] = {
    "5e-4, 1e-3, 2e-3 jointly, 20 %": ("schaipp_llama_val", lambda: one_model(PEAKS, shares="2")),
    "5e-4, 1e-3, 2e-3 jointly, all": ("schaipp_llama_val", lambda: one_model(PEAKS)),
    "with one decay at 1e-3": ("schaipp_llama_val", lambda: one_model(PEAKS, decay=True)),
    "singly": ("schaipp_llama_val", lambda: one_model(PEAKS, singly=True)),
    "1e-4 to 3e-3 jointly": ("schaipp_llama_val", lambda: one_model(WIDE)),
    "the same with one decay": ("schaipp_llama_val", lambda: one_model(WIDE, decay=True)),
    "1e-4 and 3e-3 singly": (
        "schaipp_llama_val",
        lambda: one_model((WIDE[0], WIDE[-1]), singly=True),
    ),
    "25M, 100M, 400M together": ("mpl_llama2", sizes),
    "33M, 93M, 209M singly": ("schaipp_llama_val", other_sizes),
    "two shapes, two relative rates": ("gemstones", two_shapes),
    "Muon": ("track3", optimizers),
    "image tokens": ("cifar5m", other_task),
}


def tally(cases: Sequence[Case]) -> Tally:
    """Ask every question of a kind."""
    out = Tally()
    for case in cases:
        runs, at, over = case.cut()
        result = annealed(
            runs,
            over=over,
            shape=case.shape,
            earlier=list(case.earlier),
            against=None,
            **case.options,  # pyright: ignore[reportArgumentType]
        )
        out.add(result, case.ends, at)
    return out


def figure() -> Figure:
    """What three stable runs were worth along their way, and the cooldowns that were run."""
    runs = [part.with_(schedule=part.schedule.prefix(40_000)) for part in _until(40_000)]
    result = annealed(runs, over=0.25, path=True)
    drawn = new_figure(4.6, 3.4)
    names = [f"peak {peak}" for peak in PEAKS]
    ax = plot_annealed(result, dressed(drawn.add_subplot()), names=names)
    for i, peak in enumerate(PEAKS):
        ends = [schaipp(f"124M_wsd-linear-0.2_peak{peak}_T{horizon}") for horizon in HORIZONS]
        at = [0.8 * run.schedule.horizon for run in ends]
        last = [float(run.loss[-1]) for run in ends]
        ax.plot(at, last, **cycled(i, marks=True, ls="none", ms=6, mfc="none"))
    ax.plot([], [], "o", ms=6, mfc="none", color=FAINT, label="cooldowns run")
    legend(ax)
    ax.set_ylim(2.9, 3.35)
    return drawn


def _until(step: int) -> list[LossCurve]:
    return [stable(peak).until(step) for peak in PEAKS]


def table() -> str:
    """All of it."""
    save(figure(), "annealed.png")
    head = ["question", "runs", "RMS", "inside", "half-width", "pairs", "RMS", "raw", "inside"]
    head += ["half-width", "right", "said"]
    rows: list[list[str]] = []
    for name, (needs, cases) in track(list(QUESTIONS.items()), description="annealed"):
        gap = missing(needs)
        if gap:
            rows.append([name, gap, *[""] * (len(head) - 2)])
            continue
        rows.append([name, *tally(list(cases())).row()])
    return "\n".join(markdown(head, rows))
