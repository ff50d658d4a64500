r"""Generative stochastic networks: Markov chains with hidden layers that draw rows.

.. math:: h_{t+1} = f(\tilde x_t, h_t, \epsilon_t), \qquad
   x_{t+1} \sim p(x \mid h_{t+1})
"""

from skdgm.autoencoder._corruption import CorruptionKind
from skdgm.autoencoder._gsn.model import GSNModel
from skdgm.autoencoder._reconstruction_estimator import (
    CodedColumns,
    ReconstructionEstimator,
)
from skdgm.base.attributes import shared
from skdgm.base.options import KW_ONLY, Count, CountOrZero, NotNegative, within
from skdgm.nets import NetEstimator
from skdgm.nets.options import Activation, Initializer
from skdgm.training import Budget


class GSNEstimator(NetEstimator):
    """Base class of generative stochastic networks.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Numbers of units of the hidden layers, from the data up.
    activation
        Activation function of hidden units.
    corruption
        Corruption of each input of the first layer, as in
        :class:`~skdgm.DenoisingAutoencoder`.
    corruption_level
        Standard deviation of normal noise in standardized real columns; otherwise the
        probability, at most 1, that an entry is corrupted.
    tied
        Whether downward weights are the transposed upward weights. A layer with more
        outputs than inputs, as for "mixed" columns, has its own weights.
    noise_before, noise_after : float or tuple of float
        Standard deviations of the normal noise that is added to hidden units before and
        after their activation function; a tuple has a value for each layer.
    walkback
        Number of further steps of the chain from which rows are reconstructed. The
        second layer takes part from the second step on, the third and fourth layers
        from the third.
    n_draws
        Number of chains for each row in :meth:`score_samples`. It may be changed after
        ``fit``.
    column_types
        Type of the columns: "auto", inferred from the data, or a type as in
        :class:`~skdgm.VAE`.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers of the encoder, then of the decoder. Weights of
        convolutions have the shape (rows * columns * maps, n_maps).
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "reconstruction", which is not a density.
    """

    hidden_layer_sizes: Count | tuple = (256, 128)
    _: KW_ONLY
    corruption: CorruptionKind = "salt-and-pepper"
    corruption_level: NotNegative = 0.3
    noise_before: NotNegative | tuple = 0.1
    noise_after: NotNegative | tuple = 0.1
    walkback: CountOrZero = 3
    n_draws: Count = 10
    activation: Activation = "tanh"
    tied: bool = True
    column_types: CodedColumns = "auto"
    init_weights: Initializer = within("solver", "glorot_uniform")

    _BUDGET, _MODEL_READS = Budget(3_500, 20, 100), ("_means",)
    reconstruction_error = ReconstructionEstimator.reconstruction_error

    @shared(ReconstructionEstimator.sample)
    def sample(self): ...

    @shared(ReconstructionEstimator.impute)
    def impute(self): ...


class GSN(GSNEstimator):
    r"""Generative stochastic network: a Markov chain with hidden layers that draws
    rows.

    .. math:: h_{t+1} = f(\tilde x_t, h_t, \epsilon_t), \qquad
        x_{t+1} \sim p(x \mid h_{t+1}), \qquad
        \max \; \frac1n \sum_{t=1}^n \mathbb{E} [\log p(x_0 \mid h_t)]

    It is a denoising autoencoder with several noisy layers. In each step, odd layers
    are computed given even layers, and then even layers and the row given odd layers
    [1]_. Hidden units are part of the state of the chain, which can therefore make
    large moves. Gradients are back-propagated through all steps of a chain that starts
    from a training row [2]_.

    The chain draws rows, and imputes missing entries if the observed entries are
    clamped. ``score_samples`` is the log-likelihood of rows given the states of chains
    that start from them, averaged over ``n_draws`` chains: it is the objective, not a
    density of rows. For estimates of the density see
    :func:`~skdgm.metrics.csl_log_likelihood` and
    :func:`~skdgm.metrics.parzen_log_likelihood`. ``transform`` returns the first hidden
    layer, without noise, with the row clamped. NaN is a missing value in every method.
    Computations are in float64 for float64 data, otherwise in float32.

    See Also
    --------
    GSNClassifier : Chain that also draws labels.
    DenoisingAutoencoder : Chain without hidden layers.
    DBM : Deep undirected model with an explicit energy.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 11 s of one core, 20 times as
    long as ``MLPClassifier``. Each update passes through several steps of a chain, one
    after the other. A :class:`DenoisingAutoencoder` has features that are as good, in a
    tenth of the time.

    References
    ----------
    .. [1] Bengio, Thibodeau-Laufer, Alain and Yosinski (2014). Deep generative
       stochastic networks trainable by backprop. ICML.
    .. [2] Bengio, Yao, Alain and Vincent (2013). Generalized denoising auto-encoders
       as generative models. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GSN
    >>> X = load_digits().data
    >>> net = GSN((64, 32), n_iter=5, random_state=0).fit(X)
    >>> net.transform(X).shape
    (1797, 64)
    >>> net.sample(3, random_state=0).shape
    (3, 64)
    """

    _MODEL = GSNModel()
