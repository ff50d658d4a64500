"""Base class of imputers: which columns are kept, indicators, names."""

from typing import Annotated

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils._param_validation import MissingValues
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from skdgm.base.meta import MetaEstimator
from skdgm.base.options import KW_ONLY
from skdgm.data.foreign import as_pandas
from skdgm.imputation._tables import beside, emptied, like, marked, restored, take
from skdgm.typing import ArrayLike, ArrayOrFrame, Data
from skdgm.utils.domains import is_frame


def _indicates(imputer):
    """True; raise AttributeError if ``transform`` adds no indicators."""
    if not imputer.add_indicator:
        raise AttributeError(
            "inverse_transform needs the indicators of missing values, which transform "
            "returns with add_indicator=True only."
        )
    return True


class Imputer(TransformerMixin, MetaEstimator):
    """Base class of imputers: validation, indicators and formats around a model.

    A subclass has a ``fit`` that sets ``_known`` and ``_lacked``: boolean arrays, True
    for the columns that had any value in ``fit``, and that had any missing one.

    Parameters
    ----------
    add_indicator
        Whether to add, on the right, a column of bits for each column that had missing
        values in ``fit``, as ``MissingIndicator`` of scikit-learn does.
    keep_empty_features
        Whether to keep columns that had no value at all in ``fit``. The model does not
        see them; they are filled with 0 (of dates, 1970), in a DataFrame with the first
        category of a category dtype, and columns of text with "missing_value".
    missing_values : int, float, str, np.nan, None or pandas.NA, default=np.nan
        A value that stands for a missing one, besides NaN, None and NA.
    """

    _: KW_ONLY
    add_indicator: bool = False
    keep_empty_features: bool = False
    missing_values: Annotated[object, MissingValues()] = np.nan

    @available_if(_indicates)
    def inverse_transform(self, X: Data) -> ArrayOrFrame:
        """Take what was filled in out again, by the indicators.

        Columns without an indicator had no missing values in ``fit``; what was missing
        there later stays filled.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features_out)
            Result of :meth:`transform` with ``add_indicator``.

        Returns
        -------
        X_original : ndarray or DataFrame of shape (n_samples, n_features)
            With ``missing_values`` where indicators are 1, and in columns that were
            dropped.

        Raises
        ------
        AttributeError
            ``add_indicator`` is False.
        ValueError
            X has not as many columns.
        """
        check_is_fitted(self)
        given, X = X, as_pandas(X)
        X = X if is_frame(X) else np.asarray(X)
        n_out = len(self.get_feature_names_out())
        if X.shape[1] != n_out:
            raise ValueError(
                f"X has {X.shape[1]} columns, but transform returns {n_out}."
            )
        right = np.arange(n_out) >= n_out - self._lacked.sum()
        lacks = np.zeros((len(X), len(self._known)), bool)
        lacks[:, self._lacked] = np.asarray(take(X, right)).astype(bool)
        names = _check_feature_names_in(self)
        found = take(X, ~right), lacks, self._kept, names, self.missing_values
        return like(given, emptied(*found))

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X, if it has none.

        Returns
        -------
        names : ndarray of str
            Those of X that are kept, then the indicators', which are a column's name
            after ``missingindicator_``.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        kept, bits = names[self._kept], self._indicators(names)
        return np.array([*kept, *bits] if self.add_indicator else kept, dtype=object)

    @property
    def _kept(self):
        """Boolean array, True for the columns that are not dropped."""
        return self._known | self.keep_empty_features

    def _read(self, X, reset=False):
        """Validate a table; return it with NaN where missing, and where that is.

        DataFrames of other libraries become those of pandas.
        """
        X = as_pandas(X)
        checks = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan"}
        checks = checks | {"dtype": None}
        if is_frame(X):
            # The model reads DataFrames in its own way.
            checks = {"skip_check_array": True}
        return marked(
            validate_data(self, X, reset=reset, **checks), self.missing_values
        )

    def _filled(self, X, fill):
        """Table filled by a function of the columns that had any value in ``fit``."""
        table, lacks = self._read(X)
        names = table.columns if is_frame(table) else _check_feature_names_in(self)
        filled = fill(take(table, self._known))
        if not np.array_equal(self._known, self._kept):
            filled = restored(filled, table, lacks, self._known, names)
        if self.add_indicator:
            filled = beside(filled, lacks[:, self._lacked], self._indicators(names))
        return like(X, filled)

    def _indicators(self, names):
        """Names of the indicators, which are scikit-learn's."""
        return [f"missingindicator_{name}" for name in names[self._lacked]]
