r"""Stacks of autoencoders fine-tuned as classifiers.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(h^L W + b), \qquad
   h^k = f(c^k + h^{k-1} R^k), \qquad h^0 = x
"""

from skdgm.autoencoder._stack_options import (
    StackPretraining,
    StackStructure,
    TunedLayers,
)
from skdgm.autoencoder.stacked_autoencoder import NET
from skdgm.base.options import KW_ONLY
from skdgm.stacks import TunedClassifier


class StackedAutoencoderClassifier(StackStructure, TunedClassifier):
    r"""Stack of autoencoders fine-tuned as a feed-forward classifier.

    .. math::

        p(y = k \mid x) = \operatorname{softmax}_k(h^L W + b), \qquad
        h^k = f(c^k + h^{k-1} R^k), \qquad h^0 = x

    A :class:`StackedAutoencoder` is pretrained layer by layer on all rows, labeled or
    unlabeled, and its encoders initialize the net [1]_ [2]_. The net with an output
    layer is then trained by back-propagation on the labeled rows, with dropout [3]_,
    as in :class:`DBNClassifier`. With default options, its accuracy is more than .02
    below that of logistic regression on two of 17 data sets, crabs and OJ
    (``doc/benchmarks/untuned.md``). Dropout of inputs hides small differences between
    columns. Without it, with ``dropout=0.3``, all rows of crabs are classified
    correctly.

    y has one column, with classes of any type; or several columns of 0 and 1 for
    multilabel classification, with one logistic output each. NaN in X marks a missing
    value in every method.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, the output layer last; inputs are standardized real columns,
        bits, and indicators of categories.
    stack_ : StackedAutoencoder
        Pretrained stack, which :meth:`reconstruction_error`, :meth:`score_samples`,
        :meth:`sample` and :meth:`impute` use.
    density_kind_ : str
        Kind of :meth:`score_samples`: "reconstruction", which is not a density.
    density_ : Density
        Density of ``stack_``.

    See Also
    --------
    StackedAutoencoder : Stack without labels.
    DBNClassifier : Classifier pre-trained as a deep belief network.
    sklearn.neural_network.MLPClassifier : Classifier without pre-training.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 6 s of one core, 11 times as long
    as ``MLPClassifier``. Each layer is pre-trained before the fine-tuning of all
    layers.

    References
    ----------
    .. [1] Vincent, Larochelle, Lajoie, Bengio and Manzagol (2010). Stacked denoising
       autoencoders. JMLR.
    .. [2] Rifai, Vincent, Muller, Glorot and Bengio (2011). Contractive auto-encoders:
       explicit invariance during feature extraction. ICML.
    .. [3] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout:
       a simple way to prevent neural networks from overfitting. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import StackedAutoencoderClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = StackedAutoencoderClassifier((64, 64), n_iter=20, random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.stack_.n_iter_
    200
    """

    _: KW_ONLY
    layers: TunedLayers = None
    pretrain: StackPretraining = "layerwise"
    dropout = (0.2, 0.3)

    _MODEL, _NUMBERS = NET, "gaussian"
