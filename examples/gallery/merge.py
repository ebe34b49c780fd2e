"""Averages of checkpoints beside decays of the same length."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
log, decayed = curves["constant_peak3e-3_T12000"], curves["wsd-linear-0.2_peak3e-3_T4000"]
ax = ll.merge(log.until(6000), 200, last=8, earlier=[decayed]).plot()
ax.figure.savefig("merge.png", dpi=200)
