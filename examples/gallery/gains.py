"""What that schedule gains over each of the usual ones, with intervals."""

import losslaw as ll
from losslaw.views import plot_gains

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
design = ll.design(ll.fit(runs), 4000)
ax = plot_gains(design)
ax.figure.savefig("gains.png", dpi=200)
