r"""Generative moment matching networks.

.. math:: \min_g \; \lVert \mathbb{E}_x \phi(x) - \mathbb{E}_z \phi(g(z)) \rVert

for features :math:`\phi` of a kernel, :math:`k(x, y) = \phi(x)^\top \phi(y)`.
"""

from numbers import Integral, Real

from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdgm.data.rare import OF_RARE
from skdgm.implicit import PRIORS, ImplicitModel
from skdgm.moment_matching._wiring import Wiring
from skdgm.nets import ACTIVATIONS, INITIALISERS, LEARNING
from skdgm.training import Budget
from skdgm.utils.threading.threads import one_blas_thread

_COUNT = Interval(Integral, 1, None, closed="left")


class GMMN(ImplicitModel):
    r"""Generative moment matching network: a generator without an opponent.

    .. math::

        \min_g \; \lVert \mathbb{E}_x \phi(x) - \mathbb{E}_z \phi(g(z)) \rVert^2 =
        \mathbb{E}\, k(x, x') - 2\, \mathbb{E}\, k(x, g(z)) +
        \mathbb{E}\, k(g(z), g(z')), \qquad
        k(x, y) = \frac1S \sum_{s=1}^S e^{-\lVert x - y \rVert^2 / 2 \sigma_s^2}

    for rows x, latent units z and the features :math:`\phi` of the kernel: the squared
    maximum mean discrepancy, which is zero only if generated rows have the distribution
    of the data [1]_ [2]_. It is estimated from batches, by default as its root. With an
    autoencoder, codes are matched in place of rows, and decoded: distances of codes say
    more where columns are many. A generator has no density that could be computed:
    ``score_samples`` is an estimate.
    NaN is a missing value: it is missing, too, in a generated row of the same batch,
    and what is encoded in its place is what the autoencoder rebuilds of the others.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=10
        Number of latent units.
    hidden_layer_sizes : tuple, default=None
        Numbers of hidden units of the generator, from the latent units to the data, or
        to the codes; by default (128, 128, 128).
    autoencoder_layer_sizes : tuple, default=None
        Numbers of hidden units of an autoencoder's encoder, from the data up, and last
        that of the code's units, which are between 0 and 1; the decoder mirrors them.
        It learns from the same batches as the generator, which it knows nothing of. By
        default there is none.
    column_types : {"bernoulli", "gaussian", "categorical", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns, as of :class:`~skdgm.VAE`. Columns of "bernoulli" with
        values between 0 and 1 are drawn as such, those of 0 and 1 as bits. Bits and
        categories are draws whose gradient is that of a relaxation; see
        ``temperature``.
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
        Whether ``fit`` needs the classes y, on which the generator then depends: rows
        are matched with those of their class.
    prior : {"uniform", "normal", "bits", "mixed"}, default="uniform"
        Distribution of the latent units: uniform of variance 1; standard normal; -1 or
        1; or -1 or 1 for the first half and normal for the others.
    bandwidths : tuple of float or "auto", default="auto"
        Standard deviations :math:`\sigma_s` of the kernels, in units of the model
        (real columns are standardised); "auto": 1/8, 1/4, 1/2, 1 and 2 times the median
        distance of rows, or of codes.
    square_root : bool, default=True
        Whether to minimise the root of the squared discrepancy, whose gradient does not
        vanish as rows become alike.
    temperature : float, default=0.5
        Temperature of the relaxation of bits and categories: gradients have less bias
        and more variance if it is low.
    dropout : float, default=0.0
        Share of the encoder's hidden units that drop out while it learns; 0 without an
        autoencoder.
    activation : {"relu", "leaky_relu", "tanh", "logistic", "softplus", "identity"}, \
            default="relu"
        Activation function of hidden units.
    batch_norm : bool, default=False
        Whether to standardise hidden units by batch normalisation.
    init_weights : {"he_normal", "he_uniform", "glorot_uniform", "glorot_normal"}, \
            default="he_normal"
        Initialiser of the weights of hidden layers.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows.
    batch_size : int, default=250
        Rows for each update, and generated ones: many, as the discrepancy is between
        samples. An autoencoder learns from 100 at a time.
    learning_rate : float, default=0.003
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
        Number of epochs; "auto": 1,200 updates, but between 20 and 300 epochs.
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
        Weights of all dense layers: of the generator, then of an autoencoder's decoder
        and encoder.
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
    .. [1] Li, Swersky and Zemel (2015). Generative moment matching networks. ICML.
    .. [2] Dziugaite, Roy and Ghahramani (2015). Training generative neural networks via
       maximum mean discrepancy optimization. UAI.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GMMN
    >>> X = load_digits().data / 16
    >>> gmmn = GMMN(autoencoder_layer_sizes=(64, 16), n_iter=10, random_state=0).fit(X)
    >>> gmmn.sample(3, random_state=0).shape
    (3, 64)
    >>> gmmn.transform(X).shape
    (1797, 16)
    >>> bool(gmmn.loss_curve_[-1] < gmmn.loss_curve_[0])
    True
    """

    _parameter_constraints: dict = {
        "n_components": [_COUNT],
        "hidden_layer_sizes": [_COUNT, tuple, None],
        "autoencoder_layer_sizes": [_COUNT, tuple, None],
        "column_types": [
            StrOptions({"bernoulli", "gaussian", "categorical", "mixed"}),
            tuple,
            dict,
        ],
        "min_categories": [_COUNT, "array-like", None],
        **OF_RARE,
        "class_conditional": ["boolean"],
        "prior": [StrOptions(set(PRIORS))],
        "bandwidths": [StrOptions({"auto"}), "array-like"],
        "square_root": ["boolean"],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_norm": ["boolean"],
        "init_weights": [StrOptions(set(INITIALISERS))],
        "n_draws": [_COUNT],
        **LEARNING,
    }
    _WIRING = Wiring
    _BUDGET = Budget(1_200, 20, 300)
    # Advice where generated rows are all alike.
    _DIVERSIFY = (
        "Set bandwidths below the distance of rows, raise batch_size, or lower "
        "learning_rate."
    )

    def __init__(
        self,
        n_components=10,
        hidden_layer_sizes=None,
        *,
        autoencoder_layer_sizes=None,
        column_types="bernoulli",
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        class_conditional=False,
        prior="uniform",
        bandwidths="auto",
        square_root=True,
        temperature=0.5,
        dropout=0.0,
        activation="relu",
        batch_norm=False,
        init_weights="he_normal",
        solver="adam",
        alpha=0.0,
        batch_size=250,
        learning_rate=0.003,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
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
        self.autoencoder_layer_sizes = autoencoder_layer_sizes
        self.column_types = column_types
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.class_conditional = class_conditional
        self.prior = prior
        self.bandwidths = bandwidths
        self.square_root = square_root
        self.temperature = temperature
        self.dropout = dropout
        self.activation = activation
        self.batch_norm = batch_norm
        self.init_weights = init_weights
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

    def transform(self, X):
        """Codes of an autoencoder; without one, latent units, as :meth:`invert`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features_out)
            Codes, or latent units whose generated rows are near.
        """
        return super().transform(X)

    def inverse_transform(self, Z):
        """Rows for what :meth:`transform` returns.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features_out)
            Codes, which are decoded; without an autoencoder latent units, as for
            :meth:`generate`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Bits and categories are the most probable ones.

        Raises
        ------
        ValueError
            Z does not have a column for each unit; the model is conditional and has no
            autoencoder.
        """
        check_is_fitted(self)
        if self._options.features == "latent":
            return self.generate(Z)
        Z = check_array(Z, dtype=self._dtype, input_name="Z")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but codes of {self._name} have "
                f"{self._n_features_out} units."
            )
        with one_blas_thread():
            x = self._wiring(self._learned).decode(self._training, Z)
        return self.density_.presented(x)

    def _present_options(self):
        asked = super()._present_options()
        coded = asked.autoencoder_layer_sizes is not None
        asked.features = "code" if coded else "latent"
        return asked
