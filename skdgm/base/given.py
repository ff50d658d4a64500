"""Methods of estimators whose rows may be given classes or attributes, by options.

Each class takes those that it has: one function serves all, as one attribute does.
"""

from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base.frames import filled_in, rows_of
from skdgm.data.given import asked_by_option
from skdgm.typing import Any, ArrayOrFrame, Data, Filling, Seed, Target


@property
def attribute_types_(self: Any) -> dict:
    """Kind of each attribute, by its name or number."""
    check_is_fitted(self)
    found = getattr(self, "_attributes_", None)
    if found is None:
        raise AttributeError(f"{self._name} is not conditional: it has no types.")
    return found.types()


def impute(
    self: Any,
    X: Data,
    y: Target = None,
    *,
    method: Filling = "mean",
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Fill missing entries, given the others of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN where missing.
    y : object, dict or array-like, default=None
        Class, or attributes, of all rows, or of each, of a conditional model. By
        default rows are of any; a conditional :class:`~skdgm.Flow` needs them.
    method : {"mean", "sample"}, default="mean"
        "mean" fills in means of ``n_draws`` draws, the same at each call; "sample"
        fills in draws.
    random_state : int, RandomState instance or None, default=None
        For "sample".

    Returns
    -------
    X_filled : ndarray of shape (n_samples, n_features)
        Known entries are unchanged. A DataFrame with its index if X and what the
        model was fitted to are such.

    Raises
    ------
    ValueError
        ``method`` or a class is unknown, or the model is not conditional.
    """
    told = asked_by_option(self, y, _num_samples(X))
    return filled_in(self, X, self.density_.fill(X, method, random_state, **told))


def conditional_sample(
    self: Any,
    X: Data,
    y: Target = None,
    *,
    n_samples: int = 1,
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Draw missing entries several times, given the others of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix, dict} of shape (n_rows, n_features)
        NaN where missing; or a dict of values by name of column, or of lists of these,
        where ``fit`` was given a DataFrame: other columns are missing.
    y : object, dict or array-like, default=None
        Class, or attributes, of all rows, or of each, of a conditional model. By
        default rows are of any; a conditional :class:`~skdgm.Flow` needs them.
    n_samples : int, default=1
        Draws for each row.
    random_state : int, RandomState instance or None, default=None
        By default NumPy's global generator: other rows at each call.

    Returns
    -------
    X_drawn : ndarray of shape (n_rows * n_samples, n_features)
        All draws for the first row come first. A DataFrame with its index, each
        label ``n_samples`` times, if X and what the model was fitted to are such;
        with ``column_types="mixed"`` also if X is an array.
    """
    X = rows_of(self, X)
    told = asked_by_option(self, y, _num_samples(X))
    drawn = self.density_.fill(X, "sample", random_state, n_samples=n_samples, **told)
    return filled_in(self, X, drawn)
