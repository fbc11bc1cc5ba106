"""Answers of the engine as plain values that can be compared."""

import numpy as np

from matching import Infeasible


def priced(found):
    return {
        (mentor, learner): None if np.isnan(price) else round(float(price), 6)
        for mentor, row in zip(found.mentors, found.points, strict=True)
        for learner, price in zip(found.learners, row, strict=True)
    }


def attempt(task):
    """What the task gives, and the refusal if there is one."""
    try:
        return task(), None
    except Infeasible as error:
        return None, error


def pairs(some):
    return {(pair.mentor, pair.learner) for pair in some}
