r"""Recurrent nets and chains that learn the residuals of linear autoregressions.

.. math:: \mu_{tj} = m_{tj} + \sum_{i<j} (x_{ti} - m_{ti}) U_{ij} + s_j o_{tj}

m are the means of an :class:`~skdgm.recurrent._autoregression.Autoregression`, U the
regressions of its residuals on those of previous columns, :math:`s_j` standard
deviations, and o outputs of the net.
"""

import numpy as np

from skdgm.autoregressive.normal_moments import regressions
from skdgm.nets import moved
from skdgm.nets.recurrent import last
from skdgm.recurrent._nade_step import RowChain
from skdgm.recurrent._net import Biases, RecurrentNet

# Minimum initial scale, in units of the minimum scale.
_MIN_SCALE = 1.1
# Initial means of components relative to those of standardized columns, and their
# scales.
_SPREAD, _SCALE = 0.5, 0.8


def linear_values(conditionals):
    """Matrix and offset that compute real columns, in the units of a model, from the
    inputs of a net."""
    n = len(conditionals.kinds)
    T, offset = np.zeros((conditionals.n_inputs.sum(), n)), np.zeros(n)
    first = np.cumsum(conditionals.n_inputs) - conditionals.n_inputs
    for j, kind in enumerate(conditionals.kinds):
        if kind == "gaussian":
            T[first[j], j] = 1
        elif kind == "numeric":
            scale = conditionals.scales[j]
            T[first[j] + len(scale.atoms) + 1, j] = scale.slope * scale.span
            offset[j] = scale.forward(np.array([scale.center]))[0]
    return T, offset


class LaggedChain(RowChain):
    """Chain whose outputs are relative to the means and residuals of an autoregression
    ``linear``."""

    def __init__(self, conditionals, start, order, layer, linear):
        super().__init__(conditionals, start, order, layer)
        self.linear, mixture = linear, conditionals.mixture
        # Positions in the chain of the columns of the autoregression.
        places = np.sort(self.place[linear.columns])
        of_chain = np.argsort(self.place[linear.columns])
        U, s = regressions(linear.covariance[np.ix_(of_chain, of_chain)])
        n, k = self.n_columns, mixture.n_components
        regress, errors = np.zeros((n, n)), np.ones(n)
        regress[np.ix_(places, places)], errors[places] = U, s
        T, self.offset = linear_values(self.conditionals)
        self.T, self.regress, self.errors = T @ regress, regress, errors
        # Outputs of a column end with log weights, means and log scales.
        self.is_mean, self.is_scale = np.zeros((2, self.n_outputs), bool)
        for end in np.cumsum(self.conditionals.n_outputs)[places]:
            self.is_mean[end - 2 * k : end - k] = True
            self.is_scale[end - k : end] = True
        self.owner = np.repeat(np.arange(n), self.conditionals.n_outputs)
        self.raw = np.where(self.is_scale, self._raw(errors)[self.owner], 0.0)
        self.factor = np.where(self.is_mean, errors[self.owner], 1.0)
        self.slope = np.where(self.is_mean & (not mixture.rescaled), self.factor, 1.0)
        scales = enumerate(self.conditionals.scales or ())
        self.with_steps = [
            (t, s) for t, s in scales if t in places and getattr(s, "step", 0)
        ]
        # The net does not change the distributions of columns without noise.
        fixed = np.zeros(n, bool)
        fixed[self.place[linear.columns[~linear.noisy]]] = True
        self.slope[fixed[self.owner]] = 0
        # The total variance of the components is that of a residual.
        self.first = np.where(self.is_mean, _SPREAD * self.first, self.first)
        self.first = self.first + np.where(
            self.is_scale, mixture.raw_scale(_SCALE), 0.0
        )

    def row_biases(self, means, ratios, dtype):
        """Biases of outputs, in the order of the data, that move means to ``means`` of
        the columns of the autoregression and multiply scales by ``ratios``."""
        n, n_rows = self.n_columns, len(means)
        m, r, columns = np.zeros((n_rows, n)), np.ones((n_rows, n)), self.linear.columns
        m[:, columns], r[:, columns] = means, ratios
        m, r = m[:, self.order], r[:, self.order]
        shift = ((m + (self.offset - m) @ self.regress) / self.errors).astype(dtype)
        back = self.outputs_back
        owner, is_mean = self.owner[back], self.is_mean[back]
        biases = shift[:, owner]
        biases[:, ~is_mean] = 0
        if (r != 1).any():
            raw = self._raw(self.errors * r) - self._raw(self.errors)
            is_scale = self.is_scale[back]
            biases[:, is_scale] = raw.astype(dtype)[:, owner[is_scale]]
        return biases

    def _raw(self, scales):
        """Outputs of a net that give scales."""
        mixture = self.conditionals.mixture
        return mixture.raw_scale(np.maximum(scales, _MIN_SCALE * mixture.floor))

    def apply(self, params, x):
        out, means = super().apply(params, x), x @ self.T.astype(x.dtype)
        return self._moved(out, means[:, self.owner], slice(None))

    def drawn(self, params, v, rng):
        """Draw missing entries, as multiples of the step of their column: rounding
        errors would add up over steps of a sequence."""
        drawn = super().drawn(params, v, rng)
        for t, scale in self.with_steps:
            rounded = scale.forward(scale.backward(drawn[:, t]))
            drawn[:, t] = np.where(np.isnan(v[:, t]), rounded, drawn[:, t])
        return drawn

    def begin(self, params, n_rows):
        return [*super().begin(params, n_rows), np.zeros((n_rows, self.n_columns))]

    def output(self, params, state, t):
        out = super().output(params, state, t)
        shift = np.repeat(state[2][:, [t]], out.shape[1], axis=1)
        return self._moved(out, shift, self.outputs[t])

    def absorb(self, params, state, t, x):
        super().absorb(params, state, t, x)
        state[2] += x @ self.T[self.inputs[t]]

    def _moved(self, out, shift, which):
        """Outputs ``which``, moved by ``shift`` (means of their columns, which is
        changed in place) if they are means."""
        shift[:, ~self.is_mean[which]] = 0
        shift += self.raw[which].astype(shift.dtype)
        return moved(out, self.factor[which], shift, self.slope[which])


class LaggedNet(RecurrentNet):
    """Recurrent net whose states also have lagged values, for an autoregression."""

    extrapolates = True

    def __init__(self, step, cell, n_units, init, dropout=0.0):
        super().__init__(step, cell, n_units, init, dropout)
        self.linear = step.chain.linear

    def inputs(self, params, v):
        """Inputs to the cell, followed by the values of the autoregression."""
        return np.hstack([super().inputs(params, v), v[:, self.linear.columns]])

    def _split(self, x):
        n = self.step.n_inputs
        return x[:, :n], x[:, n:]

    def states(self, params, x, sizes, carried=None):
        carried = None if carried is None else carried[:, : self.n_states]
        return super().states(params, self._split(x)[0], sizes, carried)

    def last(self, states, x, sizes, carried):
        """States of sequences after a segment, given the states of its rows."""
        lags = carried[:, self.n_states :]
        units = last(states, sizes, carried[:, : self.n_states])
        after = self.linear.lagged(self._split(x)[1], sizes, lags)[1]
        return np.hstack([units, after.astype(units.dtype)])

    def all_biases(self, params, x, sizes, carried=None, rng=None):
        cell, lags = None, None
        if carried is not None:
            cell, lags = carried[:, : self.n_states], carried[:, self.n_states :]
        biases, cell = super().all_biases(params, x, sizes, cell, rng)
        before, after = self.linear.lagged(self._split(x)[1], sizes, lags)
        after = np.hstack([cell, after.astype(cell.dtype)])
        return self._with_means(biases, before), after

    def biases(self, params, states, rng=None):
        if states.shape[1] == self.n_states:
            return super().biases(params, states, rng)
        biases = super().biases(params, states[:, : self.n_states], rng)
        return self._with_means(biases, states[:, self.n_states :])

    def _with_means(self, biases, lagged):
        means, ratios = self.linear.means(lagged)
        shift = self.step.chain.row_biases(means, ratios, lagged.dtype)
        return Biases(biases.hidden, biases.visible + shift)

    def begin(self, params, n):
        units = super().begin(params, n)
        lags = np.full((n, self.linear.width), np.nan, units.dtype)
        return np.hstack([units, lags])

    def follow(self, params, state, x):
        units, lags = state[:, : self.n_states], state[:, self.n_states :]
        x, v = self._split(x)
        units = super().follow(params, units, x)
        return np.hstack([units, self.linear.followed(lags, v).astype(units.dtype)])
