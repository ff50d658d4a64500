r"""Variational bound of directed layers below a Boltzmann machine.

With :math:`h = (h^1, \dots, h^{L-1})` drawn from the recognition distribution Q,

.. math:: \log p(v) \ge \mathbb{E}_Q\Big[\sum_{k=1}^{L-1} \log P(h^{k-1} \mid h^k) -
   \log Q(h^k \mid h^{k-1}) + \log P^*(h^{L-1})\Big] - \log Z, \qquad h^0 = v

The unnormalized :math:`P^*` marginalizes the hidden units of the top-level machine
[1]_. The closer Q is to the posterior, the less the bracket varies between draws; with
an exact entropy in place of :math:`-\log Q`, it would vary by several nats more. The
log of the mean of the exponentiated bracket, without log Z, converges to log p(v) as
the number of draws grows [2]_.

References
----------
.. [1] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from typing import NamedTuple

import numpy as np

from skdgm.utils.math import log_mean_exp

# Tag of the random stream for the inputs of the next layer.
_SEEN = 1


class Terms(NamedTuple):
    """Terms of the bound, in nats, each a float64 array of shape (n_draws, n_rows).

    ``log_p`` is the log joint probability of all layers under P without log Z, and
    ``log_q`` the log probability of the drawn hidden units under Q.
    """

    log_p: np.ndarray
    log_q: np.ndarray

    def bound(self):
        """Lower bound of each draw, without log Z, (n_draws, n_rows)."""
        return self.log_p - self.log_q

    def log_mean_weight(self):
        r"""Log of the mean importance weight of each row, and its standard error.

        .. math:: \log \frac1n \sum_{i=1}^n \frac{P^*(v, h_i)}{Q(h_i \mid v)}
        """
        return log_mean_exp(self.log_p - self.log_q)


def mean(draws):
    """Mean over draws, (n_draws, n_rows), and its standard error, which is 0 for one
    draw."""
    n = len(draws)
    return draws.mean(axis=0), draws.std(axis=0, ddof=min(1, n - 1)) / np.sqrt(n)


def terms(layers, x, clamped, log_top, rng, n_draws):
    """Draw hidden units from Q and evaluate P and Q.

    ``layers`` are :class:`Directed` layers from the bottom up. ``x`` are visible values
    with imputed missing entries, and ``clamped`` masks observed entries (True: all).
    ``log_top(h, rng)`` returns the log weight of each row under the top-level machine.
    ``rng`` has a stream for each row.
    """
    shape = n_draws, len(x)
    result = Terms(log_p=np.zeros(shape), log_q=np.zeros(shape))
    lowest = layers[0].up(x)
    for n in range(n_draws):
        below, known, eta = x, clamped, lowest
        for number, layer in enumerate(layers):
            eta = layer.up(below) if number else eta
            unit = layer.units[1]
            layer_rng = rng.fold(n, number)
            h, q = unit.sample(eta, layer_rng)
            result.log_p[n] += layer.log_conditional(below, h, known)
            result.log_q[n] += unit.log_weight(eta, h) - unit.log_partition(eta)
            (below, gap), known = layer.proposed(h, q, layer_rng.fold(_SEEN)), True
            result.log_p[n] += gap + layer.log_within(h, below)
        result.log_p[n] += log_top(below, rng.fold(n))
    return result
