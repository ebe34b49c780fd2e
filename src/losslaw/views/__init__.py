"""What people look at: plots."""

from losslaw.views.plots import (
    plot_curve,
    plot_errors,
    plot_prediction,
    plot_schedule,
    plot_terms,
)

__all__ = ["plot_curve", "plot_errors", "plot_prediction", "plot_schedule", "plot_terms"]
