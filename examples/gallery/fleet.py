"""Annealed losses of many runs."""

import losslaw as ll

runs = [curve for curve in ll.bundled_curves() if curve.label.endswith("T4000")]
ax = ll.fleet(runs).plot()
ax.figure.savefig("fleet.png", dpi=200)
