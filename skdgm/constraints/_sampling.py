r"""Draws of rows that keep to constraints, by rejection of others.

.. math:: x \sim p(x \mid C) = \frac{p(x) \, [x \in C]}{P(C)}
"""

import math

import numpy as np

from skdgm.exceptions import ConstraintError, ConstraintWarning
from skdgm.utils.threading.callers import warn

# Acceptance rate below which there is a warning.
_LOW = 0.1
# Most rows drawn at a time, and the share by which more are drawn than are expected to
# be enough.
_AT_ONCE, _SPARE = 20_000, 1.1


class Tally:
    """Rows that were drawn and kept, and how many each constraint has broken.

    Attributes
    ----------
    drawn, kept : int
    broken : dict
        Number of rows by constraint, as text.
    """

    def __init__(self):
        self.drawn, self.kept, self.broken = 0, 0, {}

    @property
    def rate(self):
        """Share of the drawn rows that are kept."""
        return self.kept / max(1, self.drawn)

    def note(self, keep, why):
        """Count rows; ``why`` are pairs of a constraint and the rows that it keeps."""
        self.drawn += len(keep)
        self.kept += int(keep.sum())
        for constraint, own in why:
            lost = self.broken.get(str(constraint), 0)
            self.broken[str(constraint)] = lost + int((~own).sum())

    def worst(self):
        """Text that names the constraint that most rows have broken."""
        if not any(self.broken.values()):
            return ""
        name = max(self.broken, key=self.broken.get)
        return f" {self.broken[name]} of them break {name}."


def reject(n_samples, draw, judge, uniques, max_tries, who):
    """Draw rows until ``n_samples`` of them keep to all constraints, a DataFrame.

    ``draw(n)`` returns one of n rows; ``judge(frame)`` pairs of a constraint and a mask
    of the rows that keep to it; ``uniques`` are constraints on all rows together.
    ConstraintError if of ``max_tries`` draws for each row too few do, ConstraintWarning
    if few.
    """
    import pandas as pd

    found, tally = None, Tally()
    while found is None or len(found) < n_samples:
        lacks = n_samples - (0 if found is None else len(found))
        want = lacks
        if tally.drawn:
            rate = max(tally.rate, 1 / (tally.drawn + 1))
            want = math.ceil(_SPARE * lacks / rate)
        want = min(want, _AT_ONCE, max_tries * n_samples - tally.drawn)
        if want < 1:
            raise ConstraintError(
                f"{who}: {tally.kept} of {tally.drawn} draws satisfy the constraints "
                f"and conditions ({100 * tally.rate:.2g} %), but {n_samples} rows are "
                f"needed.{tally.worst()} Raise max_tries, now {max_tries}, or draw "
                "fewer rows."
            )
        drawn = draw(want)
        why = judge(drawn)
        keep = np.ones(len(drawn), bool)
        for _, own in why:
            keep &= own
        whole = drawn[keep] if found is None else pd.concat([found, drawn[keep]])
        before = 0 if found is None else len(found)
        for constraint in uniques:
            first = constraint.first(whole)
            lost = np.zeros(len(drawn), bool)
            lost[np.flatnonzero(keep)[~first[before:]]] = True
            why.append((constraint, ~lost))
            keep &= ~lost
            whole = whole[first]
        tally.note(keep, why)
        found = whole
    if tally.rate < _LOW:
        warn(
            f"{who}: {100 * tally.rate:.2g} % of the draws satisfy the constraints and "
            f"conditions; others are drawn again.{tally.worst()}",
            ConstraintWarning,
        )
    return found.iloc[:n_samples].reset_index(drop=True)


def acceptance(frame, judge, uniques):
    """Share of rows that :func:`reject` would keep."""
    keep = np.ones(len(frame), bool)
    for _, own in judge(frame):
        keep &= own
    whole = frame[keep]
    for constraint in uniques:
        whole = whole[constraint.first(whole)]
    return len(whole) / len(frame)
