r"""Conditionals of all columns in one order, by a net that has them all in one pass.

.. math:: z_t = f_t(x_1, \dots, x_{t-1})

A chain works on columns that are in order; but its parameters are kept as columns are
in data, so that chains of several orders may share them. It can be gone through column
after column, too: what is there before the first is ``begin``, then follow ``output``
and ``absorb`` by turns.
"""

import numpy as np

from skdgm.autoregressive._conditionals import Conditionals, places_of, slots
from skdgm.autoregressive._particles import filled


class Chain:
    """Base class of nets for one order.

    A subclass has ``n_weights(n_inputs, n_outputs, *net)``, how many there are, for
    which no net is made, ``n_units`` (of its widest layer), ``n_features`` (of its
    highest),
    ``init(rng, dtype)``, ``moved(params, inputs, outputs)``, which changes the order of
    inputs' and outputs' parameters, ``apply(params, x)``, ``hidden(params, x)`` and
    the steps ``begin(params, n_rows)``, ``output(params, state, t)`` and
    ``absorb(params, state, t, x)``, which changes the state.

    Parameters
    ----------
    conditionals : Conditionals
        Of the columns as data have them.
    start : ndarray
        Outputs to begin with.
    order : ndarray of int
    """

    # Whether all columns together are a normal distribution.
    normal = False

    def __init__(self, conditionals, start, order):
        given = conditionals.kinds[order], conditionals.sizes[order]
        self.order, self.place = order, np.argsort(order)
        self.conditionals = Conditionals(*given, conditionals.mixture)
        self.given = (order == np.arange(len(order))).all()
        places = [
            places_of(order, n) for n in (conditionals.n_inputs, conditionals.n_outputs)
        ]
        self.there, self.back = places, [np.argsort(part) for part in places]
        self.first = start[places[1]]
        self.inputs = slots(self.conditionals.n_inputs)
        self.outputs = slots(self.conditionals.n_outputs)
        self.n_columns = len(order)
        self.n_inputs, self.n_outputs = self.inputs[-1].stop, self.outputs[-1].stop

    def ordered(self, v):
        """Rows as columns are in order, given them as these are in data."""
        return v if self.given else np.ascontiguousarray(v[:, self.order])

    def placed(self, params):
        """Parameters as columns are in order, given them as these are in data."""
        return params if self.given else self.moved(params, *self.there)

    def natural(self, params):
        """Parameters as columns are in data, given them as these are in order."""
        return params if self.given else self.moved(params, *self.back)

    def allowed(self):
        """Ones in place of weights that matter, as columns are in data; or nothing,
        where all of them do."""
        return ()

    def prepared(self, params):
        """Parameters for steps."""
        return params

    def loss(self, params, v, x):
        """Surprise at rows, given what of them is seen by conditionals."""
        out = self.apply(params, self.conditionals.inputs(x))
        return self.conditionals.loss(out, v)

    def log_likelihood(self, params, v):
        """Of rows of which nothing is missing."""
        out = self.apply(params, self.conditionals.inputs(v))
        return self.conditionals.log_likelihood(out, v)

    def log_p(self, params, v):
        """Log probabilities of the entries of rows of which nothing is missing."""
        out = self.apply(params, self.conditionals.inputs(v))
        return self.conditionals.log_p(out, v)

    def features(self, params, v):
        """Hidden units that have seen whole rows."""
        return self.hidden(params, self.conditionals.inputs(v))

    def drawn(self, params, v, rng):
        """Rows with what is missing drawn, given what is before it."""
        v, params = v.copy(), self.prepared(params)
        state = self.begin(params, len(v))
        for t, single in enumerate(self.conditionals.single):
            rows = np.flatnonzero(np.isnan(v[:, t]))
            if rows.size:
                out = self.output(params, state, t)[rows]
                v[rows, t] = single.draw(out, rng.take(rows).fold(t))[:, 0]
            self.absorb(params, state, t, single.inputs(v[:, [t]]))
        return v

    def filled(self, params, v, rng, n_each):
        """Particles of rows; see :mod:`skdgm.autoregressive._particles`."""
        return filled(self, self.prepared(params), v, rng, n_each)

    def chosen(self, state, rows):
        """The state of some of the rows."""
        return [part[rows] for part in state]
