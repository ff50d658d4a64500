r"""Entries of rows solved for from known ones, in all the ways that there are.

Given :math:`b = a + d` with both parts missing, a model draws either, and the other
follows. Draws of both ways are weighted as those of one mixture [1]_, with the share
:math:`\pi_a` of the draws in which a follows, and :math:`\pi_d`:

.. math::

    d \sim p(d \mid x), \; a = b - d \quad \text{or} \quad
    a \sim p(a \mid x), \; d = b - a, \qquad
    w = \frac{p(a, d \mid x)}{\pi_a p(d \mid x) + \pi_d p(a \mid x)}

so that a narrow law of one of them is met whatever the other's. Probabilities are those
of cells of the columns' grids, as one may have a density and the other atoms.

References
----------
.. [1] Veach and Guibas (1995). Optimally combining sampling techniques for Monte Carlo
   rendering. SIGGRAPH.
"""

from itertools import combinations, islice
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.constraints._conditions import cells_of
from skdgm.constraints._quantities import quantity, restored, rounded
from skdgm.constraints._steps import Remainder, Total
from skdgm.utils.math import distinct

# Most ways in which the entries of a row are drawn.
_WAYS = 8
# Steps of which a column of the table is solved for, and not drawn.
_SOLVED = Remainder, Total
# Log weight by which draws are less with an entry that the model never draws, so that
# they are for rows that have no other.
_LAST = 1e3


class Way(NamedTuple):
    """Columns of the model, by name, that follow from others, and from which; and pairs
    of a variable and the step that is solved for it, in order. A variable is the name
    of a column of the table, or a :class:`~skdgm.constraints._steps.Gap`."""

    dependent: tuple
    free: tuple
    order: tuple


class Ways:
    """Ways to draw the missing entries of a table's rows.

    ``number``, of shape (n_rows,), is that of ways for each row, 0 where no known entry
    is one that the model does not see.
    """

    def __init__(self, plan, table):
        whole = plan.completed({name: table[name] for name in plan.codec.names})
        self.plan = plan
        self.steps = [own for own in plan.steps if isinstance(own, Remainder | Total)]
        names = [name for step in self.steps for name in step.columns]
        self.names = list(dict.fromkeys(names))
        lacks = [whole[name].isna().to_numpy(bool) for name in self.names]
        lacks = np.reshape(lacks, (len(self.names), len(table))).T
        patterns, self.pattern = distinct(lacks)
        self.ways = [
            self._ways({name for name, own in zip(self.names, row) if own})
            for row in patterns
        ]
        self.number = np.array([len(own) for own in self.ways], int)[self.pattern]

    def _ways(self, missing):
        """Ways for rows that miss some columns."""
        places = self.plan.places
        unknown = [(step, step.unknown(missing)) for step in self.steps]
        unknown = [(step, own) for step, own in unknown if own]
        variables = list(dict.fromkeys(own for _, part in unknown for own in part))
        # What a category of combinations gives is known once that is drawn.
        derived = [own for own in variables if isinstance(places.get(own), _SOLVED)]
        drawn = [own for own in variables if own not in places and own not in derived]
        for size in range(len(drawn) + 1):
            found = (
                _way(unknown, drawn, derived, part)
                for part in combinations(drawn, size)
            )
            found = list(islice((way for way in found if way), _WAYS))
            if found:
                return found if size else []
        return []

    def solved(self, drawn, table, rows, turn):
        """Table from draws of the model for some rows, (n,), each in the way of its
        ``turn``; ``table`` has the known entries of these rows."""
        whole, columns = self.plan.backward(drawn, table), self.plan.columns(drawn)
        index = whole.index
        whole = whole.reset_index(drop=True)
        turn = np.where(self.number[rows], turn % np.maximum(self.number[rows], 1), -1)
        for pattern, ways in enumerate(self.ways):
            for number, way in enumerate(ways):
                own = np.flatnonzero((self.pattern[rows] == pattern) & (turn == number))
                if own.size:
                    self._solve(whole, columns, own, way)
        return whole.set_axis(index, axis=0)

    def _solve(self, whole, columns, rows, way):
        """Solve for entries of some rows of a table, in place."""
        codec, places, values = self.plan.codec, self.plan.places, {}
        for step in self.steps:
            drawn = {name: name for name in way.free if name not in places}
            drawn |= {step.gap: step.target} if step.gap else {}
            for name in step.columns:
                values.setdefault(name, quantity(whole[name].iloc[rows], step))
            for variable, name in drawn.items():
                if variable in (*step.columns, step.gap):
                    own = quantity(columns[name].iloc[rows], step)
                    values[variable] = rounded(own, step.digits)
        for variable, step in way.order:
            values[variable] = rounded(step.solved(variable, values), step.digits)
        made = [name for name in way.free if name not in places]
        for name in made + [own for own, _ in way.order if own in self.names]:
            own = restored(values[name], codec, codec.names.index(name))
            known = whole[name].array.copy()
            known[rows] = own.astype(known.dtype).array
            whole[name] = known

    def log_weights(self, model, seen, rows, turns):
        """Log weights of draws, (n,), of which each row has one of each of the
        ``turns``, and their log joint probabilities; ``seen`` is what the model
        sees."""
        number, patterns = self.number[rows], self.pattern[rows]
        most = max((len(own) for own in self.ways), default=0)
        ways = [
            [own[k] if k < len(own) else Way((), (), ()) for own in self.ways]
            for k in range(most)
        ]
        if not number.any():
            return np.zeros(len(rows)), scores(model, seen)
        names = {name for row in ways for w in row for name in w.dependent + w.free}
        size = {
            n: cells_of(self.plan, model, n, seen[n]) for n in sorted(names, key=str)
        }

        def measured(log_p, parts):
            """Log probability of cells, of columns that differ by the pattern."""
            for name, (log_cell, unseen) in size.items():
                own = np.array([name in part for part in parts])[patterns]
                log_p = log_p + np.where(own, log_cell - _LAST * unseen, 0.0)
            return log_p

        every = [way.dependent + way.free for way in ways[0]]
        last = measured(np.zeros(len(rows)), every) < -_LAST / 2
        last &= np.isin(rows, rows[~last])
        if last.any():
            log_w, log_p = np.full((2, len(rows)), -np.inf)
            found = self.log_weights(model, seen[~last], rows[~last], turns)
            log_w[~last], log_p[~last] = found
            return log_w, log_p
        log_p = measured(scores(model, seen), every)
        # Numbers of draws in each way, by the number of ways that a row has.
        each = [np.bincount(turns % m, minlength=most) for m in range(1, most + 1)]
        share = np.array([np.zeros(most), *each])[number] / len(turns)
        drawn = np.full((most, len(rows)), -np.inf)
        for k, row in enumerate(ways):
            own, others = k < number, seen[k < number].copy()
            for name in size:
                lacks = np.array([name in way.dependent for way in row])[patterns[own]]
                others[name] = others[name].mask(lacks)
            drawn[k, own] = scores(model, others)
            drawn[k] = measured(drawn[k], [way.free for way in row])
        with np.errstate(invalid="ignore", divide="ignore"):
            log_w = log_p - logsumexp(drawn + np.log(share.T), axis=0)
        log_w = np.where(np.isnan(log_w), -np.inf, log_w)
        return np.where(number > 0, log_w, 0.0), log_p


def _way(unknown, drawn, derived, dependent):
    """Way in which some variables follow, each by a step of its own; None if there is
    none."""
    left = [
        (step, set(dependent).union(derived).intersection(own)) for step, own in unknown
    ]
    order = []
    while left:
        # A step of which all is known would have to hold by chance.
        ready = next(((step, own) for step, own in left if len(own) < 2), (None, ()))
        if not ready[1]:
            return None
        (variable,), step = ready[1], ready[0]
        order.append((variable, step))
        left = [(s, own - {variable}) for s, own in left if s is not step]
    if len(order) < len(dependent) + len(derived):
        return None
    names = [
        tuple(getattr(own, "name", own) for own in part) for part in (dependent, drawn)
    ]
    return Way(names[0], tuple(n for n in names[1] if n not in names[0]), tuple(order))


def scores(model, seen):
    """Log-likelihood of rows, computed once for equal rows."""
    import pandas as pd

    keys = pd.util.hash_pandas_object(seen, index=False).to_numpy()
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return np.asarray(model.score_samples(seen.iloc[first]), float)[place.ravel()]


def penalties(plan, model, seen):
    """Log weights by which rows are less, as what is left of a column is a value that
    the model never draws."""
    found = np.zeros(len(seen))
    for step in plan.steps:
        if isinstance(step, Remainder):
            column = seen[step.target]
            unseen = cells_of(plan, model, step.target, column)[1]
            found += _LAST * (unseen & column.notna().to_numpy(bool))
    return found
