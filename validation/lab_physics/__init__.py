"""The constants of the effective-rate law by experiment: which are physics, which are fits.

The law says ``v[k] = v[k-1] (1 - 2 wd lr) + kappa lr^p``, ``e = lr v^-h``, noise ``N e^a``
forgotten as ``(1 + (r/q) S)^-q``. The lab's byte model (0.12M parameters, 2,000 updates) records
the squared norm of its weights beside the loss, so kappa and p can be *measured*, without any loss:
from each norm at each step, and from pairs of runs that differ by one thing. What kappa would be if
gradients were noise and nothing else is simulated. *Hidden* are the matrices of the blocks, *outer*
embedding and positions (a fifth of the entries).

The other constants are then asked of the losses of the same runs, by fits of the law without
priors, with ``v[k]`` or with the measured norms in its place. Losses are validation losses in nats
per byte; *final* is the mean of the last three evaluations, and points from step 400 on are fitted.
What follows from the tables is said in docs/evidence/lab.md.
"""

from validation.lab_physics.tables import table as table
