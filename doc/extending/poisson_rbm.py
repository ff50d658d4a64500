r"""Restricted Boltzmann machine of counts.

.. math:: p(v, h) = \frac1Z \prod_i \frac{e^{b_i v_i}}{v_i!} \;
   e^{c^\top h + v^\top W h}, \qquad v_i \in \{0, 1, 2, \dots\}

The class ``Counts`` validates rows, computes statistics of columns and creates the
visible units. The base class of the estimator implements training, sampling,
imputation, likelihoods, warm starts, callbacks and the interface of scikit-learn.
"""

from typing import Literal

import numpy as np
from poisson_unit import Poisson
from scipy.special import gammaln, logsumexp
from scipy.stats import poisson

from skdgm.boltzmann import BernoulliRBM
from skdgm.data import BinaryColumns
from skdgm.energies import plain
from skdgm.utils.domains import real_rows


class Counts(BinaryColumns):
    """Columns of counts."""

    sample_type = None

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate rows; raise ValueError unless all entries are counts."""
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        for block in rows.blocks():
            v = np.nan_to_num(rows.take(block))
            if ((v < 0) | (v != np.floor(v))).any():
                who = type(model).__name__
                raise ValueError(f"Negative values in data passed to {who}, or parts.")
        return rows

    def bits(self, columns):
        """Indices of binary columns: there are none."""
        return np.arange(0)

    def moments(self, columns):
        """Mean of each column, smoothed by one additional row of ones."""
        return (columns.total + 1) / (columns.seen + 1)

    def loss_of_independent(self, columns):
        """Mean negative log-likelihood of independent Poisson columns, in nats."""
        return poisson(self.moments(columns)).entropy().sum()

    def unit(self, options, columns):
        """Block of visible units."""
        return Poisson(len(columns.seen))

    def noise(self, unit, columns, rng, dtype):
        """Draw independent counts with the means of the columns."""
        return unit.draw(self.moments(columns).astype(dtype), rng)

    @staticmethod
    def log_conditionals(energy, params, x, units=None):
        """Return log p(v_i | v_-i) of the given units of each row, for monitoring.

        Normalizing constants are sums over counts up to twice the maximum of x.
        """
        v, ((b, c), (W,)) = np.asarray(x[0]), plain(params)
        rows, counts = np.arange(len(v)), np.arange(2 * v.max() + 10)
        units = np.tile(np.arange(v.shape[1]), (len(v), 1)) if units is None else units
        log_probs, eta = np.empty(units.shape), c + v @ W
        for k, i in enumerate(units.T):
            observed = v[rows, i].astype(int)
            change = (counts - observed[:, None])[..., None] * W[i][:, None]
            log_p = np.logaddexp(0, eta[:, None] + change).sum(axis=2)
            log_p += b[i][:, None] * counts - gammaln(counts + 1)
            log_probs[:, k] = log_p[rows, observed] - logsumexp(log_p, axis=1)
        return log_probs


class PoissonRBM(BernoulliRBM):
    """Restricted Boltzmann machine with visible counts and binary hidden units.

    It has the parameters, methods and attributes of :class:`~skdgm.BernoulliRBM`.

    Parameters
    ----------
    gradient
        Persistent chains, contrastive divergence, fast weights, or tempering.
    learning_rate
        Initial learning rate, lower than for bits, because counts are larger.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.RandomState(0).poisson([1, 5, 2, 3], size=(200, 4))
    >>> rbm = PoissonRBM(3, random_state=0).fit(X)
    >>> rbm.sample(2, random_state=0).shape
    (2, 4)
    """

    learning_rate = 0.01
    gradient: Literal["pcd", "cd", "fpcd", "tempering"] = "pcd"

    _domain = Counts()
