r"""Supervised generators: nets from attributes to rows.

.. math:: x \sim p(x; g(a))
"""

from typing import Annotated, Literal

from skdgm.base.attributes import documented_as
from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import AttributeTypes, ColumnTypes, VarianceDetails
from skdgm.base.fits import mean_score
from skdgm.base.options import KW_ONLY, ArrayLike, Count, Share, within
from skdgm.nets.options import Activation, Initializer
from skdgm.supervised._estimator import AttributeEstimator
from skdgm.training import Budget
from skdgm.typing import Data, Target, Weight


class GeneratorNet(AttributeEstimator):
    r"""Supervised generator: a net from attributes to the distribution of rows.

    .. math::

        \log p(x \mid a) = \sum_j \log p(x_j; g_j(a)), \qquad
        p(x) = \sum_k w_k \, p(x \mid a_k)

    for rows x with attributes a, such as the class, style and angle of an image [1]_.
    ``fit`` takes the attributes as y, without missing values. The net g maximizes the
    log-likelihood, which is minus the squared error for real columns with a fixed
    variance. Interpolated attributes or mixtures of classes generate intermediate
    images.

    The marginal density of rows is a mixture over the distinct attributes of the
    training rows with their shares :math:`w_k`. The model stores at most 1,000 of them,
    drawn by weight. ``score_samples`` is exact with and without attributes, and
    ``transform`` infers the attributes of rows by Bayes' rule. NaN in X marks a missing
    value in every method. Computations are in float64 for float64 data, and in float32
    otherwise.

    Parameters
    ----------
    hidden_layer_sizes : tuple
        Numbers of units of the dense hidden layers, starting at the attributes.
    column_types
        Type of the columns, as in :class:`~skdgm.VAE`; "auto" infers it from the data.
    activation
        Activation function of hidden units.
    dropout
        Dropout rate of the dense hidden layers.
    architecture
        Type of the output layers: "dense", or "conv", where dense layers produce small
        images and each convolutional layer doubles their size.
    n_iter
        Number of epochs; "auto": the number for 3,000 updates, between 20 and 200.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers, starting at the attributes.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of all layers.
    attribute_types_ : dict
        Type of each attribute by name or number, a :class:`~skdgm.data.ColumnType`
        whose ``values`` are the classes.
    column_types_ : dict
        Type of each column by name or number.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or "lower bound" if training rows were
        gray.

    See Also
    --------
    ConditionalRBM : Columns given columns, with dependence among outputs.
    sklearn.neural_network.MLPRegressor : Net for the mean of the outputs.

    References
    ----------
    .. [1] Dosovitskiy, Springenberg and Brox (2015). Learning to generate chairs with
       convolutional neural networks. CVPR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GeneratorNet
    >>> X, y = load_digits(return_X_y=True)
    >>> net = GeneratorNet(n_iter=10, random_state=0).fit(X, y)
    >>> net.sample(3, random_state=0, y=7).shape
    (3, 64)
    >>> one, other = net.encode([1, 7])
    >>> net.inverse_transform([0.5 * one + 0.5 * other]).shape
    (1, 64)
    >>> net.transform(X).shape
    (1797, 10)
    """

    hidden_layer_sizes: Count | tuple = (256, 256)
    _: KW_ONLY
    column_types: Annotated[ColumnTypes, VarianceDetails] = "auto"
    min_categories: Count | ArrayLike | None = within("column_types", None)
    attribute_types: AttributeTypes = "auto"
    activation: Activation = "leaky_relu"
    dropout: Share = 0.0
    init_weights: Initializer = within("solver", "he_normal")
    architecture: Architecture = "dense"
    conv_layer_sizes = 32, 16
    upsampling: Literal["unpool", "nearest"] = within("architecture", "unpool")

    _BUDGET = Budget(3_000, 20, 200)

    @documented_as(
        AttributeEstimator.score,
        """
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows; None for the marginal likelihood.
        """,
    )
    def score(self, X: Data, y: Target = None, sample_weight: Weight = None) -> float:
        return mean_score(self.score_samples(X, y), sample_weight)
