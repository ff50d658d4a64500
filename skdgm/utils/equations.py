r"""Equations between columns of numbers: linear combinations and products.

.. math:: x_t = b + \sum_k w_k x_k, \qquad x_t = x_j x_k

up to rounding to the decimals of the total. Linear combinations are the null space of
the covariance, reduced by Gauss-Jordan elimination to one row for each total.
"""

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

# Minimum number of rows of an equation, minimum number of its values, maximum number of
# parts, maximum coefficient and denominator, and minimum spread in units of rounding.
_ROWS, _VALUES, _PARTS, _WHOLE, _SHARES, _UNITS = 20, 5, 12, 12, 4, 10
# Relative tolerances: of equations, of null spaces, and of coefficients.
NEAR, _NULL, _CLOSE = 1e-6, (1e-7, 1e-4, 1e-2, 5e-2), 2e-2
# Maximum number of digits of the coefficient of a single part, plus one; rows for null
# spaces; maximum number of columns whose products are searched, rows compared first.
_LONG, _SOME, _FACTORS, _FIRST = 9, 4000, 40, 256
# Maximum number of decimals, and relative rounding error in single precision.
_DIGITS, _ROUNDING = 6, 4 * np.finfo(np.float32).eps


class Linear(NamedTuple):
    """Column ``target`` that equals ``offset`` plus the sum of ``weights`` times
    ``parts``, rounded to its decimals."""

    target: int
    parts: tuple
    weights: tuple
    offset: float = 0.0

    @property
    def columns(self):
        """Indices of the columns."""
        return self.target, *self.parts


class Product(NamedTuple):
    """Column ``target`` that equals the product of ``factors``, rounded to its
    decimals."""

    target: int
    factors: tuple

    @property
    def columns(self):
        """Indices of the columns."""
        return self.target, *self.factors


def step_of(values):
    """Largest power of ten, at most 1, of which all values, of shape (n_values,), are
    multiples, or 0."""
    size = np.abs(values)
    if size.max() > 2**53:
        return 0.0
    if (values == np.rint(values)).all():
        return 1.0
    for digits in range(1, _DIGITS + 1):
        unit = 10.0**-digits
        error = np.abs(np.round(values, digits) - values)
        if (error <= np.minimum(_ROUNDING * size, 0.01 * unit)).all():
            return unit
    return 0.0


def find_equations(columns, coded, numbers):
    """Find equations among the columns ``numbers``, float64 arrays of the same length,
    NaN where missing; ``coded`` have their distinct ``values``. Return a list of Linear
    and Product, with distinct totals of each."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _sums(columns, coded, numbers) + _products(columns, coded, numbers)


def tolerance(values, size, unit, *, rounds):
    """Tolerance of equations with these values: relative to the size of their terms,
    and half a unit of the last decimal if the result is rounded."""
    room = NEAR * np.maximum(np.abs(values), size)
    return room + (0.5 * unit * (1 + NEAR) if rounds else 0.0)


def _is_exact(target, result, size, coded):
    """Return whether a result equals a column, up to rounding to its decimals, with
    enough evidence."""
    known = ~(np.isnan(target) | np.isnan(result))
    y, fitted = target[known], result[known]
    if len(y) < _ROWS or len(np.unique(y)) < min(_VALUES, coded.n):
        return False
    error = np.abs(y - fitted)
    if (error <= tolerance(y, size[known], 0.0, rounds=False)).all():
        return True
    unit = step_of(coded.values)
    if np.std(y) < _UNITS * unit:
        return False
    return bool((error <= tolerance(y, size[known], unit, rounds=True)).all())


def combined(columns, relation):
    """Linear combination, and the sum of the magnitudes of its terms."""
    terms = [w * columns[j] for j, w in zip(relation.parts, relation.weights)]
    size = abs(relation.offset) + sum(map(np.abs, terms))
    return relation.offset + sum(terms), size


def _sums(columns, coded, numbers):
    """List of Linear among the columns ``numbers``."""
    found, totals, units = [], set(), {j: step_of(coded[j].values) for j in numbers}
    for level in _NULL:
        left = [j for j in numbers if j not in totals]
        for candidates in _linear(columns, left, level, units):
            for relation in candidates:
                if totals.intersection(relation.columns):
                    continue
                result, size = combined(columns, relation)
                target = relation.target
                if _is_exact(columns[target], result, size, coded[target]):
                    found.append(relation)
                    totals.add(target)
                    break
    return found


def _linear(columns, which, level, units):
    """Yield candidates of Linear, in lists of alternatives: nearly linear combinations
    at a relative level."""
    X, which = _complete(columns, which)
    if len(which) < 2 or len(X) < _ROWS + 2 * len(which):
        return
    keep = np.ptp(X, axis=0) > 0
    X, which = X[:, keep], [j for j, varies in zip(which, keep) if varies]
    if len(which) < 2:
        return
    mean, spread = X.mean(axis=0), X.std(axis=0)
    _, values, axes = np.linalg.svd((X - mean) / spread, full_matrices=False)
    null = axes[values <= level * np.sqrt(len(X))]
    for row in _reduced(null, spread):
        parts = np.flatnonzero(np.abs(row) > _CLOSE)
        if not 2 <= len(parts) <= _PARTS + 1:
            continue
        own, names = X[:, parts], np.array(which)[parts]
        weights = row[parts] / spread[parts]
        if len(parts) == 2:
            fine = np.array([units[j] for j in names])
            yield list(_affine(own, names, fine))
        else:
            weights /= np.abs(weights).max()
            yield list(_simple(own, names, weights, [units[j] for j in names]))


def _complete(columns, which):
    """Rows without missing values of the columns ``which``, without those columns that
    leave too few rows; and these columns."""
    which = list(which)
    while len(which) > 1:
        missing = np.isnan(np.stack([columns[j] for j in which], axis=1))
        complete = np.flatnonzero(~missing.any(axis=1))
        if len(complete) >= max(_ROWS + 2 * len(which), 0.05 * len(missing)):
            rows = complete[:: -(-len(complete) // _SOME)]
            return np.stack([columns[j][rows] for j in which], axis=1), which
        del which[int(missing.sum(axis=0).argmax())]
    return np.zeros((0, len(which))), which


def _reduced(null, spread):
    """Yield rows of a null space of standardized columns, each with one total that no
    other row has, by Gauss-Jordan elimination. Columns of wide spread are totals if
    possible."""
    null, places = null.copy(), []
    order = np.argsort(-spread, kind="stable")
    for row in range(len(null)):
        # A total has a share of each relation that is not small.
        size = np.abs(null[row:]).max(axis=0)
        size[places] = 0
        place = next((j for j in order if size[j] >= 0.3 * size.max() > 0), None)
        if place is None:
            return
        pivot = row + int(np.abs(null[row:, place]).argmax())
        null[[row, pivot]] = null[[pivot, row]]
        null[row] /= null[row, place]
        others = np.arange(len(null)) != row
        null[others] -= np.outer(null[others, place], null[row])
        places.append(place)
    yield from null


def _affine(X, names, units):
    """Yield Linear of two columns: the column with more decimals, or of wider spread,
    is the total. Coefficients have as few digits as rows allow."""
    spread = X.std(axis=0)
    fine = np.where(units > 0, units, 0)
    k = int(fine[1] < fine[0] or (fine[1] == fine[0] and spread[1] >= spread[0]))
    for total in (k, 1 - k):
        y, x = X[:, total], X[:, 1 - total]
        weight = (x - x.mean()) @ (y - y.mean()) / ((x - x.mean()) @ (x - x.mean()))
        for digits in range(1, _LONG):
            short = float(f"{weight:.{digits}g}")
            offset = np.median(y - short * x)
            for near in (round(offset), float(f"{offset:.{digits + 1}g}")):
                yield _ordered([names[1 - total]], [short], names[total], near, y)


def _simple(X, names, weights, units):
    """Yield Linear whose coefficients are multiples of one of them."""
    smallest = np.abs(weights).min()
    for n in range(1, _SHARES + 1):
        if _near_whole(weights / smallest * n):
            break
    else:
        return
    whole = np.rint(weights / smallest * n)
    fine = np.where(np.array(units) > 0, units, 0.0)
    # The total has the most decimals; then alone its sign; then the widest spread.
    sign, spread = np.sign(whole), X.std(axis=0)
    alone = np.array([(sign == own).sum() == 1 for own in sign])
    k = np.lexsort((-spread, ~alone, np.abs(whole) != np.abs(whole).min(), fine))[0]
    others = np.arange(len(whole)) != k
    parts = -whole[others] / whole[k]
    offset = np.median(X[:, k] - X[:, others] @ parts)
    for near in (_short(offset), round(offset)):
        yield _ordered(names[others], parts, names[k], near, X[:, k])


def _ordered(parts, weights, total, offset, y):
    """Linear with parts in the order of the table, without a negligible offset."""
    offset = 0.0 if abs(offset) <= NEAR * np.abs(y).max() else float(offset)
    order = np.argsort(parts)
    names = tuple(int(parts[k]) for k in order)
    return Linear(int(total), names, tuple(float(weights[k]) for k in order), offset)


def _near_whole(weights):
    """Return whether weights are nearly nonzero integers that are not large."""
    whole = np.rint(weights)
    is_small = (np.abs(whole) <= _WHOLE) & (whole != 0)
    return bool((is_small & (np.abs(weights - whole) <= _CLOSE * np.abs(whole))).all())


def _short(value):
    """Shortest decimal number that equals a number up to rounding errors."""
    for digits in range(12):
        near = float(f"{value:.{digits}g}") if digits else round(value)
        if abs(near - value) <= 1e-9 * max(1.0, abs(value)):
            return float(near)
    return float(value)


def _products(columns, coded, numbers):
    """List of Product among the columns ``numbers``."""
    found = []
    if not 2 <= len(numbers) <= _FACTORS:
        return found
    X = np.stack([columns[j] for j in numbers], axis=1)
    known = np.argsort(np.isnan(X).sum(axis=1), kind="stable")
    first = X[np.sort(known[:_FIRST])]
    units = np.array([step_of(coded[j].values) for j in numbers])
    for pair in combinations_with_replacement(range(len(numbers)), 2):
        result = first[:, pair[0]] * first[:, pair[1]]
        size = np.abs(result)[:, None]
        room = tolerance(first, size, units, rounds=True)
        far = np.abs(first - result[:, None]) > room
        candidates = ~far.any(axis=0) & (
            (~np.isnan(first - result[:, None])).sum(0) > 2
        )
        for k in np.flatnonzero(candidates):
            relation = Product(numbers[k], tuple(numbers[i] for i in pair))
            if _is_product(columns, coded, relation):
                found.append(relation)
    return found


def _is_product(columns, coded, relation):
    """Return whether a column is a product, with enough rows in which it equals none of
    the factors."""
    factors = [columns[j] for j in relation.factors]
    target, result = columns[relation.target], factors[0] * factors[1]
    if relation.target in relation.factors:
        return False
    apart = np.logical_and.reduce([target != factor for factor in factors])
    apart &= ~np.isnan(target - result) & (result != 0)
    if apart.sum() < _ROWS or len(np.unique(target[apart])) < _VALUES:
        return False
    return _is_exact(target, result, np.abs(result), coded[relation.target])


def evaluated(columns, relation):
    """Result of an equation, and the sum of the magnitudes of its terms."""
    if isinstance(relation, Linear):
        return combined(columns, relation)
    result = np.prod([columns[j] for j in relation.factors], axis=0)
    return result, np.abs(result)


def is_off(relation, real, rows):
    """Mask of rows that break an equation of a real table; False where a value is
    missing. Results are rounded if those of the real table are."""
    values, (result, size) = real[relation.target], evaluated(real, relation)
    rounds = np.abs(values - result) > tolerance(values, size, 0.0, rounds=False)
    unit = step_of(np.unique(values[~np.isnan(values)]))
    target, (result, size) = rows[relation.target], evaluated(rows, relation)
    room = tolerance(target, size, unit, rounds=rounds.any())
    return np.abs(target - result) > room
