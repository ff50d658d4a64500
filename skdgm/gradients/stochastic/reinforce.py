r"""REINFORCE: the score-function gradient, weighted by a centered signal.

.. math:: \nabla \mathbb{E}_q[f(z)] = \mathbb{E}_q[(f(z) - b) \nabla \log q(z \mid x)],
   \qquad f(z) = \log p(x, z) - \log q(z \mid x)

for any baseline b that does not depend on z [1]_. In NVIL [2]_, the signal of a layer
only has the terms that depend on the draws of this layer,

.. math:: f_l(z) = \log p(z_{l-1}, \dots, z_L) - \log q(z_l, \dots, z_L \mid z_{l-1})

NVIL subtracts a running mean of the signal and a net's prediction of the signal from
:math:`z_{l-1}`, and divides by the running standard deviation if this is above 1.
With several draws, gradients are averaged.

References
----------
.. [1] Williams (1992). Simple statistical gradient-following algorithms for
   connectionist reinforcement learning. Machine Learning.
.. [2] Mnih and Gregor (2014). Neural variational inference and learning in belief
   networks. ICML.
.. [3] Greensmith, Bartlett and Baxter (2004). Variance reduction techniques for
   gradient estimates in reinforcement learning. Journal of Machine Learning Research.
"""

from typing import NamedTuple

import numpy as np

from skdgm.gradients.stochastic.draws import DrawWeights, log_weights
from skdgm.utils.tree import tree_map

# Decay factor of the running moments.
_STAYS = 0.9


class Running(NamedTuple):
    """Running mean and variance of the signals, (n_layers,), and number of batches,
    (1,)."""

    mean: np.ndarray
    variance: np.ndarray
    n: np.ndarray

    @classmethod
    def start(cls, n_layers):
        """Initial moments, before the first batch."""
        return cls(np.zeros(n_layers), np.zeros(n_layers), np.zeros(1))

    def after(self, signal):
        """Moments after another batch of signals of shape (n_rows, n_draws,
        n_layers)."""
        mean = signal.mean(axis=(0, 1), dtype=np.float64)
        variance = signal.var(axis=(0, 1), dtype=np.float64)
        decay = min(_STAYS, self.n[0] / (self.n[0] + 1))
        return Running(
            decay * self.mean + (1 - decay) * mean,
            decay * self.variance + (1 - decay) * variance,
            self.n + 1,
        )


class Optimal(NamedTuple):
    r"""Optimal baselines of each parameter, and the running moments that determine
    them.

    .. math:: b_i = \frac{\mathbb{E}[f(z) s_i(z)^2]}{\mathbb{E}[s_i(z)^2]}, \qquad
       s_i(z) = \partial \log q(z \mid x) / \partial \phi_i

    is the constant baseline with the least variance [3]_. Moments are averages over
    previous batches, so that they do not depend on the current draws. They may be
    computed from sums over a batch: scores of independent draws have mean zero, so that
    the products of different draws vanish in expectation.

    ``cross`` and ``square`` are trees like the parameters, or () before the first
    batch.
    """

    signals: Running
    cross: tuple = ()
    square: tuple = ()

    def taken(self, by_one):
        """Baseline term of the gradient, given a tree of sums of scores; () for the
        first batch."""

        def of(one, cross, square):
            tiny = np.finfo(square.dtype).tiny
            return one * (cross / np.maximum(square, tiny))

        return tree_map(of, by_one, self.cross, self.square) if self.square else ()

    def after(self, cross, square):
        """Moments after another batch."""
        if not self.square:
            return self._replace(cross=cross, square=square)

        def mean(old, new):
            return (_STAYS * old + (1 - _STAYS) * new).astype(new.dtype)

        cross = tree_map(mean, self.cross, cross)
        square = tree_map(mean, self.square, square)
        return self._replace(cross=cross, square=square)


def signals(log_p, log_q, local):
    """Signals in nats, (n_rows, n_draws, n_layers). With ``local``, the signal of a
    layer omits the terms that do not depend on its draws."""
    if not local:
        log_w = log_weights(log_p, log_q)
        return np.repeat(log_w[:, :, None], log_q.shape[2], axis=2)
    terms = log_p[:, :, :-1] - log_q
    sums = np.cumsum(terms[:, :, ::-1], axis=2)[:, :, ::-1]
    return sums + log_p[:, :, -1:]


def reinforce(signal, baseline=0.0, deviation=1.0):
    """DrawWeights of the score-function gradient. The baseline broadcasts with the
    signal, and must not depend on the layer's draws. Signals are divided by
    ``deviation``, (n_layers,)."""
    share = 1 / signal.shape[1]
    of_q = (signal - baseline) / deviation * share
    return DrawWeights(np.full(signal.shape[:2], share), of_q)
