"""What of runs is fitted, and from what is known of them: what several questions share."""

from collections.abc import Sequence
from dataclasses import dataclass

from losslaw.curves import LossCurve
from losslaw.curves.curve import check_one_unit
from losslaw.errors import InputError, expect
from losslaw.fitting.cleaning import CleanedRuns, cleaned_runs
from losslaw.fitting.fit import fit as fit_law
from losslaw.fitting.record import Fit
from losslaw.laws import Law, Recipe

Fittable = str | type[Law] | Recipe


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What of a run is fitted: see `losslaw.fit`."""

    skip: int | None
    keep_all: bool

    def fit(self, curves: LossCurve | Sequence[LossCurve], law: Fittable) -> Fit:
        """The fit of these curves."""
        return fit_law(curves, law, skip=self.skip, keep_all=self.keep_all)

    def cleaned(self, curves: Sequence[LossCurve], skip: int | None = None) -> CleanedRuns:
        """What of these curves is fitted."""
        return cleaned_runs(curves, self.skip if skip is None else skip, keep_all=self.keep_all)


def check_source(
    curves: Sequence[LossCurve],
    fit: Fit | None,
    earlier: Sequence[LossCurve],
    law: Fittable | None,
) -> None:
    """Check that a saved fit, which answers as it is, is all that is given beside the runs.

    Args:
        curves: The runs that are asked about.
        fit: The saved fit, if there is one.
        earlier: Earlier runs.
        law: What runs are to be fitted by; ``None`` or ``auto``: nothing is said.

    Raises:
        InputError: runs or a law are given too, or losses are of several units.
    """
    if fit is not None and (earlier or law not in (None, "auto")):
        other = "earlier runs" if earlier else "a law"
        raise InputError(f"a saved fit and {other} are both given: choose one")
    if fit is not None:
        expect("fit", fit, Fit, "a Fit")
    check_one_unit([*curves, *earlier, *(() if fit is None else fit.curves)])
