r"""Tables of which all rows keep to declared constraints, by any model of tables.

.. math:: x \sim p(x \mid x \in C)
"""

from typing import Annotated, Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from skdgm.base import fits, steady
from skdgm.base.options import KW_ONLY, Count, RandomState
from skdgm.constraints._filling import fill
from skdgm.constraints._model import ConstrainedModel
from skdgm.constraints._sampling import acceptance, reject
from skdgm.data.foreign import as_pandas, native, schema_of
from skdgm.typing import ArrayOrFrame, Data, Filling, Seed, Target
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import MAX_SEED


@steady
class ConstrainedTable(ConstrainedModel):
    r"""Model of tables whose rows all keep to constraints, which are declared once.

    .. math::

        x \sim p(x \mid C) = \frac{p(x) \, [x \in C]}{P(C)}, \qquad
        (a, b) = (a, a + d), \quad d \ge 0

    Constraints are kept by reparametrisation where that can be: of two columns in order
    the model learns the lower one and the difference, which is not negative as it is
    drawn within the range seen; a total is computed from its parts; columns of which
    only some combinations occur are one category. All others are kept by rejection:
    rows that break them are drawn again, which is exact, and takes longer the fewer
    keep to them (see :meth:`acceptance_rate`).

    Parameters
    ----------
    estimator
        Model with ``fit`` and ``sample`` that reads DataFrames, such as an
        autoregressive one or a VAE. If None, an :class:`~skdgm.EoNADE`.
    constraints : sequence
        Constraints of :mod:`skdgm.constraints`: ``Inequality``, ``Sum``,
        ``FixedCombinations``, ``Range``, ``Unique`` and ``Rule``. Those that come first
        are reparametrised first.
    max_tries
        Most rows that are drawn for each one that :meth:`sample` is asked for, and that
        :meth:`impute` draws. It may be changed after ``fit``.
    handle_invalid
        What ``fit`` does with rows that break a constraint.
    random_state : int, RandomState instance or None
        Seed of the model, where its own ``random_state`` is None.

    Attributes
    ----------
    estimator_ : object
        The fitted model of the reparametrised table.
    by_rejection_ : tuple
        Constraints that draws may break, and that are kept by rejection.
    density_kind_ : str
        Kind of :meth:`score_samples`: that of the model, but "lower bound" in place of
        "exact" where there are constraints by rejection.

    See Also
    --------
    skdgm.EoNADE.sample : Conditions of a single call.

    Notes
    -----
    The model sees a column under the name of the one that it replaces: ``high`` of an
    ``Inequality`` is the difference there, and the first of ``FixedCombinations`` is
    the category of all. A column is replaced once, and constraints that would replace
    it again go by rejection.

    A missing value in either of two columns in order makes the difference missing: what
    is known of ``high`` alone is not learned from, but :meth:`impute` minds it.

    References
    ----------
    Patki, Wedge and Veeramachaneni (2016). The synthetic data vault. DSAA.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skdgm import ConstrainedTable, EoNADE
    >>> from skdgm.constraints import Inequality, Sum
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"start": pd.Timestamp("2020-01-01")
    ...                   + pd.to_timedelta(rng.integers(0, 700, 300), "D")})
    >>> X["end"] = X["start"] + pd.to_timedelta(rng.integers(0, 90, 300), "D")
    >>> X["net"], X["tax"] = rng.integers(10, 99, 300), rng.integers(1, 9, 300)
    >>> X["price"] = X["net"] + X["tax"]
    >>> table = ConstrainedTable(
    ...     EoNADE((16,), n_iter=20),
    ...     [Inequality("start", "end"), Sum("price", ["net", "tax"])],
    ...     random_state=0,
    ... ).fit(X)
    >>> drawn = table.sample(1000, random_state=0)
    >>> bool((drawn["start"] <= drawn["end"]).all())
    True
    >>> bool((drawn["price"] == drawn["net"] + drawn["tax"]).all())
    True
    >>> table.by_rejection_
    ()
    """

    estimator: Annotated[object, HasMethods(["fit", "sample"])] | None = None
    constraints: tuple | list = ()
    _: KW_ONLY
    max_tries: Count = 100
    handle_invalid: Literal["error", "drop"] = "error"
    random_state: RandomState = None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Data, y: Target = None, **fit_params: Any) -> Self:
        """Fit the model to a table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Without constraints, anything that the model takes.
        y : array-like of shape (n_samples,), default=None
            Passed on to the model's ``fit``: most ignore it.
        **fit_params
            Arguments of the model's ``fit``, such as ``sample_weight``; with metadata
            routing enabled, those that it requests.

        Returns
        -------
        self : ConstrainedTable

        Raises
        ------
        ConstraintError
            Rows break a constraint, and ``handle_invalid`` is "error".
        ValueError
            A constraint names no column; or as by the model's ``fit``.
        TypeError
            X is no DataFrame, or a column has a type that a constraint cannot have.
        """
        return self._fit(X, y, fit_params)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        r"""Draw rows that keep to the constraints.

        .. math:: x \sim p(x \mid x \in C, \, x_j \in S_j, \, j \in D)

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        conditions : dict, default=None
            Conditions by the name of a column, as of :meth:`skdgm.EoNADE.sample`. Those
            on columns that the model sees, and on members of ``FixedCombinations``, are
            its conditions; others are kept by rejection.

        Returns
        -------
        X : DataFrame of shape (n_samples, n_features)
            With the columns and types of the table given to ``fit``. Without
            constraints, as by the model's ``sample``.

        Raises
        ------
        ConstraintError
            Too few of ``max_tries`` draws for each row keep to the constraints.
        ValueError
            A condition names no column, or has no probability.

        Warns
        -----
        ConstraintWarning
            Less than a tenth of the draws keep to the constraints.
        """
        check_is_fitted(self)
        if self._plan is None:
            options = {} if conditions is None else {"conditions": conditions}
            options["random_state"] = random_state
            return self.estimator_.sample(n_samples, **options)
        n_samples = count_rows(n_samples, len(self._plan.codec.names))
        rng, tries = check_random_state(random_state), fits.current(self, "max_tries")
        draw, judge = self._drawing(rng, conditions)
        name = type(self).__name__
        found = reject(n_samples, draw, judge, self._uniques, tries, name)
        return native(self._plan.renumbered(found), self._plan.codec.schema)

    def acceptance_rate(
        self,
        n_samples: int = 1000,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> float:
        """Share of the model's draws that keep to the constraints.

        Parameters
        ----------
        n_samples : int, default=1000
            Number of draws; among more, more are repeats for ``Unique``.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator.
        conditions : dict, default=None
            As of :meth:`sample`; those that are kept by rejection count.

        Returns
        -------
        rate : float
            1 where all constraints are kept by reparametrisation.
        """
        check_is_fitted(self)
        n_samples = count(n_samples, "n_samples")
        if self._plan is None:
            return 1.0
        rng = check_random_state(random_state)
        draw, judge = self._drawing(rng, conditions)
        return acceptance(draw(n_samples), judge, self._uniques)

    def score_samples(self, X: Data) -> np.ndarray:
        r"""Log-likelihood of each row by the model, in nats.

        .. math:: \log p(x) \quad \text{if } x \in C, \text{ else } -\infty

        The density of what :meth:`sample` draws is higher by :math:`-\log P(C)`, the
        same for all rows: 0 without constraints by rejection, else minus the log of
        :meth:`acceptance_rate`. Reparametrisations have unit Jacobians.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            The likelihood is that of the observed entries, without those that make a
            difference or combination missing. The unit of differences of dates is the
            one of which all are multiples. ``Unique`` is no property of a row.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            Minus infinity for rows that break a constraint.
        """
        check_is_fitted(self)
        if self._plan is None:
            return self.estimator_.score_samples(X)
        table = self._table(X)
        keep = self._holds(table)
        found = self.estimator_.score_samples(self._plan.forward(table)).copy()
        found[~keep] = -np.inf
        return found

    def impute(
        self, X: Data, *, method: Filling = "mean", random_state: Seed = None
    ) -> ArrayOrFrame:
        r"""Fill missing entries such that rows keep to the constraints.

        .. math:: x_\text{missing} \sim p(x_\text{missing} \mid x_\text{known}, x \in C)

        Filled by the model, given the other entries of their row. Rows in which that
        breaks a constraint, or in which the model does not see a known entry, since it
        is part of a difference or a sum, are drawn, by rejection and with weights: of a
        known higher number, the lower one or the difference is drawn, and the other
        follows. Each row has 64 draws, and up to ``max_tries`` where few count.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "mode", "sample"}, default="mean"
            As of the model's ``impute``. Rows that are drawn have the mean of the
            draws, and of categories the most probable one, or a draw if that mean
            breaks a constraint; their most probable draw; or one by weight. But for
            "sample" they are the same at each call.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : DataFrame of shape (n_samples, n_features)
            With the index of X. Entries that are not missing are unchanged, and those
            of rows that cannot be filled stay missing.

        Warns
        -----
        ConstraintWarning
            Known entries of rows break a constraint, or no draw for them keeps to all:
            these are named, and are not filled.
        FewDrawsWarning
            Known entries of rows are so improbable together that few draws count.
        """
        check_is_fitted(self)
        if self._plan is None:
            given = {"method": method, "random_state": random_state}
            return self.estimator_.impute(X, **given)
        table, tries = self._table(X), fits.current(self, "max_tries")
        drawn = method == "sample" or random_state is not None
        seed = check_random_state(random_state if drawn else 0).randint(MAX_SEED)
        model = self._plan, self.estimator_, self._checks
        found = fill(*model, table, method, seed, tries, type(self).__name__)
        same = X is table or len(as_pandas(X).columns) < len(table.columns)
        return native(found, self._plan.codec.schema if same else schema_of(X))
