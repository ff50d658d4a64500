"""Tables with constraints: inequalities, sums, functions, combinations, rules."""

from skdgm.constraints.constrained_table import ConstrainedTable
from skdgm.constraints.functions import Function, find_constraints
from skdgm.constraints.relations import Inequality, Linear, Product, Sum
from skdgm.constraints.rules import FixedCombinations, Range, Rule, Unique

__all__ = [
    "ConstrainedTable",
    "FixedCombinations",
    "Function",
    "Inequality",
    "Linear",
    "Product",
    "Range",
    "Rule",
    "Sum",
    "Unique",
    "find_constraints",
]
