r"""Generative adversarial networks.

.. math:: \min_g \max_d \; \mathbb{E}_{x \sim p_\text{data}} \log d(x) +
   \mathbb{E}_{z \sim p(z)} \log (1 - d(g(z)))

with nets for the generator g and for the discriminator d, a logistic function of a
logit D.
"""

from inspect import signature

from skdgm.adversarial._nets.wiring import Wiring
from skdgm.adversarial._options import OPTIONS
from skdgm.implicit import ImplicitModel
from skdgm.training import Budget


class GAN(ImplicitModel):
    r"""Generative adversarial network: a generator that a discriminator judges.

    .. math::

        \min_D \; \mathbb{E}\,\ell_D(D(x), D(g(z))) + \tfrac\gamma2 \bigl(
        \mathbb{E} \lVert \nabla_x D(x) \rVert^2 +
        \mathbb{E} \lVert \nabla_x D(g(z)) \rVert^2 \bigr), \qquad
        \min_g \; \mathbb{E}\,\ell_G(D(x), D(g(z)))

    for rows x and latent units z [1]_. By default the discriminator compares a row with
    a generated one, :math:`\ell_D = \log(1 + e^{D(g(z)) - D(x)})`, and the penalty is
    zero-centred, with which the game converges and finds all modes [2]_. A generator
    has no density that could be computed: ``score_samples`` is an estimate.
    NaN is a missing value: it is missing, too, in the generated row that is compared.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=16
        Number of latent units.
    hidden_layer_sizes : tuple, default=None
        Numbers of hidden units of the generator, from the latent units to the data, or
        of maps of a convolutional one; by default (128, 128) or (64, 32).
    discriminator_layer_sizes : tuple, default=None
        Those of the discriminator, from the data; by default the generator's, reversed.
    column_types : {"bernoulli", "gaussian", "categorical", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns, as of :class:`~skdgm.VAE`. Columns of "bernoulli" are drawn
        as bits if all their values in the first fit are 0 or 1, else as numbers in
        [0, 1]. Bits and categories are draws whose gradient is that of a relaxation;
        see ``temperature``.
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
        What a category is that was not in ``fit``; see :class:`~skdgm.VAE`.
    class_conditional : bool, default=False
        Whether ``fit`` needs the classes y, on which both nets then depend [3]_; the
        discriminator has a logit for each class.
    prior : {"mixed", "normal", "uniform", "bits"}, default="mixed"
        Distribution of the latent units: standard normal; uniform of the same variance;
        -1 or 1; or -1 or 1 for the first half and normal for the others, which suits
        data of several clusters.
    loss : {"relativistic", "non-saturating", "minimax", "likelihood", \
            "least-squares", "wasserstein"}, default="relativistic"
        Losses of both nets: [2]_; that of the best-known GANs, its zero-sum form, and
        that with the gradient of maximum likelihood [1]_ [4]_; squared errors [5]_;
        the difference of mean logits [6]_.
    gradient_penalty : float or "auto", default="auto"
        Weight :math:`\gamma` of the penalty on the discriminator's gradient by rows, in
        units of the model; "auto": 0.05 if columns are real numbers, else 0.2.
    penalty : {"zero-centred", "one-centred"}, default="zero-centred"
        Penalty of squared norms at real and generated rows, or of
        :math:`2 (\lVert \nabla D \rVert - 1)^2` between them, as for "wasserstein"
        [7]_.
    penalty_decay : float, default=0.02
        Factor by which the penalty's weight has fallen, geometrically, at the end of
        ``fit`` with ``schedule="linear"``.
    penalty_interval : int, default=2
        The penalty is computed once in so many updates, and then counts as often.
    clip_weights : float or None, default=None
        Bound of the discriminator's parameters [6]_.
    label_smoothing : float, default=0.0
        One minus the target of real rows [8]_; not for "wasserstein" and
        "relativistic".
    dropout : float, default=0.0
        Share of the discriminator's hidden units that drop out in training, also while
        the generator learns.
    instance_noise : float, default=0.0
        Standard deviation of noise that is added to all rows which the discriminator
        sees; it falls to zero as the learning rate does.
    output_noise : float, default=0.0
        Standard deviation of noise that is part of the generator, in real columns, in
        units of the model (standardised); that of grey ones is cut off beyond [0, 1].
        It is then the bandwidth of ``score_samples``.
    feature_matching : bool, default=False
        Whether the generator matches the mean of the discriminator's last hidden units,
        of each class if conditional, in place of ``loss`` [8]_.
    historical_averaging : float, default=0.0
        Weight of the squared distance of parameters from their average over time [8]_.
    minibatch_kernels : int, default=0
        Number of features that tell the discriminator how like the other rows of the
        batch a row is [8]_.
    packing : int, default=1
        Number of rows that the discriminator judges together [9]_.
    averaging : float, default=0.995
        Decay rate of the exponential average of the generator's parameters, which
        samples are drawn with; 0 for the last ones.
    n_discriminator_steps : int, default=1
        Updates of the discriminator for each one of the generator.
    temperature : float, default=0.5
        Temperature of the relaxation of bits and categories: gradients have less bias
        and more variance if it is low.
    activation : {"relu", "leaky_relu", "tanh", "logistic", "softplus", "identity"}, \
            default="leaky_relu"
        Activation function of the generator's hidden units.
    discriminator_activation : str, default="leaky_relu"
        That of the discriminator's hidden units; also "maxout".
    batch_norm : bool or "virtual", default=False
        Whether to standardise the generator's hidden units by batch normalisation;
        "virtual": by means of a reference batch, the first one, and the row itself.
    init_weights : {"he_normal", "he_uniform", "glorot_uniform", "glorot_normal"}, \
            default="he_normal"
        Initialiser of the weights of hidden layers.
    architecture : {"dense", "conv"}, default="dense"
        Whether layers are dense, or (transposed) convolutions of images by 5 x 5
        filters with stride 2 [10]_.
    image_shape : tuple, default=None
        Height and width of images, and their number of channels if it is not 1; by
        default they are square. For "conv".
    n_frequencies : int or "auto", default="auto"
        Number of sines and cosines of each real column that a dense discriminator
        sees; "auto": 3 if there are at most 16 such columns, else none.
    features : {"discriminator", "latent"}, default="discriminator"
        What ``transform`` returns: the last hidden units of the discriminator, or
        latent units whose generated row is near; see :meth:`invert`.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser of both nets.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.003
        Initial learning rate of the generator; see ``schedule``.
    discriminator_learning_rate : float or None, default=None
        That of the discriminator; by default the same.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.0
        Momentum coefficient; for "adam", the first beta.
    beta_2 : float, default=0.99
        Second beta of "adam".
    clip_norm : float or None, default=None
        Upper limit of the norm of gradients; longer ones are scaled down to it.
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto": 5,000 updates, or 2,500 of "bernoulli", but between 10
        and 1,000 epochs.
    n_draws : int, default=1000
        Draws around which ``score_samples`` and ``impute`` estimate densities. It may
        be changed after ``fit``.
    early_stopping : bool, default=False
        Hold out rows, stop when generated ones no longer become more like them, and
        keep the parameters for which they were most alike.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Least improvement that counts.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows and latent units.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers, of the generator and then of the discriminator.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    classes_ : ndarray of shape (n_classes,)
        Classes of a conditional model.
    coverage_ : float
        Share of some training rows to which a generated row is closer than their fifth
        neighbour.
    n_updates_ : int
        Number of updates of the generator.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Maximum mean discrepancy between some training rows and generated ones after
        each epoch: neither player's loss, which tell nothing of progress.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Goodfellow et al. (2014). Generative adversarial nets. NeurIPS.
    .. [2] Huang, Gokaslan, Kuleshov and Tompkin (2024). The GAN is dead; long live the
       GAN! A modern baseline GAN. NeurIPS.
    .. [3] Miyato and Koyama (2018). cGANs with projection discriminator. ICLR.
    .. [4] Goodfellow (2014). On distinguishability criteria for estimating generative
       models. arXiv:1412.6515.
    .. [5] Mao, Li, Xie, Lau, Wang and Smolley (2017). Least squares generative
       adversarial networks. ICCV.
    .. [6] Arjovsky, Chintala and Bottou (2017). Wasserstein generative adversarial
       networks. ICML.
    .. [7] Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017). Improved training
       of Wasserstein GANs. NIPS.
    .. [8] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
       techniques for training GANs. NeurIPS.
    .. [9] Lin, Khetan, Fanti and Oh (2018). PacGAN: the power of two samples in
       generative adversarial networks. NeurIPS.
    .. [10] Radford, Metz and Chintala (2016). Unsupervised representation learning with
       deep convolutional generative adversarial networks. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GAN
    >>> X = load_digits().data / 16
    >>> gan = GAN(n_iter=5, random_state=0).fit(X)
    >>> gan.sample(3, random_state=0).shape
    (3, 64)
    >>> gan.transform(X).shape
    (1797, 128)
    >>> bool(gan.loss_curve_[-1] < gan.loss_curve_[0])
    True
    """

    _parameter_constraints: dict = OPTIONS
    _WIRING = Wiring
    # That of binary and grey columns is the second one.
    _BUDGET, _BUDGET_BITS = Budget(5_000, 10, 1_000), Budget(2_500, 10, 1_000)

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
        class_conditional=False,
        prior="mixed",
        loss="relativistic",
        gradient_penalty="auto",
        penalty="zero-centred",
        penalty_decay=0.02,
        penalty_interval=2,
        clip_weights=None,
        label_smoothing=0.0,
        dropout=0.0,
        instance_noise=0.0,
        output_noise=0.0,
        feature_matching=False,
        historical_averaging=0.0,
        minibatch_kernels=0,
        packing=1,
        averaging=0.995,
        n_discriminator_steps=1,
        temperature=0.5,
        activation="leaky_relu",
        discriminator_activation="leaky_relu",
        batch_norm=False,
        init_weights="he_normal",
        architecture="dense",
        image_shape=None,
        n_frequencies="auto",
        features="discriminator",
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.003,
        discriminator_learning_rate=None,
        schedule="linear",
        power_t=0.5,
        momentum=0.0,
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
        self.class_conditional = class_conditional
        self.prior = prior
        self.loss = loss
        self.gradient_penalty = gradient_penalty
        self.penalty = penalty
        self.penalty_decay = penalty_decay
        self.penalty_interval = penalty_interval
        self.clip_weights = clip_weights
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.instance_noise = instance_noise
        self.output_noise = output_noise
        self.feature_matching = feature_matching
        self.historical_averaging = historical_averaging
        self.minibatch_kernels = minibatch_kernels
        self.packing = packing
        self.averaging = averaging
        self.n_discriminator_steps = n_discriminator_steps
        self.temperature = temperature
        self.activation = activation
        self.discriminator_activation = discriminator_activation
        self.batch_norm = batch_norm
        self.init_weights = init_weights
        self.architecture = architecture
        self.image_shape = image_shape
        self.n_frequencies = n_frequencies
        self.features = features
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.discriminator_learning_rate = discriminator_learning_rate
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

    @property
    def _budget(self):
        bits = self._options.column_types == "bernoulli"
        return self._BUDGET_BITS if bits else self._BUDGET

    def discriminator_score(self, X):
        """Logit of the discriminator for each row: high for what seems real.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        score : ndarray of shape (n_samples,)
            Of a conditional model the largest of all classes; with ``packing`` that of
            a pack of copies of the row, which tells less of the row.
        """
        return self.density_.by_rows(
            X, lambda x, _: self._wiring(self._learned).score(self._training, x)
        )


def withheld(options):
    """Defaults of those options of a GAN that a variant does not have, by name."""
    asked = signature(GAN).parameters.values()
    return {each.name: each.default for each in asked if each.name not in options}
