r"""Deep belief networks fine-tuned as classifiers.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(h^L W + b), \qquad
   h^k = \sigma(c^k + h^{k-1} R^k), \qquad h^0 = x
"""

from skdgm.belief._tuned import TunedBelief
from skdgm.stacks import TunedClassifier


class DBNClassifier(TunedBelief, TunedClassifier):
    r"""Deep belief network fine-tuned as a feed-forward classifier.

    .. math::

        p(y = k \mid x) = \operatorname{softmax}_k(h^L W + b), \qquad
        h^k = \sigma(c^k + h^{k-1} R^k), \qquad h^0 = x

    A :class:`DBN` is pre-trained layer by layer on all rows, labeled or not, and its
    recognition weights initialize the net [1]_. The net, with an output layer, is then
    trained by back-propagation on the labeled rows, with dropout [2]_. Unlabeled rows
    help most if few rows are labeled [3]_. With default options, its accuracy is more
    than .02 below logistic regression on two of 17 data sets, crabs and CreditCard
    (``doc/benchmarks/untuned.md``). Dropout of inputs hides small differences between
    columns, such as those of crabs, which ``dropout=0.3`` classifies without an error.

    y has one column, with classes of any type; or several binary columns, one for each
    label of a multilabel problem, with logistic outputs. NaN in X marks a missing value
    in every method.

    Parameters
    ----------
    dropout : float or tuple of float
        Dropout rate of the hidden units in fine-tuning, or a pair of rates for inputs
        and hidden units. Dropped inputs become 0, or the mean of their column if fewer
        than a third of its values are close to 0. Without dropout, the net overfits few
        labels: with 1,000 labels of MNIST and 19,000 unlabeled rows, the default
        classified 94.3 % of held-out rows correctly, and ``dropout=0.0`` 92.9 % (one
        choice of labels).

    See Also
    --------
    DBN : Network without labels.
    GenerativeDBNClassifier : Network of data and labels, which also draws rows of a
        class.
    sklearn.neural_network.MLPClassifier : Classifier without pre-training.

    References
    ----------
    .. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with
       neural networks. Science.
    .. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout:
       a simple way to prevent neural networks from overfitting. JMLR.
    .. [3] Erhan, Bengio, Courville, Manzagol, Vincent and Bengio (2010). Why does
       unsupervised pre-training help deep learning? JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBNClassifier
    >>> from skdgm.options import Pretraining
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = DBNClassifier((64, 64), pretrain=Pretraining(n_iter=10), random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.dbn_.density_kind_
    'estimate'
    """

    dropout = (0.2, 0.3)
