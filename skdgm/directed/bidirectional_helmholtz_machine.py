r"""Bidirectional Helmholtz machines: geometric means of two directed nets.

.. math:: p^*(x, z) = \frac{1}{\sqrt Z} \sqrt{p(x, z) \, p^*(x) \, q(z \mid x)}
"""

import numpy as np

from skdgm.base import forget_log_Z, lazy_log_Z
from skdgm.base.frames import as_frame
from skdgm.base.options import KW_ONLY, Count
from skdgm.data import names_of
from skdgm.directed._model import GeometricModel
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

    The layers are binary. Each is a logistic regression on the layer above in p, and on
    the layer below in q [1]_. This density is the marginal of :math:`p^*(x, z) \propto
    \sqrt{p(x, z) \, p^*(x) \, q(z \mid x)}`: both nets define the model, so each is
    trained to agree with the other. As :math:`Z \le 1`, the unnormalized probability is
    a lower bound. Both nets follow its gradient, estimated by weighted draws from q. Z
    is the square of the constant in [1]_. NaN marks a missing value in every method.
    Computations are in float64 for float64 data, and in float32 otherwise.

    Parameters
    ----------
    n_importance
        Number of weighted draws from q for each row in training.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of q, then of p, each starting next to the data.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of the same layers.
    prior_intercept_ : ndarray of shape (n_top,)
        Log odds of the bits of the highest layer under p.
    log_Z_, log_Z_se_ : float
        Log of Z, at most 0, and its standard error, in nats, estimated by 10,000 draws
        from p; computed at first use.
    loss_curve_ : list of float
        Minus the unnormalized log probability of a sample of training rows after each
        epoch, in nats per row of standardized columns, with as many draws as in
        training (in total at least 240).
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".

    See Also
    --------
    HelmholtzMachine : Separate generative and recognition models.
    SigmoidBeliefNetwork : The directed model, with several objectives.

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

    _MODEL, _BUDGET = GeometricModel(), Budget(4_500, 20, 120)
    _MODEL_READS = ("log_Z_",)
    _REVIVE = "Raise n_importance, learning_rate or n_iter, or take fewer layers."

    __getattr__, _forget = lazy_log_Z, forget_log_Z

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
        n_draws: int = 20,
    ) -> ArrayOrFrame:
        """Draw rows by importance resampling of draws from p.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new rows.
        conditions : dict, default=None
            Conditions by the name or number of a column, as in
            :meth:`SigmoidBeliefNetwork.sample`. Rows are then chosen among 20 times as
            many draws, at least 4,000, for any ``n_draws``. Not for "gaussian".
        n_draws : int, default=20
            Number of draws from p for each row. With one, rows are draws from p; with
            more, their distribution approaches the model.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the model was fitted to one.

        Raises
        ------
        ValueError
            A condition names an unknown column, or has probability 0.
        """
        drawn = self.density_.sample(
            n_samples,
            random_state,
            conditions=conditions,
            names=names_of(self),
            n_draws=n_draws,
        )
        return as_frame(self, drawn)

    def importance_likelihood(
        self, X: Data, *, n_draws: int = 1000, return_se: bool = False
    ) -> Any:
        r"""Estimate of the log-likelihood of each row, by importance sampling from q.

        .. math:: 2 \log \frac1n \sum_k \sqrt{\frac{p(x, z_k)}{q(z_k \mid x)}} - \log Z,
            \qquad z_k \sim q(z \mid x)

        :meth:`score_samples` is this estimate with ``n_draws`` of the estimator. The
        expectation of the term before log Z is a lower bound on the log-likelihood
        under the model and, for complete rows, under p alone. The estimate of log Z,
        computed in the first call, is too low if few draws from p have most of the
        weight, which causes a warning. Gray values, strictly between 0 and 1, are
        inputs of both nets. The term before log Z is then a lower bound on the mean
        log-likelihood under p of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value, which is marginalized by draws from p.
        n_draws : int, default=1000
            Number of draws for each row.
        return_se : bool, default=False
            Whether to also return standard errors.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error by the delta method; only if ``return_se``. It
            excludes the error ``log_Z_se_`` of log Z, which all rows share.
        """
        self._compute_log_Z()
        return super().importance_likelihood(X, n_draws=n_draws, return_se=return_se)

    def score_samples(self, X: Data) -> np.ndarray:
        """Estimate of the log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value, which is marginalized.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            Estimate by ``n_draws`` draws, the same in each call; see
            :meth:`importance_likelihood`.
        """
        self._compute_log_Z()
        return super().score_samples(X)

    def _compute_log_Z(self):
        """Compute ``log_Z_``, unless it is known."""
        return self.log_Z_
