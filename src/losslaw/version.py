"""The version of the package, on the ground floor so that every room may say it."""

__version__ = "0.1.0"
