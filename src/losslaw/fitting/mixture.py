"""Several fitted laws that answer together, each believed as far as it foretold the logs.

No law holds everywhere, and which one holds cannot be known from the curves it was fitted to. So
each law k is asked to foretell parts of the logs that were kept from it
(`losslaw.fitting.contest`), and a question is answered by all of them, with weights

    log w[k] = log prior[k] - 1/2 sum_j nu r[j] log(m[j,k] + f^2) - 1/2 log(misfit[k]^2 + f^2)

``m[j,k]`` is the mean square error in test j, ``f`` what no law foretells (``FLOOR`` of the loss,
or the white noise of the log), ``nu`` 2, or 3 over the number of tests where there are several
runs. A test counts by its relevance ``r[j]``: a log that shows no decay says little of one, so r
grows from .2 to 1 with the gain of the decays in the test over that of the decay asked about; a
test that left a whole peak out counts likewise by the distance of the peak asked about. The law on
AdamW's constants is given up where it missed a test by far more than its interval (``FALSIFIED``);
a law that is known to fail at other peaks loses weight with the distance from those fitted.

The variance of a law at a step, in nats,

    v = s^2 * [ .7 g'Cg + (FLOOR L)^2 + noise^2 + (REACH L ln reach)^2
                + g^2 ((REACH L ln reach of decays)^2 + (PEAK L d_decay)^2) + (no warm-up)^2 ]
        + (PEAK L d)^2 + (OUTSIDE L d_out)^2 + (by_peak L/3 d)^2 + misfit beyond noise
        + (UNSEEN_GAIN * median gain)^2 + (DISAGREE * |other laws - this|)^2 + (other data)^2

with ``g'Cg`` from the parameters (but no more than ``MOST_OPEN`` of the loss), ``L`` the level of
the loss, ``g`` by itself the share that is had of the decay's gain, reach how many times as far in
intrinsic time, or in updates, as any fitted loss (or, in time, any fitted decay), ``d`` the
distance of the peak from the nearest that was fitted, ``d_decay`` from the nearest at which a decay
was and ``d_out`` beyond all of them, in e-folds, and ``s`` how the tests came out against these
same intervals. The interval holds the quantiles of the mixture of log-normals: it is never below 0,
and wide and lop-sided where laws disagree. Where no decay was seen, a law that lets one gain
``USUAL_GAIN`` of the loss or more loses weight. The prediction is the mean of the laws; away from
home by a power of their weights, so that a law that hardly counts does not move it.

The form and the constants were set on half of the protocols in validation/results/away.md and in
accuracy.md, and confirmed on the others; none is finely tuned.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from losslaw.fitting.fitted_law import FittedLaw
from losslaw.fitting.ground import Ground, at_home
from losslaw.fitting.uncertainty import Uncertainty, prediction_gradient
from losslaw.laws import Law, Query
from losslaw.numerics.arrays import BoolArray, FloatArray
from losslaw.numerics.mixture import lognormal_quantile

# What no law foretells, relative to the loss: two runs of one schedule differ by as much.
FLOOR = 7e-4
# Error for each e-fold of intrinsic time or of updates beyond what was fitted, relative to the
# loss; and where all runs are short, early losses having a course of their own.
REACH, REACH_OF_SHORT = 1.5e-3, 8e-3
# The same for each e-fold of the fitted peaks from AdamW's own, which no test of a run alone can
# show: runs at 1e-4 end .02 to .05 below what their first thirds foretell.
REACH_OFF_HOME = 6e-3
# Error where the warm-up is not known, relative to the loss.
NO_WARMUP = 1.5e-3
# Share of the variance that parameters leave, priors being rather wide; and the most that a
# standard deviation may be, relative to the loss.
OPEN, MOST_OPEN = 0.7, 0.06
# Error for each e-fold of the peak from the nearest one fitted, and beyond all of them, relative to
# the loss.
PEAK, OUTSIDE = 2.5e-3, 2e-3
# Error of what a decay gains where none was seen, as a share of it: where the optimiser is said to
# be AdamW, where peaks are such as AdamW is known at, where these lie far apart, which no law fits
# as well, and elsewhere.
UNSEEN_GAIN_ADAMW, UNSEEN_GAIN, UNSEEN_GAIN_WIDE, UNSEEN_GAIN_FAR = 0.06, 0.12, 0.16, 0.4
# What a decay may gain where none was seen, as a share of the loss: a standard deviation. Those of
# all collections gain less than this.
USUAL_GAIN = 0.08
# How much a fall of the rate may raise the loss, as a share of it: a standard deviation.
RAISED = 0.01
# Share of what the other laws differ by, away from home, where the rate has fallen by 3 to 30 %.
DISAGREE = 0.5
# Error where data or their order are not those that were fitted, relative to the loss.
OTHER_DATA = 1.7e-3
# Before any test intervals are this much wider than the variance says, which counts as many tests.
WIDER, WIDER_COUNTS = 1.2, 8.0
# Least such factor at home and away, and what intervals are multiplied with in the end.
LEAST_HOME, LEAST_AWAY = 0.6, 1.0
LAST_HOME, LAST_AWAY = 0.85, 0.95
# Largest square error over variance that widens an interval.
WORST = 9.0
# How much all tests count together: those of several runs share most of what they were fitted to.
TESTS_OF_ONE, TESTS_OF_SEVERAL = 6.0, 3.0
# How a test that has nothing to do with a decay counts for one.
IRRELEVANT = 0.2
# What a law loses, in the log, if a test could not be made or came out beyond all numbers.
NO_TEST = 4.0
# A law on AdamW's constants that misses by more than this square over variance is given up, at this
# rate and at most so far.
FALSIFIED, RATE, MOST = 6.0, 0.25, 8.0
# Scale of the error at other peaks at which a law loses weight, in nats.
BY_PEAK = 0.01
# Away from home laws of little weight may be far off: they widen the interval, and in the mean a
# law counts by this power of its weight.
SHARPER = 1.5
# Steps at which widths are worked out; between them they are interpolated.
STEPS = 80
# Blocks of updates for that; a law that says something else in blocks, by this share of the loss,
# does not answer, nor one that differs from most by this factor, or has hardly any weight.
BLOCKS, SAME_IN_BLOCKS, ASTRAY, LIGHTEST = 600, 0.01, 2.0, 1e-4


@dataclass(frozen=True, kw_only=True)
class Member(FittedLaw):
    """One law of a mixture; see `losslaw.fitting.members`.

    Attributes:
        name: In words.
        prior: Its share before any test.
        by_peak: Error at a peak a factor e from every fitted one, at a loss of 3, in nats.
        adamw: Whether it stands and falls with AdamW's constants.
    """

    name: str
    prior: float
    by_peak: float = 0.0
    adamw: bool = False

    @property
    def known(self) -> Uncertainty:
        """What its intervals are made of."""
        assert self.uncertainty is not None
        return self.uncertainty


@dataclass(frozen=True, kw_only=True)
class Tested:
    """Part of the logs that was kept from all laws, and how each foretold it.

    Attributes:
        what: In words.
        gain: What decays gain in that part, in nats.
        distance: Of a peak that was left out from the others, in e-folds; 0: none was.
        squares: Mean square error of each member; ``None``: the test could not be made, or came
            out beyond all numbers.
        surprises: The same over its variance.
    """

    what: str
    gain: float
    distance: float = 0.0
    squares: tuple[float | None, ...]
    surprises: tuple[float | None, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """What one law says of a question, and what its width is made of. Arrays of shape ``(m,)``.

    Attributes:
        loss: Predicted loss, in nats.
        gain: What falls of the rate have gained, 0 or more.
        raised: By how much falls of the rate have raised the loss, at most.
        opened: Variance from what the curves leave open of the parameters.
        scaled: Other variance that the tests scale.
        fixed: Variance that they do not.
        far: Square of the error that another peak costs this law, in nats squared.
        ended: Whether the interval has ends: the answer depends on nothing that was never seen.
    """

    loss: FloatArray
    gain: FloatArray
    raised: float
    opened: FloatArray
    scaled: FloatArray
    fixed: float
    far: float
    ended: bool

    @property
    def variance(self) -> FloatArray:
        """All variance that the tests scale."""
        return OPEN * self.opened + self.scaled


def answered(
    member: Member, law: Law, known: Uncertainty, query: Query, ground: Ground, noise: float
) -> Answer:
    """What a law says at the steps of a query.

    Args:
        member: Whose law it is.
        law: The law, of the model size that is asked about.
        known: What is known of its parameters.
        query: The question, best in blocks.
        ground: What was fitted.
        noise: White noise of the logs, in nats.
    """
    level = ground.level
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss = law.loss(query)
        gradient = prediction_gradient(law, known.names, query)
        opened = np.einsum("mi,ij,mj->m", gradient, known.covariance, gradient)
        fall = gains(law, query, loss)
        gain = np.maximum(fall, 0.0)
    seen = query.seen_time
    opened = np.clip(opened, 0.0, (MOST_OPEN * level) ** 2)
    scaled = np.full(loss.size, (FLOOR * level) ** 2 + noise**2)
    reach = REACH_OF_SHORT if ground.short else REACH
    scaled = scaled + (reach * level * _ahead(query, ground)) ** 2
    peak = max(float(query.lr.max()), 1e-300)
    if ground.decays:
        beyond = np.log(np.maximum(seen / ground.farthest_decay, 1.0))
        share = gain / max(float(gain.max()), 1e-9)
        scaled = scaled + (REACH * level * beyond * share) ** 2
        scaled = scaled + (PEAK * level * ground.from_decayed(peak) * share) ** 2
    if not ground.warmup_known:
        scaled = scaled + (NO_WARMUP * level) ** 2
    distance, outside = ground.distance(peak), ground.outside(peak)
    far = (member.by_peak * level / 3 * distance) ** 2
    fixed = (PEAK * level * distance) ** 2 + (OUTSIDE * level * outside) ** 2 + far
    fixed += known.size_error**2 + max(known.misfit**2 - noise**2 / 4 - (FLOOR * level) ** 2, 0.0)
    return Answer(
        loss=loss,
        gain=gain,
        raised=max(0.0, -float(fall.min())),
        opened=opened,
        scaled=scaled,
        fixed=fixed,
        far=far,
        ended=not known.touched(law, query).any(),
    )


def _ahead(query: Query, ground: Ground) -> FloatArray:
    """How far steps are beyond all that was fitted, in e-folds of time or updates, ``(m,)``."""
    far = np.maximum(query.seen_time / ground.farthest, query.steps / ground.updates)
    return np.log(np.maximum(far, 1.0))


def gains(law: Law, query: Query, loss: FloatArray) -> FloatArray:
    """What falls of the rate gained, against holding the highest rate so far. Shape ``(m,)``."""
    without = query.cached("held", lambda: _held(query))
    return np.zeros_like(loss) if without is query else law.loss(without) - loss


def _held(query: Query) -> Query:
    """The question at the highest rate so far: the same one where the rate never falls."""
    held = np.maximum.accumulate(query.lr)
    if np.array_equal(held, query.lr):
        return query
    schedule = query.schedule.prefix(query.lr.size).with_(lr=held, spec=None)
    return Query(schedule, query.steps, query.block, window=query.window)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mixture:
    """Several laws fitted to the same curves.

    Attributes:
        members: The laws.
        tests: How each foretold parts of the logs that were kept from it.
        ground: What was fitted.
        noise: White noise of the logs, in nats.
        other_data: Whether questions are about other data, or another order of them, than fitted.
        missed: That the curves themselves are missed, and by how much; empty if they are not.
        settled: What each law counts in all answers, so that they can be compared; ``None``: each
            question has weights of its own. Not saved.
    """

    members: tuple[Member, ...]
    tests: tuple[Tested, ...]
    ground: Ground
    noise: float
    other_data: bool = False
    missed: str = ""
    settled: tuple[float, ...] | None = None

    @property
    def floor(self) -> float:
        """What no law foretells, in nats."""
        return max(FLOOR * self.ground.level, self.noise)

    @cached_property
    def usual(self) -> FloatArray:
        """Weights where no question is asked: all tests count alike. Shape ``(K,)``."""
        return self.weights(0.0)

    @property
    def heaviest(self) -> int:
        """Which member has most weight."""
        return int(np.argmax(self.usual))

    def weights(
        self, gain: float, distance: float = 0.0, answers: "Sequence[Answer]" = ()
    ) -> FloatArray:
        """What each law counts. Shape ``(K,)``, summing to 1.

        Args:
            gain: What the decay asked about gains, in nats.
            distance: Of the peak asked about from those fitted, in e-folds.
            answers: What each law says of the question, if one is asked.
        """
        nu = self._share(len(self.tests))
        least = self.floor**2
        logs: list[float] = []
        for k, member in enumerate(self.members):
            log = math.log(member.prior) - 0.5 * math.log(member.known.misfit**2 + least)
            for test in self.tests:
                square = test.squares[k]
                if square is None:
                    log -= NO_TEST
                else:
                    share = min(1.0, (test.gain + 1e-6) / (gain + 1e-6))
                    if test.distance > 0:
                        share = self._by_peaks(share, distance / test.distance)
                    relevance = IRRELEVANT + (1 - IRRELEVANT) * share
                    log -= 0.5 * nu * relevance * math.log(square + least)
            worst = max((test.surprises[k] or 0.0 for test in self._near), default=0.0)
            if member.adamw:
                log -= min(MOST, RATE * max(worst - FALSIFIED, 0.0))
            if answers:
                log -= 2 * math.log1p(answers[k].far / BY_PEAK**2)
                log -= 0.5 * min(answers[k].raised / (RAISED * self.ground.level), 10.0) ** 2
                if not self.ground.decays:
                    most = float(np.nan_to_num(answers[k].gain.max(), nan=np.inf))
                    log -= 0.5 * (most / (USUAL_GAIN * self.ground.level)) ** 2
            logs.append(log)
        weights = np.exp(np.array(logs) - max(logs))
        return weights / weights.sum()

    def _by_peaks(self, share: float, nearness: float) -> float:
        """What a test that left a peak out counts, at a distance as a share of that in the test."""
        ground = self.ground
        if not ground.decays and ground.known and not at_home(ground.peaks):
            return 1.0
        return share * min(1.0, nearness)

    def _share(self, tests: int) -> float:
        """What one of so many tests counts."""
        one = self.ground.runs == 1
        return (TESTS_OF_ONE if one else TESTS_OF_SEVERAL) / max(tests, 3)

    @property
    def _near(self) -> list[Tested]:
        """Tests that left no peak out: what is missed at another peak says nothing of these."""
        return [test for test in self.tests if test.distance == 0]

    @cached_property
    def scales(self) -> FloatArray:
        """By what the tests scale the variance of each law. Shape ``(K,)``."""
        nu = self._share(len(self._near))
        least = LEAST_HOME if self.ground.home else LEAST_AWAY
        out: list[float] = []
        for k in range(len(self.members)):
            seen = [min(test.surprises[k] or 0.0, WORST) for test in self._near]
            square = WIDER_COUNTS * WIDER**2 + nu * sum(seen)
            out.append(max(square / (WIDER_COUNTS + nu * len(seen)), least**2))
        return np.array(out)

    def question(self, query: Query, model_size: float | None = None) -> "Question":
        """The laws' answers to a question, at a few of its steps."""
        return Question.of(self, query, model_size)


def _sound(answer: Answer) -> bool:
    """Whether a law has an answer with ends, in numbers."""
    return answer.ended and _positive(answer.loss)


def _positive(losses: FloatArray) -> bool:
    return bool((np.isfinite(losses) & (losses > 0)).all())


def _only(weights: FloatArray, kept: BoolArray) -> FloatArray:
    """The weights of some laws; of all, where none of these has any."""
    some = np.where(kept, weights, 0.0)
    return some / some.sum() if some.sum() > 0 else weights


def _exactly(law: Law, query: Query) -> FloatArray:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return law.loss(query)


def typical_gain(gains: Sequence[float]) -> float:
    """What a decay gains, as most laws see it: what kind of question it is."""
    known = [gain for gain in gains if math.isfinite(gain)]
    return float(np.median(known)) if known else 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """What all laws of a mixture say of one schedule.

    Attributes:
        mixture: The laws.
        laws: Each law, of the model size that is asked about.
        query: The question itself.
        thin: The same at few steps, in blocks.
        answers: What each law says there.
        weights: What each law counts. Shape ``(K,)``.
        losses: What each law says at every step; nan where it does not count. Shape ``(K, m)``.
    """

    mixture: Mixture
    laws: tuple[Law, ...]
    query: Query
    thin: Query
    answers: tuple[Answer, ...]
    weights: FloatArray
    losses: FloatArray
    _ends: dict[float, tuple[FloatArray, FloatArray]] = field(
        default_factory=dict[float, tuple[FloatArray, FloatArray]], init=False, repr=False
    )

    @classmethod
    def of(cls, mixture: Mixture, query: Query, model_size: float | None) -> "Question":
        """Ask all laws."""
        kept = np.unique(np.linspace(0, query.steps.size - 1, STEPS).round().astype(np.int64))
        last = int(query.steps[-1])
        block = max(last // BLOCKS, 1)
        # A question about so few steps, in such blocks, is its own thin one.
        same = kept.size == query.steps.size and query.block == block
        thin = query if same else query.some(kept).in_blocks(block)
        laws: list[Law] = []
        answers: list[Answer] = []
        for member in mixture.members:
            law, known = member.at_size(model_size)
            assert known is not None
            laws.append(law)
            answers.append(answered(member, law, known, thin, mixture.ground, mixture.noise))
        gain = typical_gain([float(answer.gain.max()) for answer in answers])
        distance = mixture.ground.distance(max(float(thin.lr.max()), 1e-300))
        weights = mixture.weights(gain, distance, answers)
        if mixture.settled is not None:
            weights = np.array(mixture.settled)
        sound = np.array([_sound(answer) for answer in answers])
        weights = _only(weights, sound)
        weights = _only(weights, weights >= LIGHTEST)
        exact = [
            np.full(query.steps.size, np.nan)
            if weight == 0
            else answer.loss
            if same
            else _exactly(law, query)
            for law, answer, weight in zip(laws, answers, weights, strict=True)
        ]
        off = SAME_IN_BLOCKS * mixture.ground.level
        agree = np.array(
            [
                bool((np.abs(loss[kept] - answer.loss) <= off).all())
                for loss, answer in zip(exact, answers, strict=True)
            ]
        )
        weights = _only(weights, agree & np.array([_positive(loss) for loss in exact]))
        ends = np.log(
            [
                answer.loss[-1] if weight > 0 else np.nan
                for answer, weight in zip(answers, weights, strict=True)
            ]
        )
        weights = _only(weights, np.abs(ends - np.nanmedian(ends)) < math.log(ASTRAY))
        return cls(
            mixture=mixture,
            laws=tuple(laws),
            query=query,
            thin=thin,
            answers=tuple(answers),
            weights=weights,
            losses=np.stack(exact),
        )

    def weighed(self, weights: FloatArray) -> "Question":
        """The same with other weights, as of another question it is compared with."""
        return replace(self, weights=weights)

    @cached_property
    def loss(self) -> FloatArray:
        """Mean of the laws at every step of the query, in nats. Shape ``(m,)``."""
        counts = self.weights > 0
        return self.leading[counts] @ self.losses[counts]

    @property
    def leading(self) -> FloatArray:
        """What each law counts in the mean. Shape ``(K,)``."""
        if self.mixture.ground.home:
            return self.weights
        sharper = self.weights**SHARPER
        return sharper / sharper.sum()

    @cached_property
    def deviations(self) -> FloatArray:
        """Standard deviation of each law at the steps of ``thin``, in nats. Shape ``(K, u)``."""
        mixture, ground = self.mixture, self.mixture.ground
        losses = np.stack([answer.loss for answer in self.answers])
        last = LAST_HOME if ground.home else LAST_AWAY
        extra = np.zeros(losses.shape[1])
        if mixture.other_data:
            extra = extra + (OTHER_DATA * ground.level) ** 2
        off_home = REACH_OFF_HOME * ground.from_home * _ahead(self.thin, ground)
        extra = extra + (ground.level * off_home) ** 2
        out: list[FloatArray] = []
        fallen = self.thin.lr[self.thin.steps - 1] / self.thin.lr.max()
        doubtful = (fallen > 0.7) & (fallen < 0.97)
        if not ground.decays:
            known = UNSEEN_GAIN_WIDE if ground.wide else UNSEEN_GAIN
            unseen = known if ground.known else UNSEEN_GAIN_FAR
            if ground.optimizer == "adamw":
                unseen = UNSEEN_GAIN_ADAMW
            gain = np.median([answer.gain for answer in self.answers], axis=0)
            extra = extra + (unseen * gain) ** 2
        for k, answer in enumerate(self.answers):
            variance = mixture.scales[k] * answer.variance + answer.fixed + extra
            if not ground.home and len(self.answers) > 1:
                others = np.abs(np.delete(losses, k, axis=0) - losses[k])
                variance = variance + np.where(
                    doubtful, (DISAGREE * np.median(others, axis=0)) ** 2, 0.0
                )
            out.append(last * np.sqrt(variance))
        return np.stack(out)

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Ends of the interval at every step of the query. Shapes ``(m,)``."""
        if level not in self._ends:
            self._ends[level] = self._interval(level)
        return self._ends[level]

    def _interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        counts = self.weights > 0
        if not all(answer.ended for answer, used in zip(self.answers, counts, strict=True) if used):
            nothing = np.full(self.query.steps.size, np.inf)
            return -nothing, nothing
        weights = self.weights[counts]
        losses = np.stack([a.loss for a, used in zip(self.answers, counts, strict=True) if used])
        deviations = self.deviations[counts]
        mean = self.leading[counts] @ losses
        ends: list[FloatArray] = []
        for share in (0.5 - level / 2, 0.5 + level / 2):
            end = lognormal_quantile(share, weights, losses, deviations)
            # Widths are smooth along a run, so few steps say all of them.
            ratio = np.interp(self.query.steps, self.thin.steps, end / mean)
            ends.append(self.loss * ratio)
        # The mean of laws far apart may lie beyond a quantile of them.
        return np.minimum(ends[0], self.loss), np.maximum(ends[1], self.loss)

    @cached_property
    def final_losses(self) -> FloatArray:
        """What each law says of the last step. Shape ``(K,)``."""
        return np.array([float(answer.loss[-1]) for answer in self.answers])
