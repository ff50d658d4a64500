"""Groups of options shared by several families."""

from typing import Annotated, Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    NotNegative,
    Positive,
)


class Pretraining(OptionGroup):
    """Layer-wise training before joint training.

    "auto" stands for the default of the estimator. A tuple has a value for each layer.

    Parameters
    ----------
    n_iter : {"auto"}, int or tuple of int, default="auto"
        Number of epochs of each layer; "auto" may depend on the number of rows.
    learning_rate : {"auto"}, float or tuple of float, default="auto"
        Learning rate of each layer.
    batch_size : {"auto"}, int or tuple of int, default="auto"
        Number of rows in each update.
    gradient : {"auto", "pcd", "cd", "fpcd", "tempering"} or tuple, default="auto"
        Negative phase of each machine, as in :class:`~skdgm.BernoulliRBM`.
    n_steps : {"auto"}, int or tuple, default="auto"
        Number of Gibbs steps of each update of a machine. An entry of the tuple may
        itself be a tuple, each value of which applies to an equal share of the epochs.

    See Also
    --------
    skdgm.DBM : Machine that takes the option.
    skdgm.DBNClassifier : Network that takes the option.

    Examples
    --------
    >>> from skdgm import DBNClassifier
    >>> from skdgm.options import Pretraining
    >>> DBNClassifier((100, 50), pretrain=Pretraining(n_iter=5, gradient="cd"))
    DBNClassifier(hidden_layer_sizes=(100, 50),
                  pretrain=Pretraining(gradient='cd', n_iter=5))
    """

    STANDS_FOR = "layerwise"
    FLAT_NAMES = {
        "n_iter": "pretrain_iter",
        "learning_rate": "pretrain_learning_rate",
        "batch_size": "pretrain_batch_size",
        "gradient": "pretrain_gradient",
        "n_steps": "pretrain_steps",
    }

    _: KW_ONLY
    n_iter: CountOrZero | tuple | Auto = "auto"
    learning_rate: Positive | tuple | Auto = "auto"
    batch_size: Count | tuple | Auto = "auto"
    gradient: Literal["auto", "pcd", "cd", "fpcd", "tempering"] | tuple = "auto"
    n_steps: Count | tuple | Auto = "auto"


class PretrainingDetails(Details):
    """Details of layer-wise training."""

    pretrain_iter: CountOrZero | tuple | Auto = "auto"
    pretrain_learning_rate: Positive | tuple = 0.1
    pretrain_batch_size: Count | tuple = 10


class Hybrid(OptionGroup):
    r"""Hybrid generative and discriminative objective of a classifier.

    .. math:: \log p(y \mid x) + \lambda \log p(x)

    Parameters
    ----------
    generative_weight
        Weight :math:`\lambda` of the log-likelihood of rows.

    See Also
    --------
    skdgm.RBMClassifier : Classifier that takes the option.

    Examples
    --------
    >>> from skdgm import RBMClassifier
    >>> from skdgm.options import Hybrid
    >>> RBMClassifier(objective=Hybrid(generative_weight=0.1))
    RBMClassifier(objective=Hybrid(generative_weight=0.1))
    """

    STANDS_FOR = "hybrid"

    _: KW_ONLY
    generative_weight: NotNegative | Auto = "auto"


class ConvolutionDetails(Details):
    """Details of convolutional nets."""

    conv_layer_sizes: Count | tuple = (16, 32)
    image_shape: tuple | list | None = None


class Convolutions(OptionGroup):
    """Convolutional nets for rows that are images.

    "auto" stands for the default of the estimator.

    Parameters
    ----------
    layer_sizes : {"auto"}, int or tuple of int, default="auto"
        Number of maps of each convolutional layer, from the data upwards; in a
        :class:`~skdgm.GeneratorNet`, from the smallest images to the largest.
    image_shape : {"auto"}, tuple of int or None, default="auto"
        Height and width of images, and their number of channels if it is not 1; None
        for square images of one channel.
    upsampling
        Doubling of images in a :class:`~skdgm.GeneratorNet`, before 5 x 5 convolutions.
        "unpool" writes each pixel to the upper left of four pixels and zeros to the
        others [1]_; "nearest" writes it to all four.

    See Also
    --------
    skdgm.VAE : Model that takes the option.
    skdgm.GAN : Model that takes the option.

    References
    ----------
    .. [1] Dosovitskiy, Springenberg and Brox (2015). Learning to generate chairs with
       convolutional neural networks. CVPR.

    Examples
    --------
    >>> from skdgm import VAE
    >>> from skdgm.options import Convolutions
    >>> VAE(architecture=Convolutions((16, 32), image_shape=(28, 28)))
    VAE(architecture=Convolutions(image_shape=(28, 28), layer_sizes=(16, 32)))
    """

    STANDS_FOR, FLAT_NAMES = "conv", {"layer_sizes": "conv_layer_sizes"}

    layer_sizes: Count | tuple | Auto = "auto"
    _: KW_ONLY
    image_shape: tuple | list | Auto | None = "auto"
    upsampling: Literal["auto", "unpool", "nearest"] = "auto"


Architecture = Annotated[Literal["dense", "conv"] | Convolutions, ConvolutionDetails]
