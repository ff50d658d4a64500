r"""Fully visible belief networks: regressions of columns on earlier columns.

.. math:: p(x) = \prod_t p\bigl(x_t \mid b_t + \sum_{i < t} x_i U_{it}\bigr)
"""

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import LinearModel
from skdgm.autoregressive.options import NormalColumns, Ordering, Particles
from skdgm.base.options import KW_ONLY, Count, NotNegative
from skdgm.training import AUTO, Budget

# Default number of steps of expectation maximisation, where entries are missing.
_EM_STEPS = 30


class FVBN(AutoregressiveEstimator):
    r"""Fully visible belief network: linear models of columns given earlier ones.

    .. math::

        p(x) = \prod_t p\bigl(x_t \mid z_t\bigr), \qquad
        z_t = b_t + \sum_{i < t} x_i U_{it}

    where the conditional distributions are logistic regressions of bits [1]_ [2]_,
    softmax regressions of codes and linear regressions of real numbers. Likelihoods and
    samples are exact. There are no hidden units: :meth:`transform` returns the expected
    value of each column given the columns before it, the most probable one of codes,
    and standardised values of real columns.

    With ``column_types="gaussian"`` this is the multivariate normal distribution,
    fitted in closed form; by expectation maximisation where entries are missing. Each
    :meth:`partial_fit` adds its rows to the rows since the last :meth:`fit`. Parameters
    of updates, such as ``solver``, are for other types of columns.

    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    alpha : float or tuple of float
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more. With
        ``column_types="gaussian"`` it is in units of the variance of each column given
        those before it: ridge regression of standardised columns. A tuple is a
        piecewise-constant schedule: its values share the epochs evenly, each starting
        where the one before ended.
    n_iter
        Number of epochs; "auto": 10,000 updates, but between 20 and 300 epochs; in
        closed form 1, or 30 where entries are missing; and at least one for each value
        of ``alpha``.
    early_stopping
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters for which it was highest; with several values of ``alpha``, only
        during the last. In closed form there is nothing to stop, but rows are held
        out all the same.
    warm_start
        If True, ``fit`` continues from the current parameters; in closed form only the
        standardisation of columns is kept.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net of each order, of shape (n_inputs, n_outputs).
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or with several orders an "estimate" of
        the mean over all of them (in either case a normalised density; with
        ``column_types="gaussian"`` and no weight decay it is the same for all orders).
        Scores of rows with missing entries are estimates by particles, but exact with
        ``column_types="gaussian"``.
        Also "estimate" after training on grey rows, with values strictly between 0 and
        1 in "bernoulli" columns: scores of such rows are no log-likelihoods, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Scores of binary rows remain as above.

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
    alpha: NotNegative | tuple = 0.0
    early_stopping: bool = False
    learning_rate = 0.01

    _BUDGET = Budget(10_000, 20, 300)
    _MODEL = LinearModel()
    _LIGHTER = (
        "drop columns, or take NADE or EoNADE, whose weights are in proportion to the "
        "inputs, not to their square."
    )

    def _n_epochs(self, table):
        asked = self._options
        n_turns = len(asked.alpha) if isinstance(asked.alpha, tuple) else 0
        if asked.n_iter != AUTO:
            if 0 < asked.n_iter < n_turns:
                raise ValueError(
                    f"n_iter={asked.n_iter} epochs are too few for the {n_turns} "
                    "values of alpha, of which each has at least one."
                )
            return asked.n_iter
        n_epochs = super()._n_epochs(table)
        if asked.column_types == "gaussian":
            n_epochs = 1 if table.rows.complete else _EM_STEPS
        return max(n_epochs, n_turns)
