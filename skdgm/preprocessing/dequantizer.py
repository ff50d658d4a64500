r"""Densities of values that lie on a grid.

.. math:: y = x + \delta u, \qquad u \sim \mathcal{U}[0, 1)

spreads each value over its cell (but for a few units in the last place at its ends,
which rounding would move to the next cell), so that a density cannot grow without limit
by narrow peaks at the grid's values. Then

.. math:: \log P(x) \ge \mathbb{E}_u[\log p(x + \delta u)] + d \log \delta

is a bound on the probability of the values themselves [1]_.

References
----------
.. [1] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
   models. ICLR.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skdgm.preprocessing._numbers import taking_numbers
from skdgm.utils.hashing import row_hash
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows, floating_type

# How far from a cell's ends values stay, in roundings; how near to the one above
# counts as there. Grid, noise and sum are rounded by half of one each.
_MARGIN, _NEAR = 4, 1


class Dequantizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Spread values on a grid over their cells.

    .. math:: y = x + \delta u, \qquad u \sim \mathcal{U}[0, 1)

    A row's noise is fixed by the seed, the draw's number and the row's content.

    Parameters
    ----------
    step : float, default=1.0
        The distance of neighbouring values: 1 for counts and 8-bit pixels, 1/255 for
        such pixels divided by 255.
    draw : int, default=0
        Number of the draw.
    random_state : int, RandomState instance or None, default=0

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

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

    _parameter_constraints: dict = {
        "step": [Interval(Real, 0, None, closed="neither")],
        "draw": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, step=1.0, *, draw=0, random_state=0):
        self.step = step
        self.draw = draw
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the columns' names, and fix the seed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN is missing, and stays so.
        y : None
            Ignored.

        Returns
        -------
        self : Dequantizer
        """
        with taking_numbers(self):
            validate_data(self, X, ensure_all_finite="allow-nan", dtype="numeric")
        self._seed = check_random_state(self.random_state).randint(MAX_SEED)
        return self

    def transform(self, X):
        """Add noise to rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        Y : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            Values are so large that a cell has no inside in their floating type.
        """
        check_is_fitted(self)
        with taking_numbers(self):
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
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

    def inverse_transform(self, X):
        """The grid's values below given ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        X_grid : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        checks = {"ensure_all_finite": "allow-nan", "dtype": [np.float64, np.float32]}
        with taking_numbers(self):
            X = check_array(X, **checks)
        near = _NEAR * np.finfo(X.dtype).eps * np.abs(X)
        cells = np.floor((X.astype(np.float64) + near) / self.step)
        return (cells * self.step).astype(X.dtype)

    def log_abs_det_jacobian(self, X):
        """Log of the Jacobian's determinant, 0 for each row: noise shifts.

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
