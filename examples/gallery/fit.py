"""A fit over the runs it was fitted to, with its bands."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
fit = ll.fit(runs)
ax = fit.plot(curves=runs)
ax.figure.savefig("fit.png", dpi=200)
