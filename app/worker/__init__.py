"""Background work: computing the runs that the database holds, and housekeeping."""

from app.worker.housekeeping import PeriodicTask, periodic_tasks
from app.worker.runner import Runner

__all__ = ["PeriodicTask", "Runner", "periodic_tasks"]
