"""Arithmetic the laws stand on: clocks, power-law memory, variable projection."""
