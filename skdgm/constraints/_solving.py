r"""Solution of a row's missing entries by its constraints, in all possible ways.

Given :math:`b = a + d` with both parts missing, a model draws either part, and the
other part follows. Draws of both ways are weighted as draws of one mixture [1]_, with
the share :math:`\pi_a` of draws in which a follows, and the share :math:`\pi_d`:

.. math::

    d \sim p(d \mid x), \; a = b - d \quad \text{or} \quad
    a \sim p(a \mid x), \; d = b - a, \qquad
    w = \frac{p(a, d \mid x)}{\pi_a p(d \mid x) + \pi_d p(a \mid x)}

This is efficient if either distribution is narrow. All probabilities are of cells of
the columns' grids, because a column may have a density and another one atoms.

References
----------
.. [1] Veach and Guibas (1995). Optimally combining sampling techniques for Monte Carlo
   rendering. SIGGRAPH.
"""

from itertools import combinations, islice
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.constraints._computed import Total
from skdgm.constraints._conditions import cells_of
from skdgm.constraints._quantities import quantity, restored, rounded
from skdgm.constraints._steps import Remainder
from skdgm.utils.math import distinct

# Maximum number of ways for a row.
_WAYS = 8
# Steps that solve for a column of the table.
_SOLVED = Remainder, Total
# Penalty of the log weight of draws with an entry that the model never draws: they are
# used only for rows without other draws.
_LAST = 1e3


class Way(NamedTuple):
    """Columns of the model that follow from others, columns that are drawn, and ordered
    pairs of a variable and the step that solves for it. A variable is a column name or
    a :class:`~skdgm.constraints._steps.Gap`."""

    dependent: tuple
    free: tuple
    order: tuple


class Ways:
    """Ways to draw the missing entries of a table's rows.

    ``number``, (n_rows,), counts the ways of each row; 0 if the model sees all known
    entries.
    """

    def __init__(self, plan, table):
        columns = plan.completed({name: table[name] for name in plan.codec.names})
        self.plan = plan
        self.steps = [s for s in plan.steps if isinstance(s, Remainder | Total)]
        names = [name for step in self.steps for name in step.columns]
        self.names = list(dict.fromkeys(names))
        missing = [columns[name].isna().to_numpy(bool) for name in self.names]
        missing = np.reshape(missing, (len(self.names), len(table))).T
        patterns, self.pattern = distinct(missing)
        self.ways = [
            self._ways({name for name, gap in zip(self.names, row) if gap})
            for row in patterns
        ]
        self.number = np.array([len(ways) for ways in self.ways], int)[self.pattern]

    def _ways(self, missing):
        """Ways for rows with a set of missing columns."""
        places = self.plan.places
        unknown = [(step, step.unknown(missing)) for step in self.steps]
        unknown = [(step, v) for step, v in unknown if v]
        variables = list(dict.fromkeys(v for _, part in unknown for v in part))
        # Columns of a combination are known once its category is drawn.
        derived = [v for v in variables if isinstance(places.get(v), _SOLVED)]
        drawn = [v for v in variables if v not in places and v not in derived]
        for size in range(len(drawn) + 1):
            candidates = (
                _way(unknown, drawn, derived, part)
                for part in combinations(drawn, size)
            )
            candidates = list(islice((way for way in candidates if way), _WAYS))
            if candidates:
                return candidates if size else []
        return []

    def solved(self, drawn, table, rows, turn):
        """Reconstruct the table from draws of the model for some rows, (n,), each in
        the way of its ``turn``; ``table`` has the known entries of these rows."""
        frame, columns = self.plan.backward(drawn, table), self.plan.columns(drawn)
        index = frame.index
        frame = frame.reset_index(drop=True)
        turn = np.where(self.number[rows], turn % np.maximum(self.number[rows], 1), -1)
        for pattern, ways in enumerate(self.ways):
            for number, way in enumerate(ways):
                idx = np.flatnonzero((self.pattern[rows] == pattern) & (turn == number))
                if idx.size:
                    self._solve(frame, columns, idx, way)
        return frame.set_axis(index, axis=0)

    def _solve(self, whole, columns, rows, way):
        """Solve for entries of some rows of a table, in place."""
        codec, places, values = self.plan.codec, self.plan.places, {}
        for step in self.steps:
            sources = {name: name for name in way.free if name not in places}
            sources |= {step.gap: step.target} if step.gap else {}
            for name in step.columns:
                values.setdefault(name, quantity(whole[name].iloc[rows], step))
            for variable, name in sources.items():
                if variable in (*step.columns, step.gap):
                    value = quantity(columns[name].iloc[rows], step)
                    values[variable] = rounded(value, step.decimals(variable))
        for variable, step in way.order:
            value = step.solved(variable, values)
            values[variable] = rounded(value, step.decimals(variable))
        drawn_names = [name for name in way.free if name not in places]
        for name in drawn_names + [v for v, _ in way.order if v in self.names]:
            value = restored(values[name], codec, codec.names.index(name))
            known = whole[name].array.copy()
            known[rows] = value.astype(known.dtype).array
            whole[name] = known

    def log_weights(self, model, seen, rows, turns):
        """Log weights and log joint probabilities of draws, (n,). Each row has one draw
        of each of the ``turns``; ``seen`` are the model's columns."""
        number, patterns = self.number[rows], self.pattern[rows]
        max_ways = max((len(p) for p in self.ways), default=0)
        ways = [
            [p[k] if k < len(p) else Way((), (), ()) for p in self.ways]
            for k in range(max_ways)
        ]
        if not number.any():
            return np.zeros(len(rows)), scores(model, seen)
        names = {name for row in ways for w in row for name in w.dependent + w.free}
        size = {
            n: cells_of(self.plan, model, n, seen[n]) for n in sorted(names, key=str)
        }

        def measured(log_p, parts):
            """Add log cell sizes of the columns of each pattern."""
            for name, (log_cell, unseen) in size.items():
                sel = np.array([name in part for part in parts])[patterns]
                log_p = log_p + np.where(sel, log_cell - _LAST * unseen, 0.0)
            return log_p

        every = [way.dependent + way.free for way in ways[0]]
        last = measured(np.zeros(len(rows)), every) < -_LAST / 2
        last &= np.isin(rows, rows[~last])
        if last.any():
            log_w, log_p = np.full((2, len(rows)), -np.inf)
            weights = self.log_weights(model, seen[~last], rows[~last], turns)
            log_w[~last], log_p[~last] = weights
            return log_w, log_p
        log_p = measured(scores(model, seen), every)
        # Number of draws in each way, by the number of ways of a row.
        counts = [
            np.bincount(turns % m, minlength=max_ways) for m in range(1, max_ways + 1)
        ]
        share = np.array([np.zeros(max_ways), *counts])[number] / len(turns)
        drawn = np.full((max_ways, len(rows)), -np.inf)
        for k, row in enumerate(ways):
            sel, others = k < number, seen[k < number].copy()
            for name in size:
                gaps = np.array([name in way.dependent for way in row])[patterns[sel]]
                others[name] = others[name].mask(gaps)
            drawn[k, sel] = scores(model, others)
            drawn[k] = measured(drawn[k], [way.free for way in row])
        with np.errstate(invalid="ignore", divide="ignore"):
            log_w = log_p - logsumexp(drawn + np.log(share.T), axis=0)
        log_w = np.where(np.isnan(log_w), -np.inf, log_w)
        return np.where(number > 0, log_w, 0.0), log_p


def _way(unknown, drawn, derived, dependent):
    """Way in which some variables follow from others, each by its own step; None if
    impossible."""
    left = [
        (step, set(dependent).union(derived).intersection(vs)) for step, vs in unknown
    ]
    order = []
    while left:
        # A step without unknown variables would only hold by chance.
        ready = next(((step, vs) for step, vs in left if len(vs) < 2), (None, ()))
        if not ready[1]:
            return None
        (variable,), step = ready[1], ready[0]
        order.append((variable, step))
        left = [(s, vs - {variable}) for s, vs in left if s is not step]
    if len(order) < len(dependent) + len(derived):
        return None
    names = [
        tuple(getattr(vs, "name", vs) for vs in part) for part in (dependent, drawn)
    ]
    return Way(names[0], tuple(n for n in names[1] if n not in names[0]), tuple(order))


def scores(model, seen):
    """Log-likelihood of rows, computed once for equal rows."""
    import pandas as pd

    keys = pd.util.hash_pandas_object(seen, index=False).to_numpy()
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return np.asarray(model.score_samples(seen.iloc[first]), float)[place.ravel()]


def penalties(plan, model, seen):
    """Penalties of log weights of rows in which the value of a replaced column is one
    that the model never draws."""
    penalty = np.zeros(len(seen))
    for step in plan.steps:
        if isinstance(step, Remainder):
            column = seen[step.target]
            unseen = cells_of(plan, model, step.target, column)[1]
            penalty += _LAST * (unseen & column.notna().to_numpy(bool))
    return penalty
