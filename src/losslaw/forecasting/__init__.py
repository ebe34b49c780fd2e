"""A run in progress: where it will end, what a decay now would give, whether it is on its band."""

from losslaw.forecasting.forecast import Ending, Forecast, forecast

__all__ = ["Ending", "Forecast", "forecast"]
