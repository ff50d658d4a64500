r"""Helmholtz machines: sigmoid belief networks that learn by wake-sleep.

.. math:: \Delta\theta \propto \nabla \log p(x, z), \; z \sim q(z \mid x), \qquad
   \Delta\phi \propto \nabla \log q(z \mid x), \; (x, z) \sim p
"""

from types import SimpleNamespace

from sklearn.utils.validation import check_is_fitted

from skdgm.directed import _nets
from skdgm.latent import OF_BITS, LatentModel
from skdgm.training import Budget

# What wake-sleep is among the objectives of a sigmoid belief network.
_WAKE_SLEEP = {"objective": "wake-sleep", "n_importance": 1}
_WAKE_SLEEP |= {"recognition_phase": "sleep", "baseline": "none", "temperature": 1.0}


class HelmholtzMachine(LatentModel):
    r"""Helmholtz machine: generative and recognition weights, learned by wake-sleep.

    .. math::

        p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}), \qquad
        q(z \mid x) = \prod_l q(z_l \mid z_{l-1}), \qquad z_0 = x

    with layers of bits, each a logistic regression on the next, downwards by the
    generative weights and upwards by the recognition weights [1]_. Awake, bits are
    drawn by q from a row, and p learns them; asleep, p dreams a row and its bits, and q
    learns them [2]_. It is :class:`~skdgm.SigmoidBeliefNetwork` with
    ``objective="wake-sleep"``; other objectives find higher likelihoods. NaN is a
    missing value, in every method.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(100, 50)
        Numbers of bits of the hidden layers, from the data up.
    column_types : {"bernoulli", "gaussian", "categorical", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns: 0, 1 or probabilities of 1; real numbers, standardised
        internally; codes of categories, as ``OrdinalEncoder`` returns; or "mixed", by
        the types of a DataFrame's columns. A tuple has a kind for each column, a dict
        kinds for some columns by name, of these and "numeric" and "ordinal", as of
        :class:`~skdgm.EoNADE`. Real columns of "mixed" tables have a mean and a
        variance for each row, whatever ``variance`` says.
    variance : {"feature", "sample"} or float, default="feature"
        Variance of "gaussian": learned for each column; an output of the decoder, so
        that it differs by row; or fixed, as a share of the column's variance.
    min_variance : float, default=0.01
        Lower limit of learned variances, as a share of the column's variance.
    min_categories : int or array-like of int, default=None
        Least number of categories of "categorical", in all columns or in each; more
        are found in the data.
    min_frequency : int or float, default=None
        Least weight of rows (a share, if a float) of a category that has a probability
        of its own given the other columns; rarer ones are drawn as one, and told apart
        by their frequencies.
    max_categories : int, default=None
        Most categories of a column, counting the rare ones as one.
    handle_unknown : {"auto", "error", "ignore", "infrequent_if_exist"}, default="auto"
        What a category is that was not in ``fit``: an error; missing, everywhere; or a
        rare one, if there are any, else missing. "auto": of names in a DataFrame, a
        category of small probability in scores and missing elsewhere, with a warning;
        of codes in an array, an error.
    missing_pattern : {"ignore", "model"}, default="ignore"
        Whether samples have missing entries, too, as the rows have: "model" takes that
        an entry is missing for a value of its own, which scores count. For "mixed"
        columns, tuples and dicts.
    init_weights : {"glorot_uniform", "glorot_normal", "he_uniform", "he_normal"}, \
            default="glorot_uniform"
        Initialiser of weights. By biases, :math:`\sqrt{n / 2}` of the n bits of a layer
        are on at first.
    resample : bool, default=False
        For "bernoulli": if True, draw the bits of grey rows anew at each presentation.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser: "adam" and "rmsprop" scale steps by the recent size of gradients.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.015
        Initial learning rate; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.9
        Momentum coefficient; for "adam", the first beta.
    clip_norm : float or None, default=None
        Upper limit of the norm of gradients; longer ones are scaled down to it.
    average : bool, default=True
        Average the parameters over about the last tenth of the updates.
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto": 4,500 updates, but between 20 and 120 epochs.
    n_draws : int, default=100
        Draws for each row in :meth:`score_samples`. It may be changed after ``fit``.
    feature_layer : int, tuple of int or "all", default="all"
        Layer whose means :meth:`transform` returns: 0 next to the data, -1 at the top;
        or several or all layers side by side. It may be changed after ``fit``.
    early_stopping : bool, default=False
        Hold out rows, stop when their bound no longer rises, and keep the parameters
        for which it was highest.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Least improvement that counts, in nats per row.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows and draws.

    Attributes
    ----------
    recognition_weights_ : list of ndarray of shape (n_below, n_above)
        Weights upwards, from the data.
    recognition_biases_ : list of ndarray of shape (n_above,)
        Biases of the hidden layers upwards.
    generative_weights_ : list of ndarray of shape (n_above, n_below)
        Weights downwards, those to the data first.
    generative_biases_ : list of ndarray of shape (n_below,)
        Biases downwards, those of the data first; the last are of the highest layer,
        which nothing is above.
    latent_variances_ : ndarray of shape (n_hidden,)
        Variance of each bit's mean over some training rows, by layers.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "lower bound".
    loss_curve_ : list of float
        Negative importance weighted bound of some training rows after each epoch, by
        as many draws as in training (of less than 240 rows so many altogether), in nats
        per row, with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Dayan, Hinton, Neal and Zemel (1995). The Helmholtz machine. Neural
       Computation.
    .. [2] Hinton, Dayan, Frey and Neal (1995). The wake-sleep algorithm for
       unsupervised neural networks. Science.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import HelmholtzMachine
    >>> X = load_digits().data > 7
    >>> machine = HelmholtzMachine((32, 16), n_iter=5, random_state=0).fit(X)
    >>> [W.shape for W in machine.recognition_weights_]
    [(64, 32), (32, 16)]
    >>> machine.sample(3, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {
        **OF_BITS,
    }
    _WIRING, _BUDGET = _nets, Budget(4_500, 20, 120)
    _REVIVE = "Raise learning_rate or n_iter, or take fewer layers."

    def __init__(
        self,
        hidden_layer_sizes=(100, 50),
        *,
        column_types="bernoulli",
        variance="feature",
        min_variance=0.01,
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        missing_pattern="ignore",
        init_weights="glorot_uniform",
        resample=False,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.015,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        clip_norm=None,
        average=True,
        n_iter="auto",
        n_draws=100,
        feature_layer="all",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.column_types = column_types
        self.variance = variance
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.missing_pattern = missing_pattern
        self.init_weights = init_weights
        self.resample = resample
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.clip_norm = clip_norm
        self.average = average
        self.n_iter = n_iter
        self.n_draws = n_draws
        self.feature_layer = feature_layer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @property
    def recognition_weights_(self):
        """Weights upwards, from the data."""
        return self._parts("coefs_")[0]

    @property
    def recognition_biases_(self):
        """Biases of the hidden layers upwards."""
        return self._parts("intercepts_")[0]

    @property
    def generative_weights_(self):
        """Weights downwards, those to the data first."""
        return self._parts("coefs_")[1]

    @property
    def generative_biases_(self):
        """Biases downwards, those of the data first."""
        prior = self._net[0].prior
        return [*self._parts("intercepts_")[1], prior]

    def _parts(self, name):
        """An attribute of layers upwards, and of those downwards."""
        check_is_fitted(self)
        found, n = getattr(self, name), len(self._widths)
        return found[:n], found[n:]

    def _present_options(self):
        return SimpleNamespace(**vars(super()._present_options()) | _WAKE_SLEEP)
