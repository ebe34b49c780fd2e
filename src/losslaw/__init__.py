"""Predict, explain and design learning-rate schedules from loss curves."""

__version__ = "0.1.0"
