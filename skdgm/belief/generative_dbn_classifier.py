r"""Deep belief networks with a label in the top-level machine.

.. math:: p(v, h^1, \dots, h^L, y) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, y, h^L)

Directed layers below a restricted Boltzmann machine of hidden units and a label.
"""

import numpy as np

from skdgm.base import Classifier
from skdgm.base.attributes import shared
from skdgm.base.options import KW_ONLY
from skdgm.belief._network import BeliefNetwork
from skdgm.belief._options import StackOptions
from skdgm.belief._stack import BeliefNetworkModel
from skdgm.boltzmann import RBMClassifier
from skdgm.boltzmann.methods import sample_of_class
from skdgm.typing import ArrayLike, Data, Self, Weight
from skdgm.utils.rows import Rows


class GenerativeDBNClassifier(StackOptions, Classifier, BeliefNetwork):
    r"""Deep belief network of data and labels: a generative classifier.

    .. math::

        p(v, h^1, \dots, h^L, y) = p(h^{L-1}, y, h^L) \prod_{k=1}^{L-1}
        P(h^{k-1} \mid h^k), \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and the top-level machine, :math:`p(h^{L-1}, y, h^L)`, is an
    :class:`RBMClassifier` of the joint density of its units and the label [1]_. The
    layers are trained one by one from the bottom up, each on the hidden units of the
    layer below. Optionally, all layers are then refined jointly. Class probabilities
    are exact under the top-level machine, given the means of its visible units from one
    upward pass. Before this machine is trained, they are the class frequencies.
    Conditional samples are drawn from the top-level machine with the label clamped,
    then layer by layer downwards.

    The model does not suit tables of real columns: the means of the lowest hidden units
    differ little between rows, and bits drawn from them retain little information. With
    default options, its accuracy is more than .02 below logistic regression on nine of
    17 data sets: iris, crabs, fgl, Chile, OJ, Mroz, CreditCard, spam7 and adult
    (``doc/benchmarks/untuned.md``). Prefer :class:`DBNClassifier` or
    :class:`RBMClassifier` for such data.

    Data are 0, 1 or probabilities of 1, or real columns of any scale, which are
    standardized internally. NaN marks a missing value in every method. Computations are
    in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    unlabeled
        Value of y that marks rows without a label. All layers are also trained on these
        rows, for which the top-level machine draws labels; :meth:`score` ignores them.
        None: all rows are labeled.
    layers : list of (str, machine)
        Explicit stack of machines, as in :class:`DBN`, with an RBMClassifier of
        ``objective="generative"`` at the top. It replaces all parameters that describe
        the layers. Their parameters can be set as ``name__parameter``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch. The loss of the top-level machine is the
        mean negative log-likelihood of labels. The losses of refinement are added at
        the end: minus the mean bound of a sample of training rows and their labels,
        with a pseudo-likelihood in place of the top-level machine's log probability.

    See Also
    --------
    DBNClassifier : Network fine-tuned by backpropagation, often more accurate.
    DBMClassifier : Undirected layers of data and labels.
    RBMClassifier : One hidden layer, and exact probabilities of labels.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 6 s of one core, 17 times as
    long as ``MLPClassifier``. Each layer is trained for 200 epochs. A
    :class:`DBNClassifier` is more accurate, in half of the time.

    References
    ----------
    .. [1] Larochelle and Bengio (2008). Classification using discriminative restricted
       Boltzmann machines. ICML.
    .. [2] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief
       nets. Neural Computation.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GenerativeDBNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = GenerativeDBNClassifier((128, 128), n_iter=60, random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    _: KW_ONLY
    unlabeled: object = None

    _MODEL = BeliefNetworkModel(labeled=True)

    @shared(sample_of_class)
    def sample(self): ...

    def partial_fit(
        self,
        X: Data,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: Weight = None,
        layer: int | None = None,
    ) -> Self:
        """Continue training: one epoch for each layer in turn, or for one layer.

        See :meth:`DBN.partial_fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels, or ``unlabeled``.
        classes : array-like of shape (n_classes,), default=None
            All labels that can occur. Required in the first call; later, the same
            labels or None.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        layer : int, default=None
            Layer to train, 0 at the bottom: a fitted layer, or the next layer. None:
            all layers.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            An error of :meth:`fit`; y has a label that is not in ``classes``;
            ``classes`` is None in the first call; the layer does not exist; or the
            layers were refined, so that they can only be trained jointly.
        """
        self._check_first_call(classes)
        return self._partial_fit(X, y, sample_weight, classes, layer=layer)

    def _logits(self, rows):
        if not self._has_label:
            return np.tile(np.log(self._label_frequencies), (rows.shape[0], 1))
        depth = len(self.layers_)
        if depth > 1:
            H = self.density_.upward(rows, [depth - 2])
            rows = Rows(H, H.dtype.type, complete=True)
        return self.layers_[-1].density_.log_joint_of(rows)

    @property
    def _has_label(self):
        """True if training has reached the top-level machine."""
        return isinstance(self.layers_[-1], RBMClassifier)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The data of scikit-learn's checks are not binary, and the binary hidden units
        # of a layer learned without labels retain little of their two real columns.
        tags.classifier_tags.poor_score = True
        return tags
