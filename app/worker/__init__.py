"""Background work: computing the runs that the database holds."""

from app.worker.runner import Runner

__all__ = ["Runner"]
