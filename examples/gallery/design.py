"""A proposed schedule beside usual ones, with predicted final losses."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
design = ll.design(ll.fit(runs), 4000)
ax = design.plot()
ax.figure.savefig("design.png", dpi=200)
