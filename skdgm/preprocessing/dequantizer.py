r"""Dequantization of values on a grid.

.. math:: y = x + \delta u, \qquad u \sim \mathcal{U}[0, 1)

The noise spreads each value over its cell, so that a density cannot diverge by narrow
peaks at the grid values. The noise excludes a few units in the last place at both ends
of the cell, from which rounding could move values to a neighboring cell. Then

.. math:: \log P(x) \ge \mathbb{E}_u[\log p(x + \delta u)] + d \log \delta

is a lower bound on the log probability of the original values in d columns. References
are those of :class:`Dequantizer`.
"""

from typing import Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skdgm.base.options import KW_ONLY, CountOrZero, Options, Positive, RandomState
from skdgm.typing import Data, Target
from skdgm.utils.domains import taking_numbers
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows, floating_type, row_hash

# In units of rounding (eps times the value): the minimum distance of values from the
# ends of their cell, and the distance below a grid value that counts as that value.
# Grid, noise and sum are each rounded by half a unit.
_MARGIN, _TOLERANCE = 4, 1


class Dequantizer(Options, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Transformer that adds uniform noise to values on a grid.

    .. math:: y = x + \delta u, \qquad u \sim \mathcal{U}[0, 1)

    The grid has the spacing :math:`\delta`, which is ``step``. The noise of a row
    depends only on the seed, the number of the draw and the content of the row.

    Parameters
    ----------
    step
        Spacing of the grid: 1 for counts and 8-bit pixels, 1/255 for 8-bit pixels
        divided by 255.
    draw
        Number of the draw, at least 0. Different numbers give independent noise for the
        same rows.
    random_state : int, RandomState instance or None
        Seed of the noise.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.

    See Also
    --------
    BernoulliBinarizer : Bits of gray values.
    sklearn.preprocessing.KBinsDiscretizer : Bins of real values.

    References
    ----------
    Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
    models. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.preprocessing import Dequantizer
    >>> X = np.array([[0.0, 3.0], [2.0, 1.0]])
    >>> spread = Dequantizer().fit(X)
    >>> Y = spread.transform(X)
    >>> bool(((Y >= X) & (Y < X + 1)).all())
    True
    >>> spread.inverse_transform(Y)
    array([[0., 3.],
           [2., 1.]])
    """

    step: Positive = 1.0
    _: KW_ONLY
    draw: CountOrZero = 0
    random_state: RandomState = 0

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Data, y: Target = None) -> Self:
        """Validate the data, record the columns and fix the seed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Values on the grid. NaN marks a missing value and stays NaN.
        y : None
            Ignored.

        Returns
        -------
        self : Dequantizer
        """
        with taking_numbers(self):
            _numbers(validate_data(self, X, ensure_all_finite="allow-nan"))
        self._seed = check_random_state(self.random_state).randint(MAX_SEED)
        return self

    def transform(self, X: Data) -> np.ndarray:
        """Add uniform noise to rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Values on the grid; NaN where missing.

        Returns
        -------
        Y : ndarray of shape (n_samples, n_features)
            X plus noise. The dtype is float64 if X has this dtype, else float32.

        Raises
        ------
        ValueError
            Values are so large that a cell has no interior in their floating type.
        """
        check_is_fitted(self)
        with taking_numbers(self):
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
            X = _numbers(X)
        rows = Rows(X, floating_type(X.dtype))
        rng = stream(self._seed, self.draw).rows(row_hash(rows))
        x, step = rows.take(slice(None)), rows.dtype(self.step)
        margin = _MARGIN * np.finfo(x.dtype).eps * (np.abs(x) + step)
        if (2 * margin > step).any():
            raise ValueError(
                f"Values up to {np.nanmax(np.abs(x)):g} are too large for steps of "
                f"{self.step:g} in {x.dtype}: give float64 numbers, or scale them down."
            )
        y = x + step * rng.uniform(x.shape[1], rows.dtype)
        return y.clip(x + margin, x + step - margin)

    def inverse_transform(self, X: Data) -> np.ndarray:
        """Round values down to the grid.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        X_grid : ndarray of shape (n_samples, n_features)
            Largest multiple of ``step`` that does not exceed the value. A value within
            one rounding error below a multiple counts as the multiple. The dtype is
            float32 if X has this dtype, else float64.
        """
        check_is_fitted(self)
        checks = {"ensure_all_finite": "allow-nan", "dtype": [np.float64, np.float32]}
        with taking_numbers(self):
            X = check_array(X, **checks)
        near = _TOLERANCE * np.finfo(X.dtype).eps * np.abs(X)
        cells = np.floor((X.astype(np.float64) + near) / self.step)
        return (cells * self.step).astype(X.dtype)

    def log_abs_det_jacobian(self, X: Data) -> np.ndarray:
        """Log absolute determinant of the Jacobian: 0, because noise is a shift.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_det : ndarray of shape (n_samples,)
        """
        return np.zeros(len(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _numbers(X):
    """Array as numbers; scikit-learn does not convert columns of categories."""
    return X if X.dtype.kind in "biuf" else X.astype(np.float64)
