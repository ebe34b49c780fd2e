"""A ladder of model sizes, corrected to one cooldown, and the law of size through them."""

import losslaw as ll

sizes, cooldowns, runs = (2.5e7, 1e8, 4e8), (0.05, 0.2, 0.1), []
for size, cooldown in zip(sizes, cooldowns, strict=True):
    law = ll.Effective(L0=1.9 + 0.8 * (size / 1e8) ** -0.25, A=0.5, N=45.0)
    plan = ll.wsd(peak=1e-3, horizon=5000, warmup=200, cooldown=cooldown, weight_decay=0.1)
    runs.append(law.curve(plan, range(50, 5001, 50), f"{size:g}").with_(model_size=size))
ax = ll.ladder(runs).plot()
ax.figure.savefig("ladder.png", dpi=200)
