r"""Conditional restricted Boltzmann machines: columns y given columns x.

.. math:: -E(y, h; x) = \sum_j \log w_j(y_j) + (b + A^\top x)^\top y + (c + B^\top
   x)^\top h + y^\top W h
"""

from typing import Annotated, Literal

from skdgm.base.column_group import Columns
from skdgm.base.common_options import ColumnTypes
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    NotNegative,
    Positive,
    Probability,
    flat,
    within,
)
from skdgm.base.solvers import Adam
from skdgm.boltzmann._conditional.estimator import GivenEstimator
from skdgm.boltzmann._options import MarkovChainOptions, ModelOptions, RealOptions
from skdgm.data.units import UNITS, Kinds


class _Implied(ModelOptions):
    """Options that the learning of machines reads, and that chains of rows given
    conditions lack."""

    resample: bool = False
    init_biases: str = "marginals"
    fast_learning_rate: float | None = None


class ConditionalRBM(RealOptions, MarkovChainOptions, GivenEstimator, implied=_Implied):
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
    n_components
        Number of hidden units.
    column_types : str, tuple of str or dict
        Kind of all columns of y, or of each, as of :class:`~skdgm.RBM`; a dict has
        those of some columns of a DataFrame by name. "mixed": text, and whole numbers
        in a y of one dimension, are categories; truth values, and columns of 0 and 1
        alone, are bits; other numbers are "gaussian". Variances of "rectified" columns
        are mean squares.
    condition_types : str, tuple of str or dict
        Kind of all columns of X, of each, or of some by name; by default the types of a
        DataFrame say it, and columns of an array are "gaussian" (standardised).
    hidden
        Kind of hidden units, as of :class:`~skdgm.RBM`.
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
    pairwise
        Whether there are weights between two of y, hidden units and conditions beside
        those by factors. Without them ``components_``, ``condition_visible_`` and
        ``condition_hidden_`` are zeros.
    init_conditions
        Initial weights of the conditions to "gaussian" columns of y: those of a ridge
        regression for each, whose penalty generalised cross-validation chooses; or
        small random numbers ("random"), as all other weights.
    learning_rate
        Initial learning rate, which ``schedule`` of the solver lowers. "auto": 0.001
        where y has "gaussian" or "rectified" columns, of which the hidden units see
        values many deviations apart (0.003 without ``pairwise``); else 0.03 where there
        are counts, whose logarithms are far apart, and 0.01 elsewhere.
    solver
        Adam, which divides the gradient by its recent size, parameter by parameter.
    gradient
        Negative phase of an update, with the conditions clamped: samples after Gibbs
        steps from y (contrastive divergence, "cd" [1]_); exact draws, where y or the
        hidden layer has at most :math:`2^{12}` states ("enumeration"), which make the
        gradient unbiased; or sweeps from y that all have the same noise, which descend
        to a state of low energy ("perturb-and-descend" [2]_) and are not the
        likelihood's gradient. "mean-field" has none, and no likelihood: it is the
        gradient of the log probability of y under predictions by mean field, back
        through all sweeps [2]_, for y of bits and categories; these are what
        ``predict`` then returns. "auto": exact draws up to :math:`2^8` states, else
        "cd".
    mean_field_steps
        Number of sweeps for "mean-field".
    n_steps : int or tuple of int
        Number of these steps in each update. The values of a tuple share the epochs
        evenly, in order.
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 200 epochs.
    centering
        If not None, use the centred gradient [6]_, whose offsets are means of y and of
        the hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving").
    penalty
        Penalties and limits of the weights, and a target of the activity of hidden
        units; None leaves them at the defaults below. ``l1`` and ``l2`` are of all
        weights, also those of the conditions; ``max_norm`` is of the weights of each
        hidden unit to y, and of a factor to each of its ends.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden_entries, n_entries)
        Weights W, transposed, between hidden units and the entries of y, as of
        :class:`~skdgm.RBM`.
    condition_visible_ : ndarray of shape (n_conditions, n_entries)
        Weights A of the conditions to y. A categorical column of X is a condition for
        each of its categories, counted from its frequency; a real one is standardised.
    condition_hidden_ : ndarray of shape (n_conditions, n_hidden_entries)
        Weights B of the conditions to the hidden units.
    intercept_visible_ : ndarray of shape (n_entries,)
        Biases b: those at the mean of the conditions.
    intercept_hidden_ : ndarray of shape (n_hidden_entries,)
        Hidden biases c.
    factors_ : list of ndarray
        Weights of the factors, with ``n_factors``: those of y, of the hidden units and
        of the conditions, of shape (n_factors, n_entries); with ``gates`` three times
        as many: see the notes.
    precision_ : ndarray of shape (n_columns,)
        Precisions of the "gaussian" and "rectified" columns of y, in their order, for
        values as they are given; where there are such columns.
    classes_ : ndarray or list of ndarray
        Values of the column of y that has categories or bits, or of each of several.
    column_types_ : dict
        How each column of y is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    condition_types_ : dict
        The same of each column of X.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns.
    loss_curve_ : list of float
        For each epoch the negative log-likelihood of columns of y, each given the
        conditions and the means of the hidden units given the other columns, estimated
        from some columns of training rows, in nats per row.

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
    column_types: (
        Annotated[str, Kinds(set(UNITS) | {"mixed"})] | tuple | dict | Columns
    ) = "mixed"
    condition_types: ColumnTypes = "mixed"
    hidden: Annotated[str, Kinds(set(UNITS))] = "bernoulli"
    n_lags: CountOrZero = 0
    n_factors: CountOrZero = 0
    gates: tuple | list | None = None
    pairwise: bool = True
    init_conditions: Literal["ridge", "random"] = "ridge"
    min_variance = 0.01
    gradient: Literal[
        "auto", "cd", "enumeration", "perturb-and-descend", "mean-field"
    ] = "auto"
    mean_field_steps: Count = 10
    n_steps: Count | tuple = flat(default=5)
    learning_rate: Positive | Auto = "auto"
    momentum = 0.9
    batch_size = 50
    n_iter: CountOrZero | Auto = "auto"
    centering: Literal["start", "data", "moving"] | None = "data"
    sparsity_target: Probability | None = within("penalty", None)
    sparsity_cost: NotNegative = within("penalty", 0.1)
    n_iter_no_change = 10
    solver: Literal["adam"] | Adam = "adam"
    n_chains = 1
    n_temperatures = 2
