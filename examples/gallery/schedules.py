"""Learning rates."""

from losslaw.views import plot_schedules

run = "peak=3e-3,horizon=4000,warmup=100"
plans = {"cosine": f"cosine:{run}", "WSD": f"wsd:{run},cooldown=0.2", "linear": f"linear:{run}"}
ax = plot_schedules(plans)
ax.figure.savefig("schedules.png", dpi=200)
