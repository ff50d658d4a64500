r"""Generative moment matching networks.

.. math:: \min_g \; \lVert \mathbb{E}_x \phi(x) - \mathbb{E}_z \phi(g(z)) \rVert

for features :math:`\phi` of a kernel, :math:`k(x, y) = \phi(x)^\top \phi(y)`.
"""

from typing import Annotated

from skdgm.base.options import KW_ONLY, ArrayLike, Auto, Count, Share, within
from skdgm.implicit import ImplicitEstimator
from skdgm.implicit.options import Draws, LatentPrior, RelaxedColumns
from skdgm.moment_matching._model import MatchingModel
from skdgm.nets.options import Activation, Initializer, NetSolver, StepDetails
from skdgm.training import Budget


class GMMN(ImplicitEstimator):
    r"""Generative moment matching network: a generator trained without a discriminator.

    .. math::

        \min_g \; \lVert \mathbb{E}_x \phi(x) - \mathbb{E}_z \phi(g(z)) \rVert^2

    .. math::

        = \mathbb{E}\, k(x, x') - 2\, \mathbb{E}\, k(x, g(z)) +
        \mathbb{E}\, k(g(z), g(z')),

    .. math::

        k(x, y) = \frac1S \sum_{s=1}^S e^{-\lVert x - y \rVert^2 / 2 \sigma_s^2}

    for rows x, latent units z and the features :math:`\phi` of the kernel. This squared
    maximum mean discrepancy is zero only if generated rows have the distribution of the
    data [1]_ [2]_. It is estimated from minibatches, and its square root is minimized
    by default. With an autoencoder, codes are matched in place of rows and then
    decoded: their distances are more informative if there are many columns, and
    ``transform`` returns codes, in place of the latent units of ``invert``. A generator
    has no tractable density: ``score_samples`` is an estimate. NaN is a missing value,
    which is also hidden in a generated row of the same minibatch; the encoder's input
    has the autoencoder's reconstruction in its place. Computations are in float64 for
    float64 data, otherwise in float32.

    Parameters
    ----------
    n_components
        Number of latent units.
    hidden_layer_sizes : tuple
        Numbers of hidden units of the generator, from the latent units to the data, or
        to the codes; by default (128, 128, 128).
    autoencoder_layer_sizes : tuple
        Numbers of hidden units of the encoder of an autoencoder, from the data up; the
        last number is that of the code's units, which are between 0 and 1. The decoder
        mirrors the encoder. The autoencoder is trained on the same minibatches as the
        generator, but independently of it. By default, no autoencoder.
    column_types
        Type of the columns: "auto", inferred from the data, or a type as in
        :class:`~skdgm.VAE`. "bernoulli" columns are drawn as bits if all values in the
        first fit are 0 or 1, and otherwise as probabilities. Bits and categories are
        draws with the gradient of a continuous relaxation.
    class_conditional
        Whether the generator is conditional on classes y, which ``fit`` then requires:
        rows are matched with rows of their class.
    prior
        Distribution of the latent units. "uniform": uniform with unit variance.
        "normal": standard normal. "bits": -1 or 1. "mixed": bits in the first half and
        normal in the second.
    bandwidths : tuple of float or "auto"
        Standard deviations :math:`\sigma_s` of the kernels, in units of the model (real
        columns are standardized); "auto": 1/8, 1/4, 1/2, 1 and 2 times the median
        distance of rows, or of codes.
    square_root
        Whether to minimize the square root of the discrepancy, whose gradient does not
        vanish as the distributions become similar.
    dropout
        Probability that a hidden unit of the encoder is dropped in training; 0 without
        an autoencoder.
    batch_size
        Number of rows, and of generated rows, for each update: many, since the
        discrepancy is between samples. An autoencoder is trained on 100 at a time.
    n_iter
        Number of epochs; "auto": 1,200 updates, but between 20 and 300 epochs.
    activation
        Activation function of hidden units.
    batch_norm
        Whether hidden units have batch normalization.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: generator, decoder, then encoder.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    classes_ : ndarray of shape (n_classes,)
        Classes of a conditional model.
    coverage_ : float
        Share of some training rows that have a generated row closer than their fifth
        nearest neighbor.

    See Also
    --------
    GAN : Generator trained against a discriminator.
    skdgm.metrics.maximum_mean_discrepancy : The distance that is minimized.

    References
    ----------
    .. [1] Li, Swersky and Zemel (2015). Generative moment matching networks. ICML.
    .. [2] Dziugaite, Roy and Ghahramani (2015). Training generative neural networks via
       maximum mean discrepancy optimization. UAI.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GMMN
    >>> X = load_digits().data
    >>> gmmn = GMMN(autoencoder_layer_sizes=(64, 16), n_iter=10, random_state=0).fit(X)
    >>> gmmn.sample(3, random_state=0).shape
    (3, 64)
    >>> gmmn.transform(X).shape
    (1797, 16)
    >>> bool(gmmn.loss_curve_[-1] < gmmn.loss_curve_[0])
    True
    """

    n_components: Count = 10
    hidden_layer_sizes: Count | tuple | None = None
    _: KW_ONLY
    autoencoder_layer_sizes: Count | tuple | None = None
    class_conditional: bool = False
    bandwidths: Auto | ArrayLike = "auto"
    square_root: bool = True
    column_types: RelaxedColumns = "auto"
    prior: LatentPrior = "uniform"
    dropout: Share = 0.0
    activation: Activation = "relu"
    batch_norm: bool = False
    n_draws: Draws = 1000
    solver: Annotated[NetSolver, StepDetails] = "adam"
    init_weights: Initializer = within("solver", "he_normal")
    batch_size = 250

    _MODEL = MatchingModel()
    _BUDGET = Budget(1_200, 20, 300)
    # Advice if all generated rows are similar.
    _DIVERSIFY = (
        "Set bandwidths below the distance of rows, raise batch_size, or lower "
        "learning_rate."
    )
