r"""How likely data are under directed layers with a Boltzmann machine on top.

With :math:`h = (h^1, \dots, h^{L-1})` drawn from the recognition distribution Q,

.. math:: \log p(v) \ge \mathbb{E}_Q\Big[\sum_{k=1}^{L-1} \log P(h^{k-1} \mid h^k) -
   \log Q(h^k \mid h^{k-1}) + \log P^*(h^{L-1})\Big] - \log Z, \qquad h^0 = v

where the top machine's hidden units are summed out of :math:`P^*`. Given
:math:`h^{k-1}` the expectation of :math:`-\log Q` is an entropy, known exactly [1]_.
The mean of the exponentials of the bracket, in place of the bracket's mean, tends to
p(v) itself [2]_.

References
----------
.. [1] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from typing import NamedTuple

import numpy as np

from skdgm.utils.math import log_mean_exp


class Terms(NamedTuple):
    """Terms of the bound, of shape (n_draws, n_rows).

    Parameters
    ----------
    log_p : ndarray
        Of what is above and below in every layer, by the generative weights.
    log_q : ndarray
        Of what was drawn above.
    entropy : ndarray
        The expectation of ``-log_q``, layer by layer.
    """

    log_p: np.ndarray
    log_q: np.ndarray
    entropy: np.ndarray

    def bound(self):
        """The lower bound by each draw."""
        return self.log_p + self.entropy

    def log_mean_weight(self):
        """Log of the mean importance weight, and its standard error."""
        return log_mean_exp(self.log_p - self.log_q)


def mean(draws):
    """The mean of draws, and its standard error."""
    n = len(draws)
    return draws.mean(axis=0), draws.std(axis=0, ddof=min(1, n - 1)) / np.sqrt(n)


def terms(layers, x, held, log_top, rng, n_draws):
    """Draw from Q and evaluate P.

    Parameters
    ----------
    layers : list of Directed
    x : {ndarray, Lists}
        Visible values, complete.
    held : True or ndarray of bool
        Which of them are data.
    log_top : callable
        Log weight of rows of the top machine's visible units, given a stream too.
    rng : Stream
        A stream for each row.
    n_draws : int

    Returns
    -------
    terms : Terms
    """
    out = Terms(*np.zeros((3, n_draws, len(x))))
    lowest = layers[0].up(x)
    for n in range(n_draws):
        below, known, eta = x, held, lowest
        for number, layer in enumerate(layers):
            eta = layer.up(below) if number else eta
            unit = layer.units[1]
            h, q = unit.sample(eta, rng.fold(n, number))
            out.log_p[n] += layer.log_conditional(below, h, known)
            out.log_q[n] += unit.log_weight(eta, h) - unit.log_partition(eta)
            out.entropy[n] += unit.entropy(None, q).sum(axis=1, dtype=np.float64)
            below, known = h, True
        out.log_p[n] += log_top(below, rng.fold(n))
    return out
