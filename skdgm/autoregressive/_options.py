"""Constraints on the options that autoregressive estimators share."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.data import OF_TABLES
from skdgm.nets import LEARNING

_COUNT = Interval(Integral, 1, None, closed="left")
# Constraints on the kinds of columns and on the options of each kind.
COLUMNS = {
    "column_types": [
        StrOptions({"bernoulli", "categorical", "gaussian", "mixed"}),
        tuple,
        dict,
    ],
    "n_mixtures": [_COUNT],
    "conditional": [StrOptions({"gaussian", "laplace"})],
    "min_variance": [Interval(Real, 0, 1, closed="neither")],
    "min_categories": [_COUNT, "array-like", None],
    **OF_TABLES,
}
# Constraints on the orders of the columns.
ORDERS = {
    "ordering": [StrOptions({"given", "random"}), tuple],
    "n_orderings": [_COUNT],
    "n_draws": [_COUNT],
}
TRAINING = {**LEARNING, "average": ["boolean"]}
# Options that determine the densities of real columns.
MIXTURE = "n_mixtures", "conditional", "min_variance"
