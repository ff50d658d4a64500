r"""Fully visible belief networks: regressions of columns on previous columns.

.. math:: p(x) = \prod_t p\bigl(x_t \mid b_t + \sum_{i < t} x_i U_{it}\bigr)
"""

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import LinearModel
from skdgm.autoregressive.options import NormalColumns, Ordering, Particles
from skdgm.base.options import KW_ONLY, Auto, Count, NotNegative
from skdgm.training import AUTO, Budget

# Default number of EM steps if entries are missing.
_EM_STEPS = 30


class FVBN(AutoregressiveEstimator):
    r"""Fully visible belief network: linear models of columns given the previous
    columns.

    .. math::

        p(x) = \prod_t p\bigl(x_t \mid z_t\bigr), \qquad
        z_t = b_t + \sum_{i < t} x_i U_{it}

    The conditional distributions are logistic regressions of binary columns [1]_ [2]_,
    softmax regressions of categorical columns, and linear regressions of real columns.
    Likelihoods and samples are exact. There are no hidden units: :meth:`transform`
    returns the expected value of each column given the previous columns, the most
    probable category of categorical columns, and standardized values of real columns.

    With ``column_types="gaussian"`` this is the multivariate normal distribution,
    fitted in closed form, or by expectation maximization if entries are missing: with
    ``alpha=0`` at the maximum of the likelihood. Each :meth:`partial_fit` adds its rows
    to the rows since the last :meth:`fit`. Training parameters, such as ``solver``,
    only apply to other types of columns.

    Computations are in float64 for float64 data, and in float32 otherwise.

    Parameters
    ----------
    alpha : float, tuple of float or "auto"
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows, so smaller batches are penalized more. With
        ``column_types="gaussian"``, it is in units of the conditional variance of each
        column given the previous columns, as in ridge regression of standardized
        columns. A tuple is a piecewise-constant schedule with an equal share of the
        epochs for each value. "auto": 0; with ``column_types="gaussian"``, covariances
        are multiplied by a cross-validated factor, which is near 1 for many rows.
    n_iter
        Number of epochs; "auto": the number for 10,000 updates, between 20 and 300; in
        closed form 1, or 30 if entries are missing; and at least one for each value of
        ``alpha``.
    early_stopping
        If True, hold out rows, stop when their likelihood no longer increases, and keep
        the parameters at its maximum; with several values of ``alpha``, only during the
        last. Rows are also held out in closed form, where it has no other effect.
        "auto": True if ``n_iter`` is "auto", except in closed form.
    warm_start
        If True, ``fit`` continues from the current parameters; in closed form, it only
        keeps the standardization of columns.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of each order, of shape (n_inputs, n_outputs).
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact"; or "estimate" with several orders, as an
        estimate of the mean over all orders, which is still a normalized density. With
        ``column_types="gaussian"`` and no weight decay, all orders have the same
        density. Scores of rows with missing entries are particle estimates, but exact
        with ``column_types="gaussian"``. The kind is also "estimate" after training on
        gray rows, with values strictly between 0 and 1 in "bernoulli" columns. Scores
        of gray rows are not log-likelihoods; :func:`~skdgm.metrics.average_over_draws`
        returns their mean over draws of bits. Scores of binary rows are not affected.

    See Also
    --------
    NADE : Conditionals that share hidden units.
    NeuralAutoregressive : Conditionals with their own hidden units.

    References
    ----------
    .. [1] Frey (1998). Graphical models for machine learning and digital communication.
       MIT Press.
    .. [2] Frey, Hinton and Dayan (1996). Does the wake-sleep algorithm produce good
       density estimators? NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import FVBN
    >>> X = load_digits().data > 7
    >>> fvbn = FVBN(alpha=0.1, n_iter=50, random_state=0).fit(X)
    >>> fvbn.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(fvbn.score(X) > -20)
    True
    """

    column_types: NormalColumns = "auto"
    _: KW_ONLY
    n_orderings: Count = 1
    ordering: Ordering = "given"
    n_draws: Particles = 100
    alpha: NotNegative | tuple | Auto = "auto"
    learning_rate = 0.01

    _BUDGET = Budget(10_000, 20, 300)
    _MODEL = LinearModel()
    _LIGHTER = (
        "drop columns, or take NADE or EoNADE, whose weights are in proportion to the "
        "inputs, not to their square."
    )

    @staticmethod
    def _may_overfit(options):
        return options.column_types != "gaussian"

    def _current_options(self):
        options = super()._current_options()
        if options.alpha == AUTO and options.column_types != "gaussian":
            options.alpha = 0.0
        return options

    def _n_epochs(self, table):
        options = self._options
        n_alphas = len(options.alpha) if isinstance(options.alpha, tuple) else 0
        if options.n_iter != AUTO:
            if 0 < options.n_iter < n_alphas:
                raise ValueError(
                    f"n_iter={options.n_iter} epochs are too few for the {n_alphas} "
                    "values of alpha, of which each has at least one."
                )
            return options.n_iter
        n_epochs = super()._n_epochs(table)
        if options.column_types == "gaussian":
            n_epochs = 1 if table.rows.complete else _EM_STEPS
        return max(n_epochs, n_alphas)
