"""Base class of imputers: dropped columns, indicators and output names."""

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
from skdgm.data.inputs import columns_named
from skdgm.imputation._tables import (
    append_columns,
    emptied,
    like,
    marked,
    restored,
    take,
)
from skdgm.typing import ArrayLike, ArrayOrFrame, Data
from skdgm.utils.domains import is_frame


def _indicates(imputer):
    """Return True; raise AttributeError if ``transform`` adds no indicators."""
    if not imputer.add_indicator:
        raise AttributeError(
            "inverse_transform needs the indicators of missing values, which transform "
            "returns with add_indicator=True only."
        )
    return True


class Imputer(TransformerMixin, MetaEstimator):
    """Base class of imputers: validation, indicators and output formats around a model.

    ``fit`` of a subclass sets boolean arrays of shape (n_features,): ``_known``, True
    for columns with at least one value in ``fit``, and ``_lacked``, True for columns
    with missing values in ``fit``.

    Parameters
    ----------
    add_indicator
        Whether to append a binary column for each column that had missing values in
        ``fit``, like scikit-learn's ``MissingIndicator``.
    keep_empty_features
        Whether to keep columns without any value in ``fit``, which the model does not
        see. They are filled with 0 (dates with 1970), category columns of a DataFrame
        with the first category, and text with "missing_value".
    missing_values : int, float, str, np.nan, None or pandas.NA, default=np.nan
        Placeholder for missing values, in addition to NaN, None and NA.
    """

    _: KW_ONLY
    add_indicator: bool = False
    keep_empty_features: bool = False
    missing_values: Annotated[object, MissingValues()] = np.nan

    @available_if(_indicates)
    def inverse_transform(self, X: Data) -> ArrayOrFrame:
        """Remove imputed values again, according to the indicators.

        Columns without missing values in ``fit`` have no indicator, so their imputed
        values remain.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features_out)
            Result of :meth:`transform` with ``add_indicator``.

        Returns
        -------
        X_original : ndarray or DataFrame of shape (n_samples, n_features)
            Table with ``missing_values`` where indicators are 1, and in dropped
            columns.

        Raises
        ------
        AttributeError
            ``add_indicator`` is False.
        ValueError
            X has another number of columns.
        """
        check_is_fitted(self)
        original, X = X, as_pandas(X)
        X = X if is_frame(X) else np.asarray(X)
        n_out = len(self.get_feature_names_out())
        if X.shape[1] != n_out:
            raise ValueError(
                f"X has {X.shape[1]} columns, but transform returns {n_out}."
            )
        right = np.arange(n_out) >= n_out - self._lacked.sum()
        missing = np.zeros((len(X), len(self._known)), bool)
        missing[:, self._lacked] = np.asarray(take(X, right)).astype(bool)
        names = _check_feature_names_in(self)
        imputed, missing_value = take(X, ~right), self.missing_values
        return like(
            original, emptied(imputed, missing, self._kept, names, missing_value)
        )

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
            Names of the columns that are not dropped, then those of indicators, which
            have the prefix ``missingindicator_``.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        kept, bits = names[self._kept], self._indicators(names)
        return np.array([*kept, *bits] if self.add_indicator else kept, dtype=object)

    @property
    def _kept(self):
        """Boolean array, True for columns that are not dropped."""
        return self._known | self.keep_empty_features

    def _read(self, X, reset=False):
        """Validate a table; return it with NaN as the missing value, and the mask of
        missing entries. DataFrames of other libraries are converted to pandas."""
        X = as_pandas(X)
        checks = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan"}
        checks = checks | {"dtype": None}
        if is_frame(X):
            # The model validates DataFrames.
            checks = {"skip_check_array": True}
        with columns_named(self, X):
            X = validate_data(self, X, reset=reset, **checks)
        return marked(X, self.missing_values)

    def _filled(self, X, fill):
        """Impute a table by a function of the columns with values in ``fit``."""
        table, missing = self._read(X)
        names = table.columns if is_frame(table) else _check_feature_names_in(self)
        filled = fill(take(table, self._known))
        if not np.array_equal(self._known, self._kept):
            filled = restored(filled, table, missing, self._known, names)
        if self.add_indicator:
            filled = append_columns(
                filled, missing[:, self._lacked], self._indicators(names)
            )
        return like(X, filled)

    def _indicators(self, names):
        """Names of the indicators, as in scikit-learn."""
        return [f"missingindicator_{name}" for name in names[self._lacked]]
