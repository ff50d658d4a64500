r"""Orderless neural autoregressive density estimators.

.. math:: p(x_j \mid x_m) = p(x_j \mid z_j), \qquad z = f_\theta(x \odot m, m)
"""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.autoregressive._base import COLUMNS, ORDERS, TRAINING, AutoregressiveModel
from skdgm.autoregressive._fitting import MIXTURE
from skdgm.autoregressive._orderless import Orderless
from skdgm.autoregressive._orders import orders
from skdgm.nets import ACTIVATIONS, INITIALISERS
from skdgm.training import Budget
from skdgm.utils.layers import check_sizes


class EoNADE(AutoregressiveModel):
    r"""Orderless deep NADE: one net for the conditionals of all orders of the columns.

    .. math::

        p(x) = \frac1K \sum_{k=1}^K \prod_t
        p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}}), \qquad
        p(x_j \mid x_m) = p(x_j \mid z_j), \quad z = f_\theta(x \odot m, m)

    The net sees any part of a row, and which part m it is, and says how the rest is
    distributed. It learns from rows of which parts are hidden at random, weighted so
    that the likelihood is, on average, that of all orders [1]_ [2]_. So what is missing
    is filled, and drawn, from exact conditionals, and rows with missing entries are as
    good to learn from as others. Its likelihood is exact in each order; the mean over
    several, an ensemble, is higher. Of a row with missing entries it is that of the
    others by the net's own conditionals: the marginal of whole rows, as far as these
    agree. Draws are made in one of the orders, at random. Float64 data are computed in
    float64, all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 256)
        Numbers of hidden units.
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
    ordering : {"random", "given"} or tuple of int, default="random"
        The first order in which columns are predicted; a tuple has their numbers.
    n_orderings : int, default=8
        How many orders the density is the mean of; all but the first are random. It may
        be changed after ``fit``.
    activation : {"tanh", "relu", "logistic", "leaky_relu", "softplus", "identity"}, \
            default="tanh"
        Of hidden units.
    dropout : float, default=0.0
        The share of hidden units that drop out at random in learning.
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
    learning_rate_init : float, default=0.001
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
        Epochs; if "auto", so many as make 30,000 updates, but from 20 to 600.
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
        Of each layer, of shape (n_below, n_above).
    intercepts_ : list of ndarray
        Their biases.
    density_kind_ : str
        What :meth:`score_samples` is: "exact" in one order, or an "estimate" of the
        mean over all orders by several (and in any case a normalised density).
        An "estimate", too, if grey rows were learned from, with values between 0 and 1
        in "bernoulli" columns: of such rows it is no log-likelihood of anything, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Of bits it stays as it is.
    loss_curve_ : list of float
        For each epoch minus the log-likelihood of some training rows, in nats per row,
        with real columns standardised: an estimate of its mean over all orders, by
        parts of rows of which eight different shares are seen.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

    References
    ----------
    .. [1] Uria, Murray and Larochelle (2014). A deep and tractable density estimator.
       ICML.
    .. [2] Uria, Cote, Gregor, Murray and Larochelle (2016). Neural autoregressive
       distribution estimation. JMLR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import EoNADE
    >>> X = (load_digits().data > 7).astype(float)
    >>> net = EoNADE((64, 64), max_iter=30, n_orderings=2, random_state=0).fit(X)
    >>> holes = X[:5].copy()
    >>> holes[:, 32:] = np.nan
    >>> net.impute(holes).shape
    (5, 64)
    >>> bool(net.score(X) > -22)
    True
    """

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [Interval(Integral, 1, None, closed="left"), tuple],
        **COLUMNS,
        "ordering": ORDERS["ordering"],
        "n_orderings": ORDERS["n_orderings"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "init": [StrOptions(set(INITIALISERS))],
        **TRAINING,
    }
    _LIGHTER = "Merge rare categories, or lower hidden_layer_sizes."
    # Of each row another part is hidden each time: to see them all takes longer.
    _BUDGET = Budget(30_000, 20, 600)

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        output="bernoulli",
        *,
        n_mixtures=3,
        conditional="gaussian",
        min_variance=1e-4,
        min_categories=None,
        ordering="random",
        n_orderings=8,
        activation="tanh",
        dropout=0.0,
        init="glorot_uniform",
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate_init=0.001,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.output = output
        self.n_mixtures = n_mixtures
        self.conditional = conditional
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.ordering = ordering
        self.n_orderings = n_orderings
        self.activation = activation
        self.dropout = dropout
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

    def score_features(self, X, *, given="before"):
        r"""Log-likelihood of each entry, in nats: which column is surprising.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k), \qquad \log p(x_j \mid x_i: i \ne j)

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Of a missing value it is 0.
        given : {"before", "others"}, default="before"
            Whether entries are given those before them, or all others of their row.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features)
        """
        if given == "before":
            return super().score_features(X)
        if given != "others":
            raise ValueError(f"given must be 'before' or 'others', not {given!r}.")
        rows, found = self._of_rows(X, lambda model, p, v, _: model.others(p, v))
        return found + self._log_volumes(rows)

    def _check_options(self):
        check_sizes(self._options.hidden_layer_sizes)
        super()._check_options()

    @property
    def _structure(self):
        asked = self._options
        known = {name: getattr(asked, name) for name in ("output", *MIXTURE)}
        sizes = check_sizes(asked.hidden_layer_sizes)
        return known | {"hidden_layer_sizes": sizes, "activation": asked.activation}

    def _nets(self, known, conditionals):
        sizes = conditionals.n_inputs, conditionals.n_outputs
        own = len(sizes[0]), *(int(n.sum()) for n in sizes)
        return Orderless.n_weights(*own, known["hidden_layer_sizes"]), 1, True

    def _model(self, known):
        asked, n_orderings = self._options, self._now("n_orderings")
        conditionals, start = self._conditionals(known)
        n_columns = len(conditionals.kinds)
        found = orders(asked.ordering, n_orderings, n_columns, self._seed)
        net = known["hidden_layer_sizes"], known["activation"], start
        return Orderless(conditionals, *net, asked.init, asked.dropout, found)
