r"""Spike and slab sparse coding of real columns.

.. math:: v \mid s, h \sim \mathcal{N}\bigl(W (h \odot s) + c,
   \mathrm{diag}(\beta)^{-1}\bigr), \quad s_i \mid h_i \sim \mathcal{N}(h_i \mu_i,
   \alpha_i^{-1}), \quad h_i \sim \mathrm{Bernoulli}(\sigma(b_i))
"""

from typing import Any, Literal

from skdgm.base import Estimator
from skdgm.base.attributes import steady
from skdgm.base.common_options import FitOptions
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    Positive,
)
from skdgm.data import RealColumns
from skdgm.directed._spike_slab_model import CodingModel
from skdgm.training import Budget
from skdgm.typing import Data


@steady
class S3C(FitOptions, Estimator):
    r"""Spike and slab sparse coding: rows are sums of few directions, each of which is
    off, or on to a degree.

    .. math::

        h_i \sim \mathrm{Bernoulli}(\sigma(b_i)), \quad s_i \mid h_i \sim
        \mathcal{N}(h_i \mu_i, \alpha_i^{-1}), \quad v \mid s, h \sim
        \mathcal{N}\bigl(W (h \odot s) + c, \mathrm{diag}(\beta)^{-1}\bigr)

    Learned by expectation maximisation with a factorised posterior of the pairs of a
    spike h and a slab s [1]_ [2]_: updates of one pair at a time, which never lower
    the bound, and parameters in closed form. Weights begin as rows, drawn at random, or
    as independent components of up to 2,000 rows, by the higher bound after 20 steps.
    With all spikes on, it is factor analysis; given the spikes, rows are normal with
    covariances of their own, as of :class:`~skdgm.SpikeSlabRBM`, but the model is
    directed: draws and a bound are exact and need no chains.

    Columns may have any scale: they are standardised internally. NaN is a missing
    value, in every method, which is left out. :meth:`impute` is exact of up to ten
    components; of more, it averages over ten annealed chains, which draw one pair at a
    time, with a FewDrawsWarning where they disagree. All is computed in float64;
    parameters and results are float64 for data of that type, else float32.

    Parameters
    ----------
    n_components
        Number of spikes, each with a slab.
    features
        Values that :meth:`transform` returns: means of the spikes, or of their products
        with the slabs, in units of the components.
    mean_field_steps
        Number of times that each pair is updated, given the others, to find the
        posterior of a row.
    prior_weight
        Number of rows, of those of an epoch, that the prior counts for: it has each
        spike on in as many, and off in as many, with slabs of mean 0 and variance 1,
        and small weights. With 0, the bound is maximised as it is.
    min_variance
        Least variance of a standardised column given the hidden units.
    batch_size
        Number of rows in each update. If there are no more, each update is a step of
        expectation maximisation; else statistics are averaged over batches.
    learning_rate
        Statistics are averaged over so many epochs as the inverse of this, where 1 is
        one epoch. Each call of ``partial_fit`` is an epoch of its rows.
    n_iter
        Number of epochs; "auto": 200 updates, but between 20 and 100 epochs.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W of the standardised columns, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases b of the spikes.
    slab_means_, slab_precisions_ : ndarray of shape (n_components,)
        Means :math:`\mu` of the slabs where their spikes are on, and precisions
        :math:`\alpha`.
    intercept_visible_ : ndarray of shape (n_features,)
        Means c of the standardised columns where all spikes are off.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns given the hidden units.
    mean_, scale_ : ndarray of shape (n_features,)
        Values that are subtracted from the columns, and by which these are then
        divided.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact" of up to ten components, by going through
        all states of the spikes; else "lower bound", the variational one.
    loss_curve_ : list of float
        Minus the variational bound of some training rows after each epoch, in nats per
        row, of standardised columns.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.

    References
    ----------
    .. [1] Goodfellow, Courville and Bengio (2012). Large-scale feature learning with
       spike-and-slab sparse coding. ICML.
    .. [2] Goodfellow, Courville and Bengio (2012). Spike-and-slab sparse coding for
       unsupervised feature discovery. arXiv:1201.3382.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import S3C
    >>> X = load_iris().data
    >>> model = S3C(8, random_state=0).fit(X)
    >>> model.transform(X).shape
    (150, 8)
    >>> model.density_kind_
    'exact'
    >>> bool(model.score(X) > -2.5)
    True
    """

    n_components: Count = 10
    _: KW_ONLY
    features: Literal["spike", "spike_slab"] = "spike"
    mean_field_steps: Count = 10
    prior_weight: NotNegative = 1.0
    min_variance: Fraction = 0.01
    batch_size: Count = 1000
    n_iter: CountOrZero | Auto = "auto"
    learning_rate: Positive = 1.0

    _MODEL, _domain = CodingModel(), RealColumns()
    _BUDGET, _LISTED = Budget(200, 20, 100), False

    def importance_likelihood(
        self, X: Data, *, n_draws: int = 100, return_se: bool = False
    ) -> Any:
        r"""Importance weighted lower bound, by draws of the spikes.

        .. math:: \log \frac1n \sum_k \frac{p(v, h_k)}{q(h_k \mid v)}, \qquad
            h_k \sim q(h \mid v)

        with slabs integrated out. Its expectation is between the variational bound and
        the log-likelihood, which it approaches with more draws. Weights are unbiased,
        but q may be too sure of a spike: a state that it seldom draws has a large
        weight, and standard errors are too low where there was none.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=100
            Draws for each row.
        return_se : bool, default=False
            Whether to return standard errors, too.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error, by the delta method; only if ``return_se``.
        """
        bound, se = self.density_.importance_likelihood(X, n_draws)
        return (bound, se) if return_se else bound

    @property
    def _dtype(self):
        return self.intercept_visible_.dtype.type

    def _n_epochs(self, table):
        options = self._options
        return self._BUDGET.epochs(options.n_iter, table, options.batch_size)

    def _remedy(self):
        return (
            f"Raise prior_weight (now {self._options.prior_weight:g}) or min_variance "
            f"(now {self._options.min_variance:g})."
        )
