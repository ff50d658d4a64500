r"""Generative adversarial networks with an encoder: a game of pairs.

.. math:: \min_{g, e} \max_d \; \mathbb{E}_{x} \log d(x, e(x)) +
   \mathbb{E}_{z} \log (1 - d(g(z), z))
"""

from skdgm.adversarial._games.bigan_game import Paired
from skdgm.adversarial._options import PAIRED
from skdgm.adversarial.gan import GAN, withheld
from skdgm.base.frames import framed
from skdgm.implicit import ImplicitModel
from skdgm.utils.domains import is_frame


class BiGAN(ImplicitModel):
    r"""GAN with an encoder: both learn by a discriminator of rows and latent units.

    .. math::

        \min_D \; \mathbb{E}\,\ell_D(D(x, e(x)), D(g(z), z)), \qquad
        \min_{g, e} \; \mathbb{E}\,\ell_D(D(g(z), z), D(x, e(x)))

    for rows x and latent units z [1]_ [2]_, with the penalty of :class:`GAN` on the
    discriminator's gradient. Where the discriminator cannot tell rows beside their
    codes from latent units beside their rows, encoder e and generator g are inverse to
    each other; before that, a reconstruction is a row like the given one rather than
    near to it, unless ``reconstruction_weight`` is above 0. ``score_samples`` and
    ``impute`` are estimates, as of :class:`GAN`, whose other options are at their
    defaults. NaN is a missing value, and unknown to the encoder. Float64 data are
    computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=16
        Number of latent units, which are the features of rows.
    hidden_layer_sizes : tuple, default=None
        Numbers of hidden units of the generator, from the latent units to the data, or
        of maps of a convolutional one; by default (128, 128) or (64, 32).
    discriminator_layer_sizes : tuple, default=None
        Those of the discriminator, from the data; by default the generator's, reversed.
    encoder_layer_sizes : tuple, default=None
        Those of the encoder, from the data; by default the generator's, reversed.
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
    prior : {"normal", "uniform"}, default="normal"
        Distribution of the latent units: standard normal, or uniform of the same
        variance.
    loss : {"relativistic", "non-saturating", "least-squares", "wasserstein"}, \
            default="relativistic"
        Losses of all nets, as of :class:`GAN`; encoder and generator have the
        discriminator's, with the sides exchanged.
    gradient_penalty : float or "auto", default="auto"
        Weight :math:`\gamma` of the penalty on the discriminator's gradient by rows, as
        of :class:`GAN`.
    reconstruction_weight : float, default=0.0
        Weight :math:`\lambda` of the squared error of reconstructions, summed over what
        the discriminator sees of a row, which encoder and generator lower as well:
        :math:`\lambda \, \mathbb{E} \lVert x - g(e(x)) \rVert^2` [3]_.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that drop out in training, also while
        the generator learns.
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
        Activation function of the hidden units of generator and encoder.
    discriminator_activation : str, default="leaky_relu"
        That of the discriminator's hidden units; also "maxout".
    batch_norm : bool, default=False
        Whether to standardise the hidden units of generator and encoder by batch
        normalisation.
    architecture : {"dense", "conv"}, default="dense"
        Whether layers are dense, or (transposed) convolutions of images by 5 x 5
        filters with stride 2.
    image_shape : tuple, default=None
        Height and width of images, and their number of channels if it is not 1; by
        default they are square. For "conv".
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser of both nets.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.003
        Initial learning rate of generator and encoder; see ``schedule``.
    discriminator_learning_rate : float or None, default=None
        That of the discriminator; by default the same.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.0
        Momentum coefficient; for "adam", the first beta.
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
        Weights of all dense layers, of the encoder, the generator and then the
        discriminator.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
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
        each epoch.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Donahue, Krähenbühl and Darrell (2017). Adversarial feature learning. ICLR.
    .. [2] Dumoulin, Belghazi, Poole, Lamb, Arjovsky, Mastropietro and Courville (2017).
       Adversarially learned inference. ICLR.
    .. [3] Li, Liu, Chen, Pu, Chen, Henao and Carin (2017). ALICE: towards understanding
       adversarial learning for joint distribution matching. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BiGAN
    >>> X = load_digits().data / 16
    >>> gan = BiGAN(n_iter=2, random_state=0).fit(X)
    >>> Z = gan.transform(X)
    >>> Z.shape
    (1797, 16)
    >>> gan.inverse_transform(Z[:3]).shape
    (3, 64)
    """

    _parameter_constraints: dict = PAIRED
    _WIRING = Paired
    _BUDGET, _BUDGET_BITS = GAN._BUDGET, GAN._BUDGET_BITS
    _IMPLIED = ImplicitModel._IMPLIED | withheld(PAIRED)
    _DIVERSIFY = "Raise gradient_penalty or lower learning_rate."

    def __init__(
        self,
        n_components=16,
        hidden_layer_sizes=None,
        *,
        discriminator_layer_sizes=None,
        encoder_layer_sizes=None,
        column_types="bernoulli",
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        prior="normal",
        loss="relativistic",
        gradient_penalty="auto",
        reconstruction_weight=0.0,
        dropout=0.0,
        averaging=0.995,
        n_discriminator_steps=1,
        temperature=0.5,
        activation="leaky_relu",
        discriminator_activation="leaky_relu",
        batch_norm=False,
        architecture="dense",
        image_shape=None,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.003,
        discriminator_learning_rate=None,
        schedule="linear",
        power_t=0.5,
        momentum=0.0,
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
        self.encoder_layer_sizes = encoder_layer_sizes
        self.column_types = column_types
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.prior = prior
        self.loss = loss
        self.gradient_penalty = gradient_penalty
        self.reconstruction_weight = reconstruction_weight
        self.dropout = dropout
        self.averaging = averaging
        self.n_discriminator_steps = n_discriminator_steps
        self.temperature = temperature
        self.activation = activation
        self.discriminator_activation = discriminator_activation
        self.batch_norm = batch_norm
        self.architecture = architecture
        self.image_shape = image_shape
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.discriminator_learning_rate = discriminator_learning_rate
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

    _budget, discriminator_score = GAN._budget, GAN.discriminator_score

    def transform(self, X):
        """Latent units of rows, by the encoder.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
        """
        return super().transform(X)

    def inverse_transform(self, Z):
        """Rows of latent units, by the generator, as of :meth:`generate`.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Bits and categories are the most probable ones.
        """
        return self.generate(Z)

    def reconstruct(self, X):
        """Rows that the generator makes of the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing; reconstructions have no missing entries.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features)
        """
        density = self.density_
        found = framed(self, density.decode(density.features(X)), X)
        both = is_frame(found) and is_frame(X)
        return found.set_axis(X.index) if both else found
