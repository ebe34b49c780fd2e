"""A run in progress: where it will end, what a decay now would give, whether it is on track."""

from losslaw.forecasting.forecast import KeptFits, forecast
from losslaw.forecasting.record import Ending, Forecast

__all__ = ["Ending", "Forecast", "KeptFits", "forecast"]
