"""What runs are worth along their way: their losses, were they annealed from there."""

import losslaw as ll

curves = {curve.label: curve for curve in ll.bundled_curves()}
runs = [curves["constant_peak3e-3_T12000"].until(6000), curves["constant_peak6e-3_T4000"]]
decayed = [curves["wsd-linear-0.2_peak3e-3_T4000"], curves["wsd-linear-0.2_peak6e-3_T4000"]]
ax = ll.annealed(runs, earlier=decayed, path=True).plot(names=["peak 3e-3", "peak 6e-3"])
ax.figure.savefig("annealed.png", dpi=200)
