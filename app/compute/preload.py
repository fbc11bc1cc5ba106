"""What every child has, imported by the process that all children are forked from.

What has been imported stays: no child goes through it for garbage, which would copy the
memory that it shares with the others.
"""

import gc

gc.disable()

from app.compute import engine, previewing, solving  # noqa: E402 -- see above

gc.freeze()
gc.enable()

__all__ = ["engine", "previewing", "solving"]
