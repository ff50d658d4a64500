r"""Restricted Boltzmann machines with labels.

.. math:: E(v, y, h) = -b^\top v - d_y - c^\top h - v^\top W h - U_{y:} h

The visible layer has two blocks: the data v, and a softmax unit for the label y.
"""

from typing import Annotated, Literal

from skdgm.base import Classifier
from skdgm.base.attributes import shared
from skdgm.base.column_group import Columns
from skdgm.base.common_groups import Hybrid
from skdgm.base.options import KW_ONLY, Auto, Count, CountOrZero, NotNegative, within
from skdgm.boltzmann._density.labeled import LabeledMachineDensity
from skdgm.boltzmann.learning.label_objective import HybridObjective
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import sample_of_class
from skdgm.boltzmann.options import GrayDetails, MachineOptions, Quadratic
from skdgm.boltzmann.structure.restricted import Restricted
from skdgm.training import Budget


class RBMClassifier(MachineOptions, Classifier, Machine):
    r"""Restricted Boltzmann machine as a classifier and a density.

    .. math::

        p(v, y, h) = e^{-E(v, y, h)} / Z, \qquad
        E(v, y, h) = -b^\top v - d_y - c^\top h - v^\top W h - U_{y:} h

    The distribution of labels and its gradient are exact [4]_: :math:`p(y \mid v)
    \propto \exp(d_y + \sum_j \log(1 + e^{c_j + U_{yj} + v^\top W_{:j}}))`. Columns are
    binary, or real with the energy of :class:`GaussianRBM`. All methods accept NaN as a
    missing value. For rows with missing values and more than 20 hidden units, the
    probabilities of labels are computed from mean-field bounds. With default
    parameters, its accuracy is at most .02 below that of a logistic regression on each
    of 17 data sets (``doc/benchmarks/untuned.md``).

    Parameters
    ----------
    n_components
        Number of hidden units.
    column_types
        Type of the columns. "auto": read from the data, as described in the guide, page
        "How columns are read"; "bernoulli": 0, 1 or probabilities of 1; "gaussian":
        real numbers, standardized internally, as in :class:`GaussianRBM`.
    objective
        Objective to maximize: log p(y | v) + ``generative_weight`` log p(v, y)
        ("hybrid"), log p(y | v) ("discriminative"), or log p(v, y) ("generative").
    unlabeled
        Value of y for rows without a label. These rows train the generative part, and
        :meth:`score` ignores them. None means that all rows are labeled.
    n_iter
        Number of epochs; "auto": 2,000 updates, but between 20 and 100 epochs.
    penalty
        Penalties and limits of the weights, and a sparsity target for the hidden units;
        None keeps the defaults below. For real columns they act as in
        :class:`GaussianRBM`, and ``max_norm=4.0`` lets chains mix.
    gradient
        Sampler of the generative part: contrastive divergence ("cd" [1]_), whose chains
        start at the data; or persistent contrastive divergence ("pcd" [2]_), whose
        chains continue from the previous update. Persistent chains may also have fast
        weights ("fpcd" [3]_), or exchange states with chains at higher temperatures
        ("tempering" [5]_).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    components_ : ndarray of shape (n_components, n_features)
        Weights W, transposed.
    label_components_ : ndarray of shape (n_components, n_classes)
        Weights U of the labels, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
    intercept_label_ : ndarray of shape (n_classes,)
        Biases d of the labels.
    precision_ : ndarray of shape (n_features,)
        For real columns, the precisions of the original columns given the hidden units.
    mean_, scale_ : ndarray of shape (n_features,)
        For real columns, the means and scales by which they are standardized. Weights
        and biases refer to the standardized columns.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if the smaller layer
        has at most 20 units.
    loss_curve_ : list of float
        Mean negative log probability of the labels of some training rows for each
        epoch, in nats.

    See Also
    --------
    BernoulliRBM : The machine without labels.
    DBMClassifier : Several hidden layers.
    DBNClassifier : Deep network fine-tuned by backpropagation.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [2] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [3] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [4] Larochelle and Bengio (2008). Classification using discriminative restricted
       Boltzmann machines. ICML.
    .. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import RBMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = RBMClassifier(n_components=50, random_state=0).fit(X[:1000], y[:1000])
    >>> clf.score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    n_components: Count = 256
    _: KW_ONLY
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian"] | Columns, GrayDetails
    ] = "auto"
    objective: Literal["hybrid", "discriminative", "generative"] | Hybrid = "hybrid"
    generative_weight: NotNegative = within("objective", 0.01)
    unlabeled: object = None
    quadratic: Quadratic = False
    n_iter: CountOrZero | Auto = "auto"
    learning_rate = 0.01
    solver = "adam"
    momentum = 0.9

    _MODEL = Restricted(LabeledMachineDensity, HybridObjective)
    _BUDGET = Budget(2_000, 20, 100)

    @shared(sample_of_class)
    def sample(self): ...

    def _logits(self, rows):
        return self.density_.log_joint_of(rows)
