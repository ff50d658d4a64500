"""Methods of estimators of series: rows in order, each conditional on previous rows.

Such estimators accept series as a table with ``lengths`` or ``groups``, or as a list of
tables.
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm.base.frames import as_frame
from skdgm.data.sequences import ConstantColumns, divided
from skdgm.data.time_steps import TimeSteps, steps_of
from skdgm.typing import Data, Target, Weight
from skdgm.utils.counts import count, count_rows
from skdgm.utils.domains import is_frame


class Series(NamedTuple):
    """Series as a user passes them: one table with lengths or groups of its rows, or a
    list of tables."""

    X: object
    lengths: object = None
    groups: object = None


def fit_transform(
    self: Any,
    X: Data,
    y: Target = None,
    sample_weight: Weight = None,
    *,
    lengths: Target = None,
    groups: Target = None,
) -> np.ndarray:
    """Fit the model, and return the features of the same rows, as :meth:`transform`
    does.

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
    """List of ``n_samples`` continuations by ``n_steps`` rows of each of the ``given``
    series (a table and lengths), or of new series if ``given`` is None. A regular index
    of dates is continued."""
    density = estimator.density_
    n_samples = count_rows(n_samples, len(estimator._columns.seen))
    n_steps = count(n_steps, "n_steps")
    constant = vars(estimator).get("_kept")
    rows = density.continued(n_steps, given, n_samples, random_state, constant)
    lengths = np.full(len(rows) // n_steps, n_steps)
    parts = divided(as_frame(estimator, rows), lengths)
    if given is None or not is_frame(given[0]) or not is_frame(parts[0]):
        return parts
    table, given_lengths = given
    indices = [
        _later(series.index, n_steps) for series in divided(table, given_lengths)
    ]
    indices = [index for index in indices for _ in range(n_samples)]
    return [
        part if index is None else part.set_axis(index)
        for part, index in zip(parts, indices)
    ]


def _later(index, n_steps):
    """Index of the next rows after a regular index of dates or periods; None for other
    indices."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        regular = pd.period_range(index[0], periods=len(index), freq=index.freq)
        freq = index.freq if index.equals(regular) else None
    elif isinstance(index, pd.DatetimeIndex):
        freq = pd.DatetimeIndex(index, freq="infer").freq
    else:
        return None
    if freq is None:
        return None
    build = pd.period_range if isinstance(index, pd.PeriodIndex) else pd.date_range
    return build(index[-1], periods=n_steps + 1, freq=freq, name=index.name)[1:]


def remember_kept(estimator, rows, lengths, fresh):
    """Update which columns are constant within each sequence seen so far."""
    steady = None if fresh else vars(estimator).get("_steady")
    estimator._steady = ConstantColumns.of(rows, lengths, steady)
    estimator._kept = estimator._steady.columns


def in_steps(estimator, X, lengths, fresh):
    """Table in which time steps replace dates in chronological order within each
    sequence, and the :class:`~skdgm.data.time_steps.TimeSteps` of these columns.

    ValueError if an earlier fit read such a column as other values.
    """
    if fresh:
        # Types are read again, after steps have replaced dates.
        vars(estimator).pop("_inferred_types", None)
    estimator._fit_options = estimator._current_options()
    if not estimator._requested_domain.takes_times:
        return X, TimeSteps()
    learned = TimeSteps.of(X, lengths)
    steps = learned if fresh else steps_of(estimator._columns)
    names = [time.name for time in steps.columns]
    for time in learned.columns:
        if time.name not in names:
            raise ValueError(
                f"Dates of column {time.name!r} are in order within each sequence, and "
                "were not, or were too few, in the first fit: fit again with more "
                "rows, or leave the column out."
            )
    return steps.encoded(X, lengths), steps


def with_steps(rows, steps):
    """Rows with a codec that contains the time steps."""
    if rows.codec is None:
        return rows
    return rows._replace(codec=rows.codec._replace(steps=steps))
