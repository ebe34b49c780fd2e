"""Evaluators of the mean dynamics that check each other.

`recursion` is exact and steps through every update; `quadrature` makes it cheap for any number of
modes; `integrator` makes it cheap for any number of updates; `sampled` draws the data; `continuous`
has the differential equations of the papers; `fsl` is the functional scaling law itself.
"""
