"""What every command prints with ``--json``: its form, from which its JSON Schema is made.

One type a command. A key means what the docstring of the record that is printed says of the
attribute of that name; other keys are explained here. Records that are printed field by field
stand here themselves. Ends that an interval has not, and numbers that JSON cannot say, are
``null``.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from losslaw.advising.record import Advice, Option
from losslaw.annealing.record import Annealed, AnnealedRun, Pair, Path
from losslaw.continuing.record import Comparison as Held
from losslaw.continuing.record import Continued, WayOn
from losslaw.curves import LossCurve
from losslaw.designing.batch_growth import BatchDesign
from losslaw.designing.record import Design, Simple, Start
from losslaw.designing.run_length import Horizon
from losslaw.designing.run_length import Pair as SizeAndRun
from losslaw.exporting.job import Exported
from losslaw.fitting.compare import Comparison, LawScore
from losslaw.fitting.ground import Ground
from losslaw.fitting.mixture import Member, Mixture, Tested
from losslaw.fitting.prediction import FittedCurve, Prediction
from losslaw.fitting.profile import Profile
from losslaw.fitting.record import Fit
from losslaw.fitting.saved import (
    SavedCurve,
    SavedFit,
    SavedGround,
    SavedMember,
    SavedMixture,
    SavedTest,
    SavedUncertainty,
)
from losslaw.fitting.score import CurveScore, Scores
from losslaw.fitting.trust import Trust, TrustStatus
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.fleets.fleet_record import Fleet, FleetRun
from losslaw.fleets.ladder_record import Ladder, Rung
from losslaw.forecasting.band import Band
from losslaw.forecasting.record import Ending, Forecast
from losslaw.kernel.agreement.optimum import Optimum
from losslaw.kernel.agreement.phases import Frontier
from losslaw.kernel.agreement.ranking import ExactOptimum, Rank
from losslaw.kernel.measured import Measured, Slope
from losslaw.kernel.sweeps.engine import Outcome
from losslaw.kernel.theory.phases import Phase
from losslaw.kernel.theory.powers import Power
from losslaw.kernel.theory.records import Regime, Relation
from losslaw.kernel.theory.scaling import Scaling
from losslaw.lab.config import LabConfig
from losslaw.merging.record import Merge, MergeForecast
from losslaw.reporting import HtmlReport

Numbers = list[float | None]


class LawShare(TypedDict):
    """A law of a mixture, and what it counts.

    Attributes:
        name: The law in words.
        law: Name of its formula.
        weight: What it counts, a share.
    """

    name: str
    law: str
    weight: float


class Foretold(TypedDict):
    """A part of the logs that was kept back, and the errors of the laws, in nats.

    Attributes:
        what: Which part, in words.
        rmse: Root mean square error of each law; ``null``: it could not be asked.
    """

    what: str
    rmse: dict[str, float | None]


class TrustAnswer(TypedDict):
    """What stands behind an answer."""

    status: TrustStatus
    sentence: str
    members: list[LawShare]
    foretold: list[Foretold]
    refused: bool


class Ends(TypedDict):
    """The ends of an interval.

    Attributes:
        lower: Lower end; ``null``: none is known.
        upper: Upper end; ``null``: none is known, or it has no end.
    """

    lower: float | None
    upper: float | None


class Skipped(TypedDict):
    """Rows that were left out.

    Attributes:
        rows: How many.
        why: In words.
    """

    rows: int
    why: str


class Run(TypedDict):
    """One run as it was read; ``null`` where something is not known.

    Attributes:
        format: Kind of log.
        points: Losses in it.
        first_step: First step with a loss.
        last_step: Last step with a loss.
        first_loss: Loss there.
        last_loss: Loss there.
        horizon: Updates of its schedule.
        planned: Updates that the log says the run will have.
        loss_is: ``instant`` or ``mean`` since the row before.
        window: Updates that most losses are the mean over.
        lr_is: Whether a logged rate is of the update done (``used``) or ``next``.
        losses: Columns that hold losses, the one that was read first.
        skipped: Rows that were left out.
        peak_lr: Largest rate.
        final_lr: Last rate.
        schedule: The schedule that was recognised, as text.
        complete: Whether the log goes to its end.
        deviation: How far its rates are off that schedule, in peaks.
        warmup: Updates of warm-up.
        weight_decay: Decoupled weight decay; two numbers: lowest and highest.
        batch: Sequences in each update; two numbers: lowest and highest.
        optimizer: What trained the model.
        final_loss: Mean of the last three losses.
    """

    label: str
    format: str | None
    points: int
    first_step: int
    last_step: int
    first_loss: float
    last_loss: float
    horizon: int
    planned: int | None
    loss_is: str
    unit: str
    window: int | None
    lr_is: str | None
    losses: list[str]
    skipped: list[Skipped]
    peak_lr: float
    final_lr: float
    schedule: str | None
    complete: bool | None
    deviation: float | None
    warmup: int
    weight_decay: float | list[float] | None
    batch: float | list[float] | None
    model_size: float | None
    optimizer: str | None
    final_loss: float
    assumptions: list[str]
    warnings: list[str]


class InspectAnswer(TypedDict):
    """What is in logs.

    Attributes:
        curves: One for each run.
    """

    curves: list[Run]


@dataclass(frozen=True, kw_only=True)
class FitAnswer(SavedFit):
    """A fit: the file that ``-o`` writes, which other commands read.

    Attributes:
        format: Always ``losslaw.fit``.
        version: Version of the file.
        law: Name of the law; of a mixture the one with most weight.
        parameters: Its parameters.
        settings: Its settings.
        free: Shapes that were searched.
        status: How the fit ended, in words, with its doubts.
        converged: Whether the search met its tolerances.
        doubts: What to know before using it.
        misfit: Which curves it misses; empty if none.
        errors: Standard deviations of the parameters; ``null``: not known.
        choice: Not used any more.
        recipe: How the mixture has it.
        uncertainty: What intervals are made of.
        sizes: Amplitudes of each of several model sizes.
        trust: What stands behind its answers; ``null`` where one law answers alone.
    """

    status: str = ""
    errors: dict[str, float | None] | None = None
    trust: TrustAnswer | None = None


class PredictAnswer(TypedDict):
    """Predicted losses of one schedule; lists of one length.

    Attributes:
        step: Updates.
    """

    step: list[int]
    loss: list[float]
    lower: Numbers | None
    upper: Numbers | None
    level: float
    unit: str
    warnings: list[str]
    trust: TrustAnswer | None


class ScoreAnswer(TypedDict):
    """Errors on runs.

    Attributes:
        mean: Means over the runs, of each measure.
    """

    trust: TrustAnswer | None
    curves: list[CurveScore]
    mean: dict[str, float | None]
    skipped: list[str]
    unseen: bool
    level: float
    unit: str


class LawAnswer(TypedDict):
    """Errors of one law on schedules left out, in nats.

    Attributes:
        curves: Root mean square error of each run.
        rmse: Root mean square error, mean over the runs.
        worst_rmse: The largest of a run.
        final_error: Error of the end, mean size over the runs.
        worst_final_error: The largest of a run.
    """

    law: str
    rmse: float | None
    worst_rmse: float | None
    final_error: float | None
    worst_final_error: float | None
    curves: dict[str, float | None]


class CompareAnswer(TypedDict):
    """Which law errs least."""

    trust: TrustAnswer | None
    laws: list[LawAnswer]
    curves: int
    unit: str
    notes: list[str]


class EndingAnswer(Ends):
    """One way to end a run."""

    when: Literal["now", "later"]
    start: int
    over: int
    steps: int
    loss: float
    gain: float
    within: bool | None


class Final(TypedDict):
    """Loss and rate at the horizon, on the plan; ``null`` without a horizon.

    Attributes:
        loss: Predicted loss.
        lr: Learning rate.
    """

    loss: float | None
    lower: float | None
    upper: float | None
    lr: float | None


class ForecastAnswer(TypedDict):
    """What is to be expected of a run in progress.

    With ``--follow`` a line for each new loss, with ``time``, seconds since 1970.

    Attributes:
        lr: Learning rate there.
        horizon: Updates of the whole run; ``null``: not known.
        knowledge: What the forecast is based on, in words.
        plan: The plan in words.
        final: Where the plan ends.
        path: Predicted losses from now to the horizon.
        best: The ending with the lowest predicted loss; ``null``: the plan's, or none is compared.
        ties: Other endings that do not differ from the best significantly.
        plan_ties: Whether the plan's own ending does not differ from it either.
        now: The decay that is answered first: one of usual length that begins now.
    """

    label: str
    trust: TrustAnswer | None
    step: int
    loss: float
    averaged: int
    lr: float
    horizon: int | None
    level: float
    unit: str
    law: str
    knowledge: str
    plan: str
    final: Final
    band: Band
    decay: str
    endings: list[EndingAnswer]
    best: EndingAnswer | None
    ties: list[EndingAnswer]
    plan_ties: bool | None
    path: PredictAnswer | None
    now: EndingAnswer | None
    changes: list[str]
    notes: list[str]
    warnings: list[str]
    diverged: int | None


class ForecastEndAnswer(TypedDict):
    """The last line of ``forecast --follow``: the run has ended.

    Attributes:
        time: Seconds since 1970.
        step: Its last update.
        loss: Mean of its last three losses.
        done: Always true.
        label: Name of the run.
        horizon: Its updates.
    """

    time: float
    step: int
    loss: float
    done: bool
    label: str
    horizon: int


class CooldownAnswer(TypedDict):
    """The cooldown that is asked about.

    Attributes:
        over: Its length: updates, or a share where below 1.
        shape: Its shape.
        final: Rate at its end.
    """

    over: float
    shape: str
    final: float


class PathAnswer(TypedDict):
    """What a run was worth along its way; lists of one length.

    Attributes:
        at: Where it would have been annealed from.
    """

    at: list[int]
    loss: Numbers
    lower: Numbers | None
    upper: Numbers | None
    raw: Numbers


class WorthAnswer(Ends):
    """What a run is worth."""

    label: str
    model: str
    configuration: str
    at: int
    over: int
    loss: float
    raw: float
    refused: bool
    path: PathAnswer | None


class PairAnswer(Ends):
    """Which of two runs is worth more.

    Attributes:
        sentence: The verdict in words.
    """

    a: str
    b: str
    at: list[int]
    equal: str
    difference: float
    verdict: Literal["a is better", "b is better", "not told apart"]
    needs: str
    caution: str
    sentence: str


class ModelAnswer(TypedDict):
    """Runs that were fitted together.

    Attributes:
        name: What they share.
        runs: Their labels.
        trust: What stands behind them.
    """

    name: str
    runs: list[str]
    trust: TrustAnswer | None


class AnnealedAnswer(TypedDict):
    """What runs are worth if they are annealed from where they are."""

    trust: TrustAnswer | None
    cooldown: CooldownAnswer
    level: float
    unit: str
    runs: list[WorthAnswer]
    pairs: list[PairAnswer]
    models: list[ModelAnswer]
    notes: list[str]
    warnings: list[str]


class HadCooldown(TypedDict):
    """The cooldown that a run had.

    Attributes:
        updates: Its length.
        share: The same as a share of the run.
        left: Share of the peak that was left at its end.
    """

    updates: int
    share: float
    left: float


class RungAnswer(Ends):
    """The end of a run of one size.

    Attributes:
        cooldown: The cooldown that the run had.
    """

    model_size: float
    label: str
    updates: int
    cooldown: HadCooldown
    ended: float
    corrected: float


class Next(Ends):
    """What a law of size foretells of the next size.

    Attributes:
        loss: Predicted loss.
        model_size: Parameters of the model.
    """

    model_size: float
    loss: float


class SizeLawAnswer(TypedDict):
    """A law of size, ``E + F (P / reference)^-b``.

    Attributes:
        errors: Standard deviations of E, F and b.
        next: What it foretells of a larger size.
        E: Loss of a model without limit.
        F: What a model of the reference size is above it.
        b: Power of the size.
        reference: That size.
    """

    E: float
    F: float
    b: float
    errors: dict[str, float | None]
    reference: float
    next: Next


class LadderAnswer(TypedDict):
    """Ends of runs of several sizes, corrected to one cooldown."""

    trust: str | None
    cooldown: CooldownAnswer
    level: float
    unit: str
    rungs: list[RungAnswer]
    before: SizeLawAnswer
    after: SizeLawAnswer | None
    notes: list[str]
    warnings: list[str]


class GroupAnswer(TypedDict):
    """Runs of one model.

    Attributes:
        name: What they share.
        against: The run that others are compared with.
        trust: What stands behind them, in words.
        left_out: Runs that could not be used, and why.
        runs: What each is worth.
        notes: What was assumed, found or left out.
        warnings: Why it deserves less trust than others.
        unit: What losses are measured in, as in `LossCurve`.
    """

    name: str
    runs: list[FleetRun]
    against: str
    trust: str | None
    left_out: list[tuple[str, str]]
    notes: list[str]
    warnings: list[str]
    unit: str


class LeftOut(TypedDict):
    """A run that could not be used.

    Attributes:
        run: Its name.
        why: In words.
    """

    run: str
    why: str


class FleetAnswer(TypedDict):
    """What the runs of several models are worth, group by group.

    Attributes:
        left_out: Logs that could not be used, of all groups and of none.
    """

    cooldown: CooldownAnswer
    level: float
    groups: list[GroupAnswer]
    left_out: list[LeftOut]


class WayAnswer(Ends):
    """One way on.

    Attributes:
        gain_lower: Lower end of the gain.
        gain_upper: Upper end of the gain.
    """

    kind: str
    name: str
    peak: float | None
    rewarmup: int
    cooldown: int
    steps: int
    loss: float
    gain: float
    gain_lower: float | None
    gain_upper: float | None
    told_apart: bool


class HeldAnswer(Ends):
    """One way on beside another."""

    way: str
    over: str
    gain: float


class ContinueAnswer(TypedDict):
    """What updates more would buy.

    Attributes:
        verdict: What to do, in words.
        updates: How many more are asked about.
        shape: Shape of the decay at the end.
        final: Rate at the end.
        against: The way that others are held against.
    """

    trust: TrustAnswer | None
    verdict: str
    label: str
    at: int
    raw: float
    rate: float
    annealed: bool
    updates: int
    shape: str
    final: float
    level: float
    unit: str
    against: str
    ways: list[WayAnswer]
    reheating: HeldAnswer | None
    longer: HeldAnswer | None
    notes: list[str]
    warnings: list[str]


class Told(Ends):
    """A loss with its interval.

    Attributes:
        loss: In nats.
    """

    loss: float


class Decay(Told):
    """A decay in the place of an average.

    Attributes:
        over: Its updates.
        loss: Its final loss, in nats.
    """

    over: int


class MergeOne(Told):
    """An average of checkpoints.

    Attributes:
        decay: A decay over the same updates.
        instead: A decay that begins after the last checkpoint and takes as long.
    """

    checkpoints: int
    first: int
    last: int
    drift: float
    decay: Decay
    instead: Decay
    told_apart: bool


class MergeAnswer(Told):
    """What averages of checkpoints would be worth.

    Attributes:
        loss: Loss of the average of all checkpoints.
        knowledge: What it is based on, in words.
        best: The average with the lowest loss; ``null``: none is compared.
    """

    label: str
    trust: TrustAnswer | None
    step: int
    raw: Told
    weights: str
    level: float
    unit: str
    law: str
    knowledge: str
    decay: str
    measured: float | None
    merges: list[MergeOne]
    best: MergeOne | None
    notes: list[str]
    warnings: list[str]


class OptionAnswer(TypedDict):
    """A run that could be made.

    Attributes:
        run: What to run, in words.
        schedule: The same as text that commands read.
        from_run: The run whose checkpoint it begins from; ``null``: from nothing.
        from_step: Update of that checkpoint.
    """

    run: str
    schedule: str
    updates: int
    share: float
    from_run: str | None
    from_step: int
    half_width: float | None
    parts: dict[str, float | None]


class AdviseAnswer(TypedDict):
    """The cheapest further run that narrows an interval.

    Attributes:
        target_updates: Updates that the target itself would cost.
    """

    trust: TrustAnswer | None
    losses: list[float]
    level: float
    unit: str
    half_width: float | None
    goal: float
    floor: float | None
    parts: dict[str, float | None]
    target_updates: int
    reached: bool
    best: OptionAnswer | None
    from_last: OptionAnswer | None
    options: list[OptionAnswer]
    sentences: list[str]
    law: str


class ProfileOne(Ends):
    """The profile of one parameter; lists of one length.

    Attributes:
        value: Values at which it was held.
        level: Level of the interval.
    """

    parameter: str
    law: str
    value: list[float]
    rise: Numbers
    best: float
    fitted: float
    level: float
    others: dict[str, Numbers]
    sentences: list[str]


class ProfileAnswer(TypedDict):
    """Profiles of parameters.

    Attributes:
        profiles: One for each that was asked for.
    """

    profiles: list[ProfileOne]


class _Rates(TypedDict):
    lr: list[float]


class Rates(_Rates, total=False):
    """A schedule; lists of one length.

    Attributes:
        step: Updates, from 1.
        lr: Rate of each.
        batch: Sequences in each, where that is known.
    """

    step: list[int]
    batch: list[float] | None


class Gain(Ends):
    """How much lower a design ends than a usual schedule, in nats.

    Attributes:
        gain: Negative if it ends higher.
        spec: The usual schedule as text; null where it goes on from a run so far.
    """

    gain: float
    spec: str | None


class SimpleAnswer(TypedDict):
    """A schedule as good as the design, and simpler.

    Attributes:
        spec: The schedule as text.
    """

    name: str
    spec: str | None
    loss: float
    cost: float
    half: float | None


class TunedFamily(TypedDict):
    """A family at its best setting.

    Attributes:
        loss: Its predicted final loss, or its excess risk.
        spec: The schedule as text.
    """

    loss: float
    spec: str | None


class DesignAnswer(Ends):
    """The schedule with the lowest predicted final loss.

    Attributes:
        law: Name of the law whose loss was minimised; ``kernel`` for a problem of the kernel world.
        unit: What losses are measured in, as in `LossCurve`; or ``excess risk``.
        tuned: The families at their best settings, if they were asked for.
        baselines: Final loss of each usual schedule.
        gain: How much lower the design ends than the best of them.
        gains: The same for each of them, with its interval.
        spec: The schedule as text, of a family.
        room: How much lower the loss could be to first order, in nats.
        constraints: What it had to meet.
    """

    loss: float
    trust: TrustAnswer | None
    level: float
    unit: str
    law: str
    family: str
    tuned: dict[str, TunedFamily]
    knobs: dict[str, float]
    baselines: dict[str, float]
    gain: float
    gains: dict[str, Gain]
    simple: SimpleAnswer | None
    spec: str | None
    schedule: Rates
    room: float | None
    starts: list[Start]
    constraints: dict[str, float | bool | None]
    sentences: list[str]
    evaluations: int
    seconds: float


class RunLengthAnswer(TypedDict):
    """The shortest run that reaches a loss.

    Attributes:
        lr: Rate of each update.
    """

    loss: float
    updates: int
    shortest: int | None
    longest: float | None
    trust: TrustAnswer | None
    family: str
    lr: list[float]


class ModelSizeAnswer(TypedDict):
    """The model size and tokens that spend a budget best.

    Attributes:
        tokens: Tokens of the run.
    """

    model_size: float
    tokens: float
    updates: int | None
    loss: float
    trust: TrustAnswer | None
    at_edge: bool
    family: str


class DesignBatchesAnswer(TypedDict):
    """When to grow the batch.

    Attributes:
        unit: What losses are measured in, as in `LossCurve`.
        gain: How much lower it ends than the best batch that never changes, in nats.
    """

    loss: float
    unit: str
    trust: TrustAnswer | None
    gain: float
    begins: dict[str, float]
    constant: dict[str, float]
    updates: list[int]
    schedule: Rates


class StyleGap(TypedDict):
    """How far a trainer's own schedule is off.

    Attributes:
        largest: Largest error of a rate, in peaks.
        rms: Root mean square error, in peaks.
        loss: Difference of the predicted losses, in nats.
    """

    largest: float
    rms: float
    loss: float | None


class ExportAnswer(TypedDict):
    """A schedule as a file of a trainer.

    Attributes:
        exact: Whether every rate is that of the schedule.
        peak_lr: Its largest rate.
        knots: Corners of the schedule in the file.
        largest_relative_error: Largest error of a rate between them.
        style: The trainer's own schedule that is nearest.
        arguments: Its arguments.
        style_peak_lr: Its peak.
        gap: How far off it is.
        predicted_loss: Predicted final loss of the schedule; ``null`` without ``--fit``.
        predicted_loss_lower: Lower end of its 90 % interval; ``null`` where there is none.
        predicted_loss_upper: Upper end of it.
        output: The file that was written.
        text: What is in it.
    """

    target: str
    exact: bool
    peak_lr: float
    knots: int
    largest_relative_error: float
    style: str | None
    arguments: dict[str, Any] | None
    style_peak_lr: float | None
    gap: StyleGap | None
    predicted_loss: float | None
    predicted_loss_lower: float | None
    predicted_loss_upper: float | None
    trust: TrustAnswer | None
    notes: list[str]
    output: str | None
    text: str | None


class Drawn(TypedDict):
    """A file in a picture.

    Attributes:
        file: Its name.
        kind: What it is: log, schedule, fit, or the answer of a command.
    """

    file: str
    kind: str


class PlotAnswer(TypedDict):
    """A picture.

    Attributes:
        picture: Where it is.
        files: What is in it.
        runs: Labels of the runs in it.
    """

    picture: str
    files: list[Drawn]
    runs: list[str]


class SectionAnswer(TypedDict):
    """A section of a report.

    Attributes:
        name: What links to it end in, after ``#``.
        title: Its title.
    """

    name: str
    title: str


class ReportAnswer(TypedDict):
    """A report as a page.

    Attributes:
        report: Where it is.
    """

    report: str | None
    title: str
    trust: TrustAnswer | None
    doubts: list[str]
    sections: list[SectionAnswer]


class DemoDesign(TypedDict):
    """What the demo designed.

    Attributes:
        loss: Its predicted final loss.
        baselines: Those of usual schedules.
    """

    loss: float
    baselines: dict[str, float]


class DemoAnswer(TypedDict):
    """What the demo made.

    Attributes:
        scores: Errors on the held-out runs, by law.
        files: What was written.
        design: The designed schedule.
        seconds: How long it took.
    """

    scores: dict[str, list[CurveScore]]
    files: list[str]
    design: DemoDesign
    seconds: float


class LabTrainAnswer(TypedDict):
    """A run of a small real model.

    Attributes:
        curve: Its log.
        schedule: Its schedule as text.
        steps: Its updates.
        final_loss: Mean of its last three losses, in nats per byte.
        params: Parameters of the model.
        tokens_per_update: Bytes of text in each update.
        seed: What its numbers are drawn from.
        seconds: How long it took.
        config: The model and its training.
    """

    curve: str
    schedule: str
    steps: int
    final_loss: float
    params: int
    tokens_per_update: int
    seed: int
    seconds: float
    config: LabConfig


class BundledRun(TypedDict):
    """A run of the bundle.

    Attributes:
        schedule: Its schedule as text.
        peak_lr: Its largest rate.
        warmup_steps: Updates of warm-up.
        total_steps: Updates in all.
        weight_decay: Decoupled weight decay.
        params: Parameters of the model.
        tokens_per_update: Bytes of text in each update.
        seed: What its numbers are drawn from.
        lr_is: Whether a rate is of the update done (``used``) or ``next``.
        seconds: How long it took.
        updates_shared: Updates that another run had made, from whose checkpoint it went on.
    """

    schedule: str
    peak_lr: float
    warmup_steps: int
    total_steps: int
    weight_decay: float
    params: int
    tokens_per_update: int
    seed: int
    lr_is: str
    seconds: float
    updates_shared: int


class BundledModel(TypedDict):
    """The model of all runs."""

    width: int
    layers: int
    heads: int
    context: int
    batch: int
    weight_decay: float
    validation_windows: int
    optimizer: str
    momentum: float
    init_std: float


class BundledText(TypedDict):
    """The text that all runs read.

    Attributes:
        what: What it is.
        files: Files in it.
        bytes: Bytes in it.
        sha256: Its checksum.
        training_tokens: Bytes for training.
        validation_tokens: Bytes of each validation.
    """

    what: str
    files: int
    bytes: int
    sha256: str
    training_tokens: int
    validation_tokens: int


class LabBundleAnswer(TypedDict):
    """The curves that ship with the package.

    Attributes:
        source: What they are of.
        licence: Their licence.
        command: The command that made them.
        python: Version of Python.
        torch: Version of torch.
        model: The model.
        text: What it read.
        loss: What a loss is.
        runs: What each run is, by its name.
    """

    source: str
    licence: str
    command: str
    python: str
    torch: str
    model: BundledModel
    text: BundledText
    loss: str
    runs: dict[str, BundledRun]


class _Simulated(TypedDict):
    schedule: str
    method: str
    irreducible: float
    step: Numbers
    lr: Numbers
    loss: Numbers
    excess: Numbers


class SimulateAnswer(_Simulated, total=False):
    """A loss curve of kernel regression; lists of one length.

    Attributes:
        schedule: The schedule as text.
        method: How it was computed.
        irreducible: Loss that no training removes.
        step: Updates.
        lr: Rates there.
        loss: Losses there.
        excess: Losses above the irreducible one.
        source: How fast the signal is learnt.
        capacity: How fast noise is forgotten.
        modes: Modes of the problem.
        ambient: Features there are, those that the student does not see among them.
        noise: Standard deviation of the label noise.
        features: How the modes of the model are taken from those of the problem.
        distribution: What features are drawn from.
        spectrum: The file that the spectrum was read from.
        largest_lr: Largest stable rate.
        batch: Samples in each update, if their number never changes.
        warmup: Updates of warm-up.
        relative: Whether rates were given as shares of the largest stable one.
        lr_is: Whether a rate is of the update done (``used``) or ``next``.
        loss_unit: What losses are: a risk.
        seeds: Sampled runs, by the method sgd.
        seed: What they are drawn from.
        average: The average of the iterates that losses are of.
        momentum: Momentum of the updates.
        nesterov: Whether it is Nesterov's.
        approximation: What no training removes for want of modes, by the method fsl.
        signal: What is left of the signal, likewise.
        minibatch: Noise of batches, likewise.
        label: Noise of labels, likewise.
        standard_error: Of the mean of sampled runs, by the method sgd.
        spread: Standard deviation of sampled runs, likewise.
    """

    source: float | None
    capacity: float | None
    modes: float | str
    ambient: int
    noise: float
    features: str
    distribution: str
    spectrum: str
    largest_lr: float
    batch: float
    warmup: float
    relative: bool
    lr_is: str
    loss_unit: str
    seeds: int
    seed: int
    average: str
    momentum: float
    nesterov: bool
    approximation: Numbers
    signal: Numbers
    minibatch: Numbers
    label: Numbers
    standard_error: Numbers
    spread: Numbers


class RankAnswer(TypedDict):
    """A schedule in the ranking.

    Attributes:
        exponent: Power of the budget in the risk; none without label noise, where exact risks rank.
        log_power: Power of its logarithm.
        exact_risk: Risk in the exact dynamics.
    """

    schedule: str
    exponent: float | None
    log_power: float | None
    exact_risk: float | None
    ahead_from: float | None


class RelationAnswer(TypedDict):
    """One closed form at the budget."""

    quantity: str
    value: float | None
    power: Power | None
    formula: str
    source: str
    validity: str


class ScalingAnswer(TypedDict):
    """What theory says of a schedule."""

    schedule: str
    limited: str
    easy: bool
    effective_capacity: float
    budget: float
    risk: RelationAnswer
    peak: RelationAnswer
    modes: RelationAnswer
    samples: RelationAnswer
    cooldown: RelationAnswer | None
    notes: list[str]


class OptimumAnswer(TypedDict):
    """The lowest mean risk of a schedule for a budget, and where it is."""

    risk: float
    peak: float
    modes: float | None
    samples: float
    cooldown: float
    batch: float


class ExactAnswer(TypedDict):
    """The lowest exact risk of a schedule for a budget, beside the closed form.

    Attributes:
        closed: At the hyper-parameters of the closed form; none without label noise.
        cost: How much higher the risk is there, as a share.
    """

    schedule: str
    exact: OptimumAnswer
    cap: float
    share: float
    closed: OptimumAnswer | None
    cost: float | None
    largest_batch: float


class SlopeEnds(Ends):
    """An interval.

    Attributes:
        level: Share of cases it is meant to hold.
    """

    level: float


class SlopeAnswer(TypedDict):
    """A power law in a window."""

    value: float
    interval: SlopeEnds
    window: tuple[int, int] | None
    steady: bool


class MeasuredAnswer(TypedDict):
    """What was measured of capacity and source.

    Attributes:
        side: The regime that the intervals leave; ``open`` if they leave both.
    """

    capacity: SlopeAnswer
    source: SlopeAnswer | None
    dropped: int
    side: str


class ExponentAnswer(TypedDict):
    """An exponent, measured and as the theory has it.

    Attributes:
        measured: Local slope.
        predicted: Its limit.
    """

    measured: float
    predicted: float


class FrontierAnswer(TypedDict):
    """Local exponents of the compute-optimal frontier, between two amounts of compute."""

    compute: tuple[float, float]
    modes: tuple[float, float]
    excess: tuple[float, float]
    risk: ExponentAnswer
    size: ExponentAnswer


class ConstantAnswer(TypedDict):
    """Without label noise: how the risk falls with data at a constant rate near the largest.

    Attributes:
        formula: Its law.
        predicted: Power of data in the risk, in the limit.
        measured: The same in the last decade before the budget, in the exact dynamics; none where
            the budget is of compute.
        source: Where that is proved, or that it is measured.
    """

    formula: str
    predicted: float
    measured: float | None
    source: str


class FreeAnswer(TypedDict):
    """The best schedule of any shape, at the modes and samples of the best optimum.

    Attributes:
        risk: Its excess risk.
        gap: By how much its rates could still lower that, to first order, as a share of it.
        gained: Share of it that the last refinement of its shape gained.
    """

    risk: float
    gap: float
    gained: float


class TheoryAnswer(TypedDict):
    """Regimes, exponents and optimal schedules of kernel regression.

    Attributes:
        source: How fast the signal is learnt.
        capacity: How fast noise is forgotten.
        measured: Slopes of a spectrum or a fit that was given.
        difficulty: How fast the signal is learnt, by mode.
        budget: Samples, or operations.
        limited: What the budget is of.
        phase: Without label noise, which of the 4 + 3 phases.
        frontier: Its exponents measured in the exact dynamics, where compute is given.
        constant: Without label noise, what holds of a constant rate.
        regime: Easy or hard; none without label noise.
        largest_peak: Largest stable rate, with a margin.
        ranking: Schedules, the best first; without label noise by exact risks.
        exact: Optima in the exact dynamics, by schedule.
        free: The best schedule of any shape there.
        schedules: What theory says of each schedule; nothing without label noise.
        best: What is best of all, in two tables.
    """

    source: float
    capacity: float
    measured: MeasuredAnswer | None
    difficulty: float
    budget: float
    limited: str
    phase: Phase | None
    frontier: FrontierAnswer | None
    constant: ConstantAnswer | None
    regime: Regime | None
    largest_peak: float | None
    ranking: list[RankAnswer]
    exact: dict[str, ExactAnswer]
    free: FreeAnswer | None
    schedules: list[ScalingAnswer]
    best: dict[str, list[RelationAnswer]]


# Titles, by the names of studies, which are no names in Python.
_Titles = TypedDict(
    "_Titles",
    {
        "fsl-fig1": str,
        "scaling-table": str,
        "capacity": str,
        "optimal-schedule": str,
        "batch-schedule": str,
        "capacity-saturation": str,
        "sde-gap": str,
        "momentum": str,
        "averaging": str,
        "phases": str,
    },
    total=False,
)


class ReproduceAnswer(_Titles, total=False):
    """A study; with ``--list`` the titles of all, by name.

    Attributes:
        name: Its name.
        paragraph: What is seen.
        numbers: The numbers in it.
        files: What was written.
        seconds: How long it took.
        fsl-fig1: Its title, with ``--list``.
        scaling-table: Its title, with ``--list``.
        capacity: Its title, with ``--list``.
        optimal-schedule: Its title, with ``--list``.
        batch-schedule: Its title, with ``--list``.
        capacity-saturation: Its title, with ``--list``.
        sde-gap: Its title, with ``--list``.
        momentum: Its title, with ``--list``.
        averaging: Its title, with ``--list``.
        phases: Its title, with ``--list``.
    """

    name: str
    paragraph: str
    numbers: dict[str, float | None]
    files: list[str]
    seconds: float


class SweepAnswer(TypedDict):
    """A finished sweep."""

    table: str
    rows: int
    new: int
    refused: int
    lost_workers: int
    seconds: float


# The form of each command's answer.
ANSWERS: dict[str, type[Any]] = {
    "demo": DemoAnswer,
    "inspect": InspectAnswer,
    "fit": FitAnswer,
    "predict": PredictAnswer,
    "score": ScoreAnswer,
    "compare": CompareAnswer,
    "forecast": ForecastAnswer,
    "forecast end": ForecastEndAnswer,
    "annealed": AnnealedAnswer,
    "ladder": LadderAnswer,
    "fleet": FleetAnswer,
    "continue": ContinueAnswer,
    "merge": MergeAnswer,
    "advise": AdviseAnswer,
    "profile": ProfileAnswer,
    "design": DesignAnswer,
    "run-length": RunLengthAnswer,
    "model-size": ModelSizeAnswer,
    "design-batches": DesignBatchesAnswer,
    "export": ExportAnswer,
    "plot": PlotAnswer,
    "report": ReportAnswer,
    "lab train": LabTrainAnswer,
    "lab bundle": LabBundleAnswer,
    "simulate": SimulateAnswer,
    "theory": TheoryAnswer,
    "reproduce": ReproduceAnswer,
    "sweep": SweepAnswer,
}
# Which record a form is of: its docstring says what keys of the same name mean.
RECORDS: dict[type[Any], type[Any]] = {
    TrustAnswer: Trust,
    SavedCurve: FittedCurve,
    SavedGround: Ground,
    SavedMember: Member,
    SavedMixture: Mixture,
    SavedTest: Tested,
    SavedUncertainty: Uncertainty,
    Run: LossCurve,
    FitAnswer: Fit,
    PredictAnswer: Prediction,
    ScoreAnswer: Scores,
    LawAnswer: LawScore,
    CompareAnswer: Comparison,
    EndingAnswer: Ending,
    ForecastAnswer: Forecast,
    PathAnswer: Path,
    WorthAnswer: AnnealedRun,
    PairAnswer: Pair,
    AnnealedAnswer: Annealed,
    RungAnswer: Rung,
    LadderAnswer: Ladder,
    FleetAnswer: Fleet,
    WayAnswer: WayOn,
    HeldAnswer: Held,
    ContinueAnswer: Continued,
    MergeOne: Merge,
    MergeAnswer: MergeForecast,
    OptionAnswer: Option,
    AdviseAnswer: Advice,
    ProfileOne: Profile,
    SimpleAnswer: Simple,
    DesignAnswer: Design,
    RunLengthAnswer: Horizon,
    ModelSizeAnswer: SizeAndRun,
    DesignBatchesAnswer: BatchDesign,
    ExportAnswer: Exported,
    ReportAnswer: HtmlReport,
    RankAnswer: Rank,
    RelationAnswer: Relation,
    ScalingAnswer: Scaling,
    OptimumAnswer: Optimum,
    ExactAnswer: ExactOptimum,
    SlopeAnswer: Slope,
    MeasuredAnswer: Measured,
    FrontierAnswer: Frontier,
    BundledModel: LabConfig,
    SweepAnswer: Outcome,
}
