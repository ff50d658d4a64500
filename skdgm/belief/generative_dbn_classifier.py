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
    r"""Deep belief network of data and labels: a density model that classifies.

    .. math::

        p(v, h^1, \dots, h^L, y) = p(h^{L-1}, y, h^L) \prod_{k=1}^{L-1}
        P(h^{k-1} \mid h^k), \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and the top-level machine, :math:`p(h^{L-1}, y, h^L)`, is an
    :class:`RBMClassifier` that learns the joint density of its units and the label
    [1]_. The layers are learned one by one from the bottom up, each on the hidden units
    of the layer below. Then all may be refined together. Label probabilities are exact
    under the top-level machine, given the means of its visible units from one upward
    pass; before it has been trained, they are the frequencies of the labels. A sample
    for a label is drawn from the top-level machine with the label clamped, then layer
    by layer downwards.

    It is not for tables of real columns: the means of the lowest hidden units differ
    little between rows, and bits drawn from them retain little of the columns. By
    default it is more than .02 behind a logistic regression on iris, crabs, fgl, Chile,
    OJ, Mroz, CreditCard, spam7, horse_colic, adult and digits, of 17 sets
    (``doc/benchmarks/untuned.md``); prefer :class:`DBNClassifier` or
    :class:`RBMClassifier` there.

    Data are 0, 1 or probabilities of 1; or real columns of any scale, which are
    standardised internally. NaN marks a missing value in every method. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    unlabeled
        Value of y that marks rows without a label. All layers learn from these rows,
        too: the top-level machine draws their labels; :meth:`score` leaves them out.
        None means that all rows are labelled.
    layers : list of (str, machine)
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: as in :class:`DBN`, but with an
        RBMClassifier of ``objective="generative"`` at the top. Their parameters can be
        set as ``name__parameter``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, in order.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch; that of the top-level machine is the mean
        negative log-likelihood of labels. After refinement also its losses: minus the
        mean bound on the log probability of some training rows and their labels, with a
        pseudo-likelihood in place of the top-level machine's log probability.

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

    _MODEL = BeliefNetworkModel(labelled=True)

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
        """Continue training: one pass over the rows for each layer in turn, or for one.

        See :meth:`DBN.partial_fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Required at the first call; later the same
            ones, or None.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        layer : int, default=None
            Layer to train, 0 at the bottom: a fitted one, or the next. All layers if
            None.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or y has a label that is not among the classes, or
            ``classes`` is None at the first call; or there is no such layer, or the
            layers were refined and only learn jointly now.
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
