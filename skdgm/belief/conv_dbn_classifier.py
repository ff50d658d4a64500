r"""Convolutional deep belief networks fine-tuned as classifiers.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(p^L W + b), \qquad p^k_B = 1 -
   \frac{1}{1 + \sum_{j \in B} e^{\eta_j}}, \qquad \eta = c^k + R^k * p^{k-1}, \quad
   p^0 = x
"""

from functools import partial
from typing import Annotated, Literal

from skdgm.base.common_groups import Pretraining
from skdgm.base.options import KW_ONLY, Auto, Positive
from skdgm.belief import _maps
from skdgm.belief._options import (
    BeliefPretrainingDetails,
    MapFilters,
    MapLayers,
    MapSizes,
    UpperSizes,
)
from skdgm.belief._tuned import ACTIVATION, PRETRAINING, BeliefNetModel, TunedBelief
from skdgm.belief.conv_dbn import ConvDBN
from skdgm.boltzmann.options import ImageShape
from skdgm.data.auto import is_auto
from skdgm.distributions import Pooled
from skdgm.nets import dense, pooled_convolution
from skdgm.stacks import TunedClassifier

_STRUCTURE = (
    "conv_layer_sizes",
    "filter_shape",
    "pool_shape",
    "stride",
    "pooling",
    "hidden_layer_sizes",
    "image_shape",
    "padding",
    "column_types",
    "layers",
)


class ConvModel(BeliefNetModel):
    """Net of convolutions and pooling."""

    def depth(self, options):
        return sum(map(len, _maps.sizes(options)))

    def resolved(self, options, network_options):
        """Options of the stack, with ``gradient="auto"`` resolved for each layer,
        because details belong to one negative phase."""
        if options["layers"] is None and is_auto(options["gradient"]):
            return options | {"gradient": _maps.phases(self.depth(network_options))}
        return options

    def activation(self, stack):
        """Functions of the hidden layers: convolutions with pooling, or dense
        layers."""
        functions = []
        for layer in stack.density_.directed(n_layers=len(stack.layers_)):
            if isinstance(layer.units[1], Pooled):
                window = layer.energy.couplings[0].window
                options = {"window": window, "unit": layer.units[1]}
                functions.append(partial(pooled_convolution, **options))
            else:
                functions.append(_logistic)
        return tuple(functions)


class ConvPretrainingDetails(BeliefPretrainingDetails):
    """Details of pre-training of convolutional layers."""

    pretrain_learning_rate: Positive | tuple | Auto = "auto"
    pretrain_gradient: Literal["cd", "fpcd", "pcd", "tempering"] | tuple | Auto = "auto"


class ConvDBNClassifier(TunedBelief, TunedClassifier):
    r"""Convolutional deep belief network fine-tuned as a convolutional net.

    .. math::

        p(y = k \mid x) = \operatorname{softmax}_k(p^L W + b), \qquad
        p^k_B = 1 -
        \frac{1}{1 + \sum_{j \in B} e^{\eta_j}},

    .. math::

        \eta = c^k + R^k * p^{k-1},
        \quad p^0 = x

    with filters :math:`R^k` at all positions of the maps :math:`p^{k-1}`, and blocks B
    of neighboring positions. A :class:`ConvDBN` is pre-trained layer by layer on all
    rows, labeled or not. Its filters and biases initialize a net whose hidden units are
    the means of the pooled units [1]_. The net, with an output layer, is then trained
    by back-propagation on the labeled rows, with dropout [2]_. Unlabeled rows help most
    if few rows are labeled.

    Rows are images, as in :class:`ConvDBN`. y has one column, with classes of any type;
    or several binary columns, one for each label of a multilabel problem, with logistic
    outputs. NaN in X marks a missing value in every method.

    Parameters
    ----------
    filters
        Filters and pooling of the convolutional layers, as in :class:`ConvDBN`; None
        selects the defaults below. With ``pooling="max"`` or "mean", the net computes
        maxima or means of logistic functions.
    pretrain
        Layerwise training of a :class:`ConvDBN`, with its meaning of "auto", before
        fine-tuning. A layer with 0 epochs starts from random weights, as in an ordinary
        net.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net: filters of shape (n_weights, n_maps), in the pixel-major
        order of the maps below, then weights of dense layers, with the output layer
        last, of shape (n_below, n_above). Filters of real columns apply to standardized
        values.
    intercepts_ : list of ndarray of shape (n_maps,) or (n_above,)
        Biases of the net.
    dbn_ : ConvDBN
        Pre-trained network, the density model behind :meth:`sample`, :meth:`impute` and
        :meth:`score_samples`.

    See Also
    --------
    ConvDBN : Network without labels.
    DBNClassifier : Layers that are fully connected.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 15 s of one core, 35 times as
    long as ``MLPClassifier``. Each Gibbs step of the second layer has as many
    convolutions as pairs of channels and filters, and fine-tuning follows. A
    :class:`DBNClassifier` is about as accurate, in a quarter of the time.

    References
    ----------
    .. [1] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout:
       a simple way to prevent neural networks from overfitting. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvDBNClassifier
    >>> from skdgm.options import Filters, Pretraining
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> pretrain = Pretraining(n_iter=3)
    >>> clf = ConvDBNClassifier(24, filters=Filters(shape=3), pretrain=pretrain)
    >>> clf = clf.set_params(random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    """

    conv_layer_sizes: MapSizes = (40, 40)
    _: KW_ONLY
    filters: MapFilters = None
    image_shape: ImageShape = None
    hidden_layer_sizes: UpperSizes = ()
    layers: MapLayers = None
    pretrain: Annotated[Literal["layerwise"] | Pretraining, ConvPretrainingDetails] = (
        "layerwise"
    )
    dropout = (0.1, 0.2)

    _IMAGES = True
    _MODEL = ConvModel("dbn_", ConvDBN, _STRUCTURE, PRETRAINING)


def _logistic(x, W, b):
    return dense(x, W, b, ACTIVATION)
