"""A prediction of a run that was never fitted, its band, and what was then measured."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
fit = ll.fit(runs)
truth = curves["wsd-linear-0.4_peak3e-3_T4000"]
ax = fit.predict(truth.schedule).plot(truth=truth)
ax.figure.savefig("prediction.png", dpi=200)
