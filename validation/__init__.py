"""Longer checks than the tests: how far the laws err on real loss curves, as committed tables.

Not part of the package. ``python -m validation`` makes every table anew in ``validation/results``;
``make validate`` does so in an environment of its own.
"""
