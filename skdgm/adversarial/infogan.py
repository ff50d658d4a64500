r"""Generative adversarial networks whose codes can be read off their rows.

.. math:: \min_{g, q} \max_d \; v(d, g) - \lambda \, L_I(g, q), \qquad
   L_I = \mathbb{E}_{c, x = g(z, c)} [\log q(c \mid x)] + H(c) \le I(c; g(z, c))
"""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdgm.adversarial._games.iic_infogan import Viewed
from skdgm.adversarial._games.infogan_game import Informed
from skdgm.adversarial._options import INFORMED
from skdgm.adversarial.gan import GAN, withheld
from skdgm.base.frames import framed
from skdgm.implicit import ImplicitModel
from skdgm.utils.counts import count_rows, layer_sizes


class InfoGAN(ImplicitModel):
    r"""GAN with codes that explain its rows: categories, and continuous ones.

    .. math::

        \min_{D, q} \; \mathbb{E}\,\ell_D(D(x), D(g(z, c))) - \lambda L_I, \qquad
        \min_g \; \mathbb{E}\,\ell_G(D(x), D(g(z, c))) - \lambda L_I, \qquad
        L_I = \mathbb{E} [\log q(c \mid g(z, c))] + H(c)

    for latent units z and codes c [1]_. A bound on the mutual information of codes and
    generated rows, :math:`L_I`, is added to the game, so that each code must change a
    row in a way of its own: without any label, categories become clusters of the data,
    and continuous codes what varies among their rows. The distribution q of the codes
    given a row shares the discriminator's hidden units; with views of rows (``jitter``,
    ``n_neighbors``) it is a net of its own, of the same layers, and categories become
    what views share, such as a digit's name. ``score_samples`` is an estimate, as of
    :class:`GAN`, whose other options are at their defaults. NaN is a missing value.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=16
        Number of latent units besides codes, which no output tells.
    hidden_layer_sizes : tuple, default=None
        Numbers of units, or maps, of the generator; by default (128, 128), or (64, 32).
    discriminator_layer_sizes : tuple, default=None
        The discriminator's, from the data; by default the generator's, reversed.
    n_categories : int or tuple of int or None, default=10
        Numbers of categories of categorical codes, one number for each.
    n_codes : int, default=0
        Number of continuous codes, between -1 and 1.
    information_weight : float, default=1.0
        Weight :math:`\lambda` of the bound on the mutual information.
    code_variance : float or "learned", default=1.0
        Variance of continuous codes given a row, small for weight; "learned": by row.
    column_types : {"bernoulli", "gaussian", "categorical", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns, as of :class:`GAN`.
    min_categories : int or array-like of int, default=None
        Least number of categories of "categorical", in all columns or in each.
    min_frequency : int or float, default=None
        Least weight of rows of a category that is no rare one; see :class:`~skdgm.GAN`.
    max_categories : int, default=None
        Most categories of a column, counting the rare ones as one.
    handle_unknown : {"auto", "error", "ignore", "infrequent_if_exist"}, default="auto"
        What a category is that was not in ``fit``; see :class:`~skdgm.VAE`.
    prior : {"normal", "uniform", "bits", "mixed"}, default="normal"
        Distribution of the latent units besides codes, as of :class:`GAN`.
    loss : {"relativistic", "non-saturating", "minimax", "likelihood", \
            "least-squares", "wasserstein"}, default="relativistic"
        Losses of both nets, as of :class:`GAN`.
    gradient_penalty : float or "auto", default="auto"
        Weight :math:`\gamma` of the penalty on gradients by rows, as of :class:`GAN`.
    jitter : float, default=0.0
        Size of deformations of images in training: at 1, rotations by up to 15 degrees,
        shears of up to 0.3, sides changed by up to a third, and shifts by up to 7 %.
        Codes are then told by deformed rows, and two views of a row, deformed by
        chance, inform on each other's categories [2]_.
    n_neighbors : int, default=0
        If not 0, the second view is of one of as many nearest rows, by what the
        discriminator sees. All rows are compared, in memory. Neither this nor
        ``jitter`` may change from or to 0 while training continues.
    n_heads : int, default=10
        Number of heads that tell categories by views. The one asked is that whose views
        inform most in the first half of ``fit``, or in the first 1,000 updates by
        ``partial_fit``, where numbers of categories can change.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that drop out in training.
    averaging : float, default=0.995
        Decay rate of the average of the generator's parameters, as of :class:`GAN`.
    n_discriminator_steps : int, default=1
        Updates of the discriminator for each one of the generator.
    temperature : float, default=0.5
        Temperature of the relaxation of bits and categories, as of :class:`GAN`.
    activation : {"relu", "leaky_relu", "tanh", "logistic", "softplus", "identity"}, \
            default="leaky_relu"
        Activation function of the generator's hidden units.
    discriminator_activation : str, default="leaky_relu"
        That of the discriminator's hidden units; also "maxout".
    batch_norm : bool, default=False
        Whether to standardise the generator's hidden units by batch normalisation.
    architecture : {"dense", "conv"}, default="dense"
        Whether layers are dense, or (transposed) convolutions of images by 5 x 5
        filters with stride 2.
    image_shape : tuple, default=None
        Height, width and perhaps channels of images; by default these are square.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser of all nets.
    alpha : float, default=0.0
        Weight decay, as of :class:`GAN`.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.003
        Initial learning rate of the generator; see ``schedule``.
    discriminator_learning_rate : float or None, default=None
        That of the discriminator; by default the same.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate by epoch, as of :class:`GAN`.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.0
        Momentum coefficient; for "adam", the first beta.
    clip_norm : float or None, default=None
        Upper limit of the norm of gradients.
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto" as of :class:`GAN`.
    n_draws : int, default=1000
        Draws around which densities are estimated; may be changed after ``fit``.
    early_stopping : bool, default=False
        Hold out rows, and keep the parameters by which draws are most like them.
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
    information_curve_ : list of float
        The bound :math:`L_I` after each epoch, in nats: log 10 at most, by default.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: generator, discriminator, and q if it is apart.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    coverage_ : float
        Share of some training rows with a draw closer than their fifth neighbour.
    n_updates_ : int
        Number of updates of the generator.
    column_types_ : dict
        By a column's name (or number): a :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Maximum mean discrepancy of some training rows and generated ones, by epoch.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016). InfoGAN:
       interpretable representation learning by information maximizing generative
       adversarial nets. NeurIPS.
    .. [2] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
       unsupervised image classification and segmentation. ICCV.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import InfoGAN
    >>> X = load_digits().data / 16
    >>> gan = InfoGAN(n_categories=10, n_codes=1, n_iter=3, random_state=0).fit(X)
    >>> gan.transform(X).shape, gan.predict(X[:3]).shape
    ((1797, 11), (3,))
    >>> gan.sample(5, random_state=0, codes=[3, 0.5]).shape
    (5, 64)
    """

    _parameter_constraints: dict = INFORMED
    _WIRING = Informed
    _BUDGET, _BUDGET_BITS = GAN._BUDGET, GAN._BUDGET_BITS
    _IMPLIED = ImplicitModel._IMPLIED | withheld(INFORMED)
    _DIVERSIFY = "Raise gradient_penalty or lower learning_rate or information_weight."

    def __init__(
        self,
        n_components=16,
        hidden_layer_sizes=None,
        *,
        discriminator_layer_sizes=None,
        n_categories=10,
        n_codes=0,
        information_weight=1.0,
        code_variance=1.0,
        column_types="bernoulli",
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        prior="normal",
        loss="relativistic",
        gradient_penalty="auto",
        jitter=0.0,
        n_neighbors=0,
        n_heads=10,
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
        self.n_categories = n_categories
        self.n_codes = n_codes
        self.information_weight = information_weight
        self.code_variance = code_variance
        self.column_types = column_types
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.prior = prior
        self.loss = loss
        self.gradient_penalty = gradient_penalty
        self.jitter = jitter
        self.n_neighbors = n_neighbors
        self.n_heads = n_heads
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
        """Distributions of the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
            Probabilities of each category of each categorical code, and then means of
            continuous codes.
        """
        return super().transform(X)

    def inverse_transform(self, H):
        """Rows of codes, with all other latent units at zero.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)
            As :meth:`transform` returns it.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            H does not have a column for each category and each continuous code.
        """
        check_is_fitted(self)
        given, H = H, check_array(H, dtype=self._dtype, input_name="H")
        generator = self.density_.generator
        width = generator.codes.width
        if H.shape[1] != width:
            raise ValueError(
                f"H has {H.shape[1]} columns, but the codes of {self._name} have "
                f"{width}."
            )
        others = np.zeros((len(H), generator.n_latent - width), H.dtype)
        found = self.density_.decode(np.concatenate([others, H], axis=1))
        return framed(self, found, given)

    @available_if(lambda model: bool(layer_sizes(model._options.n_categories)))
    def predict(self, X):
        """Most probable category of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        category : ndarray of int, of shape (n_samples,) or (n_samples, n_categorical)
            Number of the category, of each code if there are several categorical ones.
        """
        H = self.density_.features(X)
        groups = self._wiring(self._learned).codes.groups()
        found = np.column_stack([H[:, own].argmax(axis=1) for own in groups])
        return found[:, 0] if len(groups) == 1 else found

    def sample(self, n_samples=1, random_state=None, *, codes=None):
        """Draw rows from the model, with given codes perhaps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        codes : array-like of shape (n_codes,) or (n_samples, n_codes), default=None
            Codes of all rows, or of each: numbers of categories, and then continuous
            codes, which may be beyond -1 and 1. NaN is drawn.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            There is no such category, or another number of codes.
        """
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        if codes is not None:
            own = density.generator.codes.given(codes, n_samples)
            density.generator = density.generator._replace(codes=own)
        return framed(self, density.sample(n_samples, random_state))

    def _wiring(self, structure):
        kind = Viewed if structure["jitter or n_neighbors"] else Informed
        return kind(structure, self._emission, 0, self._options)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh:
            self.information_curve_ = []

    def _report(self, learned, n_epochs, watch):
        found = watch.information[1 : len(learned.losses) + 1]
        self.information_curve_ = self.information_curve_ + found
        super()._report(learned, n_epochs, watch)
