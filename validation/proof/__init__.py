"""Do designed schedules win in real training? Predicted from cheap runs, then trained.

The lab's byte model (0.12M parameters, AdamW, decay .1, warm-up 100). The law saw four cheap runs
of 1,000 updates (constant, and WSD linear over the last 30 %, at peaks 3e-3 and 6e-3, seed 0) and
designed for 3,000 updates: at the peak 3e-3, and with the peak free in 1.5e-3..8e-3. What it
expected, with 90 % intervals, was written down and committed before any longer run was trained
(`validation/data/proof/predictions.json`; `control_predictions.json` before the controls). The
remaking of the table never writes these again, and later versions of the fit may expect something
else: the row `auto` of the last table is what this version expects.

Losses are nats per byte on 320 windows that never change, mean of the last three evaluations (steps
2950, 2975, 3000); `last alone` is the loss after the last update. Gains are taken seed by seed: one
seed has one start and one order of batches. Behind ± is the standard error of the mean over seeds;
`inside` says whether the mean is in the predicted interval. In the last table `spread` is the
standard deviation of a fit's errors over schedules: what is the same for all does not change which
one is chosen, `would choose` is the schedule it puts first.
"""

from validation.proof.tables import table as table
