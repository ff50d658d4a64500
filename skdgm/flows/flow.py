r"""Normalizing flows: invertible maps from rows to codes with a simple density.

.. math:: \log p(x) = \log p_z(f(x)) + \log \left\lvert \det
   \frac{\partial f}{\partial x} \right\rvert
"""

from typing import Literal

from skdgm.base.common_options import AttributeTypes
from skdgm.base.options import KW_ONLY, Auto, Count, CountOrZero
from skdgm.flows._estimator import FlowEstimator
from skdgm.flows._likelihood import BASES
from skdgm.flows._model import FlowModel
from skdgm.nets.options import Activation
from skdgm.training import Budget


class Flow(FlowEstimator):
    r"""Normalizing flow: exact densities of real columns by invertible layers.

    .. math::

        \log p(x) = \log p_z(f(x)) + \log \left\lvert \det
        \frac{\partial f}{\partial x} \right\rvert, \qquad
        f = f_L \circ \dots \circ f_1

    Columns are standardized. A monotone spline transforms each column, and a triangular
    matrix mixes them. Coupling layers then transform half of the columns conditional on
    the others, by splines [1]_ or by scales and shifts [2]_, with triangular matrices
    in between. Training starts from a normal distribution of full covariance with
    cross-validated shrinkage, or from a mixture of normal distributions (see ``base``).
    Early stopping returns to this initial distribution, fitted to all rows, unless the
    held-out log-likelihood has improved by more than two standard errors. Likelihoods
    and samples are exact.

    NaN is a missing value in every method. ``fit`` maximizes a lower bound on the
    log-likelihood of the observed entries, and imputes missing entries by importance
    resampling from the initial distribution. Scores, codes and imputed entries of
    incomplete rows are importance-weighted means. Computations are in float64 for
    float64 data, otherwise in float32.

    Parameters
    ----------
    n_layers : int
        Number of coupling layers.
    hidden_layer_sizes : tuple
        Numbers of hidden units of the net of each coupling layer.
    layer_type
        Transform of a column in a coupling layer: "spline", a monotone
        rational-quadratic spline, which is the identity beyond 5 standard deviations;
        or "affine", a scale and a shift. "spline" also adds the splines of single
        columns.
    n_bins
        Number of bins of each spline.
    autoregressive
        Whether a masked net transforms each column conditional on all previous columns
        [6]_, instead of half of the columns conditional on the others. Sampling then
        takes one pass for each column and layer.
    linear
        Mixing of columns between coupling layers: "lu", by products of triangular
        matrices; or "permutation". "auto": "lu" with up to 256 columns. With more than
        1,024 columns, training starts from independent columns unless linear="lu".
    base
        Distribution of codes. "normal": standard normal. "mixture": a mixture of normal
        distributions [4]_ with cross-validated number of components and shrinkage of
        covariances; it is normal with fewer than 20 rows, or if training starts from
        independent columns. "student": independent Student t distributions with learned
        degrees of freedom [5]_. "auto": a mixture, if there are at most 64 columns and
        no attributes, and if its cross-validated log-likelihood is higher than that of
        a normal distribution by one standard error.
    activation
        Activation function of hidden units.
    attribute_conditional
        Whether the density is conditional on attributes y, such as classes or other
        columns, which ``fit`` then requires: :math:`p(x \mid y)`. Attributes are inputs
        of the nets of coupling layers [3]_, and the mean of the initial normal
        distribution is linear in them.
    bounds : tuple, dict or None
        Lower and upper bound of all columns, such as (0, 1); or a dict with the bounds
        of some columns by name (or number). A logit makes these columns unbounded, and
        samples lie within the bounds. Values at a bound are moved inside by a millionth
        of the range, unless they are dequantized. None: no bounds, except with
        ``dequantization="auto"``.
    dequantization
        Distribution of the noise in [0, 1) that is added to columns of whole numbers,
        which the first ``fit`` detects: "uniform" [7]_, or "variational", a learned
        flow of two coupling layers conditional on the row, with a tighter bound [8]_.
        Samples and imputed entries are then whole numbers. "auto": "uniform", and gray
        levels and whole numbers of few values have bounds. Gray levels may also be
        multiples of a fraction such as 1 / 255 between 0 and 1. Later values between
        levels are rounded, with a warning. None: whole numbers are treated as real
        numbers, whose density at repeated values can grow without limit.
    n_draws
        Number of draws for each row with missing entries, or with noise, in
        :meth:`score_samples`, :meth:`transform` and :meth:`impute`; "auto": 100, and 20
        for the noise of complete rows. It may be changed after ``fit``.
    batch_size
        Number of rows in each update; "auto": 4 % of the rows of the call of ``fit`` or
        ``partial_fit``, but between 100 and 400.
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 500 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of triangular matrices, without their diagonals, and of the nets of
        coupling layers, in the order of the layers.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    attribute_types_ : dict
        Type of each attribute of a conditional flow, a
        :class:`~skdgm.data.ColumnType`, by its name (or number).
    validation_curve_ : list of float
        Held-out ``loss_curve_`` after each epoch, with ``early_stopping``, plus two
        standard errors of its difference from the initial loss.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact"; or, if columns are dequantized, "lower
        bound", in expectation, on log-probabilities of whole numbers. Gray levels
        between 0 and 1 have log-densities in their cells. Scores of rows with missing
        entries are estimates.

    See Also
    --------
    RNADE : Mixtures of real columns given the previous columns.
    Diffusion : Columns of any kind, with a bound of the likelihood.
    VAE : Latent variable model with fewer latent units than columns.
    sklearn.neighbors.KernelDensity : Density without training.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 5 s of one core, 17 times as long
    as ``MLPClassifier``. Training continues while the held-out likelihood increases. A
    :class:`RNADE` takes a fourth of the time.

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
    layer_type: Literal["spline", "affine"] = "spline"
    n_bins: Count = 8
    autoregressive: bool = False
    linear: Literal["auto", "lu", "permutation"] = "auto"
    base: Literal["auto", *BASES] = "auto"
    activation: Activation = "tanh"
    attribute_conditional: bool = False
    attribute_types: AttributeTypes = "auto"
    bounds: tuple | dict | None = None
    dequantization: Literal["auto", "uniform", "variational"] | None = "auto"
    n_draws: Count | Auto = "auto"
    batch_size: Count | Auto = "auto"
    average = True
    early_stopping = True
    learning_rate, n_iter_no_change = 0.01, 30
    alpha = 0.1

    _MODEL, _BUDGET = FlowModel(), Budget(3_000, 20, 500)
    # Limits of batch_size="auto".
    _BATCH_SIZES = 100, 400
    _LIGHTER = 'lower hidden_layer_sizes or batch_size, or leave linear "auto"'
