r"""Semi-supervised classifiers by generative adversarial networks.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(l(x)), \qquad
   p(\text{real} \mid x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_k e^{l_k(x)}
"""

from typing import Annotated, Literal

from skdgm.adversarial._nets.label_model import LabelModel
from skdgm.adversarial._options import (
    Architecture,
    GameSolver,
    ImageShape,
    Jitter,
    Judge,
    LabelDetails,
    Latents,
    LayerSizes,
)
from skdgm.base import Classifier
from skdgm.base.fits import n_epochs
from skdgm.base.options import KW_ONLY, NotNegative, within
from skdgm.implicit.options import Draws, LatentPrior, RelaxedColumns
from skdgm.nets import ACTIVATIONS, NetEstimator
from skdgm.nets.options import Activation, Initializer
from skdgm.training import Budget


class NoiseDetails(LabelDetails):
    """Details of a discriminator with noise."""

    discriminator_activation: Literal[*ACTIVATIONS, "maxout"] = "relu"
    discriminator_noise: NotNegative | tuple = (0.2, 0.5)


class GANClassifier(Classifier, NetEstimator):
    r"""Semi-supervised classifier: the discriminator of an adversarial game.

    .. math::

        \min_l \; -\mathbb{E} \log p(y \mid x) - w \, \mathbb{E} \log D(x)
        - w \, \mathbb{E} \log (1 - D(g(z))),

    .. math::

        p(y = k \mid x) = \frac{e^{l_k(x)}}{Z(x)}, \quad
        D(x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_k e^{l_k(x)}

    The discriminator has an additional class, "generated", whose logit is zero [1]_
    [2]_ [3]_. It learns the classes from labeled rows, that unlabeled rows are real, of
    any class, and that rows of a generator are not real. The class boundaries thus move
    to regions without rows. The generator matches the mean hidden units of the data,
    :math:`\min_g \lVert \mathbb{E} h(x) - \mathbb{E} h(g(z)) \rVert^2`. Its samples
    need not be, and seldom are, as good as those of a :class:`GAN` [4]_. NaN is a
    missing value, which is also hidden in the corresponding generated row. Computations
    are in float64 for float64 data, otherwise in float32. With labels for all rows, its
    default accuracy is more than .02 below that of logistic regression on wine, of
    seven small data sets (``doc/benchmarks/untuned.md``).

    Parameters
    ----------
    discriminator
        Layers of the discriminator, and details of its training; by default it has
        layers of (256, 128, 128) units or, if convolutional, (32, 64) maps.
    unlabeled
        Value of y for unlabeled rows, which are real rows to the discriminator and
        ignored by :meth:`score`. None: all rows are labeled.
    unlabeled_weight
        Weight w of the unsupervised loss. With 0 the discriminator is an ordinary net
        that is trained on labeled rows only.
    feature_matching
        Whether the generator matches the mean of the discriminator's last hidden units;
        otherwise it maximizes the mean of :math:`\log D(g(z))`.
    jitter
        Size of random deformations of training images: with 1, rotations by up to 15
        degrees, shears by up to 0.3, scalings by up to a third, and shifts by up to 7 %
        of a side.
    batch_norm
        Whether hidden units of the generator have batch normalization; "virtual": with
        moments of a fixed reference batch, the first minibatch, and the row itself.
    batch_size
        Number of rows in each update, plus the same number of labeled rows. If there
        are fewer labeled rows, every update includes all of them.
    early_stopping
        If True, hold out labeled rows, stop when the log-probability of their labels
        no longer increases, and restore the best parameters.
    validation_fraction
        Share of the labeled rows to hold out.
    n_iter
        Number of epochs; "auto": 4,000 updates, or 1,000 if all rows have labels, but
        between 10 and 1,000 epochs.
    solver
        Optimizer of both nets. Averages of parameters, if enabled, apply to both nets
        and are used for predictions and samples.
    learning_rate
        Initial learning rate of both nets, which ``schedule`` of the solver decreases.
    activation
        Activation function of the generator's hidden units.
    tol
        Smallest improvement that counts.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows and latent units.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    loss_curve_ : list of float
        Mean negative log-probability of the labels of some training rows after each
        epoch.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: generator, then discriminator.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    n_updates_ : int
        Number of updates of the generator.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".

    See Also
    --------
    GAN : The game without labels.
    RBMClassifier : Generative classifier that also learns from unlabeled rows.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 6 s of one core, 10 times as long
    as ``MLPClassifier``, and four times as long if some rows are unlabeled: the
    accuracy with few labels still improves after a hundred epochs. If many rows have
    labels, a :class:`DBNClassifier` is about as accurate.

    References
    ----------
    .. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
       techniques for training GANs. NeurIPS.
    .. [2] Springenberg (2016). Unsupervised and semi-supervised learning with
       categorical generative adversarial networks. ICLR.
    .. [3] Odena (2016). Semi-supervised learning with generative adversarial networks.
       arXiv:1606.01583.
    .. [4] Dai, Yang, Yang, Cohen and Salakhutdinov (2017). Good semi-supervised
       learning that requires a bad GAN. NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GANClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> marked = np.where(np.arange(300) < 100, y[:300], -1)
    >>> clf = GANClassifier(unlabeled=-1, n_iter=15, random_state=0)
    >>> clf.fit(X[:300], marked).score(X[300:], y[300:]) > 0.7
    True
    """

    n_components: Latents = 16
    hidden_layer_sizes: LayerSizes = None
    _: KW_ONLY
    unlabeled: object = None
    unlabeled_weight: NotNegative = 0.5
    feature_matching: bool = True
    jitter: Jitter = 0.0
    discriminator: Annotated[Judge, NoiseDetails] = None
    architecture: Architecture = "dense"
    image_shape: ImageShape = None
    column_types: RelaxedColumns = "auto"
    prior: LatentPrior = "normal"
    activation: Activation = "leaky_relu"
    batch_norm: bool | Literal["virtual"] = True
    n_draws: Draws = 1000
    solver: GameSolver = "adam"
    init_weights: Initializer = within("solver", "he_normal")
    momentum, learning_rate = 0.5, 0.006

    _MODEL, _MODEL_READS = LabelModel(), ("_gray", "classes_")
    # The second budget is for tables without unlabeled rows.
    _BUDGET, _BUDGET_LABELED = Budget(4_000, 10, 1_000), Budget(1_000, 10, 1_000)

    def _count(self, table, fresh):
        self._find_gray(table, fresh)
        super()._count(table, fresh)

    def _n_epochs(self, table):
        all_known = table.rows.given.known[table.index].all()
        budget = self._BUDGET_LABELED if all_known else self._BUDGET
        return n_epochs(self, table, budget)

    def _logits(self, rows):
        return self.density_.by_rows(rows, self._MODEL.logits)
