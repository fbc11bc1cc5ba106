"""How far a computation is, in words and as a share."""

from collections.abc import Mapping

from app.texts.catalogue import here, message
from schemas import Run

_STEPS: Mapping[str, tuple[str, float, float]] = {
    # What is said, and from which share of the whole to which the step goes.
    "scores": (message("Every pair gets its score."), 0.02, 0.1),
    "assignment": (
        message("The best pairings are looked for: {done} of {all} learners."),
        0.1,
        0.4,
    ),
    "explanation": (message("Reasons and prices are worked out."), 0.4, 0.5),
    "firmness": (
        message("How firm each pairing is gets tried out: {done} of {all} trials."),
        0.5,
        1.0,
    ),
}


def how_far(run: Run) -> str:
    """Return in one sentence how far a run is that has not ended."""
    told = here()
    if run.state == "queued":
        return told.say("It waits for its turn.")
    progress = run.progress
    if progress.step is None or progress.step not in _STEPS:
        return told.say("The computation begins.")
    return told.say(
        _STEPS[progress.step][0],
        done=told.number(progress.done),
        all=told.number(progress.of),
    )


def share(run: Run) -> float:
    """Return how much of a run is done, 0 to 1; later steps count for more."""
    progress = run.progress
    if progress.step is None or progress.step not in _STEPS:
        return 0.0
    _, start, stop = _STEPS[progress.step]
    done = progress.done / progress.of if progress.of else 0.0
    return round(start + (stop - start) * min(1.0, done), 3)
