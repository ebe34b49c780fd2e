"""How well the runs determine a parameter."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
ax = ll.profile(runs, "alpha", law="effective", points=9).plot()
ax.figure.savefig("profile.png", dpi=200)
