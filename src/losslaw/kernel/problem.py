"""A problem of the kernel world: its features and target, and what a student can learn of them."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from numpy.typing import ArrayLike

from losslaw.errors import InputError, expect_numbers
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.draws import check_seed
from losslaw.kernel.simulate.quadrature import power_law_nodes
from losslaw.kernel.spectrum import GivenSpectrum, PowerLawSpectrum, Projected
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.magnitudes import LABEL_NOISE

Features = Literal["top", "random"]
Distribution = Literal["gaussian", "uniform", "laplace"]

# E phi_j^4 / lambda_j^2 of the coordinates on offer.
KURTOSIS: dict[Distribution, float] = {"gaussian": 3.0, "uniform": 1.8, "laplace": 6.0}
# Modes the full recursion may hold: 10^7 of them take 5 ms an update.
MOST_MODES = 10**7
# Below so many there is nothing to save.
FEW_MODES = 32


@dataclass(frozen=True, eq=False)
class Problem:
    """Features, target and student; its numbers are those of `KernelRegression`, checked."""

    source: float | None = None
    capacity: float | None = None
    modes: float = math.inf
    noise: float = 1.0
    features: Features = "top"
    distribution: Distribution = "gaussian"
    ambient: float = math.inf
    seed: int = 0
    spectrum: ArrayLike | None = field(default=None, repr=False)
    targets: ArrayLike | None = field(default=None, repr=False)
    # All features, those that the student does not see among them.
    _law: PowerLawSpectrum | GivenSpectrum = field(init=False, repr=False)

    def __post_init__(self):
        put = object.__setattr__
        if self.spectrum is None:
            if self.targets is not None:
                raise InputError("targets need the spectrum they belong to: give both")
            ambient = _count("ambient", self.ambient)
            law = PowerLawSpectrum.checked(self.source, self.capacity, ambient)
            given = {"source": law.source, "capacity": law.capacity}
        else:
            if self.source is not None or self.capacity is not None:
                raise InputError("give source and capacity, or spectrum and targets, not both")
            law = GivenSpectrum.checked(self.spectrum, self.targets)
            given = {"spectrum": law.eigenvalues, "targets": law.targets}
        if self.modes == math.inf:
            put(self, "modes", law.size)
        for name, value in {**given, "ambient": law.size, "_law": law}.items():
            put(self, name, value)
        put(self, "modes", _count("modes", self.modes))
        if self.modes > self.ambient:
            raise InputError(
                f"modes is {self.modes:g}, expected at most {self.ambient:g}, the ambient features"
            )
        if not (math.isfinite(self.noise) and self.noise >= 0):
            raise InputError(f"noise is {self.noise:g}, expected a standard deviation, 0 or above")
        LABEL_NOISE.check("noise", self.noise)
        check_seed(self.seed)
        if self.features not in get_args(Features):
            raise InputError(f"features {self.features!r}, expected top or random")
        if self.distribution not in KURTOSIS:
            raise InputError(
                f"distribution {self.distribution!r}, expected one of: {', '.join(KURTOSIS)}"
            )
        if self.features == "random":
            if self.modes == math.inf:
                raise InputError("random features need a finite number of modes")
            if self.distribution != "gaussian":
                raise InputError(
                    "random features mix the coordinates, and the mean dynamics closes only for"
                    " gaussian ones: choose distribution='gaussian' or features='top'"
                )

    @cached_property
    def unlearned(self) -> float:
        """Twice the excess risk that remains with all modes learned, ``A``.

        Top features: ``sum_{j > M} lambda_j theta*_j^2 ~ M^-(s beta)``; random ones: the minimum
        over v of the same risk.
        """
        if self.features == "random":
            return self._projected[2]
        return self._law.signal_after(self.modes)

    @cached_property
    def true_modes(self) -> Modes:
        """Every mode by itself.

        Raises:
            InputError: there are infinitely many, or too many to hold.
        """
        if self.modes > MOST_MODES:
            raise InputError(
                f"{self.modes} modes one by one, expected at most {MOST_MODES:.0e};"
                " quadrature has no such limit"
            )
        if self.features == "random":
            rate, signal, _ = self._projected
        else:
            rate, signal = self._law.first(int(self.modes))
        return self._modes(rate, signal, rate**2)

    def nodes(self, time: float, head: int | None = None) -> Modes:
        """A few dozen nodes that stand for all modes until intrinsic time ``time``.

        The first ``head`` modes are nodes themselves, eight if not more are asked for. Spectra
        that are not a power law are their own nodes.
        """
        law = self._power_law
        if law is None or self.modes <= FEW_MODES:
            return self.true_modes
        return self._modes(*power_law_nodes(law.source, law.capacity, self.modes, time, head))

    def kept_nodes(self, time: float) -> Modes:
        """`nodes` that are good until the next power of ten, kept for the next run."""
        # A run of one update may have no time; that of a schedule in pieces is right to a percent.
        decade = math.ceil(math.log10(max(time, 1.0)) + 0.01)
        if decade not in self._kept:
            self._kept[decade] = self.nodes(10.0**decade)
        return self._kept[decade]

    @cached_property
    def _kept(self) -> dict[int, Modes]:
        return {}

    def _modes(self, rate: FloatArray, signal: FloatArray, noise: FloatArray) -> Modes:
        return Modes(
            rate=rate,
            signal=signal,
            noise=noise,
            unlearned=self.unlearned,
            label_noise=self.noise**2,
            kurtosis=KURTOSIS[self.distribution],
        )

    @cached_property
    def _projected(self) -> Projected:
        return self._law.project(int(self.modes), self.seed)

    @property
    def _power_law(self) -> PowerLawSpectrum | None:
        """The power law that the eigenvalues of the student follow exactly, if they do."""
        law = self._law
        return law if isinstance(law, PowerLawSpectrum) and self.features == "top" else None


def _count(name: str, value: float) -> float:
    expect_numbers(**{name: value})
    if value == math.inf:
        return math.inf
    if not (math.isfinite(value) and float(value).is_integer() and value >= 1):
        raise InputError(f"{name} is {value:g}, expected a whole number, at least 1, or math.inf")
    return int(value)
