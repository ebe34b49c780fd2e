"""Many jobs on one machine or on many: workers, and the loop that keeps them busy.

A job is any record that can be pickled, the function that does it any importable function from a
job to a mapping of results. `losslaw.workers.work` hands the jobs to a crew (`local` processes, or
tasks of a Ray cluster, `remote`) and runs again what a dead worker leaves behind. What becomes of
the results is the caller's business.
"""

from losslaw.workers.crew import JobFunction, Report
from losslaw.workers.loop import WorkersLost, checked_workers, work

__all__ = ["JobFunction", "Report", "WorkersLost", "checked_workers", "work"]
