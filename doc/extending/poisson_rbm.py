r"""A restricted Boltzmann machine of counts, as an estimator.

.. math:: p(v, h) = \frac1Z \prod_i \frac{e^{b_i v_i}}{v_i!} \;
   e^{c^\top h + v^\top W h}, \qquad v_i \in \{0, 1, 2, \dots\}

An estimator has options and a kind of columns: their validation, their statistics and
the unit that they are. Training, samples, imputation, likelihoods, warm starts,
callbacks and all that scikit-learn asks come from its base class.
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

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        """Validate counts; others raise ValueError."""
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        for block in rows.blocks():
            v = np.nan_to_num(rows.take(block))
            if ((v < 0) | (v != np.floor(v))).any():
                who = type(model).__name__
                raise ValueError(f"Negative values in data passed to {who}, or parts.")
        return rows

    def bits(self, columns):
        """Indices of the binary columns: none."""
        return np.arange(0)

    def moments(self, columns):
        """Mean of each column, smoothed as if a 1 more had been seen."""
        return (columns.total + 1) / (columns.seen + 1)

    def loss_of_independent(self, columns):
        """Negative log-likelihood per row, in nats, of independent Poisson columns."""
        return poisson(self.moments(columns)).entropy().sum()

    def unit(self, options, columns):
        """Block of Poisson units."""
        return Poisson(len(columns.seen))

    def noise(self, unit, columns, rng, dtype):
        """Rows of independent counts with the means of the columns."""
        return unit.draw(self.moments(columns).astype(dtype), rng)

    @staticmethod
    def log_conditionals(energy, params, x, units=None):
        """log p(v_i | v_-i) of some units of each row, for monitoring: sums over counts
        up to twice the highest."""
        v, ((b, c), (W,)) = np.asarray(x[0]), plain(params)
        rows, counts = np.arange(len(v)), np.arange(2 * v.max() + 10)
        units = np.tile(np.arange(v.shape[1]), (len(v), 1)) if units is None else units
        found, eta = np.empty(units.shape), c + v @ W
        for k, i in enumerate(units.T):
            own = v[rows, i].astype(int)
            change = (counts - own[:, None])[..., None] * W[i][:, None]
            log_p = np.logaddexp(0, eta[:, None] + change).sum(axis=2)
            log_p += b[i][:, None] * counts - gammaln(counts + 1)
            found[:, k] = log_p[rows, own] - logsumexp(log_p, axis=1)
        return found


class PoissonRBM(BernoulliRBM):
    """Restricted Boltzmann machine with visible counts and binary hidden units.

    Parameters, methods and attributes are those of :class:`~skdgm.BernoulliRBM`.

    Parameters
    ----------
    gradient
        Persistent chains, contrastive divergence, fast weights, or tempering.
    learning_rate
        Initial learning rate: lower than of bits, as counts are larger.

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
