"""Methods of estimators of series: rows of a table in order, each given those before.

Such estimators take series as a table with ``lengths`` or ``groups``, or as a list of
tables.
"""

from typing import NamedTuple

import numpy as np

from skdgm.base.estimator import Estimator
from skdgm.base.frames import framed
from skdgm.data.sequences import Steady, divided
from skdgm.data.time_steps import TimeSteps, steps_of
from skdgm.typing import Data, Target, Weight
from skdgm.utils.counts import count, count_rows


class Series(NamedTuple):
    """Series as a user gives them: a table, or several of them, and which of its rows
    are a series."""

    X: object
    lengths: object = None
    groups: object = None


def fit_transform(
    self: Estimator,
    X: Data,
    y: Target = None,
    sample_weight: Weight = None,
    *,
    lengths: Target = None,
    groups: Target = None,
) -> np.ndarray:
    """Fit the model, and return what :meth:`transform` does of the same rows.

    Parameters
    ----------
    X, y, sample_weight, lengths, groups : object
        As for :meth:`fit`.

    Returns
    -------
    H : ndarray of shape (n_samples, n_features_out)
        A list of arrays if X is a list.
    """
    self.fit(X, y, sample_weight, lengths=lengths, groups=groups)
    return self.transform(X, lengths=lengths, groups=groups)


def continued(estimator, n_steps, given, n_samples, random_state):
    """A list of the steps that follow each of the ``given`` series, a table and
    lengths, or that begin series where it is None, ``n_samples`` times."""
    density = estimator.density_
    n_samples = count_rows(n_samples, len(estimator._columns.seen))
    n_steps = count(n_steps, "n_steps")
    kept = vars(estimator).get("_kept")
    found = density.continued(n_steps, given, n_samples, random_state, kept)
    lengths = np.full(len(found) // n_steps, n_steps)
    return divided(framed(estimator, found), lengths)


def remember_kept(estimator, rows, lengths, fresh):
    """Note which columns stay the same within each of the sequences so far."""
    steady = None if fresh else vars(estimator).get("_steady")
    estimator._steady = Steady.of(rows, lengths, steady)
    estimator._kept = estimator._steady.columns


def in_steps(estimator, X, lengths, fresh):
    """Table with steps in the place of dates in order within sequences, and these as
    :class:`~skdgm.data.time_steps.TimeSteps`.

    ValueError where an earlier fit took them as other values.
    """
    if fresh:
        # Kinds are read once, of rows whose dates are steps; before that, dates may be.
        vars(estimator).pop("_reading", None)
    estimator._asked = estimator._present_options()
    if not estimator._asked_domain.takes_times:
        return X, TimeSteps()
    found = TimeSteps.of(X, lengths)
    steps = found if fresh else steps_of(estimator._columns)
    known = [own.name for own in steps.columns]
    for own in found.columns:
        if own.name not in known:
            raise ValueError(
                f"Dates of column {own.name!r} are in order within each sequence, and "
                "were not, or were too few, in the first fit: fit again with more "
                "rows, or leave the column out."
            )
    return steps.encoded(X, lengths), steps


def with_steps(rows, steps):
    """Rows whose codec knows which dates are read as steps."""
    if rows.codec is None:
        return rows
    return rows._replace(codec=rows.codec._replace(steps=steps))
