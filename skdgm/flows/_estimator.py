"""Base class of normalizing flows."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.base.attributes import documented_as
from skdgm.base.fits import mean_score
from skdgm.base.frames import as_frame
from skdgm.base.given import (
    attribute_types_,
    conditional_sample,
    count_attributes,
    given_attributes,
    impute,
)
from skdgm.data import names_of
from skdgm.flows._columns import FlowColumns
from skdgm.nets import NetEstimator
from skdgm.nets.estimator import TrainingSize, check_cost
from skdgm.typing import ArrayOrFrame, Data, Seed, Target, Weight


class FlowEstimator(NetEstimator):
    """Public methods of flows, perhaps conditional on attributes."""

    _MODEL_READS = "_attributes_", "_known"

    impute, conditional_sample = impute, conditional_sample
    attribute_types_ = attribute_types_

    @property
    def _domain(self):
        options = self._options
        if options.bounds is None and options.dequantization is None:
            return super()._domain
        return FlowColumns(options.bounds, options.dequantization)

    def fit_transform(
        self, X: Data, y: Target = None, sample_weight: Weight = None
    ) -> np.ndarray:
        """Fit the model and return the codes of the training rows.

        Parameters
        ----------
        X, y, sample_weight : object
            As for :meth:`fit`.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
        """
        return self.fit(X, y, sample_weight).transform(
            X, self._attributes_if_conditional(y)
        )

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        y: object = None,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        r"""Draw rows, :math:`x \sim p(x \mid y; \, x_j \in S_j, \, j \in C)`.

        Draws are exact without conditions on columns. Under conditions, rows are
        resampled from a pool of weighted draws whose effective size is at least twice
        the number of requested rows. Values of columns condition the initial normal
        distribution, which proposes the other columns; ranges are met by rejection.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None: NumPy's global generator, with different rows at each call.
        y : object, dict or array-like, default=None
            Attributes of all rows, or of each row, for a conditional flow; the same for
            all rows under ``conditions``. By default, attributes of training rows are
            drawn by weight.
        conditions : dict, default=None
            Conditions by the name, or number, of a column: a value; or a range,
            ``slice(low, high)`` with None for an open end, or an Interval of pandas.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            If a condition names no column or has probability zero, a class is unknown,
            y has a wrong number of rows, or the flow is not conditional.

        Warns
        -----
        FewDrawsWarning
            If the conditions are so improbable that few draws satisfy them.
        """
        check_is_fitted(self)
        rows = self.density_.sample(
            n_samples, random_state, y=y, conditions=conditions, names=names_of(self)
        )
        return as_frame(self, rows)

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            With NaN entries, the likelihood is that of the observed entries.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows, or of all rows, for a conditional flow. By default,
            the classes are marginalized, with their weights in the training rows:
            :math:`\log \sum_y p(y) \, p(x \mid y)`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            Deterministic. With ``dequantization``, the log of a mean over ``n_draws``
            of the noise, a lower bound in expectation.

        Raises
        ------
        ValueError
            If y is missing and attributes are real, a value is not a whole number, or a
            class is unknown.

        Warns
        -----
        DataRangeWarning
            If values are beyond the bounds; they are clipped.
        """
        return self.density_.log_prob(X, y=y)

    @documented_as(
        NetEstimator.score,
        """
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows; ignored unless the flow is conditional.
        """,
    )
    def score(self, X: Data, y: Target = None, sample_weight: Weight = None) -> float:
        return mean_score(
            self.score_samples(X, self._attributes_if_conditional(y)), sample_weight
        )

    def transform(self, X: Data, y: Target = None) -> np.ndarray:
        """Code of each row; the expected code of a row with missing entries.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows, or of all rows; required by a conditional flow.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            Distributed as the ``base`` if X is distributed as the model.
        """
        return self.density_.features(X, y=y)

    def inverse_transform(self, H: Data, y: Target = None) -> ArrayOrFrame:
        """Rows of codes.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features)
            Codes, as returned by :meth:`transform`.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows, or of all rows; required by a conditional flow.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if H is one, and ``fit`` was given one.

        Raises
        ------
        ValueError
            If H has a wrong number of columns.
        """
        return as_frame(self, self.density_.inverse(H, y), H)

    def _attributes_if_conditional(self, y):
        """Attributes y of rows; None for an unconditional flow in a pipeline that has
        y."""
        return y if self._options.attribute_conditional else None

    def _label(self, rows, y, fresh, classes):
        """Rows with numeric attributes, and the fitted types of the attributes."""
        if not self._options.attribute_conditional:
            return rows, {"_attributes_": None, "_known": None}
        return given_attributes(self, rows, y, fresh)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if self._attributes_ is not None:
            count_attributes(self, table, fresh)

    def _check_cost(self, table, n_epochs):
        facts, n, options = self._facts(), len(table.index), self._options
        n_columns, dtype = table.rows.shape[1], np.dtype(table.rows.dtype)
        # Number of activations of all layers for each column of a minibatch.
        n_activations = (1 + options.n_layers) * options.n_bins
        check_cost(
            self._name,
            np.ones(n_columns, int),
            getattr(self, "feature_names_in_", range(n_columns)),
            TrainingSize(
                n_weights=self._MODEL.n_weights(facts),
                n_nets=1,
                shared=True,
                batch=min(n, options.batch_size) * n_activations,
                n_rows=n * n_epochs,
                item=dtype.itemsize,
            ),
            self._LIGHTER,
        )
