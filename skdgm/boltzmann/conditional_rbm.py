r"""Conditional restricted Boltzmann machines: columns y given columns x.

.. math:: -E(y, h; x) = \sum_j \log w_j(y_j) + (b + A^\top x)^\top y + (c + B^\top
   x)^\top h + y^\top W h
"""

from typing import Literal

from skdgm.base.common_options import ColumnTypes
from skdgm.base.options import KW_ONLY, Count, CountOrZero
from skdgm.boltzmann._conditional.estimator import (
    GivenEstimator,
    HiddenKinds,
    TargetColumns,
)


class ConditionalRBM(GivenEstimator):
    r"""Conditional restricted Boltzmann machine: columns y given columns X.

    .. math::

        p(y, h \mid x) = \frac{1}{Z(x)} \prod_j w_j(y_j) \, \exp\big((b + A^\top
        x)^\top y + (c + B^\top x)^\top h + y^\top W h\big)

    The biases of this machine of y depend on the conditions x [1]_ [2]_. It predicts
    several columns together, with their dependences: the rest of an image, all labels
    of a text, a table's missing half. With :math:`W = 0` it is a linear, or logistic,
    regression for each column of y; the hidden units add nonlinear terms, and
    dependences between the columns.

    Each row has a partition function Z(x) of its own. Where y or the hidden layer has
    at most :math:`2^{12}` states, likelihoods, probabilities and draws are exact.
    Columns of X are numbers, which are standardised, and clipped at 10 standard
    deviations, or the categories of a DataFrame; NaN in X is the mean of its column.
    NaN in y is missing, in every method: it is summed out. Where y is left out, all of
    it is missing. Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_lags
        If not 0, X is a series, or several, and each row is modelled given the so many
        rows before it [1]_, in the place of y given X. What is before the first row
        counts as the mean. Its columns are those that ``column_types`` tells of, and
        ``condition_types`` of none; with "mixed", numbers of few values in a DataFrame
        are categories.
    n_factors
        If not 0, conditions change how y and the hidden units depend on each other,
        too, through so many factors [3]_; see the notes.
    gates : tuple or list of str or int, optional
        Columns of X, by name or number, that gate weights by factors, such as a style
        [3]_: those between y and the hidden units, and those of all conditions to
        either. By default all columns gate the first ones alone. With ``n_lags`` it is
        their values in the rows before that do.
    init_conditions
        Initial weights of the conditions to "gaussian" columns of y: those of a ridge
        regression for each, whose penalty generalised cross-validation chooses; or
        small random numbers ("random"), as all other weights.

    Attributes
    ----------
    factors_ : list of ndarray
        Weights of the factors, with ``n_factors``: those of y, of the hidden units and
        of the conditions, of shape (n_factors, n_entries); with ``gates`` three times
        as many: see the notes.

    See Also
    --------
    RBM : The machine of all columns together.
    RBMClassifier : Labels given rows, by a machine of both.

    Notes
    -----
    With ``n_factors``

    .. math:: \sum_f \big(A^\top y\big)_f \big(B^\top h\big)_f \big(C^\top
        x\big)_f

    is added to the exponent: the weights between y and h are then :math:`W + \sum_f
    A_{:f} B_{:f}^\top (C^\top x)_f`. ``factors_`` has A, B and C, transposed. With
    ``gates`` z there are factors of (y, h, z), of (y, x, z) and of (h, x, z):
    ``factors_`` has the three matrices of each in this order. Those of z have zeros for
    other conditions.

    References
    ----------
    .. [1] Taylor, Hinton and Roweis (2007). Modeling human motion using binary latent
       variables. NeurIPS.
    .. [2] Mnih, Larochelle and Hinton (2011). Conditional restricted Boltzmann machines
       for structured output prediction. UAI.
    .. [3] Taylor and Hinton (2009). Factored conditional restricted Boltzmann machines
       for modeling motion style. ICML.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConditionalRBM
    >>> X = (load_digits().data > 7).astype(float)
    >>> upper, lower = X[:, :32], X[:, 32:]
    >>> crbm = ConditionalRBM(10, n_iter=20, random_state=0).fit(upper, lower)
    >>> crbm.density_kind_
    'exact'
    >>> crbm.predict(upper).shape
    (1797, 32)
    >>> bool((crbm.predict(upper) == lower).mean() > 0.85)
    True
    >>> crbm.sample(upper[:3], random_state=0).shape
    (3, 32)
    """

    n_components: Count = 8
    _: KW_ONLY
    column_types: TargetColumns = "mixed"
    condition_types: ColumnTypes = "mixed"
    hidden: HiddenKinds = "bernoulli"
    n_lags: CountOrZero = 0
    n_factors: CountOrZero = 0
    gates: tuple | list | None = None
    pairwise: bool = True
    init_conditions: Literal["ridge", "random"] = "ridge"
