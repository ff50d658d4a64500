r"""Variational autoencoders.

.. math:: \log p(x) \ge \mathbb{E}_{q(z \mid x)} [\log p(x \mid z)] -
   \mathrm{KL}(q(z \mid x) \,\|\, p(z))

with nets for the decoder :math:`p(x \mid z)` and for the encoder :math:`q(z \mid x)`.
"""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.autoencoder import _nets
from skdgm.latent import OF_LATENT, LatentModel
from skdgm.nets import ACTIVATIONS
from skdgm.training import Budget


class VAE(LatentModel):
    r"""Variational autoencoder: latent units with an encoder and a decoder.

    .. math::

        p(x, z) = p(x \mid z) \, \mathcal{N}(z; 0, 1), \qquad
        \log p(x) \ge \mathbb{E}_{q(z \mid x)} [\log p(x \mid z)] -
        \beta \, \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    where the decoder's outputs are the parameters of :math:`p(x \mid z)` and the
    encoder's the means and log variances of :math:`q(z \mid x)` [1]_ [2]_. Training
    maximises this bound, or the importance weighted one of several draws [3]_.
    With several layers of latent units, each is normal given the layer above [3]_.
    NaN is a missing value, in every method: ``fit`` maximises the bound of the observed
    entries. Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int or tuple of int, default=16
        Number of latent units; a tuple is for several layers, the one next to the data
        first.
    hidden_layer_sizes : tuple, default=(256,)
        Numbers of hidden units of the encoder, from the data up; the decoder mirrors
        them. With several latent layers, such a tuple for each.
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
    objective : {"elbo", "iwae"}, default="elbo"
        Evidence lower bound, or importance weighted bound.
    n_importance : int or None, default=None
        Draws for each row in training; if None, 1 for "elbo" and 5 for "iwae".
    beta : float, default=1.0
        Weight of the divergence; with values other than 1 the objective is no bound,
        and latent units are more or less independent [4]_.
    warm_up : int, default=0
        Number of epochs in which ``beta`` rises from 0, which helps to prevent an early
        collapse of the posterior.
    activation : {"tanh", "relu", "logistic", "leaky_relu", "softplus", "identity", \
            "maxout"}, default="tanh"
        Activation function of hidden units; "maxout" is the larger of two linear units.
    batch_norm : bool, default=False
        Whether to standardise hidden units by batch normalisation.
    dropout : float, default=0.0
        Share of hidden units that drop out at random in training.
    init_weights : {"glorot_uniform", "glorot_normal", "he_uniform", "he_normal"}, \
            default="glorot_uniform"
        Initialiser of weights; for linear outputs always Glorot's.
    resample : bool, default=False
        For "bernoulli": if True, draw the bits of grey rows anew at each presentation.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser: "adam" and "rmsprop" scale steps by the recent size of gradients.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.006
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
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto": 4,500 updates, but between 20 and 120 epochs.
    n_draws : int, default=100
        Draws for each row in :meth:`score_samples`. It may be changed after ``fit``.
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
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers, of encoders and then of decoders, each from the
        data up or down. An encoder's outputs are means and then log variances.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    latent_variances_ : ndarray of shape (sum of n_components,)
        Variance of each latent unit's means over some training rows.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "lower bound".
    loss_curve_ : list of float
        Negative objective of some training rows after each epoch, in nats per row, with
        real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
    .. [2] Rezende, Mohamed and Wierstra (2014). Stochastic backpropagation and
       approximate inference in deep generative models. ICML.
    .. [3] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders.
       ICLR.
    .. [4] Higgins et al. (2017). beta-VAE: learning basic visual concepts with a
       constrained variational framework. ICLR.
    .. [5] Mattei and Frellsen (2018). Leveraging the exact likelihood of deep latent
       variable models. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import VAE
    >>> X = load_digits().data / 16
    >>> vae = VAE(n_components=8, n_iter=5, random_state=0).fit(X)
    >>> vae.transform(X).shape
    (1797, 8)
    >>> vae.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(vae.score(X[:99]) > vae.elbo(X[:99]).bound.mean())
    True
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), tuple],
        **OF_LATENT,
        "objective": [StrOptions({"elbo", "iwae"})],
        "n_importance": [Interval(Integral, 1, None, closed="left"), None],
        "beta": [Interval(Real, 0, None, closed="left")],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
        "activation": [StrOptions({*ACTIVATIONS, "maxout"})],
        "batch_norm": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    _WIRING, _BUDGET = _nets, Budget(4_500, 20, 120)
    _REVIVE = (
        "Set warm_up to some epochs, lower beta, or raise learning_rate or n_iter."
    )

    def __init__(
        self,
        n_components=16,
        hidden_layer_sizes=(256,),
        *,
        column_types="bernoulli",
        variance="feature",
        min_variance=0.01,
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        missing_pattern="ignore",
        objective="elbo",
        n_importance=None,
        beta=1.0,
        warm_up=0,
        activation="tanh",
        batch_norm=False,
        dropout=0.0,
        init_weights="glorot_uniform",
        resample=False,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.006,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        clip_norm=None,
        n_iter="auto",
        n_draws=100,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.column_types = column_types
        self.variance = variance
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.missing_pattern = missing_pattern
        self.objective = objective
        self.n_importance = n_importance
        self.beta = beta
        self.warm_up = warm_up
        self.activation = activation
        self.batch_norm = batch_norm
        self.dropout = dropout
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
        self.n_iter = n_iter
        self.n_draws = n_draws
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
