"""Options of adversarial models."""

from numbers import Real
from typing import Annotated, Literal

from sklearn.utils._param_validation import Interval

from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    Doc,
    NotNegative,
    Positive,
    Share,
)
from skdgm.nets import ACTIVATIONS
from skdgm.nets.options import NetDetails, NetSolver

# Factor of a weight at the end of training.
Decay = Annotated[float, Interval(Real, 0, 1, closed="right")]
# With 5, rotations are up to 75 degrees, and scalings up to a factor of 4.5.
Jitter = Annotated[float, Interval(Real, 0, 5, closed="both")]


class GameLoss(OptionGroup):
    r"""Loss of an adversarial game, with its penalties and noise.

    "auto" means the default of the estimator. :class:`~skdgm.GAN` takes all of these
    options; other estimators take ``kind`` and ``gradient_penalty``.

    Parameters
    ----------
    kind
        Losses of both nets, as the option ``loss`` of :class:`~skdgm.GAN`.
    gradient_penalty
        Weight :math:`\gamma` of the penalty on the gradient of the discriminator with
        respect to rows, in units of the model; 0 for none.
    penalty
        "zero-centered": :math:`\tfrac\gamma2 \lVert \nabla D \rVert^2` at real and at
        generated rows [1]_; or "one-centered":
        :math:`\gamma \, (\lVert \nabla D \rVert - 1)^2` between real and generated
        rows, as for "wasserstein" [2]_.
    penalty_decay
        Factor by which the weight of the penalty decreases, geometrically, until the
        end of ``fit``, if the solver's ``schedule`` is "linear".
    penalty_interval
        Number of updates of the discriminator per penalty, whose weight is multiplied
        by it.
    clip_weights
        Bound on the absolute values of the discriminator's parameters [3]_; None for no
        bound.
    label_smoothing
        One minus the target of real rows [4]_; not for "wasserstein" and
        "relativistic".
    instance_noise
        Standard deviation of the noise added to all inputs of the discriminator; it
        decays to zero with the learning rate.
    output_noise
        Standard deviation of noise in real columns that is part of the generator, in
        units of the model (standardized), truncated to [0, 1] for probabilities. It is
        then also the bandwidth of ``score_samples``.
    feature_matching
        Whether the generator matches the mean of the discriminator's last hidden units,
        separately for each class if conditional, instead of its own loss [4]_.
    historical_averaging
        Weight of the squared distance of parameters from their average over time [4]_.

    See Also
    --------
    Discriminator : Net that distinguishes rows from samples.
    skdgm.GAN : Model that takes the option.

    References
    ----------
    .. [1] Mescheder, Geiger and Nowozin (2018). Which training methods for GANs do
       actually converge? ICML.
    .. [2] Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017). Improved training
       of Wasserstein GANs. NIPS.
    .. [3] Arjovsky, Chintala and Bottou (2017). Wasserstein generative adversarial
       networks. ICML.
    .. [4] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
       techniques for training GANs. NeurIPS.

    Examples
    --------
    >>> from skdgm import GAN
    >>> from skdgm.options import GameLoss
    >>> GAN(loss=GameLoss("wasserstein", gradient_penalty=10.0, penalty="one-centered"))
    GAN(loss=GameLoss(gradient_penalty=10.0, kind='wasserstein',
                      penalty='one-centered'))
    """

    VALUE = "kind"

    kind: Literal[*LOSSES] = "relativistic"
    _: KW_ONLY
    gradient_penalty: NotNegative | Auto = "auto"
    penalty: Literal["auto", "zero-centered", "one-centered"] = "auto"
    penalty_decay: Decay | Auto = "auto"
    penalty_interval: Count | Auto = "auto"
    clip_weights: Positive | Auto | None = "auto"
    label_smoothing: Share | Auto = "auto"
    instance_noise: NotNegative | Auto = "auto"
    output_noise: NotNegative | Auto = "auto"
    feature_matching: bool | Auto = "auto"
    historical_averaging: NotNegative | Auto = "auto"


class Discriminator(OptionGroup):
    """Discriminator of a game: its layers and its training.

    "auto" means the default of the estimator.

    Parameters
    ----------
    layer_sizes : {"auto"}, int, tuple of int or None, default="auto"
        Numbers of hidden units, or of maps of convolutions, from the data up; None for
        the reversed layers of the generator.
    activation : str, default="auto"
        Activation function of hidden units: as for the generator, or "maxout".
    learning_rate
        Initial learning rate; None for that of the generator.
    n_steps
        Number of updates for each update of the generator.
    dropout
        Probability that a hidden unit is dropped in training.
    noise : {"auto"}, float or tuple of float, default="auto"
        Standard deviation of normal noise that is added to inputs and hidden units in
        training; or a pair, for inputs and for hidden units. For
        :class:`~skdgm.GANClassifier`.
    minibatch_kernels
        Number of features that compare a row with the other rows of the minibatch [1]_;
        requires ``gradient_penalty=0``. For :class:`~skdgm.GAN`.
    packing
        Number of rows that are judged together [2]_. For :class:`~skdgm.GAN`.

    See Also
    --------
    GameLoss : Loss of the game.
    skdgm.GAN : Model that takes the option.

    References
    ----------
    .. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
       techniques for training GANs. NeurIPS.
    .. [2] Lin, Khetan, Fanti and Oh (2018). PacGAN: the power of two samples in
       generative adversarial networks. NeurIPS.

    Examples
    --------
    >>> from skdgm import GAN
    >>> from skdgm.options import Discriminator
    >>> GAN(discriminator=Discriminator((64,), n_steps=5))
    GAN(discriminator=Discriminator(layer_sizes=(64,), n_steps=5))
    """

    FLAT_NAMES = {
        "layer_sizes": "discriminator_layer_sizes",
        "activation": "discriminator_activation",
        "learning_rate": "discriminator_learning_rate",
        "n_steps": "n_discriminator_steps",
        "noise": "discriminator_noise",
    }

    layer_sizes: Count | tuple | Auto | None = "auto"
    _: KW_ONLY
    activation: Literal["auto", *ACTIVATIONS, "maxout"] = "auto"
    learning_rate: Positive | Auto | None = "auto"
    n_steps: Count | Auto = "auto"
    dropout: Share | Auto = "auto"
    noise: NotNegative | tuple | Auto = "auto"
    minibatch_kernels: CountOrZero | Auto = "auto"
    packing: Count | Auto = "auto"


class Information(OptionGroup):
    r"""Mutual information of codes and rows of an :class:`~skdgm.InfoGAN`.

    "auto" means the default of the estimator. With ``jitter`` or ``n_neighbors``, two
    views of a real row also share information about categories [1]_.

    Parameters
    ----------
    weight
        Weight :math:`\lambda` of the bound on the mutual information.
    code_variance
        Variance of continuous codes conditional on a row: smaller values give these
        codes more weight. "learned": predicted for each row.
    jitter
        Size of random deformations of training images, from which codes are inferred:
        with 1, rotations by up to 15 degrees, shears by up to 0.3, scalings by up to a
        third, and shifts by up to 7 %. Two views of a row are deformed independently.
    n_neighbors
        If not 0, the second view is a view of one of this number of nearest neighbors,
        by the discriminator's inputs; all rows must fit in memory. Neither this nor
        ``jitter`` can be switched on or off while training continues.
    n_heads
        Number of heads that predict categories from views. The head whose views share
        most information is selected in the first half of ``fit``, or in the first 1,000
        updates by ``partial_fit``; category numbers can change until then.

    See Also
    --------
    skdgm.InfoGAN : Model that takes the option.

    References
    ----------
    .. [1] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
       unsupervised image classification and segmentation. ICCV.

    Examples
    --------
    >>> from skdgm import InfoGAN
    >>> from skdgm.options import Information
    >>> InfoGAN(n_categories=10, information=Information(jitter=1.0))
    InfoGAN(information=Information(jitter=1.0))
    """

    FLAT_NAMES = {"weight": "information_weight"}

    _: KW_ONLY
    weight: NotNegative | Auto = "auto"
    code_variance: Positive | Literal["auto", "learned"] = "auto"
    jitter: Jitter | Auto = "auto"
    n_neighbors: CountOrZero | Auto = "auto"
    n_heads: Count | Auto = "auto"


class JudgeDetails(Details):
    """Details of any discriminator."""

    dropout: Share = 0.0
    discriminator_layer_sizes: Count | tuple | None = None


class LabelDetails(JudgeDetails):
    """Details of a discriminator that is trained in turn with a generator."""

    n_discriminator_steps: Count = 1
    discriminator_activation: Literal[*ACTIVATIONS, "maxout"] = "leaky_relu"


class PlayerDetails(LabelDetails):
    """Details of a discriminator with its own learning rate."""

    discriminator_learning_rate: Positive | None = None


class LossDetails(Details):
    """Details of the loss of any game."""

    gradient_penalty: NotNegative | Auto = "auto"


class GameDetails(NetDetails):
    """Details of the optimizers of the nets of a game."""

    average: Share = 0.995
    momentum: Share = 0.0
    beta_2: Share = 0.99


Latents = Annotated[Count, Doc("Number of latent units.")]
LayerSizes = Annotated[
    Count | tuple | None,
    Doc("""
        Numbers of hidden units of the generator, from the latent units to the data, or
        of maps if it is convolutional; by default (128, 128) or (64, 32).
    """),
]
Judge = Annotated[
    Discriminator | None,
    JudgeDetails,
    Doc("Layers of the discriminator, and details of its training."),
]
Architecture = Annotated[
    Literal["dense", "conv"],
    Doc("""
        "dense"; or "conv", (transposed) convolutions of images with 5 x 5 filters and
        stride 2, as in :class:`~skdgm.GAN`.
    """),
]
ImageShape = Annotated[
    tuple | list | None,
    Doc(
        """
        Height and width of images, and the number of channels if it is not 1; None
        for square images.
        """,
        "tuple of int or None",
    ),
]
Loss = Annotated[
    Literal[*LOSSES] | GameLoss,
    LossDetails,
    Doc("Losses of all nets, as in :class:`~skdgm.GAN`."),
]
GameSolver = Annotated[NetSolver, GameDetails, Doc("Optimizer of all nets.")]
