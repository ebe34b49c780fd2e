"""What a loss is made of: irreducible, signal (from intrinsic time), noise."""

import losslaw as ll
from losslaw.views import plot_terms

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
fit = ll.fit(runs)
ax = plot_terms(fit, "wsd:peak=3e-3,horizon=4000,warmup=100,cooldown=0.2")
ax.figure.savefig("terms.png", dpi=200)
