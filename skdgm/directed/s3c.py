r"""Spike-and-slab sparse coding of real columns.

.. math:: v \mid s, h \sim \mathcal{N}\bigl(W (h \odot s) + c,
   \mathrm{diag}(\beta)^{-1}\bigr), \quad s_i \mid h_i \sim \mathcal{N}(h_i \mu_i,
   \alpha_i^{-1}), \quad h_i \sim \mathrm{Bernoulli}(\sigma(b_i))
"""

from typing import Any, Literal

from skdgm.base import Estimator
from skdgm.base.attributes import reads_one_fit
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


@reads_one_fit
class S3C(FitOptions, Estimator):
    r"""Spike-and-slab sparse coding: rows are sparse sums of directions.

    .. math::

        h_i \sim \mathrm{Bernoulli}(\sigma(b_i)), \quad s_i \mid h_i \sim
        \mathcal{N}(h_i \mu_i, \alpha_i^{-1}), \quad v \mid s, h \sim
        \mathcal{N}\bigl(W (h \odot s) + c, \mathrm{diag}(\beta)^{-1}\bigr)

    A direction is off, or on with a real coefficient. Training is by expectation
    maximization with a factorial posterior over pairs of a spike h and a slab s [1]_
    [2]_. The E-step updates one pair at a time, so that the bound never decreases, and
    the M-step has a closed form. Initial weights are random rows, or independent
    components of up to 2,000 rows, whichever has the higher bound after 20 steps. With
    all spikes on, this is factor analysis. Given the spikes, rows are normal with
    row-specific covariances, as in :class:`~skdgm.SpikeSlabRBM`. Unlike that model,
    this one is directed, so sampling and the bound need no chains.

    Columns may have any scale; they are standardized internally. NaN marks a missing
    value, which every method marginalizes. :meth:`impute` is exact with up to ten
    components. With more components, it averages over ten annealed Gibbs chains, with a
    FewDrawsWarning if they disagree. Computations are in float64; parameters and
    results are float64 for float64 data, and float32 otherwise.

    Parameters
    ----------
    n_components
        Number of spikes, each with a slab.
    features
        Features that :meth:`transform` returns: posterior means of the spikes, or of
        the products of spikes and slabs.
    mean_field_steps
        Number of mean-field sweeps over all pairs for the posterior of a row.
    prior_weight
        Strength of the prior, as a number of pseudo-rows. For each spike, this number
        of rows has the spike on, with a slab of mean 0 and variance 1 and small
        weights, and the same number has it off. With 0, there is no prior.
    min_variance
        Minimum variance of a standardized column given the hidden units.
    batch_size
        Number of rows in each update. If one batch contains all rows, updates are EM
        steps; otherwise, statistics are averaged over batches.
    learning_rate
        Inverse of the number of epochs over which statistics are averaged. Each call of
        ``partial_fit`` is an epoch of its rows.
    n_iter
        Number of epochs; "auto": the number for 200 updates, between 20 and 100.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Transposed weights W of the standardized columns.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases b of the spikes.
    slab_means_, slab_precisions_ : ndarray of shape (n_components,)
        Means :math:`\mu` of the slabs given that their spikes are on, and precisions
        :math:`\alpha`.
    intercept_visible_ : ndarray of shape (n_features,)
        Means c of the standardized columns if all spikes are off.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns given the hidden units.
    mean_, scale_ : ndarray of shape (n_features,)
        Offset and scale of the columns in standardization.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact" with up to ten components, by enumeration
        of all spike states, otherwise "lower bound" (variational).
    loss_curve_ : list of float
        Minus the variational bound of a sample of training rows after each epoch, in
        nats per row of standardized columns.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.

    See Also
    --------
    SpikeSlabRBM : Undirected model of spikes and slabs.
    sklearn.decomposition.DictionaryLearning : Sparse coding without probabilities.

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
    _BUDGET, _STORES_LISTS = Budget(200, 20, 100), False

    def importance_likelihood(
        self, X: Data, *, n_draws: int = 100, return_se: bool = False
    ) -> Any:
        r"""Importance weighted lower bound on the log-likelihood, by draws of the
        spikes.

        .. math:: \log \frac1n \sum_k \frac{p(v, h_k)}{q(h_k \mid v)}, \qquad
            h_k \sim q(h \mid v)

        Slabs are integrated out. The expectation is between the variational bound and
        the log-likelihood, which it approaches with more draws. Weights are unbiased,
        but q may be overconfident: a spike state that is rarely drawn has a large
        weight, and standard errors are too low if it was not drawn.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        n_draws : int, default=100
            Number of draws for each row.
        return_se : bool, default=False
            Whether to also return standard errors.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error by the delta method; only if ``return_se``.
        """
        bound, se = self.density_.importance_likelihood(X, n_draws)
        return (bound, se) if return_se else bound

    @property
    def _dtype(self):
        return self.intercept_visible_.dtype.type

    def _remedy(self):
        return (
            f"Raise prior_weight (now {self._options.prior_weight:g}) or min_variance "
            f"(now {self._options.min_variance:g})."
        )
