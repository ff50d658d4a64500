"""Contract of all estimators: input, output, score, tags."""

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import (
    _check_sample_weight,
    validate_data,
)

from skdgm.base.options import OptionsMixin
from skdgm.data.tables import refuse_dates, refuse_others
from skdgm.utils.math import shares
from skdgm.utils.threads import one_blas_thread


class GenerativeModel(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    CallbackSupportMixin,
    OptionsMixin,
):
    """Base class of estimators that are densities and transformers.

    A subclass has ``score_samples`` and ``_rows(X)``, which validates X and returns its
    :class:`~skdgm.utils.rows.Rows`.
    """

    def score(self, X, y=None, sample_weight=None):
        """Mean log-likelihood of the rows, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all are equal.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples`.
        """
        scores = self.score_samples(X)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, scores[:, None], ensure_non_negative=True
            )
            sample_weight, _ = shares(sample_weight)
        return float(np.average(scores, weights=sample_weight))

    def _remember(self, X):
        """Store the number and names of the columns of X, which is valid."""
        validate_data(self, X, reset=True, skip_check_array=True)

    def _blockwise(self, of_complete, rows, of_incomplete, index=None):
        """Compute a function of every row, a block of rows at a time.

        Parameters
        ----------
        of_complete, of_incomplete : callable
            Functions of rows without (dense or lists) and with missing entries (dense).
        rows : Rows
        index : ndarray of int, optional
            Rows to use; by default all.

        Returns
        -------
        values : ndarray of shape (n_selected, ...)
        """
        if index is None:
            blocks = rows.blocks()
        else:
            blocks = (index[block] for block in rows.blocks(len(index)))

        def of_block(v):
            incomplete = np.isnan(v).any(axis=1)
            if not incomplete.any():
                return of_complete(v)
            part = of_incomplete(v[incomplete])
            whole = np.empty((len(v), *part.shape[1:]), dtype=part.dtype)
            whole[incomplete] = part
            if not incomplete.all():
                whole[~incomplete] = of_complete(v[~incomplete])
            return whole

        with one_blas_thread():
            if rows.complete:
                parts = [of_complete(rows.present(b)) for b in blocks]
            else:
                parts = [of_block(rows.take(b)) for b in blocks]
        return np.concatenate(parts)


class TabularModel(GenerativeModel):
    """Base class of models of one table of data.

    A subclass has ``_dtype``, the type of its parameters; ``_domain``, the kind of its
    columns; and ``_columns``, their statistics.
    """

    def _rows(self, X, *, dtype=None, reset=False, fitting=False):
        if not reset:
            dtype = dtype or self._dtype
        options = {"reset": reset, "fitting": fitting, "dtype": dtype}
        refuse_dates(X)
        try:
            domain = self._asked_domain if reset else self._domain
            return domain.rows(self, X, **options)
        except (TypeError, ValueError) as error:
            refuse_others(self, X, error)
            raise

    @property
    def _asked_domain(self):
        """Kind of the columns, as requested for the next fit."""
        return self._domain

    def _forget(self):
        """Discard results that depend on parameters which have changed."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        for name, value in self._domain.tags.items():
            setattr(tags.input_tags, name, value)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
