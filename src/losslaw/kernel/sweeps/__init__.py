"""Many jobs, one table: grids of kernel problems on one machine or on many.

`sweep_file` reads the jobs, `kernel_job` is what one of them does, `engine` hands jobs to
`losslaw.workers`, `table` keeps the results.
Only the engine is imported here, so that a worker loads what its jobs need and no more.
"""

from losslaw.kernel.sweeps.engine import Outcome, SweepError, sweep

__all__ = ["Outcome", "SweepError", "sweep"]
