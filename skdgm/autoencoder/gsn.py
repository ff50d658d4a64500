r"""Generative stochastic networks: chains with hidden layers, which learn to draw rows.

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
from skdgm.nets.options import Activation, Initialiser
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
        Corruption of each input of the first layer, as of
        :class:`~skdgm.DenoisingAutoencoder`.
    corruption_level
        Standard deviation of normal noise, of standardised real columns; otherwise the
        probability that an entry is corrupted, of at most 1.
    tied
        Whether downward weights are the transposed upward weights. Outputs beyond the
        inputs, as of "mixed" columns, have weights of their own.
    noise_before, noise_after : float or tuple of float
        Standard deviations of the normal noise that is added to hidden units before and
        after their activation function: of all layers, or of each.
    walkback
        Number of steps of the chain after the first one from which rows are
        reconstructed. A second layer has a part in them from the second step on, a
        third and a fourth from the third.
    n_draws
        Chains for each row in :meth:`score_samples`. It may be changed after ``fit``.
    column_types
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.VAE`.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers, of the encoder and then of the decoder; of convolutions
        (rows * columns * maps, n_maps).
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
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
    init_weights: Initialiser = within("solver", "glorot_uniform")

    _BUDGET, _KNOWN = Budget(3_500, 20, 100), ("_means",)
    reconstruction_error = ReconstructionEstimator.reconstruction_error

    @shared(ReconstructionEstimator.sample)
    def sample(self): ...

    @shared(ReconstructionEstimator.impute)
    def impute(self): ...


class GSN(GSNEstimator):
    r"""Generative stochastic network: a chain with hidden layers that draws rows.

    .. math:: h_{t+1} = f(\tilde x_t, h_t, \epsilon_t), \qquad
        x_{t+1} \sim p(x \mid h_{t+1}), \qquad
        \max \; \frac1n \sum_{t=1}^n \mathbb{E} [\log p(x_0 \mid h_t)]

    A denoising autoencoder with several layers, each of which is given its neighbours,
    with noise: odd layers given even ones, and then even ones, and the row, given odd
    ones [1]_. Hidden units are part of the chain's state, so that it makes large steps,
    and gradients go back through all steps of a chain that begins with a row [2]_.

    The chain draws rows, and fills missing entries if the others are clamped.
    ``score_samples`` is the log-likelihood of rows given the steps of chains that begin
    with them, an average over ``n_draws`` of these: it is the objective, and not a
    density of the rows; for estimates of that see
    :func:`~skdgm.metrics.csl_log_likelihood` and
    :func:`~skdgm.metrics.parzen_log_likelihood`. ``transform`` returns the first
    hidden layer, without noise, while the row stays. NaN is a missing value, in every
    method. Float64 data are computed in float64, all others in float32.

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
