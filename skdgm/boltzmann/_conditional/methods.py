"""Public methods of conditional machines: prediction, sampling, imputation and
scores."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdgm.base import Estimator
from skdgm.base.fits import mean_score
from skdgm.base.frames import as_frame, filled_in, indexed
from skdgm.base.reading import column_types_of
from skdgm.base.series import continued, fit_transform
from skdgm.data.sequences import answered, as_one_table, by_row, is_several, of_each
from skdgm.data.units import parsed
from skdgm.typing import Data, Filling, Seed, Target, Weight
from skdgm.utils.counts import count

_PROBABLE = "categorical", "bernoulli"


def _has_classes(estimator):
    """Return whether a column of y has classes; True before ``fit``, when it is
    unknown."""
    known = vars(estimator)
    if "_responses" not in known:
        return True
    responses = known["_responses"]
    return responses is not None and bool(_columns_with_classes(responses))


def _has_lags(estimator):
    """Return whether an estimator models series."""
    return vars(estimator).get("_responses", None) is None


def _columns_with_classes(responses):
    """Numbers of the columns of y that are categories or bits, a list."""
    kinds = enumerate(responses.kinds)
    return [j for j, kind in kinds if parsed(kind)[0] in _PROBABLE]


class ConditionalMethods(Estimator):
    """Methods of fitted conditional machines, which take X and y, or series."""

    def predict(
        self, X: Data, *, lengths: Target = None, groups: Target = None
    ) -> object:
        r"""Predict y by its most probable categories and bits, and means of numbers.

        .. math:: \hat y_j = \arg\max_k p(y_j = k \mid x) \quad \text{or} \quad
            \mathbb{E}[y_j \mid x]

        Predictions are exact if likelihoods are. Otherwise they are averages over
        annealed chains, the same at each call; see :meth:`impute`, which returns
        probabilities of bits. With ``n_lags`` each row is predicted from the previous
        rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        lengths, groups : array-like, default=None
            Series of a table, as in :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            In the form of the y that ``fit`` was given, with the index of X; for
            series, in the form of X. Columns of a DataFrame keep their dtypes: means of
            integers are rounded.

        Warns
        -----
        FewDrawsWarning
            As in :meth:`impute`.
        """
        density = self.density_

        def predict(X, y):
            predicted = density.predict(X, y)
            return indexed(
                as_frame(self, predicted, X) if density.n_lags else predicted, X
            )

        return self._ask(predict, X, None, lengths, groups)

    @available_if(_has_classes)
    def predict_proba(self, X: Data) -> object:
        r"""Probabilities of the categories of y, :math:`p(y_j = k \mid x)`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or list of such
            Probabilities in the order of ``classes_``. If y has several columns, a list
            with an array for each column of categories or bits.

        Warns
        -----
        FewDrawsWarning
            As in :meth:`impute`.
        """
        check_is_fitted(self)
        density = self.density_
        probabilities = density.probabilities(density.marginals(X))
        return probabilities[0] if len(density.responses.kinds) == 1 else probabilities

    def transform(
        self,
        X: Data,
        y: Target = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> np.ndarray:
        r"""Means of the hidden units, :math:`\mathbb{E}[h \mid x]` or
        :math:`\mathbb{E}[h \mid x, y]`.

        Means are exact if y is complete, or if its missing entries or the hidden layer
        have at most :math:`2^{12}` states, and found by mean field otherwise. With
        ``n_lags`` they are conditional on the row and the previous rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Columns y, if known.
        lengths, groups : array-like, default=None
            Series of a table, as in :meth:`fit`.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
        """
        return self._ask(self.density_.features, X, y, lengths, groups)

    fit_transform = fit_transform

    def sample(
        self, X: Data = 1, random_state: Seed = None, *, n_steps: int = 100
    ) -> object:
        r"""Draw y for each row of X, :math:`y \sim p(y \mid x)`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or int, \
                default=1
            Conditions; repeat a row for several draws. An int is a number of rows with
            unknown conditions, which are replaced by their means. With ``n_lags``, it
            is the length of a single series; :meth:`sample_sequences` draws several.
        random_state : int, RandomState instance or None, default=None
            By default, NumPy's global generator, so that rows differ between calls.
        n_steps : int, default=100
            Number of Gibbs steps from the mean-field solution, if draws are not exact.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            In the form of the y that ``fit`` was given.
        """
        density = self.density_
        if density.n_lags:
            kept = vars(self).get("_kept")
            return as_frame(self, density.sample(X, random_state, kept=kept))
        self._refuse_series(X)
        return indexed(density.sample(X, random_state, n_steps=n_steps), X)

    @available_if(_has_lags)
    def sample_sequences(
        self,
        n_steps: int,
        *,
        prefix: Data | None = None,
        n_samples: int = 1,
        random_state: Seed = None,
        lengths: Target = None,
        groups: Target = None,
    ) -> list:
        r"""Draw series, or continue given series; requires ``n_lags``.

        Parameters
        ----------
        n_steps : int
            Number of time steps to draw.
        prefix : {array-like, sparse matrix} of shape (n_rows, n_features), or list of \
                such, default=None
            Series to continue; NaN where missing.
        n_samples : int, default=1
            Number of series, or of continuations of each prefix.
        random_state : int, RandomState instance or None, default=None
            By default, NumPy's global generator, so that series differ between calls.
        lengths, groups : array-like, default=None
            Lengths of the prefixes, or the prefix of each row, as in :meth:`fit`.

        Returns
        -------
        series : list of ndarray of shape (n_steps, n_features)
            Time steps after the prefix, without the prefix. All continuations of the
            first prefix come first. DataFrames if ``fit`` was given one; a
            regular DatetimeIndex or PeriodIndex of a prefix is continued.
        """
        if not self.density_.n_lags:
            raise ValueError(
                f"{self._name} was fitted without n_lags, so to no series."
            )
        prefixes = None
        if prefix is not None:
            prefixes = as_one_table(prefix, lengths, groups)
        return continued(self, n_steps, prefixes, n_samples, random_state)

    def impute(
        self,
        X: Data,
        y: Target = None,
        *,
        method: Filling = "mean",
        n_steps: int = 100,
        random_state: Seed = None,
        lengths: Target = None,
        groups: Target = None,
    ) -> object:
        """Impute missing entries of y given X and the known entries of y, or those of
        series.

        A row is imputed exactly if its missing entries, or the hidden layer, have at
        most :math:`2^{12}` states. Otherwise means are averages over annealed chains
        with importance weights. A row has 8 chains, and up to 32 longer chains if its
        standard errors exceed 0.02 (of a probability, or in standard deviations). Draws
        are the last states of Gibbs chains from the mean-field solution.

        With ``n_lags``, missing entries of X are imputed given all other entries of
        their series, by 100 particles. Particles draw missing entries row by row, with
        30 Gibbs steps if exact draws are not possible. Their weights are the
        likelihoods of the known entries of the row and of up to 50 later rows. Rows
        without later known entries are forecasts given the previous rows: means over
        300 particles. If neither a row nor the hidden layer has at most :math:`2^{12}`
        states, all rows are imputed like forecasts, by 50 particles, and
        ``density_.capabilities["fill"]`` lacks "future". Columns that were constant
        within each series of ``fit`` take their known value in the same series, or are
        drawn once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            NaN (None) where missing; by default all entries are missing.
        method : {"mean", "sample"}, default="mean"
            "mean" imputes means (probabilities of bits, and the most probable
            categories), the same at each call; "sample" imputes draws.
        n_steps : int, default=100
            Number of Gibbs steps if results are not exact. For means, the number of
            annealing steps of each chain, and of the steps over which it is averaged.
        random_state : int, RandomState instance or None, default=None
            For "sample".
        lengths, groups : array-like, default=None
            Series of a table, as in :meth:`fit`.

        Returns
        -------
        y_filled : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            y with its missing entries imputed; with ``n_lags``, X. Columns of a
            DataFrame keep their dtypes, booleans included.

        Raises
        ------
        ValueError
            ``method`` is unknown, or ``n_steps`` is less than 1.

        Warns
        -----
        FewDrawsWarning
            Chains disagree: a mean has a standard error above 0.05.
        """
        density, count_ = self.density_, count(n_steps, "n_steps")

        def fill(X, side):
            if density.n_lags:
                kept = vars(self).get("_kept")
                filled = density.fill(X, method, random_state, lengths=side, kept=kept)
                return filled_in(self, X, filled)
            filled = density.fill(X, method, random_state, y=side, n_steps=count_)
            return indexed(indexed(filled, X), side)

        return self._ask(fill, X, y, lengths, groups)

    def score_samples(
        self,
        X: Data,
        y: Target = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> np.ndarray:
        r"""Log-likelihood of each row of y given X, in nats, or of rows given previous
        rows.

        .. math:: \log p(y \mid x) = \log \sum_h e^{-E(y, h; x)} - \log Z(x)

        It is exact if y or the hidden layer has at most :math:`2^{12}` states.
        Otherwise log Z of each row is estimated by annealed importance sampling in both
        directions. The result uses the mean of both estimates, or the higher log Z if
        they differ by more than 1 nat. :meth:`likelihood_bracket` returns both bounds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            NaN (None) is a missing value, which is marginalized exactly or by a lower
            bound. Without y nothing is observed, and the log-likelihood is 0. With
            ``n_lags`` there is no y, and each row of X is scored given the previous
            rows.
        lengths, groups : array-like, default=None
            Series of a table, as in :meth:`fit`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self._ask(self.density_.log_prob, X, y, lengths, groups)

    def likelihood_bracket(
        self,
        X: Data,
        y: Target = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> tuple:
        """Lower and upper estimates of the log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        lengths, groups : array-like, default=None
            As in :meth:`score_samples`.

        Returns
        -------
        low, high : ndarray of shape (n_samples,), float64
            Estimates by annealing from the model to independent units, and in the
            opposite direction. Their expectations are below and above the
            log-likelihood. They are equal if the log-likelihood is exact. Lists of
            arrays if X is a list of series.
        """
        brackets = self._ask(self._transposed_bracket, X, y, lengths, groups)
        if self.density_.n_lags and is_several(X):
            return tuple(map(list, zip(*(bracket.T for bracket in brackets))))
        return tuple(brackets.T)

    def _transposed_bracket(self, X, side):
        return self.density_.bracket(X, side).T

    def score(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> float:
        """Mean log-likelihood of y given X, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            As in :meth:`score_samples`; ignored with ``n_lags``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all are equal. With ``n_lags``, one weight
            for each series is also accepted.
        lengths, groups : array-like, default=None
            As in :meth:`score_samples`.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples` over all rows.
        """
        density = self.density_
        if density.n_lags:
            X, lengths = as_one_table(X, lengths, groups)
            y, sample_weight, groups = None, by_row(sample_weight, lengths), None
        scores = self.score_samples(X, y, lengths=lengths, groups=groups)
        return mean_score(scores, sample_weight)

    @property
    def classes_(self) -> object:
        """Values of each column of y with classes: an array for a single column of y,
        otherwise a list."""
        check_is_fitted(self)
        responses, classes = self._responses, []
        for j in () if responses is None else _columns_with_classes(responses):
            values = responses.classes[j]
            classes.append(values if len(values) else np.arange(2))
        if not classes:
            raise AttributeError(f"y of this {self._name} has no classes.")
        return classes[0] if len(responses.kinds) == 1 else classes

    @property
    def column_types_(self) -> dict:
        """Type of each column of y, by name or number."""
        check_is_fitted(self)
        if self._responses is None:
            return column_types_of(self)
        types = self._y_columns.column_types()
        pairs = zip(types, self._responses.classes)
        types = [t._replace(values=c.tolist()) if len(c) else t for t, c in pairs]
        return dict(zip(self._responses.names, types))

    @property
    def condition_types_(self) -> dict:
        """Type of each column of X, by name or number."""
        return column_types_of(self)

    def _ask(self, function, X, y, lengths, groups):
        """Result of a function of X and y, or of a table and the lengths of its
        series."""
        if not self.density_.n_lags:
            self._refuse_series(X, lengths, groups)
            return function(X, y)
        self._refuse_y(y)
        return answered(function, X, lengths, groups)

    def _refuse_series(self, X, lengths=None, groups=None):
        if X is None:
            raise ValueError(
                f"{self._name} has columns y given columns X, but X is None: no "
                "condition is given. Without any, use RBM."
            )
        if lengths is not None or groups is not None or is_several(X):
            raise ValueError(
                "Lists of tables, lengths and groups are of series, but "
                f"{self._name} has n_lags=0: it is of columns y given columns X."
            )

    def _refuse_y(self, y):
        if y is not None:
            raise ValueError(
                f"With n_lags {self._name} is of a series X alone: give no y, but y as "
                "columns of X, or lags as columns of X with n_lags=0."
            )


# Outermost, around the wrappers of scikit-learn.
ConditionalMethods.transform = of_each(ConditionalMethods.transform)
ConditionalMethods.fit_transform = of_each(ConditionalMethods.fit_transform)
