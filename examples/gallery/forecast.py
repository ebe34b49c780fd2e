"""A forecast: the log so far, where its plan leads, and what decays now would give."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
shapes = ("constant", "cosine", "wsd-linear-0.2")
runs = [curves[f"{shape}_peak3e-3_T4000"] for shape in shapes]
log = runs[0].until(2000)
forecast = ll.forecast(log, horizon=4000, earlier=[runs[2]])
ax = forecast.plot(curve=log)
ax.figure.savefig("forecast.png", dpi=200)
