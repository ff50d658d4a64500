r"""Models of tables whose rows all satisfy declared constraints.

.. math:: x \sim p(x \mid x \in C)
"""

from typing import Annotated, Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from skdgm.base import fits, reads_one_fit
from skdgm.base.options import KW_ONLY, Count, RandomState
from skdgm.constraints._conditions import refuse_too_many
from skdgm.constraints._filling import Constrained, fill
from skdgm.constraints._model import ConstrainedModel
from skdgm.constraints._sampling import acceptance, reject
from skdgm.data.foreign import as_pandas, native, schema_of
from skdgm.typing import ArrayOrFrame, Data, Filling, Seed, Target
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import MAX_SEED


@reads_one_fit
class ConstrainedTable(ConstrainedModel):
    r"""Model of tables whose rows all satisfy declared constraints.

    .. math::

        x \sim p(x \mid C) = \frac{p(x) \, [x \in C]}{P(C)}, \qquad
        (a, b) = (a, a + d), \quad d \ge 0

    Reparametrization enforces constraints if possible. For an inequality, the model
    learns the lower column and the difference, which is drawn within its training range
    and is therefore not negative. A total is computed from its parts, and columns with
    fixed combinations become one category. Rejection enforces all other constraints:
    rows that break them are drawn again, which is exact, but slow if few rows satisfy
    them (see :meth:`acceptance_rate`).

    Parameters
    ----------
    estimator
        Model with ``fit`` and ``sample`` that takes DataFrames, such as an
        autoregressive model or a VAE. If None, an :class:`~skdgm.EoNADE`.
    constraints : sequence or "auto"
        Constraints of :mod:`skdgm.constraints`: ``Inequality``, ``Sum``, ``Linear``,
        ``Product``, ``Function``, ``FixedCombinations``, ``Range``, ``Unique`` and
        ``Rule``. Reparametrization proceeds in this order. "auto" stands for the
        functions between columns that
        :func:`~skdgm.constraints.find_constraints` finds in the training table, as far
        as reparametrization can enforce all of them.
    max_tries
        Maximum number of draws for each row of :meth:`sample` and :meth:`impute`. May
        be changed after ``fit``.
    handle_invalid
        Treatment of training rows that break a constraint: raise an error, or drop the
        rows.
    random_state : int, RandomState instance or None
        Seed of the model if its own ``random_state`` is None.

    Attributes
    ----------
    estimator_ : object
        The fitted model of the reparametrized table.
    constraints_ : tuple
        Constraints that all draws satisfy.
    by_rejection_ : tuple
        Constraints that are enforced by rejection.
    density_kind_ : str
        Kind of :meth:`score_samples`: the kind of the model's, except that "exact"
        becomes "lower bound" if constraints are enforced by rejection, or bound the
        range of a real column: scores are not divided by P(C).

    See Also
    --------
    skdgm.EoNADE.sample : Conditions of a single call.

    Notes
    -----
    A column of the model has the name of the column that it replaces: ``high`` of an
    ``Inequality`` is the difference, and the first column of ``FixedCombinations`` is
    the joint category. A column is replaced once; further constraints that would
    replace it are enforced by rejection.

    A missing value in a column of an ``Inequality`` makes the difference missing:
    training ignores ``high`` in rows without ``low``, but :meth:`impute` respects it.

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
    constraints: tuple | list | Literal["auto"] = ()
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
            Without constraints, any input of the model.
        y : array-like of shape (n_samples,), default=None
            Passed on to the model's ``fit``: most ignore it.
        **fit_params
            Arguments of the model's ``fit``, such as ``sample_weight``; with metadata
            routing enabled, the arguments that it requests.

        Returns
        -------
        self : ConstrainedTable

        Raises
        ------
        ConstraintError
            Rows break a constraint, and ``handle_invalid`` is "error".
        ValueError
            A constraint names an unknown column; or an error of the model's ``fit``.
        TypeError
            X is not a DataFrame, or the type of a column does not suit its constraint.
        """
        return self._fit(X, y, fit_params)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        r"""Draw rows that satisfy the constraints.

        .. math:: x \sim p(x \mid x \in C, \, x_j \in S_j, \, j \in D)

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call draws new rows.
        conditions : dict, default=None
            Conditions by column name, as in :meth:`skdgm.EoNADE.sample`. Conditions on
            columns of the model, and on columns of ``FixedCombinations``, are passed to
            the model; others are enforced by rejection.

        Returns
        -------
        X : DataFrame of shape (n_samples, n_features)
            Table with the columns and types of the training rows. Without constraints,
            the result of the model's ``sample``.

        Raises
        ------
        ConstraintError
            Too few of ``max_tries`` draws for each row satisfy the constraints.
        ValueError
            A condition names an unknown column, or has probability 0.

        Warns
        -----
        ConstraintWarning
            Less than a tenth of the draws satisfy the constraints.
        """
        check_is_fitted(self)
        if self._plan is None:
            options = {} if conditions is None else {"conditions": conditions}
            options["random_state"] = random_state
            return self.estimator_.sample(n_samples, **options)
        n_samples = count_rows(n_samples, len(self._plan.codec.names))
        rng, tries = check_random_state(random_state), fits.current(self, "max_tries")
        draw, evaluate = self._drawing(rng, conditions, self._ranges)
        name = type(self).__name__
        refuse_too_many(self._plan, self.estimator_, self._uniques, n_samples, name)
        accepted = reject(n_samples, draw, evaluate, self._uniques, tries, name)
        return native(self._plan.renumbered(accepted), self._plan.codec.schema)

    def acceptance_rate(
        self,
        n_samples: int = 1000,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> float:
        """Share of the model's draws that satisfy the constraints.

        Parameters
        ----------
        n_samples : int, default=1000
            Number of draws; larger numbers contain more repeats for ``Unique``.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator.
        conditions : dict, default=None
            As in :meth:`sample`; conditions by rejection affect the rate.

        Returns
        -------
        rate : float
            Acceptance rate; 1 if reparametrization enforces all constraints. It counts
            a ``Range`` of a real column, although :meth:`sample` draws such columns
            within their ranges.
        """
        check_is_fitted(self)
        n_samples = count(n_samples, "n_samples")
        if self._plan is None:
            return 1.0
        rng = check_random_state(random_state)
        draw, evaluate = self._drawing(rng, conditions, ())
        return acceptance(draw(n_samples), evaluate, self._uniques)

    def score_samples(self, X: Data) -> np.ndarray:
        r"""Log-likelihood of each row under the model, in nats.

        .. math:: \log p(x) \quad \text{if } x \in C, \text{ else } -\infty

        The log density of :meth:`sample` is higher by :math:`-\log P(C)`, the same for
        all rows: minus the log of :meth:`acceptance_rate`, which is 0 if the kind is
        "exact". Reparametrizations have unit Jacobians.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            NaN marks a missing value, which is marginalized, as is a difference or
            combination with a missing column. The unit of date differences is the
            coarsest unit of time that divides all of them. ``Unique`` does not apply to
            single rows.

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
        log_likelihood = self.estimator_.score_samples(self._plan.forward(table)).copy()
        log_likelihood[~keep] = -np.inf
        return log_likelihood

    def impute(
        self, X: Data, *, method: Filling = "mean", random_state: Seed = None
    ) -> ArrayOrFrame:
        r"""Impute missing entries such that rows satisfy the constraints.

        .. math:: x_\text{missing} \sim p(x_\text{missing} \mid x_\text{known}, x \in C)

        The model imputes entries given the others of their row. If the result breaks a
        constraint, or if the model has no column for a known entry, rows are drawn by
        rejection and with weights. For example, given the higher number of an
        inequality, either the lower number or the difference is drawn, and determines
        the other. Each row has 64 draws, and up to ``max_tries`` if few have large
        weights.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "mode", "sample"}, default="mean"
            As in the model's ``impute``. For rows that are drawn, "mean" is the mean of
            the draws (the most probable category, or a draw if the mean breaks a
            constraint), "mode" the most probable draw, and "sample" one draw by weight.
            Except for "sample", results are the same in each call.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : DataFrame of shape (n_samples, n_features)
            Table with the index of X. Known entries are unchanged. Rows without a
            solution remain incomplete.

        Warns
        -----
        ConstraintWarning
            Known entries of rows break a constraint, or no draw satisfies all
            constraints: the warning names these rows, which are not imputed.
        FewDrawsWarning
            Few draws have large weights, because the known entries are improbable.
        """
        check_is_fitted(self)
        if self._plan is None:
            options = {"method": method, "random_state": random_state}
            return self.estimator_.impute(X, **options)
        table, tries = self._table(X), fits.current(self, "max_tries")
        drawn = method == "sample" or random_state is not None
        seed = check_random_state(random_state if drawn else 0).randint(MAX_SEED)
        constrained = Constrained(
            self._plan, self.estimator_, self._checks, type(self).__name__
        )
        imputed = fill(constrained, table, method, seed, tries)
        is_own_schema = X is table or len(as_pandas(X).columns) < len(table.columns)
        return native(
            imputed, self._plan.codec.schema if is_own_schema else schema_of(X)
        )
