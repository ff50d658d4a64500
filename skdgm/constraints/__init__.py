"""Tables with constraints: inequalities, sums, combinations, ranges, rules."""

from skdgm.constraints.constrained_table import ConstrainedTable
from skdgm.constraints.relations import Inequality, Sum
from skdgm.constraints.rules import FixedCombinations, Range, Rule, Unique

__all__ = [
    "ConstrainedTable",
    "FixedCombinations",
    "Inequality",
    "Range",
    "Rule",
    "Sum",
    "Unique",
]
