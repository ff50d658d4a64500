"""Options that adversarial models share."""

from numbers import Real
from typing import Annotated, Literal

from sklearn.utils._param_validation import Interval

from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    NotNegative,
    Options,
    Positive,
    Share,
)
from skdgm.implicit.options import GeneratorOptions
from skdgm.nets import ACTIVATIONS

# At 5, images are turned by up to 75 degrees, and sides are up to 4.5 times as long.
Jitter = Annotated[float, Interval(Real, 0, 5, closed="both")]


class AdversarialOptions(GeneratorOptions):
    r"""Options of generators that learn from discriminators.

    Parameters
    ----------
    n_components
        Number of latent units.
    hidden_layer_sizes
        Numbers of hidden units of the generator, from the latent units to the data, or
        of maps of a convolutional one; by default (128, 128) or (64, 32).
    discriminator_layer_sizes
        Those of the discriminator, from the data; by default the generator's, reversed.
    averaging
        Decay rate of the exponential average of the generator's parameters, which
        samples are drawn with; 0 for the last ones.
    architecture
        Whether layers are dense, or (transposed) convolutions of images by 5 x 5
        filters with stride 2, as of :class:`~skdgm.GAN`.
    image_shape
        Height and width of images, and their number of channels if it is not 1; by
        default they are square. For "conv".
    loss
        Losses of all nets, as of :class:`~skdgm.GAN`.
    gradient_penalty
        Weight :math:`\gamma` of the zero-centred penalty on discriminators' gradients
        by rows, as of :class:`~skdgm.GAN`.
    solver
        Optimiser of all nets.
    beta_2
        Second beta of "adam".

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers, of the generator and then of the discriminator.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    """

    n_components: Count = 16
    hidden_layer_sizes: Count | tuple | None = None
    _: KW_ONLY
    discriminator_layer_sizes: Count | tuple | None = None
    averaging: Share = 0.995
    architecture: Literal["dense", "conv"] = "dense"
    image_shape: tuple | list | None = None
    loss: Literal[*LOSSES] = "relativistic"
    gradient_penalty: NotNegative | Auto = "auto"
    beta_2: Share = 0.99


class PlayerOptions(Options):
    """Options of a discriminator that learns in turn with a generator.

    Parameters
    ----------
    n_discriminator_steps
        Updates of the discriminator for each one of the generator.
    discriminator_activation : str
        That of the discriminator's hidden units; also "maxout".
    discriminator_learning_rate
        That of the discriminator; by default the same.
    learning_rate
        Initial learning rate of the generator; see ``schedule``.
    n_iter
        Number of epochs; "auto": 5,000 updates, or 2,500 of "bernoulli", but between 10
        and 1,000 epochs.
    """

    _: KW_ONLY
    n_discriminator_steps: Count = 1
    discriminator_activation: Literal[*ACTIVATIONS, "maxout"] = "leaky_relu"
    discriminator_learning_rate: Positive | None = None


class StageOptions(AdversarialOptions):
    """Options of models of images at several resolutions.

    Parameters
    ----------
    column_types
        Kind of the pixels. "auto": read from the data, as the guide's page "How columns
        are read" says; "bernoulli": 0, 1 or between; "gaussian": real numbers. Pixels
        of "bernoulli" are drawn as bits if all their values in the first fit are 0 or
        1; smaller images are grey.
    class_conditional
        Whether ``fit`` needs the classes y, on which all nets then depend; each
        discriminator has a logit for each class.
    image_shape
        Height and width of images, and their number of channels if it is not 1; by
        default they are square, or have one row if the number of columns is no square.
    features
        What ``transform`` returns: the last hidden units of the discriminator of whole
        images, or latent units of all generators whose image is near.
    n_iter
        Number of epochs; "auto": 2,500 updates, but between 10 and 300 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers, of generators and then of discriminators, those of the
        smallest images first.
    pyramid_shapes_ : list of tuple
        Shapes of images, (height, width, channels), the smallest first.
    classes_ : ndarray of shape (n_classes,)
        Classes of a conditional model.
    coverage_ : float
        Share of some training rows to which a generated row is closer than their fifth
        neighbour.
    """

    _: KW_ONLY
    column_types: Literal["auto", "bernoulli", "gaussian"] = "auto"
    class_conditional: bool = False
    features: Literal["discriminator", "latent"] = "discriminator"
