"""How far a fit is off, in each phase of the runs."""

import losslaw as ll
from losslaw.views import plot_residuals

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
fit = ll.fit(runs)
ax = plot_residuals(fit, runs)
ax.figure.savefig("residuals.png", dpi=200)
