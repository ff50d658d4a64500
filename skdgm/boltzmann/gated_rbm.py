r"""Gated restricted Boltzmann machines: models of transformations between images.

.. math:: -E(y, h; x) = b^\top y + c^\top h + \sum_f \big(A^\top y\big)_f \big(B^\top
   h\big)_f \big(C^\top x\big)_f
"""

import numpy as np

from skdgm.base.common_options import ColumnTypes
from skdgm.base.frames import indexed
from skdgm.base.options import KW_ONLY, Count
from skdgm.boltzmann._conditional.estimator import (
    ConditionalEstimator,
    HiddenKinds,
    TargetColumns,
)
from skdgm.training import Budget
from skdgm.typing import ArrayLike, Data, Filling, Seed, Target


class GatedRBM(ConditionalEstimator):
    r"""Gated restricted Boltzmann machine, whose hidden units encode transformations.

    .. math::

        p(y, h \mid x) = \frac{1}{Z(x)} \exp\Big(b^\top y + c^\top h + \sum_f
        \big(A^\top y\big)_f \big(B^\top h\big)_f \big(C^\top x\big)_f\Big)

    A model of pairs of rows, such as an image x and a shifted copy y [1]_ [2]_. Hidden
    units gate the weights between x and y. They represent the transformation from x to
    y rather than the content of the images: ``transform(X, y)`` returns features of
    the transformation, and :meth:`analogy` applies the transformation of one pair to
    other images. Columns of A and C become pairs of filters with a phase difference.

    It is a :class:`~skdgm.ConditionalRBM` of y given X whose weights are all factored,
    and has all methods of that class. Columns of y may be of any type. NaN in X is
    replaced by the mean of its column; NaN in y is a missing value.

    Parameters
    ----------
    n_components
        Number of hidden units.
    n_factors
        Number of factors, that is, pairs of filters; about twice ``n_components``. A
        factor represents one frequency and direction.
    pairwise
        If True, add weights between y and hidden units, y and X, and X and hidden
        units. Learning is faster, but hidden units may then encode y itself rather than
        the transformation. If False, ``components_``, ``condition_visible_`` and
        ``condition_hidden_`` are zeros.
    n_steps : int or tuple of int
        Number of Gibbs steps from y in each update. The values of a tuple are used in
        turn, each for an equal share of the epochs.
    n_iter
        Number of epochs; "auto": 6,000 updates, but between 40 and 200 epochs. Factors
        hardly learn during the first epochs, so do not use only a few.

    Attributes
    ----------
    factors_ : list of ndarray
        Weights A of y, B of the hidden units and C of X, transposed, each of shape
        (n_factors, n_entries).

    See Also
    --------
    ConditionalRBM : Model of y given X, with optional factors and gates.

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

    Apply the shift of one pair to other rows:

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
            Hidden units, as :meth:`transform` returns them. A single row is applied to
            all rows of X.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to transform.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means (probabilities of bits, and the most probable
            categories); "sample" returns draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            In the form of the y that ``fit`` was given.

        Raises
        ------
        ValueError
            H has another number of columns or of rows, or is not finite; ``method`` is
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
        r"""Apply the transformation of X to y to other rows: X is to y as X_new is to
        y_new.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (1, \
                n_features)
            First rows of the pairs.
        y : array-like of shape (n_samples, n_outputs) or (1, n_outputs)
            Second rows of the pairs. A single pair is applied to all rows of ``X_new``.
        X_new : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to transform.
        method : {"mean", "sample"}, default="mean"
            As in :meth:`decode`.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        y_new : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            In the form of the y that ``fit`` was given.
        """
        H = np.asarray(self.density_.features(X, y=y))
        options = {"method": method, "random_state": random_state}
        return self.decode(H, X_new, **options)
