"""Many jobs, one table: grids of kernel problems on one machine or on many.

`grid` reads a sweep file and makes the jobs, `kernel` is what one job does, `engine` runs jobs
through a crew of workers (`local` or `remote`) and retries what dies, `table` keeps the results.
Only the engine is imported here, so that a worker loads what its jobs need and no more.
"""

from losslaw.kernel.sweeps.engine import Outcome, SweepError, sweep

__all__ = ["Outcome", "SweepError", "sweep"]
