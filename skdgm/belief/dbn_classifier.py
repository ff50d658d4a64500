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

    A :class:`DBN` is pre-trained layer by layer on all rows, labelled or not, and its
    recognition weights initialise the net [1]_. Then the net with an output layer is
    trained by back-propagation on the labelled rows, with dropout [2]_. The fewer of
    these there are, the more the unlabelled rows contribute [3]_. By default it
    is more than .02 behind a logistic regression on crabs and CreditCard, of 17 sets
    (``doc/benchmarks/untuned.md``). Dropout of inputs hides small differences of
    columns, as those of crabs, which ``dropout=0.3`` classifies without an error.

    y has one column, with classes of any type; or several columns of 0 and 1, one for
    each label that a row may have, and as many logistic outputs. NaN in X marks a
    missing value in every method.

    Parameters
    ----------
    dropout : float or tuple of float
        Share of the hidden units dropped at random during fine-tuning; or a pair: of
        the inputs and of the hidden units. Inputs become 0, or their mean where fewer
        than a third of their values are near 0. Without dropout the net overfits few
        labels: with 1,000 labels of MNIST and 19,000 unlabelled rows, the default
        classified 94.3 % of held-out rows correctly, ``dropout=0.0`` 92.9 % (one choice
        of labels each).

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
