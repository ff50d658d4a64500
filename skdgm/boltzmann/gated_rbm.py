r"""Gated restricted Boltzmann machines: transformations of the first of two images.

.. math:: -E(y, h; x) = b^\top y + c^\top h + \sum_f \big(A^\top y\big)_f \big(B^\top
   h\big)_f \big(C^\top x\big)_f
"""

import numpy as np

from skdgm.base.common_options import ColumnTypes
from skdgm.base.frames import indexed
from skdgm.base.options import KW_ONLY, Count
from skdgm.boltzmann._conditional.estimator import (
    GivenEstimator,
    HiddenKinds,
    TargetColumns,
)
from skdgm.training import Budget
from skdgm.typing import ArrayLike, Data, Filling, Seed, Target


class GatedRBM(GivenEstimator):
    r"""Gated restricted Boltzmann machine: hidden units that are transformations.

    .. math::

        p(y, h \mid x) = \frac{1}{Z(x)} \exp\Big(b^\top y + c^\top h + \sum_f
        \big(A^\top y\big)_f \big(B^\top h\big)_f \big(C^\top x\big)_f\Big)

    A machine of pairs, such as an image x and the same image moved, y [1]_ [2]_. Hidden
    units gate the weights between both. They represent how y follows from x, and not
    the content of the images: ``transform(X, y)`` are features of the
    transformation, and :meth:`analogy` applies that of a pair to other images. Columns
    of A and C become pairs of filters that differ by a phase.

    It is a :class:`~skdgm.ConditionalRBM` of columns y given columns X with factors
    alone, with all its methods; y may have columns of any kinds. NaN in X is the mean
    of its column, NaN in y is missing.

    Parameters
    ----------
    n_components
        Number of hidden units.
    n_factors
        Number of factors, pairs of filters: about twice that of hidden units. One
        factor serves one frequency and direction.
    pairwise
        Whether there are weights between two of y, hidden units and X, too: faster to
        learn, but then hidden units may say what y is, rather than how it follows.
        Without them ``components_``, ``condition_visible_`` and ``condition_hidden_``
        are zeros.
    n_steps : int or tuple of int
        Number of Gibbs steps from y in each update. The values of a tuple share the
        epochs evenly, in order.
    n_iter
        Number of epochs; "auto": 6,000 updates, but between 40 and 200 epochs. For a
        while factors seem to learn nothing; a few epochs are of no use.

    Attributes
    ----------
    factors_ : list of ndarray
        Weights of the factors, of shape (n_factors, n_entries): those of y, of the
        hidden units and of X, which are A, B and C, transposed.

    See Also
    --------
    ConditionalRBM : Columns y given columns X, which may be gates, too.

    References
    ----------
    .. [1] Memisevic and Hinton (2007). Unsupervised learning of image transformations.
       CVPR.
    .. [2] Memisevic and Hinton (2010). Learning to represent spatial transformations
       with factored higher-order Boltzmann machines. Neural Computation.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import GatedRBM
    >>> rng = np.random.default_rng(0)
    >>> X = (rng.random((2000, 12)) < 0.3).astype(float)
    >>> shift = rng.integers(3, size=2000)
    >>> y = np.array([np.roll(x, s) for x, s in zip(X, shift)])
    >>> gated = GatedRBM(20, 40, random_state=0).fit(X, y)
    >>> gated.transform(X[:5], y[:5]).shape
    (5, 20)

    Move other rows as one pair is:

    >>> moved = gated.analogy(X[:1], y[:1], X[1:100])
    >>> truth = np.roll(X[1:100], shift[0], axis=1)
    >>> bool(((moved > 0.5) == truth).mean() > 0.9)
    True
    """

    _BUDGET = Budget(6_000, 40, 200)

    n_components: Count = 50
    n_factors: Count = 100
    _: KW_ONLY
    column_types: TargetColumns = "mixed"
    condition_types: ColumnTypes = "mixed"
    hidden: HiddenKinds = "bernoulli"
    pairwise: bool = False
    n_steps = 1
    batch_size = 100

    _IMPLIED = {"n_lags": 0, "gates": None, "init_conditions": "random"}

    def decode(
        self,
        H: ArrayLike,
        X: Data,
        *,
        method: Filling = "mean",
        random_state: Seed = None,
    ) -> object:
        r"""Apply transformations to rows, :math:`\mathbb{E}[y \mid x, h]`.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_components) or (1, n_components)
            Hidden units, as :meth:`transform` returns them; a single row is applied to
            all rows of X.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            What is transformed.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means (probabilities of bits; of categories the most probable
            ones), "sample" draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            As y was given in ``fit``.

        Raises
        ------
        ValueError
            H has another number of columns, or of rows, or is not finite; ``method`` is
            unknown.
        """
        transformed = self.density_.transformed(X, H, method, random_state)
        return indexed(transformed, X)

    def analogy(
        self,
        X: Data,
        y: Target,
        X_new: Data,
        *,
        method: Filling = "mean",
        random_state: Seed = None,
    ) -> object:
        """Transform other rows as y transforms X: y is to X as the answer to ``X_new``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (1, \
                n_features)
            What comes first in each pair.
        y : array-like of shape (n_samples, n_outputs) or (1, n_outputs)
            What X became. A single pair serves for all rows of ``X_new``.
        X_new : {array-like, sparse matrix} of shape (n_samples, n_features)
            What is transformed.
        method : {"mean", "sample"}, default="mean"
            As for :meth:`decode`.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        y_new : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            As y was given in ``fit``.
        """
        H = np.asarray(self.density_.features(X, y=y))
        given = {"method": method, "random_state": random_state}
        return self.decode(H, X_new, **given)
