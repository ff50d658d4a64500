"""Answers of machines of columns y given columns X, or of rows of series given those
before."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdgm.base import Estimator
from skdgm.base.fits import mean_score
from skdgm.base.frames import filled_in, framed, indexed
from skdgm.base.reading import column_types_of
from skdgm.base.series import continued, fit_transform
from skdgm.data.sequences import answered, as_one_table, by_row, is_several, of_each
from skdgm.data.units import parsed
from skdgm.typing import Data, Filling, Seed, Target, Weight
from skdgm.utils.counts import count

_PROBABLE = "categorical", "bernoulli"


def _has_classes(estimator):
    """Whether a column of y has probabilities, which is not known before ``fit``."""
    if "_responses" not in vars(estimator):
        return True
    responses = estimator._responses
    return responses is not None and bool(_columns_with_classes(responses))


def _has_lags(estimator):
    """Whether a fitted estimator continues series."""
    return vars(estimator).get("_responses", None) is None


def _columns_with_classes(responses):
    """Numbers of the columns of y that are categories or bits."""
    kinds = enumerate(responses.kinds)
    return [j for j, kind in kinds if parsed(kind)[0] in _PROBABLE]


class GivenAnswers(Estimator):
    """Public methods of a fitted machine, which take X and y, or series."""

    def predict(
        self, X: Data, *, lengths: Target = None, groups: Target = None
    ) -> object:
        r"""Predict y: the most probable categories and bits, and means of numbers.

        .. math:: \hat y_j = \arg\max_k p(y_j = k \mid x) \quad \text{or} \quad
            \mathbb{E}[y_j \mid x]

        Exact where likelihoods are, else averages over annealed chains, the same at
        each call: see :meth:`impute`, which returns probabilities of bits as such. With
        ``n_lags`` each row is predicted from those before it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        lengths, groups : array-like, default=None
            Series of a table, as for :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            As y was given in ``fit``, with the index of X; of series as X. Columns of
            a DataFrame have their types: means of whole numbers are rounded.

        Warns
        -----
        FewDrawsWarning
            As of :meth:`impute`.
        """
        density = self.density_

        def predict(X, y):
            predicted = density.predict(X, y)
            return indexed(
                framed(self, predicted, X) if density.n_lags else predicted, X
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
            In the order of ``classes_``: a list of those of each column of y that has
            categories, or bits, if there are several columns of y.

        Warns
        -----
        FewDrawsWarning
            As of :meth:`impute`.
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
        r"""Means of hidden units, :math:`\mathbb{E}[h \mid x]` or :math:`\mathbb{E}[h
        \mid x, y]`.

        Exact where y is complete, or its missing entries, or the hidden layer, have at
        most :math:`2^{12}` states; else by mean field. With ``n_lags`` they are given
        each row and those before.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Columns, if known.
        lengths, groups : array-like, default=None
            Series of a table, as for :meth:`fit`.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
        """
        return self._ask(self.density_.features, X, y, lengths, groups)

    fit_transform = fit_transform

    def sample(
        self, X: Data = 1, random_state: Seed = None, *, n_steps: int = 100
    ) -> object:
        r"""Draw a y for each row of X, :math:`y \sim p(y \mid x)`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or int, \
                default=1
            Conditions; repeat a row for several draws. An int is the number of rows of
            which no condition is known: these are the means. With ``n_lags`` it is the
            number of rows of a series; :meth:`generate` draws several.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        n_steps : int, default=100
            Number of Gibbs steps, from the mean field, where draws are not exact.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            As y was given in ``fit``.
        """
        density = self.density_
        if density.n_lags:
            kept = vars(self).get("_kept")
            return framed(self, density.sample(X, random_state, kept=kept))
        self._refuse_series(X)
        return indexed(density.sample(X, random_state, n_steps=n_steps), X)

    @available_if(_has_lags)
    def generate(
        self,
        n_steps: int,
        *,
        prefix: Data | None = None,
        n_samples: int = 1,
        random_state: Seed = None,
        lengths: Target = None,
        groups: Target = None,
    ) -> list:
        """Draw series, or continue given ones, step by step, with ``n_lags``.

        Parameters
        ----------
        n_steps : int
            Number of steps to draw.
        prefix : {array-like, sparse matrix} of shape (n_rows, n_features), or list of \
                such, default=None
            Series to continue; NaN where missing.
        n_samples : int, default=1
            Number of series, or of continuations of each prefix.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other series at each call.
        lengths, groups : array-like, default=None
            Lengths of the prefixes, or the prefix of each row, as for :meth:`fit`.

        Returns
        -------
        series : list of ndarray of shape (n_steps, n_features)
            The steps after the prefix, without it: all continuations of the first one
            first. DataFrames if ``fit`` was given one.
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
        """Fill missing entries of y, given X and the known entries of y; or missing
        entries of series.

        Exact for each row of which the missing entries, or the hidden layer, have at
        most :math:`2^{12}` states. Other means are averages over annealed chains,
        weighted by importance: 8 of a row, and up to 32, longer ones, where its
        standard errors exceed 0.02 (of a probability, or deviations); draws are the
        ends of Gibbs chains from the mean field.

        With ``n_lags`` missing entries of X are filled given all others of their
        series, by 100 particles. These draw missing entries row by row, by 30 Gibbs
        steps where that is not exact, and are weighted by how probable they make what
        is known of the row and of those after it: until 50 rows after. Rows that no
        known entry follows are forecasts, given the rows before: means over 300
        particles. So are all rows, by 50 particles, where neither a row nor the hidden
        layer has at most :math:`2^{12}` states
        (``density_.capabilities["fill"]`` then lacks "future"). Columns that stayed the
        same within each series of ``fit`` have the value that they have elsewhere in
        theirs, or are drawn once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            NaN (None) where missing; by default all of it is.
        method : {"mean", "sample"}, default="mean"
            "mean" fills in means (probabilities of bits; of categories the most
            probable ones), the same at each call; "sample" fills in draws.
        n_steps : int, default=100
            Number of Gibbs steps where results are not exact: of means as many to
            anneal a chain, and to average over.
        random_state : int, RandomState instance or None, default=None
            For "sample".
        lengths, groups : array-like, default=None
            Series of a table, as for :meth:`fit`.

        Returns
        -------
        y_filled : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            Known entries are unchanged. Of series X, filled. Columns of a DataFrame
            have their types, if bits were given as truth values these.

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
        r"""Log-likelihood of each row of y given X, in nats; or of rows given those
        before.

        .. math:: \log p(y \mid x) = \log \sum_h e^{-E(y, h; x)} - \log Z(x)

        Exact where y or the hidden layer has at most :math:`2^{12}` states. Otherwise
        log Z of each row is estimated by annealed importance sampling from both sides:
        their mean, or where they differ by more than 1 nat the higher;
        :meth:`likelihood_bracket` has both.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            NaN (None) is a missing value, which is summed out: exactly, or by a lower
            bound. Without y nothing is observed, and the likelihood is 1; but with
            ``n_lags`` it is that of each row of X given those before.
        lengths, groups : array-like, default=None
            Series of a table, as for :meth:`fit`.

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
            As of :meth:`score_samples`.

        Returns
        -------
        low, high : ndarray of shape (n_samples,), float64
            Lists of arrays if X is a list of series.
            By annealing from the model down, and from independent units up: on average
            on either side of the log-likelihood. Equal where this is exact.
        """
        brackets = self._ask(self._transposed_bracket, X, y, lengths, groups)
        if self.density_.n_lags and is_several(X):
            return tuple(map(list, zip(*(part.T for part in brackets))))
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
            As of :meth:`score_samples`; ignored with ``n_lags``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all are equal. As in :meth:`fit`, series may
            have one each instead.
        lengths, groups : array-like, default=None
            As of :meth:`score_samples`.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples`, over all rows.
        """
        density = self.density_
        if density.n_lags:
            X, lengths = as_one_table(X, lengths, groups)
            y, sample_weight, groups = None, by_row(sample_weight, lengths), None
        scores = self.score_samples(X, y, lengths=lengths, groups=groups)
        return mean_score(scores, sample_weight)

    @property
    def classes_(self) -> object:
        """Values of the column of y that has classes, or of each of several."""
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
        """How each column of y is read, by its name or number."""
        check_is_fitted(self)
        if self._responses is None:
            return column_types_of(self)
        types = self._y_columns.column_types()
        known = zip(types, self._responses.classes)
        types = [t._replace(values=c.tolist()) if len(c) else t for t, c in known]
        return dict(zip(self._responses.names, types))

    @property
    def condition_types_(self) -> dict:
        """How each column of X is read, by its name or number."""
        return column_types_of(self)

    def _ask(self, function, X, y, lengths, groups):
        """A function of X and y, or of a table and the lengths of its series."""
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


# Outside of what scikit-learn wraps around them.
GivenAnswers.transform = of_each(GivenAnswers.transform)
GivenAnswers.fit_transform = of_each(GivenAnswers.fit_transform)
