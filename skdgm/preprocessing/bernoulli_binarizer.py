r"""Bits of grey values in [0, 1].

.. math:: x_i = \mathbb{1}[v_i > t] \qquad \text{or} \qquad x_i \sim
   \mathrm{Bernoulli}(v_i)

Likelihoods of rows that were made binary in different ways are figures of different
data, and are not to be compared [1]_.

References
----------
.. [1] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
"""

from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.preprocessing._numbers import taking_numbers
from skdgm.utils.domains import bernoulli_rows
from skdgm.utils.hashing import row_hash
from skdgm.utils.random import MAX_SEED, stream


class BernoulliBinarizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Make grey values binary, and say how.

    .. math:: x_i = \mathbb{1}[v_i > t] \qquad \text{or} \qquad x_i \sim
       \mathrm{Bernoulli}(v_i)

    A row's draw is fixed by the seed, the draw's number and the row's content: the same
    whatever rows are around it, and at each call. A fresh draw at each presentation in
    training is what ``resample=True`` of the models gives, for rows left grey; several
    draws at evaluation :func:`~skdgm.metrics.average_over_draws`.

    Parameters
    ----------
    scheme : {"fixed", "threshold"}, default="fixed"
        One draw for each row; or 1 where values are above the threshold.
    threshold : float, default=0.5
    draw : int, default=0
        Number of the draw, of which there are any.
    random_state : int, RandomState instance or None, default=0
        Its seed.

    Attributes
    ----------
    binarization_ : str
        How rows are made binary, which :func:`~skdgm.metrics.likelihood_table`
        compares.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
    networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.preprocessing import BernoulliBinarizer
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0)
    >>> pipe = make_pipeline(BernoulliBinarizer(), rbm).fit(X)
    >>> pipe[0].binarization_
    'draw 0 of seed 209652396'
    """

    _parameter_constraints: dict = {
        "scheme": [StrOptions({"fixed", "threshold"})],
        "threshold": [Interval(Real, 0, 1, closed="left")],
        "draw": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, scheme="fixed", *, threshold=0.5, draw=0, random_state=0):
        self.scheme = scheme
        self.threshold = threshold
        self.draw = draw
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the columns' names, and fix the seed.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Values in [0, 1]; NaN is missing, and stays so.
        y : None
            Ignored.

        Returns
        -------
        self : BernoulliBinarizer

        Raises
        ------
        ValueError
            A value is negative.
        """
        with taking_numbers(self):
            bernoulli_rows(self, X, reset=True, fitting=True)
        validate_data(self, X, reset=True, skip_check_array=True)
        self._seed = check_random_state(self.random_state).randint(MAX_SEED)
        if self.scheme == "threshold":
            self.binarization_ = f"values above {self.threshold:g}"
        else:
            self.binarization_ = f"draw {self.draw} of seed {self._seed}"
        return self

    def transform(self, X):
        """Bits of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        bits : ndarray or CSR of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        with taking_numbers(self):
            rows, parts = bernoulli_rows(self, X), []
        rng = stream(self._seed, self.draw).rows(row_hash(rows))
        for part in rows.blocks():
            bits = self._bits(rows.take(part), rng.take(part))
            parts.append(sp.csr_array(bits) if sp.issparse(rows.X) else bits)
        if not sp.issparse(rows.X):
            return np.concatenate(parts)
        bits = sp.vstack(parts, format="csr")
        return bits if isinstance(rows.X, sp.sparray) else sp.csr_matrix(bits)

    def _bits(self, v, rng):
        if self.scheme == "threshold":
            on = v > self.threshold
        else:
            on = rng.uniform(v.shape[1], v.dtype.type) < v
        return np.where(np.isnan(v), v, on.astype(v.dtype))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
