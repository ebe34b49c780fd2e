"""Loss curves as they were logged."""

import losslaw as ll
from losslaw.views import plot_curves

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
ax = plot_curves(runs)
ax.figure.savefig("runs.png", dpi=200)
