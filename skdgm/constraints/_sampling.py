r"""Draws of rows that satisfy constraints, by rejection sampling.

.. math:: x \sim p(x \mid C) = \frac{p(x) \, [x \in C]}{P(C)}
"""

import math

import numpy as np

from skdgm.constraints.rules import Unique
from skdgm.exceptions import ConstraintError, ConstraintWarning
from skdgm.utils.threading.callers import warn

# Acceptance rate that causes a warning.
_LOW = 0.1
# Maximum number of rows drawn at a time, and factor of the expected number of draws.
_BATCH, _SPARE = 20_000, 1.1


class Tally:
    """Counts of drawn and accepted rows, and of violations of each constraint by its
    text."""

    def __init__(self):
        self.drawn, self.kept, self.broken = 0, 0, {}

    @property
    def rate(self):
        """Acceptance rate."""
        return self.kept / max(1, self.drawn)

    def note(self, keep, why):
        """Count rows; ``why`` has pairs of a constraint and the mask of rows that
        satisfy it."""
        self.drawn += len(keep)
        self.kept += int(keep.sum())
        for constraint, is_valid in why:
            n_broken = self.broken.get(str(constraint), 0)
            self.broken[str(constraint)] = n_broken + int((~is_valid).sum())

    def worst(self):
        """Sentence that names the constraint with the most violations."""
        if not any(self.broken.values()):
            return ""
        name = max(self.broken, key=lambda name: self.broken[name])
        return f" {self.broken[name]} of them break {name}."


def reject(n_samples, draw, evaluate, uniques, max_tries, subject):
    """Draw rows until ``n_samples`` satisfy all constraints; return a DataFrame.

    ``draw(n)`` returns n rows, ``evaluate(frame)`` pairs of a constraint and the mask
    of rows that satisfy it, and ``uniques`` are constraints on all rows together.
    ConstraintError if ``max_tries`` draws per row do not suffice; ConstraintWarning if
    the acceptance rate is low.
    """
    import pandas as pd

    accepted, tally = None, Tally()
    while accepted is None or len(accepted) < n_samples:
        n_missing = n_samples - (0 if accepted is None else len(accepted))
        n_draws = n_missing
        if tally.drawn:
            rate = max(tally.rate, 1 / (tally.drawn + 1))
            n_draws = math.ceil(_SPARE * n_missing / rate)
        n_draws = min(n_draws, _BATCH, max_tries * n_samples - tally.drawn)
        if n_draws < 1:
            raise ConstraintError(
                f"{subject}: {tally.kept} of {tally.drawn} draws satisfy the "
                f"constraints and conditions ({100 * tally.rate:.2g} %), but "
                f"{n_samples} rows are needed.{tally.worst()} Raise max_tries, now "
                f"{max_tries}, or draw fewer rows.{''.join(map(numbering, uniques))}"
            )
        drawn = draw(n_draws)
        masks = evaluate(drawn)
        keep = np.ones(len(drawn), bool)
        for _, is_valid in masks:
            keep &= is_valid
        combined = (
            drawn[keep] if accepted is None else pd.concat([accepted, drawn[keep]])
        )
        n_before = 0 if accepted is None else len(accepted)
        for constraint in uniques:
            first = constraint.first(combined)
            repeats = np.zeros(len(drawn), bool)
            repeats[np.flatnonzero(keep)[~first[n_before:]]] = True
            masks.append((constraint, ~repeats))
            keep &= ~repeats
            combined = combined[first]
        tally.note(keep, masks)
        accepted = combined
    if tally.rate < _LOW:
        warn(
            f"{subject}: {100 * tally.rate:.2g} % of the draws satisfy the constraints "
            f"and conditions; others are drawn again.{tally.worst()}",
            ConstraintWarning,
        )
    return accepted.iloc[:n_samples].reset_index(drop=True)


def numbering(constraint):
    """Advice to number a column instead of rejecting repeated values, if it is one
    column."""
    if not isinstance(constraint, Unique) or len(constraint.columns) > 1:
        return ""
    name = constraint.columns[0]
    return f" Unique({name!r}, numbered=True) numbers a column of identifiers."


def acceptance(frame, evaluate, uniques):
    """Share of the rows that :func:`reject` would accept."""
    keep = np.ones(len(frame), bool)
    for _, valid in evaluate(frame):
        keep &= valid
    accepted = frame[keep]
    for constraint in uniques:
        accepted = accepted[constraint.first(accepted)]
    return len(accepted) / len(frame)
