r"""Generative adversarial networks whose discriminator tells classes apart.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(l(x)), \qquad
   p(\text{real} \mid x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_k e^{l_k(x)}
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skdgm.adversarial._nets.label_wiring import LabelWiring
from skdgm.adversarial._options import JITTER, OPTIONS
from skdgm.adversarial.gan import withheld
from skdgm.base import Classifier
from skdgm.base.frames import framed
from skdgm.data.rare import OF_RARE
from skdgm.implicit import ImplicitModel
from skdgm.implicit.columns import find_grey
from skdgm.nets import LEARNING, NetEstimator
from skdgm.training import Budget
from skdgm.utils.counts import is_a

_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
# Entries of a block of rows.
_ENTRIES = 2**14
_OF_A_GAN = (
    *("n_components", "hidden_layer_sizes", "discriminator_layer_sizes"),
    *("column_types", "min_categories", *OF_RARE, "prior"),
    *("feature_matching", "dropout"),
    *("averaging", "n_discriminator_steps", "temperature", "activation"),
    *("discriminator_activation", "batch_norm", "init_weights", "architecture"),
    *("image_shape", "beta_2", "n_draws"),
)


class GANClassifier(Classifier, NetEstimator):
    r"""Semi-supervised classifier: the discriminator of an adversarial game.

    .. math::

        \min_l \; -\mathbb{E} \log p(y \mid x) - w \, \mathbb{E} \log D(x)
        - w \, \mathbb{E} \log (1 - D(g(z))), \qquad
        p(y = k \mid x) = \frac{e^{l_k(x)}}{Z(x)}, \quad
        D(x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_k e^{l_k(x)}

    The discriminator has a class more than y, "generated", whose logit is zero [1]_
    [2]_ [3]_. Rows with a label teach it classes; those without, that they are real,
    of whichever class, and rows of a generator, that they are of none: the boundaries
    between classes move to where there are no rows. The generator learns to have the
    mean hidden units of the data, :math:`\min_g \lVert \mathbb{E} h(x) - \mathbb{E}
    h(g(z)) \rVert^2`; its rows need not be, and seldom are, as good as those of a
    :class:`GAN` [4]_. NaN is a missing value: it is missing, too, in the generated row
    that is beside it. Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=16
        Number of latent units of the generator.
    hidden_layer_sizes : tuple, default=None
        Numbers of hidden units of the generator, from the latent units to the data, or
        of maps of a convolutional one; by default (128, 128) or (64, 32).
    discriminator_layer_sizes : tuple, default=None
        Those of the discriminator, from the data; by default (256, 128, 128) or (32,
        64).
    column_types : {"bernoulli", "gaussian", "categorical", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns, as of :class:`GAN`.
    min_categories : int or array-like of int, default=None
        Least number of categories of "categorical", in all columns or in each; more
        are found in the data.
    min_frequency : int or float, default=None
        Least weight of rows of a category that is no rare one; see :class:`~skdgm.GAN`.
    max_categories : int, default=None
        Most categories of a column, counting the rare ones as one.
    handle_unknown : {"auto", "error", "ignore", "infrequent_if_exist"}, default="auto"
        What a category is that was not in ``fit``; see :class:`~skdgm.VAE`.
    unlabeled : object, default=None
        Value of y that marks rows without a label. These rows are real ones to the
        discriminator; :meth:`score` leaves them out. None means that all rows are
        labelled.
    unlabeled_weight : float, default=0.5
        Weight w of what is learned without labels. With 0 the discriminator is an
        ordinary net that learns from rows with a label.
    prior : {"mixed", "normal", "uniform", "bits"}, default="normal"
        Distribution of the latent units, as of :class:`GAN`.
    feature_matching : bool, default=True
        Whether the generator matches the mean of the discriminator's last hidden units;
        else it raises the mean of :math:`\log D(g(z))`.
    discriminator_noise : float or tuple of float, default=(0.2, 0.5)
        Standard deviation of normal noise that is added in training to what the
        discriminator sees and to its hidden units; or a pair, of the one and of the
        others.
    jitter : float, default=0.0
        Size of random deformations of the images that the discriminator learns from: at
        1, rotations by up to 15 degrees, shears of up to 0.3, sides longer or shorter
        by up to a third, and shifts by up to 7 % of a side.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that drop out in training.
    averaging : float, default=0.995
        Decay rate of the exponential average of the parameters of both nets, which
        classes are predicted and samples are drawn with; 0 for the last ones.
    n_discriminator_steps : int, default=1
        Updates of the discriminator for each one of the generator.
    temperature : float, default=0.5
        Temperature of the relaxation of bits and categories, as of :class:`GAN`.
    activation : {"relu", "leaky_relu", "tanh", "logistic", "softplus", "identity"}, \
            default="leaky_relu"
        Activation function of the generator's hidden units.
    discriminator_activation : str, default="relu"
        That of the discriminator's hidden units; also "maxout".
    batch_norm : bool or "virtual", default=True
        Whether to standardise the generator's hidden units by batch normalisation;
        "virtual": by means of a reference batch, the first one, and the row itself.
    init_weights : {"he_normal", "he_uniform", "glorot_uniform", "glorot_normal"}, \
            default="he_normal"
        Initialiser of the weights of hidden layers.
    architecture : {"dense", "conv"}, default="dense"
        Whether layers are dense, or (transposed) convolutions of images by 5 x 5
        filters with stride 2.
    image_shape : tuple, default=None
        Height and width of images, and their number of channels if it is not 1; by
        default they are square. For "conv" and ``jitter``.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser of both nets.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows.
    batch_size : int, default=100
        Rows for each update, and as many with a label beside them, if there are so
        many: few labels are presented in every update.
    learning_rate : float, default=0.003
        Initial learning rate of both nets; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.5
        Momentum coefficient; for "adam", the first beta.
    beta_2 : float, default=0.99
        Second beta of "adam".
    clip_norm : float or None, default=None
        Upper limit of the norm of gradients; longer ones are scaled down to it.
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto": 4,000 updates, but between 10 and 1,000 epochs.
    n_draws : int, default=1000
        Draws around which ``score_samples`` and ``impute`` estimate densities. It may
        be changed after ``fit``.
    early_stopping : bool, default=False
        If True, hold out rows that have a label, stop when the log probability of their
        labels no longer rises, and keep the parameters with which it was highest.
    validation_fraction : float, default=0.1
        Share of the rows with a label to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Least improvement that counts.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows, latent units and noise.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers, of the generator and then of the discriminator.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    n_updates_ : int
        Number of updates of the generator.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Mean negative log probability of the labels of some training rows after each
        epoch.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
       techniques for training GANs. NeurIPS.
    .. [2] Springenberg (2016). Unsupervised and semi-supervised learning with
       categorical generative adversarial networks. ICLR.
    .. [3] Odena (2016). Semi-supervised learning with generative adversarial networks.
       arXiv:1606.01583.
    .. [4] Dai, Yang, Yang, Cohen and Salakhutdinov (2017). Good semi-supervised
       learning that requires a bad GAN. NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GANClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X, marked = X / 16, np.where(np.arange(300) < 100, y[:300], -1)
    >>> clf = GANClassifier(unlabeled=-1, n_iter=15, random_state=0)
    >>> clf.fit(X[:300], marked).score(X[300:], y[300:]) > 0.7
    True
    """

    _parameter_constraints: dict = {
        **{name: OPTIONS[name] for name in _OF_A_GAN},
        **LEARNING,
        "unlabeled": "no_validation",
        "unlabeled_weight": [_NOT_NEGATIVE],
        "discriminator_noise": [_NOT_NEGATIVE, tuple],
        "jitter": JITTER,
    }
    _IMPLIED = ImplicitModel._IMPLIED | withheld(_parameter_constraints)
    _IMPLIED |= {"class_conditional": True, "loss": "non-saturating"}
    _IMPLIED |= {"gradient_penalty": 0.0, "n_frequencies": 0}
    _WIRING, _BUDGET, _shares = LabelWiring, Budget(4_000, 10, 1_000), None

    def __init__(
        self,
        n_components=16,
        hidden_layer_sizes=None,
        *,
        discriminator_layer_sizes=None,
        column_types="bernoulli",
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        unlabeled=None,
        unlabeled_weight=0.5,
        prior="normal",
        feature_matching=True,
        discriminator_noise=(0.2, 0.5),
        jitter=0.0,
        dropout=0.0,
        averaging=0.995,
        n_discriminator_steps=1,
        temperature=0.5,
        activation="leaky_relu",
        discriminator_activation="relu",
        batch_norm=True,
        init_weights="he_normal",
        architecture="dense",
        image_shape=None,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.003,
        schedule="linear",
        power_t=0.5,
        momentum=0.5,
        beta_2=0.99,
        clip_norm=None,
        n_iter="auto",
        n_draws=1000,
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
        self.discriminator_layer_sizes = discriminator_layer_sizes
        self.column_types = column_types
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.unlabeled = unlabeled
        self.unlabeled_weight = unlabeled_weight
        self.prior = prior
        self.feature_matching = feature_matching
        self.discriminator_noise = discriminator_noise
        self.jitter = jitter
        self.dropout = dropout
        self.averaging = averaging
        self.n_discriminator_steps = n_discriminator_steps
        self.temperature = temperature
        self.activation = activation
        self.discriminator_activation = discriminator_activation
        self.batch_norm = batch_norm
        self.init_weights = init_weights
        self.architecture = architecture
        self.image_shape = image_shape
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.beta_2 = beta_2
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

    def transform(self, X):
        """Last hidden units of the discriminator.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_units)
        """
        return self.density_.features(X)

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the generator.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.
        """
        return framed(self, self.density_.sample(n_samples, random_state))

    # A generator's; no base class, since of those only four may be ours.
    score_samples, impute = ImplicitModel.score_samples, ImplicitModel.impute
    column_types_ = ImplicitModel.column_types_
    density_, density_kind_ = ImplicitModel.density_, ImplicitModel.density_kind_
    _structure, _objective = ImplicitModel._structure, ImplicitModel._objective
    _emission, _domain = ImplicitModel._emission, ImplicitModel._domain
    _n_features_out = ImplicitModel._n_features_out

    def _wiring(self, structure):
        """Nets of a structure, and how they learn."""
        given = structure, self._emission, len(self.classes_), self._options
        return self._WIRING(*given)

    def _check_options(self):
        asked = self._options
        size = asked.discriminator_noise
        pair = isinstance(size, tuple) and len(size) == 2
        if isinstance(size, tuple) and not (
            pair and all(is_a(Real, part) and part >= 0 for part in size)
        ):
            raise ValueError(
                "discriminator_noise must be a number of at least 0, or two, of what "
                f"is seen and of hidden units; got {size}."
            )
        self._WIRING.check(asked)

    def _count(self, table, fresh):
        find_grey(self, table, fresh)
        super()._count(table, fresh)

    def _logits(self, rows):
        state, wiring = self._training, self._wiring(self._learned)
        read = self._emission.inputs

        def of_rows(v, _):
            return wiring.logits(state, read(v)[0])

        return self.density_.by_content(of_rows, rows, _ENTRIES)

    def _attributes(self, state):
        found = super()._attributes(state)
        found["n_updates_"] = int(state.t[0])
        return found
