r"""Normalising flows: maps with an inverse from rows to numbers of a simple density.

.. math:: \log p(x) = \log p_z(f(x)) + \log \left\lvert \det
   \frac{\partial f}{\partial x} \right\rvert
"""

from typing import Literal

from skdgm.base.options import KW_ONLY, Auto, Count, CountOrZero
from skdgm.flows._estimator import FlowEstimator
from skdgm.flows._likelihood import BASES
from skdgm.flows._model import FlowModel
from skdgm.nets.options import Activation
from skdgm.training import Budget


class Flow(FlowEstimator):
    r"""Normalising flow: an exact density of real columns by layers with an inverse.

    .. math::

        \log p(x) = \log p_z(f(x)) + \log \left\lvert \det
        \frac{\partial f}{\partial x} \right\rvert, \qquad
        f = f_L \circ \dots \circ f_1

    Columns are standardised. Each is changed by its own monotone spline, and all
    together by a triangular matrix; then couplings change half of the columns by
    functions of the others, splines [1]_ or gains and shifts [2]_, with triangular
    matrices in between. Training begins at a normal distribution of full covariance
    with cross-validated shrinkage, or at a mixture of normal distributions; see
    ``base``. Early stopping keeps this distribution, fitted to all rows, unless the
    likelihood of held-out rows is higher by more than two standard errors of the
    difference. Likelihoods and samples are exact.

    NaN is a missing value, in every method: ``fit`` maximises a lower bound of the
    log-likelihood of the observed entries, with missing ones chosen by weight among
    draws from the distribution at the start; scores, features and filled entries of
    such rows are means of weighted draws. Float64 data are computed in float64, all
    others in float32.

    Parameters
    ----------
    n_layers : int
        Number of couplings.
    hidden_layer_sizes : tuple
        Numbers of hidden units of the net of each coupling.
    layer
        Coupled function of a column: monotone rational-quadratic splines, which are
        the identity beyond 5 standard deviations; or gains and shifts. With "spline"
        there is also a spline of each single column.
    n_bins
        Number of bins of each spline.
    autoregressive
        Whether each column is changed by functions of all columns before it, by masked
        nets [6]_, instead of half of the columns by functions of the others. Draws then
        take a pass for each column and layer.
    linear
        Whether columns are mixed between couplings by products of triangular matrices,
        or only permuted. "auto": mixed, with up to 256 columns. With more than 1,024,
        unless it is "lu", training begins at independent columns.
    base
        Distribution of codes: "normal", independent and standard normal; "mixture", a
        mixture of normal distributions [4]_, with cross-validated number of components
        and shrinkage of covariances, but normal with fewer than 20 rows, or if training
        begins at independent columns; or "student", independent with heavy tails, whose
        degrees of freedom are learned [5]_. "auto": a mixture, with up to 64 columns
        and without attributes, if its cross-validated likelihood is higher than that of
        a normal distribution by a standard error.
    activation
        Activation function of hidden units.
    attribute_conditional
        Whether the density is conditional on attributes y, such as classes or other
        columns, which ``fit`` then needs: :math:`p(x \mid y)`. They are inputs of the
        couplings' nets [3]_, and the mean of the normal distribution at the start is
        linear in them.
    attribute_types : "auto", tuple or dict
        Kind of each attribute, "categorical" or "gaussian", by its place or name.
        "auto": text and truth values are classes, and so are whole numbers in a y of
        one column; other numbers are "gaussian".
    bounds : tuple, dict or None
        Least and highest value of all columns, such as (0, 1); or, as a dict by name
        (or number), of some. A logit makes these columns unbounded, and draws lie
        between the bounds; values at the bounds are read as a millionth of the range
        inside, unless they are dequantized. None: all columns are unbounded.
    dequantization
        Distribution of noise in [0, 1) that is added to columns of whole numbers, as
        found in the first ``fit``: "uniform" [7]_, or "variational", a learned flow of
        two couplings conditional on the row, with a higher bound [8]_. Draws, and
        filled entries, are then whole numbers. None: whole numbers are read as real.
    n_draws
        Draws for each row with missing entries, or noise, in :meth:`score_samples`,
        :meth:`transform` and :meth:`impute`. It may be changed after ``fit``.
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 500 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of triangular matrices except their diagonals, and of the couplings'
        nets, in the order of the layers.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    attribute_types_ : dict
        How each attribute of a conditional flow is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows after each epoch, with ``early_stopping``: plus
        two standard errors of its difference from that of the start.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact"; "lower bound", in expectation, of log
        probabilities of whole numbers with ``dequantization``. Scores of rows with
        missing entries are estimates.

    References
    ----------
    .. [1] Durkan, Bekasov, Murray and Papamakarios (2019). Neural spline flows.
       NeurIPS.
    .. [2] Dinh, Sohl-Dickstein and Bengio (2017). Density estimation using real NVP.
       ICLR.
    .. [3] Winkler, Worrall, Hoogeboom and Welling (2019). Learning likelihoods with
       conditional normalizing flows. arXiv:1912.00042.
    .. [4] Fraley and Raftery (2007). Bayesian regularization for normal mixture
       estimation and model-based clustering. Journal of Classification.
    .. [5] Jaini, Kobyzev, Yu and Brubaker (2020). Tails of Lipschitz triangular flows.
       ICML.
    .. [6] Papamakarios, Pavlakou and Murray (2017). Masked autoregressive flow for
       density estimation. NeurIPS.
    .. [7] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
       models. ICLR.
    .. [8] Ho, Chen, Srinivas, Duan and Abbeel (2019). Flow++: improving flow-based
       generative models with variational dequantization and architecture design. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdgm import Flow
    >>> X = load_wine().data
    >>> flow = Flow(random_state=0).fit(X)
    >>> Z = flow.transform(X)
    >>> Z.shape
    (178, 13)
    >>> abs(flow.inverse_transform(Z) / X - 1).max() < 1e-6
    np.True_
    >>> flow.sample(2, random_state=0).shape
    (2, 13)
    """

    n_layers: CountOrZero = 2
    hidden_layer_sizes: Count | tuple = (16,)
    _: KW_ONLY
    layer: Literal["spline", "affine"] = "spline"
    n_bins: Count = 8
    autoregressive: bool = False
    linear: Literal["auto", "lu", "permutation"] = "auto"
    base: Literal["auto", *BASES] = "auto"
    activation: Activation = "tanh"
    attribute_conditional: bool = False
    attribute_types: Auto | tuple | dict = "auto"
    bounds: tuple | dict | None = None
    dequantization: Literal["uniform", "variational"] | None = None
    n_draws: Count = 100
    average = True
    early_stopping = True
    n_iter_no_change = 30
    alpha = 0.1

    _MODEL, _BUDGET = FlowModel(), Budget(3_000, 20, 500)
    _LIGHTER = 'lower hidden_layer_sizes or batch_size, or leave linear "auto"'
