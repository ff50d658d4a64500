r"""Laplacian pyramids of adversarial networks.

.. math:: x_k = u(x_{k-1}) + g_k(z_k, u(x_{k-1}))
"""

from sklearn.utils.validation import check_is_fitted

from skdgm.adversarial._nets.pyramid_wiring import PyramidWiring
from skdgm.adversarial._options import OF_STAGES
from skdgm.adversarial.gan import withheld
from skdgm.implicit import ImplicitModel
from skdgm.training import Budget


class LAPGAN(ImplicitModel):
    r"""Laplacian pyramid of adversarial networks: small images, then their details.

    .. math::

        x_0 = g_0(z_0), \qquad x_k = u(x_{k-1}) + g_k(z_k, u(x_{k-1}))

    for images half as high and wide from level to level, and copies u of their pixels
    [1]_. Each generator has a discriminator: that of the smallest images is a
    :class:`~skdgm.GAN`'s; others compare an image of the data with the same image after
    its details were averaged out and generated anew, given what was left of it. Details
    of grey images are added to log odds, so that pixels stay between 0 and 1.
    Like that of a GAN, ``score_samples`` is an estimate. NaN is a missing value: means
    of blocks are those of their other pixels. Float64 data are computed in float64,
    all others in float32.

    Parameters
    ----------
    n_components : int, default=16
        Number of latent units of each generator.
    hidden_layer_sizes : tuple, default=None
        Numbers of hidden units of each generator, from the latent units on, or of maps
        of a convolutional one; by default (128, 128) or (64, 32).
    discriminator_layer_sizes : tuple, default=None
        Those of each discriminator, from the data; by default the generator's,
        reversed.
    n_levels : int, default=3
        Number of resolutions; fewer if images have a single pixel before.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Kind of the pixels: 0, 1 or between, or real numbers. Those of "bernoulli" are
        drawn as bits if all their values in the first fit are 0 or 1; smaller images
        are grey.
    class_conditional : bool, default=False
        Whether ``fit`` needs the classes y, on which all nets then depend; each
        discriminator has a logit for each class.
    prior : {"mixed", "normal", "uniform", "bits"}, default="mixed"
        Distribution of the latent units, as of :class:`~skdgm.GAN`.
    loss : {"relativistic", "non-saturating", "minimax", "likelihood", \
            "least-squares", "wasserstein"}, default="relativistic"
        Losses of both nets, as of :class:`~skdgm.GAN`.
    gradient_penalty : float or "auto", default="auto"
        Weight of the zero-centred penalty on discriminators' gradients by rows, as of
        :class:`GAN`.
    dropout : float, default=0.0
        Share of discriminators' hidden units that drop out in training.
    averaging : float, default=0.995
        Decay rate of the exponential average of generators' parameters, which samples
        are drawn with; 0 for the last ones.
    activation : {"relu", "leaky_relu", "tanh", "logistic", "softplus", "identity"}, \
            default="leaky_relu"
        Activation function of generators' hidden units.
    batch_norm : bool, default=False
        Whether to standardise generators' hidden units by batch normalisation.
    architecture : {"dense", "conv"}, default="dense"
        Whether layers are dense, or (transposed) convolutions as of
        :class:`~skdgm.GAN`.
    image_shape : tuple, default=None
        Height and width of images, and their number of channels if it is not 1; by
        default they are square, or have one row if the number of columns is no square.
    features : {"discriminator", "latent"}, default="discriminator"
        What ``transform`` returns: the last hidden units of the discriminator of whole
        images, or latent units of all generators whose image is near.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser of all nets.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.003
        Initial learning rate; see ``schedule``.
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
        Number of epochs; "auto": 2,500 updates, but between 10 and 300 epochs.
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
        Weights of all layers, of generators and then of discriminators, those of the
        smallest images first.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    pyramid_shapes_ : list of tuple
        Shapes of images, (height, width, channels), the smallest first.
    classes_ : ndarray of shape (n_classes,)
        Classes of a conditional model.
    coverage_ : float
        Share of some training rows to which a generated row is closer than their fifth
        neighbour.
    n_updates_ : int
        Number of updates of each generator.
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
    .. [1] Denton, Chintala, Szlam and Fergus (2015). Deep generative image models using
       a Laplacian pyramid of adversarial networks. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import LAPGAN
    >>> X = load_digits().data / 16
    >>> gan = LAPGAN(n_iter=1, random_state=0).fit(X)
    >>> gan.pyramid_shapes_
    [(2, 2, 1), (4, 4, 1), (8, 8, 1)]
    >>> gan.generate(np.zeros((1, 48))).shape
    (1, 64)
    """

    _parameter_constraints: dict = OF_STAGES
    _WIRING = PyramidWiring
    _IMPLIED = ImplicitModel._IMPLIED | withheld(OF_STAGES) | {"n_frequencies": 0}
    _BUDGET = Budget(2_500, 10, 300)
    # Advice where generated rows are all alike.
    _DIVERSIFY = (
        'Set loss="relativistic" with a gradient_penalty above 0, or lower '
        "learning_rate."
    )

    def __init__(
        self,
        n_components=16,
        hidden_layer_sizes=None,
        *,
        discriminator_layer_sizes=None,
        n_levels=3,
        column_types="bernoulli",
        class_conditional=False,
        prior="mixed",
        loss="relativistic",
        gradient_penalty="auto",
        dropout=0.0,
        averaging=0.995,
        activation="leaky_relu",
        batch_norm=False,
        architecture="dense",
        image_shape=None,
        features="discriminator",
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.003,
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
        self.n_levels = n_levels
        self.column_types = column_types
        self.class_conditional = class_conditional
        self.prior = prior
        self.loss = loss
        self.gradient_penalty = gradient_penalty
        self.dropout = dropout
        self.averaging = averaging
        self.activation = activation
        self.batch_norm = batch_norm
        self.architecture = architecture
        self.image_shape = image_shape
        self.features = features
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

    @property
    def pyramid_shapes_(self):
        """Shapes of images, (height, width, channels), the smallest first."""
        check_is_fitted(self)
        return self._wiring(self._learned).pyramid.shapes
