r"""Conditional restricted Boltzmann machines: columns y given columns x.

.. math:: -E(y, h; x) = \sum_j \log w_j(y_j) + (b + A^\top x)^\top y + (c + B^\top
   x)^\top h + y^\top W h
"""

from typing import Literal

from skdgm.base.common_options import ColumnTypes
from skdgm.base.options import KW_ONLY, Count, CountOrZero
from skdgm.boltzmann._conditional.estimator import (
    ConditionalEstimator,
    HiddenKinds,
    TargetColumns,
)


class ConditionalRBM(ConditionalEstimator):
    r"""Conditional restricted Boltzmann machine: columns y given columns X.

    .. math::

        p(y, h \mid x) = \frac{1}{Z(x)} \prod_j w_j(y_j) \, \exp\big((b + A^\top
        x)^\top y + (c + B^\top x)^\top h + y^\top W h\big)

    A restricted Boltzmann machine of y, whose biases depend on the conditions x [1]_
    [2]_. It predicts several dependent columns jointly, such as the rest of an image,
    the labels of a text, or half of a table. With :math:`W = 0` it is a linear or
    logistic regression for each column of y. Hidden units add nonlinear terms, and
    dependences between the columns of y.

    Each row has its own partition function Z(x). Likelihoods, probabilities and samples
    are exact if y or the hidden layer has at most :math:`2^{12}` states. Columns of X
    are the categories of a DataFrame, or numbers, which are standardized and clipped at
    10 standard deviations; NaN in X is replaced by the mean of its column. NaN in y is
    a missing value, which is marginalized; without y, all its values are missing.
    Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_lags
        If not 0, X is one or several time series, and there is no y: each row is
        modeled given the previous ``n_lags`` rows [1]_. Before the first row, columns
        have their means. ``column_types`` applies to the columns of X, and
        ``condition_types`` is ignored; with "mixed", numeric columns with few distinct
        values in a DataFrame are categories.
    n_factors
        Number of factors, through which conditions change the weights between y and the
        hidden units [3]_; see the notes. With 0, conditions change only biases.
    gates : tuple or list of str or int, optional
        Columns of X, by name or number, that gate other weights through factors, such
        as a style [3]_. They gate the weights between y and the hidden units, and the
        weights of the conditions. By default all columns of X gate the weights between
        y and the hidden units only. With ``n_lags``, gates are the values in previous
        rows.
    init_conditions
        Initial weights from the conditions to "gaussian" columns of y: ridge
        regressions, with a penalty chosen by generalized cross-validation; or small
        random numbers ("random"), like all other weights.

    Attributes
    ----------
    factors_ : list of ndarray
        Weights of the factors, of shape (n_factors, n_entries): for y, for the hidden
        units and for the conditions. With ``gates`` there are nine arrays: see the
        notes.

    See Also
    --------
    RBM : Model of the joint distribution of all columns.
    RBMClassifier : Classifier by a joint model of rows and labels.

    Notes
    -----
    With ``n_factors``

    .. math:: \sum_f \big(A^\top y\big)_f \big(B^\top h\big)_f \big(C^\top
        x\big)_f

    is added to the exponent: the weights between y and h are then :math:`W + \sum_f
    A_{:f} B_{:f}^\top (C^\top x)_f`. ``factors_`` has A, B and C, transposed. With
    ``gates`` z there are factors of (y, h, z), of (y, x, z) and of (h, x, z).
    ``factors_`` has the three matrices of each type in this order; the matrices of z
    have zeros for conditions that are not gates.

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
