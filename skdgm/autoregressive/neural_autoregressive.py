r"""Neural autoregressive networks: hidden units in a group for each column.

.. math:: h_i = f(c_i + \sum_{j \le i} x_j W_{ji}), \qquad
   z_t = b_t + \sum_{i < t} h_i V_{it} + x_i U_{it}
"""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.autoregressive._base import COLUMNS, ORDERS, TRAINING, ChainModel
from skdgm.autoregressive._masked_chain import MaskedChain
from skdgm.nets import ACTIVATIONS, INITIALISERS


class NeuralAutoregressive(ChainModel):
    r"""Neural autoregressive network: a net for each column, that uses those before.

    .. math::

        p(x) = \prod_t p(x_t \mid z_t), \qquad
        z_t = b_t + \sum_{i < t} h_i V_{it} + x_i U_{it}, \qquad
        h_i = f\Bigl(c_i + \sum_{j \le i} x_j W_{ji}\Bigr)

    Each column has a group of hidden units :math:`h_i` with weights of their own,
    which see it and the columns before it; all columns after it are predicted from
    these, too [1]_. The likelihood is exact, and samples are, too. Float64 data are
    computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=8
        Hidden units in each group.
    output : {"bernoulli", "categorical", "gaussian", "mixed"} or tuple, \
            default="bernoulli"
        What columns are: 0, 1 or probabilities of 1; codes of categories, as
        ``OrdinalEncoder`` gives them; real, and standardised inside; or "mixed", by the
        types of a DataFrame's columns. A tuple has one of the first three for each.
    n_mixtures : int, default=3
        Of real columns: how many components each conditional density has.
    conditional : {"gaussian", "laplace"}, default="gaussian"
        Of real columns: their shape.
    min_variance : float, default=1e-4
        Of real columns: no variance is learned to be less than this share of its
        column's.
    min_categories : int or array-like of int, default=None
        Of codes: how many categories there are at least, in all columns or in each;
        more are found in the data.
    ordering : {"given", "random"} or tuple of int, default="given"
        In which order columns are predicted; a tuple has their numbers.
    n_orderings : int, default=1
        How many nets there are, of which all but the first have random orders. The
        density is the mean of theirs.
    n_draws : int, default=100
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`. It may be changed after ``fit``.
    activation : {"tanh", "relu", "logistic", "leaky_relu", "softplus", "identity"}, \
            default="tanh"
        Of hidden units.
    direct : bool, default=True
        Whether columns are predicted from those before them directly, too.
    init : {"glorot_uniform", "glorot_normal", "he_uniform", "he_normal"}, \
            default="glorot_uniform"
        How weights of hidden units begin; those of outputs are zeros.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Steps in units of the gradient's recent size, or along it.
    alpha : float, default=0.0
        Penalty on the weights: alpha / 2 times their sum of squares is added to the
        loss of each batch, of all its rows: smaller batches have more of it.
    batch_size : int, default=100
        Rows for each update.
    learning_rate_init : float, default=0.002
        At the start; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate_init`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        For ``schedule="invscaling"``.
    momentum : float, default=0.9
        What stays of the last step (of "adam": the first of its betas).
    clip_norm : float or None, default=None
        The highest norm that a gradient may have; longer ones are cut short.
    average : bool, default=True
        Keep the mean of what parameters were in about the last tenth of the updates.
    max_iter : int or "auto", default="auto"
        Epochs; if "auto", so many as make 10,000 updates, but from 20 to 300.
    early_stopping : bool, default=False
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters with which it was highest.
    validation_fraction : float, default=0.1
        The share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        In nats per row.
    warm_start : bool, default=False
        If True, ``fit`` goes on from the parameters there are.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Of each order's net the weights of hidden units, of shape (n_inputs,
        n_hidden), and of outputs, of shape (n_hidden + n_inputs, n_outputs).
    intercepts_ : list of ndarray
        Their biases.
    density_kind_ : str
        What :meth:`score_samples` is: "exact", or with several orders an "estimate" of
        the mean over all of them (and in any case a normalised density). Of rows with
        missing entries it is an estimate by particles.
        An "estimate", too, if grey rows were learned from, with values between 0 and 1
        in "bernoulli" columns: of such rows it is no log-likelihood of anything, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Of bits it stays as it is.
    loss_curve_ : list of float
        For each epoch minus the log-likelihood of some training rows, in nats per row,
        with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

    References
    ----------
    .. [1] Bengio and Bengio (2000). Modeling high-dimensional discrete data with
       multi-layer neural networks. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import NeuralAutoregressive
    >>> X = load_iris().data
    >>> net = NeuralAutoregressive(output="gaussian", max_iter=50, random_state=0)
    >>> net.fit(X).sample(2, random_state=0).shape
    (2, 4)
    >>> net.transform(X).shape
    (150, 24)
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        **COLUMNS,
        **ORDERS,
        "activation": [StrOptions(set(ACTIVATIONS))],
        "direct": ["boolean"],
        "init": [StrOptions(set(INITIALISERS))],
        **TRAINING,
    }
    _CHAIN, _FIXED = MaskedChain, ("n_components", "activation", "direct")
    _LIGHTER = (
        "Merge rare categories, drop columns or lower n_components, or take NADE or "
        "EoNADE, whose columns share their hidden units."
    )

    def __init__(
        self,
        n_components=8,
        output="bernoulli",
        *,
        n_mixtures=3,
        conditional="gaussian",
        min_variance=1e-4,
        min_categories=None,
        ordering="given",
        n_orderings=1,
        n_draws=100,
        activation="tanh",
        direct=True,
        init="glorot_uniform",
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate_init=0.002,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        clip_norm=None,
        average=True,
        max_iter="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.output = output
        self.n_mixtures = n_mixtures
        self.conditional = conditional
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.ordering = ordering
        self.n_orderings = n_orderings
        self.n_draws = n_draws
        self.activation = activation
        self.direct = direct
        self.init = init
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.clip_norm = clip_norm
        self.average = average
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    def _net(self, known, conditionals, number):
        # What sees the last column is seen by none.
        groups = np.arange(max(1, len(conditionals.kinds) - 1))
        degrees = [np.repeat(groups, known["n_components"])]
        return degrees, known["activation"], self._options.init, known["direct"]
