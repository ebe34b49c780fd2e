"""Candidate runs: what each costs, and what each would tell."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
runs = [curves["constant_peak3e-3_T4000"]]
ax = ll.advise(runs, "cosine:peak=3e-3,horizon=12000,warmup=100").plot()
ax.figure.savefig("advice.png", dpi=200)
