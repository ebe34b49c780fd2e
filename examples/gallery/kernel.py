"""The kernel world: SGD, and the functional scaling law beside it."""

import losslaw as ll

world = ll.KernelRegression(source=0.5, capacity=4.0, noise=1.0)
ax = world.plot(schedule="wsd:peak=0.2,horizon=20000,cooldown=0.2")
ax.figure.savefig("kernel.png", dpi=200)
