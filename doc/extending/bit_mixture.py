r"""Mixture of Bernoulli distributions, trained by gradient ascent.

.. math:: p(x) = \sum_k \pi_k \prod_j \frac{e^{x_j W_{jk}}}{1 + e^{W_{jk}}}, \qquad
   \pi = \operatorname{softmax}(b)
"""

from types import SimpleNamespace

import autograd.numpy as anp
import numpy as np
from autograd.scipy.special import logsumexp
from scipy.special import expit, softmax
from sklearn.utils import check_random_state

from skdgm.base import Density, of_rows
from skdgm.base.options import KW_ONLY, Count
from skdgm.data import BinaryColumns, fill
from skdgm.nets import Layer, NetEstimator, NetModel, NetObjective


def log_joint(layer, v):
    """log p(x, k), (n_rows, n_components), with missing entries of x summed out."""
    observed, x = ~np.isnan(v), np.nan_to_num(v)
    log_pi = layer.b - logsumexp(layer.b)
    return x @ layer.W - observed @ anp.logaddexp(0, layer.W) + log_pi


class MixtureObjective(NetObjective):
    """Negative log-likelihood of each row."""

    def __init__(self, run, n_components):
        super().__init__(run)
        self.n_components = n_components

    def init(self, rng):
        """Initial parameters: random components with equal probabilities."""
        shape = self.rows.shape[1], self.n_components
        W = rng.normal(0, 1, shape).astype(self.rows.dtype)
        return (Layer(W, np.zeros_like(W[0])),), ()

    def prepare(self, state, batch, clock):
        """Rows of a minibatch."""
        return self.rows.take(batch)

    def forward(self, params, v):
        """Loss of each row, (n_rows,), as a function that autograd differentiates."""
        return -logsumexp(log_joint(params[0], v), axis=1), ()

    def losses(self, state, index, rng):
        """Loss of each row, (n_rows,), for learning curves and early stopping."""
        return self.forward(state.learned, self.rows.take(index))[0].astype(np.float64)


class MixtureDensity(Density):
    """Density of a fitted mixture."""

    def __init__(self, context, layer):
        super().__init__(context)
        self.layer = layer

    @property
    def n_features_out(self):
        """Number of components."""
        return len(self.layer.b)

    @property
    def capabilities(self):
        """Exact results for complete rows and for rows with missing entries."""
        return {
            "log_prob": of_rows("exact"),
            "features": of_rows("exact"),
            "sample": {"unconditional": "exact"},
            "fill": {"missing": "exact"},
        }

    def log_prob(self, X):
        """Log-likelihood of each row, (n_rows,), in nats."""
        v = self.read(X).take(slice(None))
        return logsumexp(log_joint(self.layer, v), axis=1).astype(np.float64)

    def features(self, X):
        """Posterior probabilities of the components, (n_rows, n_components)."""
        return softmax(log_joint(self.layer, self.read(X).take(slice(None))), axis=1)

    def sample(self, n_samples, random_state=None):
        """Draw a component for each row, then the bits given the component."""
        rng, p = check_random_state(random_state), softmax(self.layer.b)
        k = rng.choice(len(p), n_samples, p=p / p.sum(dtype=float))
        return (rng.uniform(size=(n_samples, len(self.layer.W))) < self._means[k]) * 1.0

    def fill(self, X, method="mean", random_state=None):
        """Impute missing entries by conditional means or by draws."""

        def impute(block):
            v, rng = block.v, block.rng
            p = softmax(log_joint(self.layer, v), axis=1)
            if method == "sample":
                k = (p.cumsum(axis=1) < rng.uniform(1)).sum(axis=1)
                mean = self._means[k.clip(max=len(p[0]) - 1)]
                mean = rng.fold(1).uniform(v.shape[1]) < mean
            else:
                mean = p @ self._means
            return np.where(np.isnan(v), mean, v)

        return fill(self, X, method, random_state, impute)

    @property
    def _means(self):
        return expit(self.layer.W).T


class MixtureModel(NetModel):
    """Interpretation of the options of :class:`BitMixture`."""

    def check(self, options):
        """Accept all options: the type hints exclude invalid values."""

    def structure(self, facts):
        """Number of components, which is fixed until the next call of ``fit``."""
        return SimpleNamespace(n_components=facts.options.n_components)

    def objective(self, facts, table, before):
        """Objective: the negative log-likelihood."""
        n_components = facts.structure.n_components
        return MixtureObjective(facts.run(table, before), n_components)

    def density(self, facts, state):
        """Density with the learned parameters."""
        return MixtureDensity(facts.context, state.learned[0])


class BitMixture(NetEstimator):
    """Mixture of Bernoulli distributions.

    Parameters
    ----------
    n_components
        Number of components.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data > 7
    >>> BitMixture(8, n_iter=5, random_state=0).fit(X).transform(X).shape
    (1797, 8)
    """

    n_components: Count = 16
    _: KW_ONLY
    learning_rate = 0.02

    _MODEL, _domain = MixtureModel(), BinaryColumns()
