r"""Deep belief networks.

.. math:: p(v, h^1, \dots, h^L) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, h^L)

Directed layers below a restricted Boltzmann machine.
"""

from skdgm.belief._network import BeliefNetwork
from skdgm.belief._options import StackOptions


class DBN(StackOptions, BeliefNetwork):
    r"""Deep belief network: directed layers below a restricted Boltzmann machine.

    .. math::

        p(v, h^1, \dots, h^L) = p(h^{L-1}, h^L) \prod_{k=1}^{L-1} P(h^{k-1} \mid h^k),
        \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and :math:`p(h^{L-1}, h^L)` the joint distribution of the
    top-level machine [1]_. The layers are trained one by one from the bottom up, each
    on the hidden units of the layer below. Each layer can increase a lower bound on the
    log-likelihood [3]_. Optionally, all layers are then refined jointly.

    Data are 0, 1 or probabilities of 1, or real columns of any scale, which are
    standardized internally. NaN marks a missing value in every method. Computations are
    in float64 for float64 data, otherwise in float32.

    Attributes
    ----------
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch. The losses of refinement are added at the
        end: minus the mean bound of a sample of training rows, with a pseudo-likelihood
        in place of the top-level machine's log probability.

    See Also
    --------
    DBM : Undirected layers, trained jointly.
    DBNClassifier : Network fine-tuned as a classifier.
    GenerativeDBNClassifier : Network of data and labels.
    SigmoidBeliefNetwork : Directed layers only.

    References
    ----------
    .. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with
       neural networks. Science.
    .. [2] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief
       nets. Neural Computation.
    .. [3] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
       networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBN
    >>> X = load_digits().data
    >>> dbn = DBN((64, 16), n_iter=20, learning_rate=(0.1, 0.05), random_state=0).fit(X)
    >>> dbn.transform(X).shape
    (1797, 80)
    >>> dbn.density_kind_
    'lower bound'
    >>> dbn.sample(3, random_state=0).shape
    (3, 64)
    """
