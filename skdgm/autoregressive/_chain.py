r"""Conditionals of all columns in one order, computed by one pass of a net.

.. math:: z_t = f_t(x_1, \dots, x_{t-1})

The outputs :math:`z_t` are the parameters of :math:`p(x_t \mid x_{<t})`. A chain
computes with columns in its own order, but parameters are stored in the order of the
data, so that chains of several orders can share them. Column by column evaluation
starts with ``begin``, then alternates ``output`` and ``absorb``.
"""

import numpy as np

from skdgm.autoregressive.particles import complete
from skdgm.distributions import column_slices, places_of


class Chain:
    """Base class of nets for one order of the columns.

    A subclass defines

    - ``n_units`` of its widest layer, and ``n_features`` of its last hidden layer,
    - ``init(rng, dtype)``, which draws initial parameters,
    - ``permuted(params, inputs, outputs)``, which permutes the parameters of inputs and
      outputs, and ``shifted(params, shift)``, which adds to the biases of outputs,
    - ``apply(params, x)``, the outputs of all columns, and ``hidden(params, x)``, the
      last hidden layer,
    - the steps ``begin(params, n_rows)``, ``output(params, state, t)`` and
      ``absorb(params, state, t, x)``, which updates the state in place.

    ``conditionals`` are the column distributions in the data's order, ``start`` are the
    initial biases of their outputs, and ``order`` lists the columns in the order of
    prediction.
    """

    # True if the joint distribution is normal.
    normal = False

    def __init__(self, conditionals, start, order):
        self.order, self.place = order, np.argsort(order)
        self.conditionals = conditionals.take(order)
        self.in_data_order = (order == np.arange(len(order))).all()
        self.input_places = places_of(order, conditionals.n_inputs)
        self.output_places = places_of(order, conditionals.n_outputs)
        # Positions of inputs and outputs in the data's order.
        self.inputs_back = np.argsort(self.input_places)
        self.outputs_back = np.argsort(self.output_places)
        self.first = start[self.output_places]
        self.inputs = column_slices(self.conditionals.n_inputs)
        self.outputs = column_slices(self.conditionals.n_outputs)
        self.n_columns = len(order)
        self.n_inputs, self.n_outputs = self.inputs[-1].stop, self.outputs[-1].stop

    def ordered(self, v):
        """Permute the columns of rows from the data's order to the chain's order."""
        return v if self.in_data_order else np.ascontiguousarray(v[:, self.order])

    def placed(self, params):
        """Permute parameters from the data's order of columns to the chain's order."""
        if self.in_data_order:
            return params
        return self.permuted(params, self.input_places, self.output_places)

    def natural(self, params):
        """Permute parameters from the chain's order of columns to the data's order."""
        if self.in_data_order:
            return params
        return self.permuted(params, self.inputs_back, self.outputs_back)

    def allowed(self) -> tuple:
        """Masks of the weights in use, in the data's order: a tree of ones and zeros
        like the parameters, or () if all weights are in use."""
        return ()

    def prepared(self, params):
        """Convert parameters to the form that ``begin``, ``output`` and ``absorb``
        need."""
        return params

    def log_likelihood(self, params, v):
        """Log-likelihood of complete rows, (n_rows,), float64, in nats."""
        out = self.apply(params, self.conditionals.inputs(v))
        return self.conditionals.log_likelihood(out, v)

    def log_p(self, params, v):
        """Log probability of each entry of complete rows given the previous entries,
        (n_rows, n_columns), float64, in the chain's order."""
        out = self.apply(params, self.conditionals.inputs(v))
        return self.conditionals.log_p(out, v)

    def features(self, params, v):
        """Last hidden layer given the whole row, (n_rows, n_features)."""
        return self.hidden(params, self.conditionals.inputs(v))

    def drawn(self, params, v, rng):
        """Draw missing entries, each conditional on the previous entries only. Rows
        without known entries become exact samples of the model."""
        v, params = v.copy(), self.prepared(params)
        state = self.begin(params, len(v))
        for t, single in enumerate(self.conditionals.single):
            rows = np.flatnonzero(np.isnan(v[:, t]))
            if rows.size:
                out = self.output(params, state, t)[rows]
                v[rows, t] = single.draw(out, rng.take(rows).fold(t))[:, 0]
            self.absorb(params, state, t, single.inputs(v[:, [t]]))
        return v

    def filled(self, params, v, rng, n_each, listed=False):
        """Draw ``n_each`` particles of each row, with a random stream for each row; see
        :func:`skdgm.autoregressive.particles.complete`."""
        prepared = self.prepared(params)
        return complete(self, prepared, v, rng, n_each, listed=listed)

    def chosen(self, state, rows):
        """Select the states of rows."""
        return [values[rows] for values in state]
