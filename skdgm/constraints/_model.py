"""Base class of models under constraints: fitting, and functions that draw rows."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_method_params,
    check_is_fitted,
    validate_data,
)

from skdgm.autoregressive import EoNADE
from skdgm.base.meta import MetaEstimator
from skdgm.constraints._conditions import is_condition, is_range_kept, translated
from skdgm.constraints._constraint import evaluated
from skdgm.constraints._plan import plan_of, valid_rows
from skdgm.constraints._quantities import meets
from skdgm.constraints.functions import find_constraints
from skdgm.constraints.rules import Range, Unique
from skdgm.data.filling import with_missing_columns
from skdgm.data.foreign import as_pandas, schema_of
from skdgm.exceptions import ConstraintWarning
from skdgm.typing import Data, Target
from skdgm.utils.domains import is_frame
from skdgm.utils.threading.callers import warn
from skdgm.utils.words import with_article
from skdgm.utils.wrapped import capabilities_of, has_mass, seed


class ConstrainedModel(MetaEstimator):
    """Base class of an estimator with a model and constraints.

    A subclass has the parameters ``estimator``, ``constraints``, ``handle_invalid`` and
    ``random_state``, and a method ``score_samples``.
    """

    estimator: Any
    constraints: Any
    handle_invalid: str
    random_state: Any
    score_samples: ClassVar[Callable]

    def _learn(self, X, y, fit_params):
        table, model = as_pandas(X), clone(self._model())
        if is_frame(table):
            validate_data(self, table, skip_check_array=True)
        if model is not self.estimator and self.random_state is not None:
            seed(model, check_random_state(self.random_state))
        self._plan: Any = None
        self._checks, model_table, by_step = (), X, []
        is_auto, subject = isinstance(self.constraints, str), type(self).__name__
        constraints = find_constraints(X) if is_auto else self.constraints
        if constraints:
            drop = self.handle_invalid == "drop"
            keep = valid_rows(constraints, table, drop, subject)
            schema = None if table is X else schema_of(X)
            if not keep.all():
                rows = np.flatnonzero(keep)
                params = _check_method_params(table, fit_params | {"y": y}, rows)
                table, y, fit_params = table.iloc[rows], params.pop("y"), params
            self._plan, self._checks, by_step = plan_of(
                constraints, table, schema, steps_only=is_auto
            )
            model_table = self._plan.forward(table)
        if is_auto:
            constraints, by_step = self._kept(constraints, by_step)
        self.constraints_ = tuple(constraints)
        self.estimator_ = model.fit(model_table, y, **fit_params)
        if not is_frame(as_pandas(X)) and hasattr(self.estimator_, "n_features_in_"):
            self.n_features_in_ = self.estimator_.n_features_in_
        self.by_rejection_ = tuple(
            constraint
            for constraint, done in zip(constraints, by_step)
            if not (done or is_range_kept(self._plan, self.estimator_, constraint))
        )

    def _kept(self, constraints, by_step):
        """Constraints that have a step, and True for each; warn about others."""
        kept = [c for c, done in zip(constraints, by_step) if done]
        left = [c for c, done in zip(constraints, by_step) if not done]
        if left:
            warn(
                f"{type(self).__name__}: draws may break "
                f"{', '.join(map(str, left))}, because other constraints replace its "
                "columns. To enforce it by rejection, add it to constraints_, and set "
                "the result as constraints.",
                ConstraintWarning,
            )
        return kept, [True] * len(kept)

    def score(self, X: Data, y: Target = None) -> float:
        """Mean log-likelihood of the rows, in nats.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        score : float
            Mean of :meth:`score_samples`.
        """
        return float(np.mean(self.score_samples(X)))

    @property
    def density_kind_(self) -> str:
        """Kind of :meth:`score_samples`, as of the model, or "lower bound"."""
        check_is_fitted(self)
        kind = capabilities_of(self.estimator_)["log_prob"]["complete"]
        if self._plan is None or kind != "exact":
            return kind
        given = [is_condition(self._plan, self.estimator_, r) for r in self._ranges]
        return "lower bound" if self.by_rejection_ or any(given) else kind

    def __skdgm_has_mass__(self, X):
        """Boolean array, True for entries with a probability rather than a density."""
        if self._plan is None:
            return has_mass(self.estimator_, X)
        plan, table = self._plan, self._table(X)
        model_mass = has_mass(self.estimator_, plan.forward(table))
        if model_mass is None:
            return None
        # Columns that are functions of others have probability 1.
        mass = np.ones(table.shape, bool)
        mass[:, [plan.codec.names.index(name) for name in plan.names]] = model_mass
        return mass

    @property
    def _uniques(self):
        return [c for c in self.by_rejection_ if isinstance(c, Unique)]

    def _default(self):
        return EoNADE()

    def _table(self, X):
        """Validated pandas DataFrame with all columns."""
        table, names = as_pandas(X), self._plan.codec.names
        if not is_frame(table):
            raise TypeError(
                f"{type(self).__name__} was fitted with constraints to a DataFrame, "
                f"and X is {with_article(type(table).__name__)}."
            )
        table = with_missing_columns(table, names)
        validate_data(self, table, reset=False, skip_check_array=True)
        if table.columns.tolist() != names:
            raise ValueError(
                f"X has the columns {table.columns.tolist()}, but the model was fitted "
                f"with {names}: bring them into that order."
            )
        return table

    def _holds(self, table):
        """Mask of the rows that satisfy all constraints on rows."""
        masks = [keep for _, keep in evaluated(self._checks, table)]
        return np.logical_and.reduce([np.ones(len(table), bool), *masks])

    def _drawing(self, rng, conditions, ranges):
        """Return ``draw(n)``, which draws rows, and ``evaluate(table)``, which returns
        masks of constraints and conditions. The model draws conditional on
        ``ranges``."""
        subject, codec = type(self).__name__, self._plan.codec
        taken, by_rejection = translated(
            self._plan, self.estimator_, conditions, ranges, subject
        )
        options = {"conditions": taken} if taken else {}

        def draw(n):
            seen = self.estimator_.sample(n, random_state=rng, **options)
            columns = getattr(self.estimator_, "_columns", None)
            if columns is not None and getattr(columns, "codec", None) is None:
                # The plan rounds columns that were integers.
                seen = np.asarray(seen)
            return self._plan.backward(seen)

        def evaluate(table):
            masks = evaluated(self._checks, table)
            for name, condition in by_rejection.items():
                j = codec.names.index(name)
                valid = meets(codec, j, table[name], condition, subject)
                masks.append((f"the condition on {name!r}", valid))
            return masks

        return draw, evaluate

    @property
    def _ranges(self):
        return [r for r in (c for c, _ in self._checks) if isinstance(r, Range)]
