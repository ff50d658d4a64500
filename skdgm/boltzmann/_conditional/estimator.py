"""Base class of machines of columns y given columns X: public methods."""

from typing import Self

import numpy as np
from sklearn.utils import ClassifierTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skdgm.base import Estimator, rolled_back
from skdgm.boltzmann._conditional.model import CONDITIONAL
from skdgm.boltzmann._structure.table_layers import improper
from skdgm.boltzmann._structure.tables import kinds_of
from skdgm.data import column_types_of
from skdgm.data.responses import learned_responses
from skdgm.data.units import UnitColumns, parsed
from skdgm.training import Budget
from skdgm.typing import Data, Filling, Seed, Target, Weight
from skdgm.utils.given import Given
from skdgm.utils.math import shares

_PROBABLE = "categorical", "bernoulli"


def _has_classes(estimator):
    """Whether a column of y has probabilities, which is not known before ``fit``."""
    responses = vars(estimator).get("_responses")
    return responses is None or bool(_columns_with_classes(responses))


def _columns_with_classes(responses):
    """Numbers of the columns of y that are categories or bits."""
    kinds = enumerate(responses.kinds)
    return [j for j, kind in kinds if parsed(kind)[0] in _PROBABLE]


class GivenEstimator(Estimator):
    """Base class of machines of columns y given columns X; a subclass has options."""

    _MODEL = CONDITIONAL
    _KNOWN = "_responses", "_y_columns", "feature_names_in_"
    _BUDGET = Budget(3_000, 20, 200)
    _TRANSIENT = "precision_", "_log_precisions"

    @rolled_back
    def fit(self, X: Data, y: Target = None, sample_weight: Weight = None) -> Self:
        """Fit the model to columns y given columns X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Conditions. NaN is the mean of its column.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Columns of any kinds; required. NaN (None) where missing.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. Whole numbers are exactly so many repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty or infinite; y is missing, of another length, or has a column
            without any value, or values outside the domain of its kind; a weight is
            negative, or all weights are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(
        self, X: Data, y: Target = None, sample_weight: Weight = None
    ) -> Self:
        """Continue training: one pass over the rows, as of an epoch of :meth:`fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Conditions.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Columns, whose classes must all be in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, as for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As raised by :meth:`fit`; or a class is unknown.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Data) -> object:
        r"""Predict y: the most probable categories and bits, and means of numbers.

        .. math:: \hat y_j = \arg\max_k p(y_j = k \mid x) \quad \text{or} \quad
            \mathbb{E}[y_j \mid x]

        Exact where likelihoods are, else by averages over 100 Gibbs steps, the same at
        each call. Probabilities of bits as such are what :meth:`impute` returns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            As y was given in ``fit``.
        """
        check_is_fitted(self)
        density, found = self.density_, self.density_.fill_numbers(X)
        for j, kind in enumerate(density.responses.kinds):
            if kind == "bernoulli":
                found[:, j] = found[:, j] > 0.5
        return density.responses.decoded(found)

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
        """
        check_is_fitted(self)
        density = self.density_
        found = density.probabilities(density.marginals(X))
        return found[0] if len(density.responses.kinds) == 1 else found

    def transform(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Means of hidden units, :math:`\mathbb{E}[h \mid x]` or :math:`\mathbb{E}[h
        \mid x, y]`.

        The second are exact where y is complete; what is missing of y is inferred with
        the hidden units by mean field.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Columns, if known.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
        """
        return self.density_.features(X, y)

    def sample(
        self, X: Data = 1, random_state: Seed = None, *, n_steps: int = 100
    ) -> object:
        r"""Draw a y for each row of X, :math:`y \sim p(y \mid x)`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or int, \
                default=1
            Conditions; repeat a row for several draws. An int is the number of rows of
            which no condition is known: these are the means.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        n_steps : int, default=100
            Number of Gibbs steps, from the mean field, where draws are not exact.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            As y was given in ``fit``.
        """
        return self.density_.sample(X, random_state, n_steps=n_steps)

    def impute(
        self,
        X: Data,
        y: Target = None,
        *,
        method: Filling = "mean",
        n_steps: int = 100,
        random_state: Seed = None,
    ) -> object:
        """Fill missing entries of y, given X and what is known of y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            NaN (None) where missing; by default all of it is.
        method : {"mean", "sample"}, default="mean"
            "mean" fills in means (probabilities of bits; of categories the most
            probable ones), the same at each call; "sample" fills in draws.
        n_steps : int, default=100
            Number of Gibbs steps, where results are not exact.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        y_filled : ndarray of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            Known entries are unchanged.

        Raises
        ------
        ValueError
            ``method`` is unknown, or ``n_steps`` is less than 1.
        """
        given = {"y": y, "n_steps": n_steps}
        return self.density_.fill(X, method, random_state, **given)

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Log-likelihood of each row of y given X, in nats.

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
            bound. Without y nothing is observed, and the likelihood is 1.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self.density_.log_prob(X, y)

    def likelihood_bracket(self, X: Data, y: Target) -> tuple:
        """Lower and upper estimates of the log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        low, high : ndarray of shape (n_samples,), float64
            By annealing from the model down, and from independent units up: on average
            on either side of the log-likelihood. Equal where this is exact.
        """
        return tuple(self.density_.bracket(X, y))

    def score(self, X: Data, y: Target = None, sample_weight: Weight = None) -> float:
        """Mean log-likelihood of y given X, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            As of :meth:`score_samples`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all are equal.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples`.
        """
        scores = self.score_samples(X, y)
        if sample_weight is not None:
            given, how = (sample_weight, scores[:, None]), {"ensure_non_negative": True}
            sample_weight, _ = shares(_check_sample_weight(*given, **how))
        return float(np.average(scores, weights=sample_weight))

    @property
    def classes_(self) -> object:
        """Values of the column of y that has classes, or of each of several."""
        check_is_fitted(self)
        responses, found = self._responses, []
        for j in _columns_with_classes(responses):
            own = responses.classes[j]
            found.append(own if len(own) else np.arange(2))
        if not found:
            raise AttributeError(f"y of this {self._name} has no classes.")
        return found[0] if len(responses.kinds) == 1 else found

    @property
    def column_types_(self) -> dict:
        """How each column of y is read, by its name or number."""
        check_is_fitted(self)
        types = self._y_columns.column_types()
        known = zip(types, self._responses.classes)
        types = [t._replace(values=c.tolist()) if len(c) else t for t, c in known]
        return dict(zip(self._responses.names, types))

    @property
    def condition_types_(self) -> dict:
        """How each column of X is read, by its name or number."""
        return column_types_of(self)

    @property
    def _domain(self):
        return UnitColumns(self._options.condition_types)

    @property
    def _dtype(self):
        return self._state().params.dtype.type

    def _n_epochs(self, table):
        options = self._options
        return self._BUDGET.epochs(options.n_iter, table, options.batch_size)

    def _label(self, rows, y, fresh, _):
        """Rows with numbers of y, and a dict of what its columns are."""
        if y is None:
            raise ValueError(
                f"{self._name} requires y to be passed, but the target y is None."
            )
        responses = self.__dict__.get("_responses")
        if fresh:
            kinds = self._options.column_types
            responses = learned_responses(y, self._name, kinds)
        numbers = responses.numbers(y, self._name, rows.shape[0])
        columns = None if fresh else self._y_columns
        responses.rows(numbers, columns, rows.dtype, fitting=True)
        return rows._replace(given=Given(numbers)), {"_responses": responses}

    def _count(self, table, fresh):
        responses = self._responses
        rows = responses.rows(table.rows.given.values, None, table.rows.dtype)
        before = None if fresh else self._y_columns
        domain, table = responses.domain, table._replace(rows=rows)
        self._y_columns, _ = domain.learn(table, before)
        kinds = kinds_of(self._y_columns).tolist()
        improper(dict(zip(responses.names, kinds)), self._options.hidden)

    def _remedy(self):
        options = self._options
        return (
            f"Lower learning_rate (now {options.learning_rate:g}) or raise batch_size "
            f"(now {options.batch_size})."
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        # Of a y of one column of classes there are probabilities.
        tags.classifier_tags = ClassifierTags(poor_score=True)
        return tags
