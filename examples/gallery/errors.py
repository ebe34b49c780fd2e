"""Laws beside each other: the error of each on every run that was held out."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
ax = ll.compare(runs, ["oneclock", "effective", "multipower"]).plot()
ax.figure.savefig("errors.png", dpi=200)
