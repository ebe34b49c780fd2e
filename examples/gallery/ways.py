"""Where a run ends that goes on, re-heated or as it is."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
ax = ll.continue_run(curves["wsd-linear-0.2_peak3e-3_T4000"], 2000).plot()
ax.figure.savefig("ways.png", dpi=200)
