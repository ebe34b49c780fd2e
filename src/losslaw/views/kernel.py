"""The kernel world: risk against updates, simulated, and by the functional scaling law."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from losslaw.drawing.axes import legend, log_axis
from losslaw.drawing.style import UPDATE, axes_of, cycled, quiet
from losslaw.files.checked import Finite
from losslaw.kernel import KernelRegression
from losslaw.kernel.methods import Evaluation, Method, evaluate
from losslaw.schedules import ScheduleLike, schedule_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES: dict[str, str] = {
    "quadrature": "SGD, exact mean",
    "exact": "SGD, every mode",
    "integrator": "SGD, integrated",
    "fsl": "functional scaling law",
    "sde": "SDE",
    "volterra": "Volterra equation",
    "sgd": "SGD, sampled",
}
# Steps at which risks are worked out.
POINTS = 200


def plot_kernel_regression(
    world: KernelRegression,
    ax: "Axes | None" = None,
    *,
    schedule: ScheduleLike,
    methods: Sequence[Method] = ("quadrature", "fsl"),
) -> "Axes":
    """Excess risk along a schedule: of SGD, and as the functional scaling law has it.

    Args:
        world: The problem.
        ax: Where to draw; ``None``: on new axes.
        schedule: The schedule, or its text.
        methods: By which evaluators.
    """
    schedule, ax = schedule_of(schedule), axes_of(ax)
    for i, method in enumerate(methods):
        plot_evaluation(evaluate(world, schedule, method=method, points=POINTS), ax, **cycled(i))
    return ax


@dataclass(frozen=True, kw_only=True)
class SimulatedForm:
    """What the picture needs of a simulated run. Lists of one length."""

    method: str
    step: list[Finite]
    excess: list[Finite]

    def __post_init__(self) -> None:
        if not self.step or len(self.step) != len(self.excess):
            raise ValueError("expected step and excess of one length")


def plot_evaluation(
    evaluation: Evaluation | SimulatedForm, ax: "Axes | None" = None, **style: Any
) -> "Axes":
    """Excess risk against updates, both in powers of ten.

    Args:
        evaluation: The risk of one schedule, by one method.
        ax: Where to draw; ``None``: on new axes.
        style: Of the line.
    """
    ax = axes_of(ax)
    label = NAMES.get(evaluation.method, evaluation.method)
    line = cycled(0, lw=1.4, label=label) | style
    steps = evaluation.step if isinstance(evaluation, SimulatedForm) else evaluation.steps
    ax.plot(steps, evaluation.excess, **line)
    log_axis(ax, "x")
    log_axis(ax, "y")
    quiet(ax, UPDATE, "excess risk")
    legend(ax, corner="lower left")
    return ax
