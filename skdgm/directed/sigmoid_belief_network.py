r"""Sigmoid belief networks.

.. math:: p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1})

with layers of bits, each a logistic regression on the layer above.
"""

from math import nan
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.directed import _nets
from skdgm.directed._mean_field import likelihood_bound
from skdgm.directed._objective import OBJECTIVES
from skdgm.latent import OF_BITS, LatentModel
from skdgm.training import Budget


class SigmoidBeliefNetwork(LatentModel):
    r"""Sigmoid belief network: layers of bits, each given the one above.

    .. math::

        p(z_l \mid z_{l+1}) = \prod_j \operatorname{Bernoulli}\bigl(z_{lj};
        \sigma(b_{lj} + z_{l+1} W_{lj})\bigr), \qquad
        q(z_l \mid z_{l-1}) = \prod_j \operatorname{Bernoulli}\bigl(z_{lj};
        \sigma(c_{lj} + z_{l-1} R_{lj})\bigr)

    down to the data, :math:`z_0 = x`, whose columns may be of any kind [1]_. The
    inference net q has parameters of its own. No gradient passes through a bit: both
    nets learn by one of the ways that ``objective`` names. The log-likelihood is
    estimated by importance sampling. NaN is a missing value, in every method. Float64
    data are computed in float64, all others in float32.

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
    autoregressive : bool or "nade", default=False
        Whether the bits of a layer of the model, and the columns, depend on those
        before them besides the layer above: if True, log odds (and means) are linear in
        them, as of DARN [10]_; "nade": by hidden units, as many as the layer has, as of
        :class:`~skdgm.NADE` [2]_. Draws are then made of one after another. Not "nade"
        with "concrete" and "straight-through"; with these and "disarm" no column may
        have missing values in ``fit``.
    recognition_autoregressive : bool or "nade", default=False
        The same of the inference net's bits. Only with "rws", "vimco", "nvil",
        "reinforce" and "wake-sleep".
    ordering : {"given", "random"} or tuple of int, default="given"
        Order in which columns are predicted with ``autoregressive``: that of X, a
        random one, or the numbers of all columns, from 0.
    objective : {"rws", "vimco", "nvil", "reinforce", "disarm", "wake-sleep", \
            "concrete", "straight-through", "mean-field", "gibbs"}, default="rws"
        How the nets learn: reweighted wake-sleep [2]_; the importance weighted bound,
        each draw compared with the others [3]_; REINFORCE with the signal of each layer
        [4]_, or with the whole one; antithetic bits [5]_; wake-sleep [6]_; gradients
        through relaxed draws, which are biased [7]_; the bound of independent bits with
        means of each row's own [8]_, for columns of one kind, "gaussian" ones with
        variances that do not differ by row; or a Markov chain for each training row, of
        which the network keeps a hash of the row and the bits [1]_.
    n_importance : int or None, default=None
        Draws (chains, with "gibbs") for each row in training; if None, 5 for "rws" and
        "vimco", else 1. "mean-field" learns without draws: these are for
        ``loss_curve_`` alone.
    recognition_phase : {"both", "wake", "sleep"}, default="both"
        What the inference net learns from with "rws": weighted draws for rows, dreams
        of the model, or both.
    baseline : {"net", "mean", "optimal", "none"}, default="net"
        What is subtracted from the signals of "nvil" and "reinforce": a running mean
        and a prediction by a net; the mean; the mean and a number for each parameter,
        of least variance by running moments [9]_; or nothing.
    normalise_signal : bool, default=True
        Whether these are divided by their running deviation where it is above 1.
    temperature : float, default=0.5
        Temperature of "concrete": low ones have less bias and more variance.
    mean_field_steps : int, default=1
        Sweeps over a row's means in each update, with "mean-field".
    n_steps : int, default=1
        Sweeps over a row's bits in each update, with "gibbs".
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
        each batch, summed over its rows; smaller batches are penalised more. As
        ``clip_norm``, also of nets of baselines.
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
    gradient_draws : int, default=None
        If a number, gradients of a batch are drawn so often after each epoch, and
        ``gradient_variance_curve_`` has their variance.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows and draws.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of the inference net, from the data up, and then of the model's layers,
        those next to the data first. By "nade" the outputs of a layer are its log odds
        and then the biases of its link's hidden units.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of the same layers.
    prior_intercept_ : ndarray of shape (n_outputs,)
        The same of the highest layer of the model: log odds of its bits.
    link_coefs_, recognition_link_coefs_ : list
        Weights of columns, and of the bits of each layer, for those after them, if
        ``autoregressive``, and of bits of the inference net, if that is: arrays of
        shape (n_inputs, n_outputs), or by "nade" pairs of U and V.
    latent_variances_ : ndarray of shape (n_hidden,)
        Variance of each bit's mean over some training rows, by layers.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "lower bound".
    loss_curve_ : list of float
        Negative importance weighted bound of some training rows after each epoch, by
        as many draws as in training ("gibbs": ten at least; of less than 240 rows so
        many altogether), in nats per row, with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    gradient_variance_curve_ : list of float
        Variance of the gradient of a batch after each epoch, summed over the parameters
        of both nets, with ``gradient_draws``; NaN for epochs without.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Neal (1992). Connectionist learning of belief networks. Artificial
       Intelligence.
    .. [2] Bornschein and Bengio (2015). Reweighted wake-sleep. ICLR.
    .. [3] Mnih and Rezende (2016). Variational inference for Monte Carlo objectives.
       ICML.
    .. [4] Mnih and Gregor (2014). Neural variational inference and learning in belief
       networks. ICML.
    .. [5] Dong, Mnih and Tucker (2020). DisARM: an antithetic gradient estimator for
       binary latent variables. NeurIPS.
    .. [6] Hinton, Dayan, Frey and Neal (1995). The wake-sleep algorithm for
       unsupervised neural networks. Science.
    .. [7] Maddison, Mnih and Teh (2017). The concrete distribution: a continuous
       relaxation of discrete random variables. ICLR.
    .. [8] Saul, Jaakkola and Jordan (1996). Mean field theory for sigmoid belief
       networks. Journal of Artificial Intelligence Research.
    .. [9] Greensmith, Bartlett and Baxter (2004). Variance reduction techniques for
       gradient estimates in reinforcement learning. Journal of Machine Learning
       Research.
    .. [10] Gregor, Danihelka, Mnih, Blundell and Wierstra (2014). Deep autoregressive
       networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import SigmoidBeliefNetwork
    >>> X = load_digits().data / 16
    >>> sbn = SigmoidBeliefNetwork((32, 16), n_iter=5, random_state=0).fit(X)
    >>> sbn.transform(X).shape
    (1797, 48)
    >>> sbn.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(sbn.loss_curve_[-1] < sbn.loss_curve_[0])
    True
    """

    _parameter_constraints: dict = {
        **OF_BITS,
        "autoregressive": ["boolean", StrOptions({"nade"})],
        "recognition_autoregressive": ["boolean", StrOptions({"nade"})],
        "ordering": [StrOptions({"given", "random"}), tuple],
        "objective": [StrOptions(set(OBJECTIVES))],
        "n_importance": [Interval(Integral, 1, None, closed="left"), None],
        "recognition_phase": [StrOptions({"both", "wake", "sleep"})],
        "baseline": [StrOptions({"net", "mean", "optimal", "none"})],
        "normalise_signal": ["boolean"],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "mean_field_steps": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "gradient_draws": [Interval(Integral, 2, None, closed="left"), None],
    }
    _WIRING, _BUDGET = _nets, Budget(4_500, 20, 120)
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
        autoregressive=False,
        recognition_autoregressive=False,
        ordering="given",
        objective="rws",
        n_importance=None,
        recognition_phase="both",
        baseline="net",
        normalise_signal=True,
        temperature=0.5,
        mean_field_steps=1,
        n_steps=1,
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
        gradient_draws=None,
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
        self.autoregressive = autoregressive
        self.recognition_autoregressive = recognition_autoregressive
        self.ordering = ordering
        self.objective = objective
        self.n_importance = n_importance
        self.recognition_phase = recognition_phase
        self.baseline = baseline
        self.normalise_signal = normalise_signal
        self.temperature = temperature
        self.mean_field_steps = mean_field_steps
        self.n_steps = n_steps
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
        self.gradient_draws = gradient_draws
        self.verbose = verbose
        self.random_state = random_state

    def mean_field_bound(self, X, *, n_steps=20):
        """Saul's lower bound on the log-likelihood of each row, in nats.

        That of independent bits with means of the row's own, in closed form. For
        columns of one kind, of which "gaussian" ones have the same variances in all
        rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_steps : int, default=20
            Sweeps over the means, which begin at those of :meth:`transform`.

        Returns
        -------
        bound : ndarray of shape (n_samples,), float64

        Raises
        ------
        ValueError
            Columns are of several kinds, or layers are autoregressive.
        """
        return likelihood_bound(self.density_, X, n_steps)

    @property
    def link_coefs_(self):
        """Weights within layers of the model."""
        return _nets.link_weights(self)[1]

    @property
    def recognition_link_coefs_(self):
        """Weights within layers of the inference net."""
        return _nets.link_weights(self)[0]

    def _attributes(self, state):
        prior = state.learned.model.prior
        return super()._attributes(state) | {"prior_intercept_": prior}

    def _report(self, learned, n_epochs, watch):
        found = getattr(watch, "variances", [])
        n_before = self.n_iter_ - len(learned.losses)
        known = getattr(self, "gradient_variance_curve_", []) if n_before else []
        if known or found:
            found = [*found, *[nan] * len(learned.losses)][: len(learned.losses)]
            known = [*known, *[nan] * n_before][:n_before]
            self.gradient_variance_curve_ = known + found
        else:
            vars(self).pop("gradient_variance_curve_", None)
        super()._report(learned, n_epochs, watch)

    def _hierarchy(self, structure):
        asked = structure, self._options, self._output, self._seed
        return self._WIRING.hierarchy(*asked)
