r"""Deep belief networks.

.. math:: p(v, h^1, \dots, h^L) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, h^L)

Directed layers below a restricted Boltzmann machine.
"""

from sklearn.base import _fit_context

from skdgm.base import rolled_back
from skdgm.belief._network import BeliefNetwork
from skdgm.belief._options import StackOptions


class DBN(StackOptions, BeliefNetwork):
    r"""Deep belief network: directed layers below a restricted Boltzmann machine.

    .. math::

        p(v, h^1, \dots, h^L) = p(h^{L-1}, h^L) \prod_{k=1}^{L-1} P(h^{k-1} \mid h^k),
        \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and :math:`p(h^{L-1}, h^L)` the joint distribution of the
    top-level machine [1]_. The layers are learned one by one from the bottom up, each
    on the hidden units of the layer below: each may raise a lower bound on the
    log-likelihood further. Then all layers may be refined together.

    Data are 0, 1 or probabilities of 1; or real columns of any scale, which are
    standardised internally. NaN marks a missing value in every method. Computations
    are in float64 for float64 data, otherwise in float32.

    Attributes
    ----------
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch; after refinement also its losses: minus the
        mean bound of some training rows, with a pseudo-likelihood in place of the
        top-level machine's log probability.

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
    >>> X = load_digits().data / 16
    >>> dbn = DBN((64, 16), n_iter=20, learning_rate=(0.1, 0.05), random_state=0).fit(X)
    >>> dbn.transform(X).shape
    (1797, 80)
    >>> dbn.density_kind_
    'lower bound'
    >>> dbn.sample(3, random_state=0).shape
    (3, 64)
    """

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit one layer after the other; then refine all, if ``refine`` is set.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; a weight is negative, or
            all are zero; an option given as a tuple has not one value for each layer.
        DivergenceError
            Training of a layer diverged. The estimator keeps the layers below, and the
            last good parameters of this layer.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None, layer=None):
        """Continue training: one pass over the rows for each layer in turn, or for one.

        A pass is an epoch as in :meth:`fit`, and may come before or after calls of it;
        but the total number of epochs is unknown, so ``schedule="linear"`` leaves
        ``learning_rate`` as it is, and the last of several ``n_steps`` holds. If
        ``fit`` refined the layers, a pass refines all of them further.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
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
            As in :meth:`fit`; or there is no such layer, or the layers were refined and
            only learn jointly now.
        """
        return self._partial_fit(X, y, sample_weight, layer=layer)
