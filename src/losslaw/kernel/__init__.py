"""Power-law kernel regression: simulated exactly, and understood in closed form."""

from losslaw.kernel.problem import KernelRegression

__all__ = ["KernelRegression"]
