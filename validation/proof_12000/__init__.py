"""The trial again, with a mixture of laws, longer runs to fit and a longer horizon.

The model is that of the runs that ship with losslaw (0.12M parameters, AdamW, decay .1, warm-up
100). The laws saw the eleven of 4,000 updates (seed 0; peaks 1.5e-3, 3e-3 and 6e-3) and designed
for 12,000 updates at the peak 3e-3. What the mixture expected, with 90 % intervals, was written
down and committed before these runs were trained (`validation/data/proof/predictions_12000.json`);
the remaking of the table never writes it again. Of the shipped runs of 12,000 updates the cosine,
seed 0, is the one measurement of that schedule here: it was there before, and in no fit.

Losses are nats per byte on the 640 windows of the shipped runs, after the last update. Gains are
taken seed by seed: one seed has one start and one order of batches. Behind ± is the standard error
of the mean over seeds; `inside` says whether the mean is in the predicted interval, `off` is
predicted minus measured.
"""

from validation.proof_12000.tables import table as table
