r"""Chains of real columns that learn residuals of linear regressions.

.. math:: \mu_{tk} = \sum_{i<t} x_i U_{it} + s_t m_{tk}, \qquad
    \log \sigma_{tk} = \log s_t + l_{tk}

U are regressions of each column on the previous columns, :math:`s_t` the standard
deviations of their residuals, and m and l outputs of a net. Training thus starts close
to the normal distribution, with steps in units of the residuals. The regressions are
those of the shrunk covariance of standardized columns; there are none if there are too
few rows or too many columns.
"""

import numpy as np

from skdgm.autoregressive.net_chains import TiedChain
from skdgm.autoregressive.normal_moments import regressions, shrunk_normal
from skdgm.nets import moved
from skdgm.utils.threading.threads import one_blas_thread

# Minimum initial scale, in units of the minimum scale.
_MIN_SCALE = 1.1
# Maximum number of rows if entries are missing; minimum number of rows, and maximum
# number of columns.
_MAX_EM_ROWS, _MIN_ROWS, _MAX_COLUMNS = 300, 8, 1000


class ResidualChain(TiedChain):
    """Tied chain with a learned factor for each column, and regressions from the
    ``covariance`` of its layer."""

    def __init__(self, conditionals, start, order, layer):
        super().__init__(conditionals, start, order, layer)
        self.U, errors = regressions(layer.covariance[np.ix_(order, order)])
        # Outputs of a column are log weights, means, and log scales.
        mixture = conditionals.mixture
        self.n_each = 3 * mixture.n_components
        kinds = np.repeat(np.arange(3), mixture.n_components)
        kinds, errors = np.tile(kinds, self.n_columns), np.repeat(errors, self.n_each)
        self.is_mean = kinds == 1
        self.factor = np.where(self.is_mean, errors, 1.0)
        # Gradients with respect to means are multiplied by scales, hence dimensionless.
        self.slope = np.ones_like(errors) if mixture.rescaled else self.factor
        scales = mixture.raw_scale(np.maximum(errors, _MIN_SCALE * mixture.floor))
        self.scales = np.where(kinds == 2, scales, 0.0)

    def apply(self, params, x):
        out, means = super().apply(params, x), x @ self.U.astype(x.dtype)
        return self._moved(out, means, slice(None))

    def begin(self, params, n_rows):
        """Initial state: pre-activations, and means of all columns."""
        (pre,) = super().begin(params, n_rows)
        return [pre, np.zeros((n_rows, self.n_columns), pre.dtype)]

    def output(self, params, state, t):
        out = super().output(params, state, t)
        return self._moved(out, state[1][:, [t]], self.outputs[t])

    def absorb(self, params, state, t, x):
        """Add the contributions of column t to pre-activations and means."""
        super().absorb(params, state, t, x)
        state[1] += x * self.U[t].astype(x.dtype)

    def _moved(self, out, means, which):
        """Add regression means and initial scales to the outputs ``which``."""
        shift = np.repeat(means, self.n_each, axis=1) * self.is_mean[which]
        shift = shift + self.scales[which]
        return moved(out, self.factor[which], shift, self.slope[which])


def steady_covariance(table):
    """Regularized covariance of standardized columns, (n_columns, n_columns); None if
    there are too many columns or too few rows."""
    n_columns = table.rows.shape[1]
    if n_columns > _MAX_COLUMNS or len(table.index) < _MIN_ROWS:
        return None
    if not table.rows.complete:
        stride = -(-len(table.index) // _MAX_EM_ROWS)
        index, weight = table.index[::stride], table.weight[::stride]
        table = table._replace(index=index, weight=weight)
    # Threads slow down decompositions of many small matrices.
    with one_blas_thread():
        return shrunk_normal(table)[1]
