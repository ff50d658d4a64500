r"""Generative moment matching networks.

.. math:: \min_g \; \lVert \mathbb{E}_x \phi(x) - \mathbb{E}_z \phi(g(z)) \rVert

for features :math:`\phi` of a kernel, :math:`k(x, y) = \phi(x)^\top \phi(y)`.
"""

from typing import Annotated

from skdgm.base.options import KW_ONLY, ArrayLike, Auto, Count, Share, within
from skdgm.implicit import ImplicitEstimator
from skdgm.implicit.options import Draws, LatentPrior, RelaxedColumns
from skdgm.moment_matching._model import MatchingModel
from skdgm.nets.options import Activation, Initialiser, NetSolver, StepDetails
from skdgm.training import Budget


class GMMN(ImplicitEstimator):
    r"""Generative moment matching network: a generator without an opponent.

    .. math::

        \min_g \; \lVert \mathbb{E}_x \phi(x) - \mathbb{E}_z \phi(g(z)) \rVert^2

    .. math::

        = \mathbb{E}\, k(x, x') - 2\, \mathbb{E}\, k(x, g(z)) +
        \mathbb{E}\, k(g(z), g(z')),

    .. math::

        k(x, y) = \frac1S \sum_{s=1}^S e^{-\lVert x - y \rVert^2 / 2 \sigma_s^2}

    for rows x, latent units z and the features :math:`\phi` of the kernel: the squared
    maximum mean discrepancy, which is zero only if generated rows have the distribution
    of the data [1]_ [2]_. It is estimated from batches, by default as its root. With an
    autoencoder, codes are matched in place of rows, and decoded: distances of codes say
    more where columns are many, and ``transform`` returns codes, in place of the latent
    units of ``invert``. A generator has no density that could be computed:
    ``score_samples`` is an estimate.
    NaN is a missing value: it is missing, too, in a generated row of the same batch,
    and the autoencoder's reconstruction from the other values is encoded in its place.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components
        Number of latent units.
    hidden_layer_sizes : tuple
        Numbers of hidden units of the generator, from the latent units to the data, or
        to the codes; by default (128, 128, 128).
    autoencoder_layer_sizes : tuple
        Numbers of hidden units of an autoencoder's encoder, from the data up, and last
        that of the code's units, which are between 0 and 1; the decoder mirrors them.
        It learns from the same batches as the generator, which it knows nothing of. By
        default there is none.
    column_types
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.VAE`. Columns of "bernoulli" are drawn as bits if all their
        values in the first fit are 0 or 1, else as grey values. Bits and categories are
        draws whose gradient is that of a relaxation.
    class_conditional
        Whether ``fit`` needs the classes y, on which the generator then depends: rows
        are matched with those of their class.
    prior
        Distribution of the latent units: uniform of variance 1; standard normal; -1 or
        1; or -1 or 1 for the first half and normal for the others.
    bandwidths : tuple of float or "auto"
        Standard deviations :math:`\sigma_s` of the kernels, in units of the model
        (real columns are standardised); "auto": 1/8, 1/4, 1/2, 1 and 2 times the median
        distance of rows, or of codes.
    square_root
        Whether to minimise the root of the squared discrepancy, whose gradient does not
        vanish as rows become alike.
    dropout
        Share of the encoder's hidden units that drop out while it learns; 0 without an
        autoencoder.
    batch_size
        Rows for each update, and generated ones: many, as the discrepancy is between
        samples. An autoencoder learns from 100 at a time.
    n_iter
        Number of epochs; "auto": 1,200 updates, but between 20 and 300 epochs.
    activation
        Activation function of hidden units.
    batch_norm
        Whether to standardise hidden units by batch normalisation.

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
    init_weights: Initialiser = within("solver", "he_normal")
    batch_size = 250

    # Parts have no average.
    _MODEL = MatchingModel()
    _BUDGET = Budget(1_200, 20, 300)
    # Advice where generated rows are all alike.
    _DIVERSIFY = (
        "Set bandwidths below the distance of rows, raise batch_size, or lower "
        "learning_rate."
    )
