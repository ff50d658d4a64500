r"""Bidirectional Helmholtz machines: geometric means of two directed nets.

.. math:: p^*(x, z) = \frac{1}{\sqrt Z} \sqrt{p(x, z) \, p^*(x) \, q(z \mid x)}
"""

import numpy as np

from skdgm.base import forget_log_Z, lazy_log_Z
from skdgm.base.frames import framed
from skdgm.base.options import KW_ONLY, Count
from skdgm.data import names_of
from skdgm.directed._model import PLAIN, GeometricModel
from skdgm.latent import LatentEstimator
from skdgm.latent.options import BitOptions
from skdgm.training import Budget
from skdgm.typing import Any, ArrayOrFrame, Data, Seed


class BidirectionalHelmholtzMachine(BitOptions, LatentEstimator):
    r"""Bidirectional Helmholtz machine: the geometric mean of p and q.

    .. math::

        p^*(x) = \frac1Z \Bigl(\sum_z \sqrt{p(x, z) \, q(z \mid x)}\Bigr)^2,

    .. math::

        p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}), \qquad
        q(z \mid x) = \prod_l q(z_l \mid z_{l-1}),

    .. math::

        z_0 = x

    with layers of bits, each a logistic regression on the next, downwards in p and
    upwards in q [1]_. This is the marginal of :math:`p^*(x, z) \propto \sqrt{p(x, z) \,
    p^*(x) \, q(z \mid x)}`: the model is defined by both nets, so each learns to agree
    with the other. As :math:`Z \le 1`, the probability without Z is a lower bound, of
    which both follow the gradient, by weighted draws of q. Z is the square of that
    of [1]_. NaN is a missing value, in every method. Float64 data are computed in
    float64, all others in float32.

    Parameters
    ----------
    n_importance
        Draws of q for each row in training, which are weighted.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of q, from the data up, and then of p, those next to the data first.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of the same layers.
    prior_intercept_ : ndarray of shape (n_top,)
        Log odds of the bits of the highest layer in p.
    log_Z_, log_Z_se_ : float
        Log of Z, at most 0, and its standard error in nats, by 10,000 draws of p;
        computed at first use.
    loss_curve_ : list of float
        Negative lower bound of some training rows after each epoch, the log probability
        without Z by as many draws as in training (of less than 240 rows so many
        altogether), in nats per row, with real columns standardised.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".

    References
    ----------
    .. [1] Bornschein, Shabanian, Fischer and Bengio (2016). Bidirectional Helmholtz
       machines. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BidirectionalHelmholtzMachine
    >>> X = load_digits().data > 7
    >>> machine = BidirectionalHelmholtzMachine((32, 16), n_iter=3, random_state=0)
    >>> machine.fit(X).transform(X).shape
    (1797, 48)
    >>> bool(machine.log_Z_ <= 0)
    True
    >>> machine.sample(3, random_state=0).shape
    (3, 64)
    """

    _: KW_ONLY
    n_importance: Count = 5

    _IMPLIED = PLAIN | {"objective": "rws", "recognition_phase": "wake"}
    _MODEL, _BUDGET = GeometricModel(), Budget(4_500, 20, 120)
    _KNOWN = ("log_Z_",)
    _REVIVE = "Raise n_importance, learning_rate or n_iter, or take fewer layers."

    __getattr__, _forget = lazy_log_Z, forget_log_Z

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
        n_steps: int = 20,
    ) -> ArrayOrFrame:
        """Draw rows: for each several by p, one of which is chosen by weight.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        conditions : dict, default=None
            Conditions by the name, or number, of a column, as of
            :meth:`SigmoidBeliefNetwork.sample`. Rows are chosen among 20 times as many
            draws, at least 4,000, whatever ``n_steps`` says. Not for "gaussian".
        n_steps : int, default=20
            Draws of p for each row. One is a draw of p; with more the distribution
            approaches that of the model.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            A condition names no column, or has no probability.
        """
        drawn = self.density_.sample(
            n_samples,
            random_state,
            conditions=conditions,
            names=names_of(self),
            n_steps=n_steps,
        )
        return framed(self, drawn)

    def importance_likelihood(
        self, X: Data, *, n_draws: int = 1000, return_se: bool = False
    ) -> Any:
        r"""Estimate of the log-likelihood, with a given number of draws.

        .. math:: 2 \log \frac1n \sum_k \sqrt{\frac{p(x, z_k)}{q(z_k \mid x)}} - \log Z,
            \qquad z_k \sim q(z \mid x)

        :meth:`score_samples` is the same with ``n_draws`` draws. Without log Z, that is
        plus ``log_Z_``, its expectation is a lower bound on the log-likelihoods by the
        model and, of rows without missing entries, by p alone. Log Z, computed at the
        first call, may be too low where few draws of p have most of the weight: a
        warning says so. Grey values, strictly between 0 and 1, enter both nets as
        they are: the term before log Z is then a lower bound on the mean
        log-likelihood by p of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries, for
            which draws of p fill the others.
        n_draws : int, default=1000
            Draws for each row.
        return_se : bool, default=False
            Whether to return standard errors, too.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error, by the delta method, without that of log Z,
            ``log_Z_se_``, which all rows share; only if ``return_se``.
        """
        self._compute_log_Z()
        return super().importance_likelihood(X, n_draws=n_draws, return_se=return_se)

    def score_samples(self, X: Data) -> np.ndarray:
        """Estimate of the log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            The same at each call, by ``n_draws`` draws; see
            :meth:`importance_likelihood`.
        """
        self._compute_log_Z()
        return super().score_samples(X)

    def _compute_log_Z(self):
        """Compute ``log_Z_``, unless it is known, for the density of the next call."""
        return self.log_Z_
