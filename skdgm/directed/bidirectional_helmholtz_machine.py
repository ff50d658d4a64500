r"""Bidirectional Helmholtz machines: geometric means of two directed nets.

.. math:: p^*(x, z) = \frac{1}{\sqrt Z} \sqrt{p(x, z) \, p^*(x) \, q(z \mid x)}
"""

from functools import partial
from numbers import Integral
from types import SimpleNamespace

from sklearn.utils._param_validation import Interval

from skdgm.base import forget_log_Z, lazy_log_Z
from skdgm.base.frames import framed
from skdgm.data import names_of
from skdgm.directed import _geometric
from skdgm.directed._geometric_density import GeometricDensity
from skdgm.latent import OF_BITS, LatentModel
from skdgm.training import Budget

# What an objective of sigmoid belief networks asks for besides.
_FIXED = {"objective": "rws", "recognition_phase": "wake", "baseline": "none"}
_FIXED |= {"temperature": 1.0}


class BidirectionalHelmholtzMachine(LatentModel):
    r"""Bidirectional Helmholtz machine: the geometric mean of p and q.

    .. math::

        p^*(x) = \frac1Z \Bigl(\sum_z \sqrt{p(x, z) \, q(z \mid x)}\Bigr)^2, \qquad
        p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}), \qquad
        q(z \mid x) = \prod_l q(z_l \mid z_{l-1}), \qquad z_0 = x

    with layers of bits, each a logistic regression on the next, downwards in p and
    upwards in q [1]_. This is the marginal of :math:`p^*(x, z) \propto \sqrt{p(x, z) \,
    p^*(x) \, q(z \mid x)}`: the model is defined by both nets, so each learns to agree
    with the other. As :math:`Z \le 1`, the probability without Z is a lower bound, of
    which both follow the gradient, by weighted draws of q. Z is the square of that
    of [1]_. NaN is a missing value, in every method. Float64 data are computed in
    float64, all others in float32.

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
    n_importance : int, default=5
        Draws of q for each row in training, which are weighted.
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
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of q, from the data up, and then of p, those next to the data first.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of the same layers.
    prior_intercept_ : ndarray of shape (n_top,)
        Log odds of the bits of the highest layer in p.
    log_Z_, log_Z_se_ : float
        Log of Z, at most 0, and its standard error in nats, by 10,000 draws of p;
        computed at first use.
    latent_variances_ : ndarray of shape (n_hidden,)
        Variance of each bit's mean over some training rows, by layers.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Negative lower bound of some training rows after each epoch, the log probability
        without Z by as many draws as in training (of less than 240 rows so many
        altogether), in nats per row, with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Bornschein, Shabanian, Fischer and Bengio (2016). Bidirectional Helmholtz
       machines. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BidirectionalHelmholtzMachine
    >>> X = load_digits().data > 7
    >>> machine = BidirectionalHelmholtzMachine((32, 16), n_iter=3, random_state=0)
    >>> machine.fit(X).transform(X).shape
    (1797, 48)
    >>> bool(machine.log_Z_ <= 0)
    True
    >>> machine.sample(3, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {
        **OF_BITS,
        "n_importance": [Interval(Integral, 1, None, closed="left")],
    }
    _WIRING, _BUDGET = _geometric, Budget(4_500, 20, 120)
    _REVIVE = "Raise n_importance, learning_rate or n_iter, or take fewer layers."

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
        n_importance=5,
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
        self.n_importance = n_importance
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

    __getattr__, _forget = lazy_log_Z, forget_log_Z

    @property
    def density_kind_(self):
        """Density kind of ``score_samples``: "estimate"."""
        return self.density_.kind

    def sample(self, n_samples=1, random_state=None, *, conditions=None, n_steps=20):
        """Draw rows: for each several by p, one of which is chosen by weight.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        conditions : dict, default=None
            Conditions by the name, or number, of a column, as of
            :meth:`SigmoidBeliefNetwork.sample`. Rows are chosen among 20 times as many
            draws, at least 4,000, whatever ``n_steps`` says. Not for "gaussian".
        n_steps : int, default=20
            Draws of p for each row. One is a draw of p; with more the distribution
            approaches that of the model.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            A condition names no column, or has no probability.
        """
        how = random_state, conditions, names_of(self), n_steps
        return framed(self, self.density_.sample(n_samples, *how))

    def impute(
        self, X, *, method="mean", sampler="importance", n_steps=100, random_state=None
    ):
        """Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means (probabilities of bits; the most probable codes), the
            same at each call; "sample" returns draws.
        sampler : {"importance", "metropolis", "gibbs"}, default="importance"
            "importance" weights ``n_steps`` draws of latent units and missing entries;
            "metropolis" accepts or rejects them, in a chain. Both approach the model's
            distribution. "gibbs" alternates draws by q and by p without a correction.
        n_steps : int, default=100
            Number of draws, or of steps of the chain.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame if X and what was fitted are.
        """
        how = {"sampler": sampler, "n_steps": n_steps, "random_state": random_state}
        return super().impute(X, method=method, **how)

    def score_samples(self, X):
        r"""Estimate of the log-likelihood of each row, in nats.

        .. math:: 2 \log \frac1n \sum_k \sqrt{\frac{p(x, z_k)}{q(z_k \mid x)}} - \log Z,
            \qquad z_k \sim q(z \mid x)

        with ``n_draws`` draws, the same ones at each call. Without log Z, that is plus
        ``log_Z_``, its expectation is a lower bound on the log-likelihoods by the
        model and, of rows without missing entries, by p alone. Log Z, computed at the
        first call, may be too low where few draws of p have most of the weight: a
        warning says so. Grey values, strictly between 0 and 1, enter both nets as
        they are: the term before log Z is then a lower bound on the mean
        log-likelihood by p of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries, for
            which draws of p fill the others.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self.density_.log_prob(X)

    def importance_likelihood(self, X, *, n_draws=1000, return_se=False):
        """Estimate of the log-likelihood, with a given number of draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=1000
            Draws for each row.
        return_se : bool, default=False
            Whether to return standard errors, too.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error, by the delta method, without that of log Z,
            ``log_Z_se_``, which all rows share; only if ``return_se``.
        """
        return super().importance_likelihood(X, n_draws=n_draws, return_se=return_se)

    @property
    def density_(self):
        """Density of the rows, a :class:`GeometricDensity`."""
        known = partial(self._known, self._training)
        return self._density(GeometricDensity, log_Z=known)

    def _known(self, state):
        """Log Z, or None if another state has been learned since."""
        return self.log_Z_ if self._training is state else None

    def _attributes(self, state):
        prior = state.learned.model.prior
        return super()._attributes(state) | {"prior_intercept_": prior}

    def _present_options(self):
        return SimpleNamespace(**vars(super()._present_options()) | _FIXED)
