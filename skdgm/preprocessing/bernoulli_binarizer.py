r"""Binarization of gray values in [0, 1].

.. math:: x_i = \mathbb{1}[v_i > t] \qquad \text{or} \qquad x_i \sim
   \mathrm{Bernoulli}(v_i)
"""

from typing import Literal, Self

import numpy as np
import scipy.sparse as sp
from scipy.sparse import sparray
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.base.options import KW_ONLY, CountOrZero, Options, RandomState, Share
from skdgm.typing import Data, Target
from skdgm.utils.domains import bernoulli_rows, taking_numbers
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import row_hash


class BernoulliBinarizer(
    Options, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    r"""Transformer that binarizes gray values and records the method.

    .. math:: x_i = \mathbb{1}[v_i > t] \qquad \text{or} \qquad x_i \sim
       \mathrm{Bernoulli}(v_i)

    Log-likelihoods of differently binarized data must not be compared, because they are
    for different data [1]_.

    The bits of a row depend only on the seed, the number of the draw and the content of
    the row, not on the call or other rows. For new bits at each presentation during
    training, leave rows gray and set ``resample=True`` in the model. To evaluate
    several draws, use :func:`~skdgm.metrics.average_over_draws`.

    Parameters
    ----------
    scheme
        "fixed" draws each row once from Bernoulli distributions. "threshold" sets
        values above the threshold to 1 and others to 0.
    threshold
        Threshold of ``scheme="threshold"``, in [0, 1).
    draw
        Number of the draw, at least 0. Different numbers give independent draws of the
        same rows.
    random_state : int, RandomState instance or None
        Seed of the draws.

    Attributes
    ----------
    binarization_ : str
        Description of the binarization, which :func:`~skdgm.metrics.likelihood_table`
        compares.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.

    See Also
    --------
    Dequantizer : Noise for values on a grid.
    sklearn.preprocessing.Binarizer : Bits by a threshold.

    References
    ----------
    .. [1] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
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

    scheme: Literal["fixed", "threshold"] = "fixed"
    _: KW_ONLY
    threshold: Share = 0.5
    draw: CountOrZero = 0
    random_state: RandomState = 0

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Data, y: Target = None) -> Self:
        """Validate the data, record the columns and fix the seed.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Values in [0, 1]; values above 1 are clipped with a warning. NaN marks a
            missing value and stays NaN.
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

    def transform(self, X: Data) -> np.ndarray | sparray:
        """Binarize rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Values in [0, 1], NaN where missing; values outside are clipped with a
            warning.

        Returns
        -------
        bits : ndarray or CSR of shape (n_samples, n_features)
            0, 1, or NaN where missing; CSR if X is sparse. The dtype is float64 if X
            has this dtype, else float32.
        """
        check_is_fitted(self)
        with taking_numbers(self):
            rows, blocks = bernoulli_rows(self, X), []
        rng = stream(self._seed, self.draw).rows(row_hash(rows))
        for block in rows.blocks():
            bits = self._bits(rows.take(block), rng.take(block))
            blocks.append(sp.csr_array(bits) if sp.issparse(rows.X) else bits)
        if not sp.issparse(rows.X):
            return np.concatenate(blocks)
        bits = sp.vstack(blocks, format="csr")
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
