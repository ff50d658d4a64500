r"""Supervised generators: nets from attributes to rows.

.. math:: x \sim p(x; g(a))
"""

from typing import Annotated, Literal

from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import ColumnTypes, VarianceDetails
from skdgm.base.fits import mean_score
from skdgm.base.options import KW_ONLY, ArrayLike, Auto, Count, Share, within
from skdgm.nets.options import Activation, Initialiser
from skdgm.supervised._estimator import AttributeEstimator
from skdgm.training import Budget
from skdgm.typing import Data, Target, Weight


class GeneratorNet(AttributeEstimator):
    r"""Supervised generator: a net that draws rows of given attributes.

    .. math::

        \log p(x \mid a) = \sum_j \log p(x_j; g_j(a)), \qquad
        p(x) = \sum_k w_k \, p(x \mid a_k)

    for rows x with attributes a, such as the class, the style and the angle of an
    image, which ``fit`` needs as y, without missing values [1]_. The net g maximises
    the log-likelihood, which for real columns with a fixed variance is minus the
    squared error. Attributes between those of the training rows, or mixtures of their
    classes, give images between theirs.

    Rows without attributes are scored by the attributes of the training rows and their
    shares :math:`w_k`. The model keeps the distinct ones, 1,000 at most, drawn by
    weight. So ``score_samples`` has two exact densities, and ``transform`` infers
    attributes of rows by Bayes' rule. NaN in X is a missing value, in every method.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple
        Numbers of hidden units of dense layers, from the attributes on.
    column_types
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.VAE`.
    attribute_types
        Kind of each attribute, "categorical" or "gaussian" (real), in order or by
        name. By default text, truth values and categories are categorical and numbers
        real; a y of one dimension is categorical also if its numbers are whole.
    activation
        Activation function of hidden units.
    dropout
        Share of units of dense hidden layers that drop out at random in training.
    architecture
        Whether outputs are those of a dense layer, or of convolutions: dense layers
        then make small images, which grow twofold from layer to layer.
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 200 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers, from the attributes on.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    attribute_types_ : dict
        How each attribute is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`, whose ``values`` are the classes.
    column_types_ : dict
        The same of each column.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or after grey rows "lower bound".

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
    attribute_types: Auto | tuple | dict = "auto"
    activation: Activation = "leaky_relu"
    dropout: Share = 0.0
    init_weights: Initialiser = within("solver", "he_normal")
    architecture: Architecture = "dense"
    conv_layer_sizes = 32, 16
    upsampling: Literal["unpool", "nearest"] = within("architecture", "unpool")

    _BUDGET = Budget(3_000, 20, 200)

    def score(self, X: Data, y: Target = None, sample_weight: Weight = None) -> float:
        """Mean log-likelihood of the rows, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows, if known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all are equal.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples`.
        """
        return mean_score(self.score_samples(X, y), sample_weight)
