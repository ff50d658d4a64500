r"""REINFORCE: the score function, weighted by a centred signal.

.. math:: \nabla \mathbb{E}_q[f(z)] = \mathbb{E}_q[(f(z) - b) \nabla \log q(z \mid x)],
   \qquad f(z) = \log p(x, z) - \log q(z \mid x)

for any baseline b that does not depend on z [1]_. NVIL leaves out of a layer's signal
what draws of this layer cannot change [2]_,

.. math:: f_l(z) = \log p(z_{l-1}, \dots, z_L) - \log q(z_l, \dots, z_L \mid z_{l-1})

subtracts a running mean of the signal and what a net predicts of it from
:math:`z_{l-1}`, and divides by its running deviation where that is above 1. Of several
draws, the mean counts.

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

# Share of the running moments that stays at an update.
_STAYS = 0.9


class Running(NamedTuple):
    """Running mean and variance of the signals, (n_layers,), and their number, (1,):
    float64."""

    mean: np.ndarray
    variance: np.ndarray
    n: np.ndarray

    @classmethod
    def start(cls, n_layers):
        """Moments of nothing."""
        return cls(np.zeros(n_layers), np.zeros(n_layers), np.zeros(1))

    def after(self, signal):
        """Moments with those of another batch, of shape (n_rows, n_draws, n_layers)."""
        mean = signal.mean(axis=(0, 1), dtype=np.float64)
        variance = signal.var(axis=(0, 1), dtype=np.float64)
        stays = min(_STAYS, self.n[0] / (self.n[0] + 1))
        return Running(
            stays * self.mean + (1 - stays) * mean,
            stays * self.variance + (1 - stays) * variance,
            self.n + 1,
        )


class Optimal(NamedTuple):
    r"""Baselines of each parameter, and the running moments that they are made of.

    .. math:: b_i = \frac{\mathbb{E}[f(z) s_i(z)^2]}{\mathbb{E}[s_i(z)^2]}, \qquad
       s_i(z) = \partial \log q(z \mid x) / \partial \phi_i

    leaves the least variance of all numbers [3]_. The moments are those of draws of
    former batches, which the draws do not depend on; or those of the sums of a batch,
    which are the same, as scores of independent draws have means of zero.

    ``cross`` and ``square`` are trees like the parameters, or () before the first
    batch.
    """

    signals: Running
    cross: tuple = ()
    square: tuple = ()

    def taken(self, by_one):
        """What baselines of former batches take from a gradient, given a tree of sums
        of scores; () by the first."""

        def of(one, cross, square):
            least = np.finfo(square.dtype).tiny
            return one * (cross / np.maximum(square, least))

        return tree_map(of, by_one, self.cross, self.square) if self.square else ()

    def after(self, cross, square):
        """Moments with those of another batch."""
        if not self.square:
            return self._replace(cross=cross, square=square)

        def mean(old, new):
            return (_STAYS * old + (1 - _STAYS) * new).astype(new.dtype)

        cross = tree_map(mean, self.cross, cross)
        square = tree_map(mean, self.square, square)
        return self._replace(cross=cross, square=square)


def signals(log_p, log_q, local):
    """How good draws were, in nats: (n_rows, n_draws, n_layers). If ``local``, a
    layer's signal leaves out what does not depend on its draws."""
    if not local:
        whole = log_weights(log_p, log_q)
        return np.repeat(whole[:, :, None], log_q.shape[2], axis=2)
    upto = log_p[:, :, :-1] - log_q
    found = np.cumsum(upto[:, :, ::-1], axis=2)[:, :, ::-1]
    return found + log_p[:, :, -1:]


def reinforce(signal, baseline=0.0, deviation=1.0):
    """Weights of the score function. The baseline, which broadcasts with the signal,
    must not depend on the layer's draws; signals are divided by ``deviation``,
    (n_layers,)."""
    share = 1 / signal.shape[1]
    of_q = (signal - baseline) / deviation * share
    return DrawWeights(np.full(signal.shape[:2], share), of_q)
