r"""Functions between the columns of a table, found from its rows.

A column y is a function of a column x if each value of x has a single value of y. Rows
support this only if values repeat. Under independence, the probability that all rows of
each value of x agree is

.. math:: P = \prod_x p(y_x)^{n_x - 1}

for :math:`n_x` rows of each value, and the share p of each value of y. For numbers x,
the rows of values with the same y as both neighbors do not count: there y could be a
smooth function with noise.
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm.utils.equations import Linear, Product, find_equations, is_off
from skdgm.utils.math import distinct

# Maximum number of columns that are searched.
WIDE = 200
# Maximum number of values of a column that determines others, minimum number of rows
# for each on average, and log-probability by chance below which rows are evidence.
MANY, REPEATS, _CHANCE = 1000, 5, -25.0
# Minimum number of rows that could have broken a function: the rate of exceptions is
# then below 3 % with a confidence of 95 %.
_TESTED = 100
# Maximum share of rows with values for which the other column is always missing.
_WITHOUT = 0.01
# Ranges of a number: maximum number, minimum rows of each, distinct values around each
# boundary, and maximum share of their span that the gap at the boundary may be.
_RANGES, _WITHIN, _AROUND, _GAP = 30, 10, 10, 0.4
# Number of rows that are compared first.
_FIRST = 256


class Combinations(NamedTuple):
    """Columns, the first of which determines the others: indices."""

    columns: tuple


class Ranges(NamedTuple):
    """Column ``target`` that is constant within ranges of the number ``source``."""

    target: int
    source: int

    @property
    def columns(self):
        """Indices of the columns."""
        return self


class Coded(NamedTuple):
    """Distinct ``values`` of a column, and the ``codes`` of its rows, -1 where
    missing."""

    values: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, x):
        """Code a column of numbers, NaN where missing."""
        known = ~np.isnan(x)
        values, place = np.unique(x[known], return_inverse=True)
        codes = np.full(len(x), -1)
        codes[known] = place
        return cls(values, codes)

    @property
    def n(self):
        """Number of distinct values."""
        return len(self.values)


def image(x, y):
    """Code of the column y for each value of the column x, both Coded: -1 where no row
    has both, and None if y is not a function of x."""
    for part in (slice(_FIRST), slice(None)):
        a, b = x.codes[part], y.codes[part]
        known = (a >= 0) & (b >= 0)
        a, b = a[known], b[known]
        codes = np.full(x.n, -1)
        codes[a] = b
        if (codes[a] != b).any():
            return None
    return codes


def determines(x, y, *, ordered):
    """Return whether the column y is a function of the column x, both Coded, with
    enough evidence; the values of x are numbers if ``ordered``."""
    if not 2 <= x.n <= MANY or y.n < 2:
        return False
    known = (x.codes >= 0) & (y.codes >= 0)
    if known.sum() < max(REPEATS * x.n, x.n + _TESTED):
        return False
    codes = image(x, y)
    if codes is None:
        return False
    rows = np.bincount(x.codes[x.codes >= 0], minlength=x.n)
    if rows[codes < 0].sum() > _WITHOUT * rows.sum():
        return False
    rows = np.bincount(x.codes[known], minlength=x.n)
    share = np.bincount(y.codes[known], minlength=y.n) / known.sum()
    log_p = np.log(share[codes]) * np.maximum(rows - 1, 0)
    log_p[codes < 0] = 0.0
    if ordered:
        seen = np.flatnonzero(codes >= 0)
        changes = codes[seen][1:] != codes[seen][:-1]
        at_change = np.append(changes, False) | np.append(False, changes)
        # Near a change, each of both values is plausible.
        log_p = np.maximum(log_p[seen], np.log(0.5) * (rows[seen] - 1))
        log_p = log_p[at_change]
    return bool(log_p.sum() <= _CHANCE)


def ranges_of(x, y):
    """Return whether the column y is constant within ranges of the number x, both
    Coded, whose boundaries rows surround closely."""
    if x.n < 2 * y.n or not 2 <= y.n <= _RANGES:
        return False
    codes = image(x, y)
    if codes is None:
        return False
    seen = np.flatnonzero(codes >= 0)
    values, codes = x.values[seen], codes[seen]
    starts = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    edges = np.concatenate([[0], starts, [len(codes)]])
    if len(starts) >= _RANGES or 3 * len(edges) > len(codes):
        return False
    known = (x.codes >= 0) & (y.codes >= 0)
    if known.sum() < len(edges) + _TESTED:
        return False
    rows = np.bincount(x.codes[known], minlength=x.n)[seen]
    if np.add.reduceat(rows, edges[:-1]).min() < _WITHIN:
        return False
    for before, start, after in zip(edges, starts, edges[2:]):
        low = max(before, start - _AROUND)
        high = min(after, start + _AROUND) - 1
        if values[start] - values[start - 1] > _GAP * (values[high] - values[low]):
            return False
    return True


def find(columns, is_number, done=()):
    """Find functions between columns, float64 arrays of the same length, NaN where
    missing.

    ``is_number`` is True for columns with order and differences, False for codes, and
    "time" for dates, which are only compared. The columns ``done`` are functions of
    others already. Returns a list of Combinations, Ranges, Linear and Product, without
    relations that follow from others in the list. It is empty for more than ``WIDE``
    columns.
    """
    if len(columns) > WIDE:
        return []
    coded = [Coded.of(x) for x in columns]
    found, done = [], set(done)
    numbers = [j for j, kind in enumerate(is_number) if kind is True and coded[j].n > 1]
    numbers = [j for j in numbers if j not in done]
    for relation in find_equations(columns, coded, numbers):
        if relation.target in done:
            continue
        which = relation.columns
        if isinstance(relation, Linear) and max(coded[j].n for j in which) < 3:
            # Sums of drawn bits need not be bits.
            relation, which = Combinations(tuple(sorted(which))), set(which)
            if which & done:
                continue
            done |= which
        found.append(relation)
        done.add(relation.columns[0])
    return found + _functions(coded, is_number, done)


def _functions(coded, is_number, done):
    """List of Combinations and Ranges between Coded columns; ``done`` are columns that
    are functions of others already."""
    left = [j for j in range(len(coded)) if j not in done]
    lookups, ranges = ({k: [] for k in left} for _ in range(2))
    for k in left:
        x = coded[k]
        for j in left:
            if j == k or x.n < coded[j].n or coded[j].n < 2:
                continue
            if is_number[k] and ranges_of(x, coded[j]):
                ranges[k].append(j)
            elif determines(x, coded[j], ordered=bool(is_number[k])):
                lookups[k].append(j)
    found, done, roots = [], set(), set()
    order = sorted(left, key=lambda k: (-coded[k].n, bool(is_number[k])))
    for k in order:
        if k in done or not lookups[k]:
            continue
        targets = [j for j in lookups[k] + ranges[k] if j not in done | roots]
        if targets:
            found.append(Combinations((k, *sorted(targets))))
            done.update(targets)
            roots.add(k)
    for k in order:
        for j in ranges[k]:
            if j not in done | roots and k not in done:
                found.append(Ranges(j, k))
                done.add(j)
    return found


def broken(relation, real, rows):
    """Mask of rows that break a relation of a real table; False where a value is
    missing. Both tables are lists of columns."""
    if isinstance(relation, Combinations):
        return ~_occurs(relation.columns, real, rows)
    if isinstance(relation, Ranges):
        return _out_of_range(relation, real, rows)
    return is_off(relation, real, rows)


def described(relation, names):
    """Short text of a relation between named columns."""
    target, *others = (str(names[j]) for j in relation.columns)
    if isinstance(relation, Combinations):
        return f"{target} → {', '.join(others)}"
    if isinstance(relation, Ranges):
        return f"{others[0]} → {target}"
    if isinstance(relation, Product):
        return f"{target} = {' × '.join(str(names[j]) for j in relation.factors)}"
    terms = [("" if abs(w) == 1 else f"{abs(w):.6g} ") for w in relation.weights]
    terms = [f"{term}{name}" for term, name in zip(terms, others)]
    signs = ["-" if w < 0 else "+" for w in relation.weights]
    if relation.offset:
        terms.append(f"{abs(relation.offset):.6g}")
        signs.append("-" if relation.offset < 0 else "+")
    first = "-" if signs[0] == "-" else ""
    rest = (f" {sign} {term}" for sign, term in zip(signs[1:], terms[1:]))
    return f"{target} = {first}{terms[0]}{''.join(rest)}"


def _occurs(which, real, rows):
    """Mask of rows whose values of some columns occur together in a real table, or are
    missing."""
    tables = [np.stack([t[j] for j in which], axis=1) for t in (real, rows)]
    known = [~np.isnan(table).any(axis=1) for table in tables]
    both = np.concatenate([table[mask] for table, mask in zip(tables, known)])
    numbers = distinct(both)[1]
    n = int(known[0].sum())
    occurs = np.ones(len(tables[1]), bool)
    occurs[known[1]] = np.isin(numbers[n:], numbers[:n])
    return occurs


def _out_of_range(relation, real, rows):
    """Mask of rows whose target is not that of the range of their source."""
    x, y = Coded.of(real[relation.source]), Coded.of(real[relation.target])
    codes: Any = image(x, y)
    seen = codes >= 0
    return ~in_range(
        x.values[seen],
        y.values[codes[seen]],
        rows[relation.source],
        rows[relation.target],
    )


def in_range(keys, values, source, target):
    """Mask of rows whose target is that of the nearest key below or above its source;
    True where missing. ``keys`` are increasing numbers with the given ``values``."""
    place = np.searchsorted(keys, source)
    above = place.clip(0, len(keys) - 1)
    below = np.where(keys[above] == source, above, (place - 1).clip(0))
    fits = (target == values[above]) | (target == values[below])
    return fits | np.isnan(source) | np.isnan(target)


def nearest(keys, source):
    """Index of the key nearest to each source value; 0 where missing."""
    above = np.searchsorted(keys, source).clip(1, max(1, len(keys) - 1))
    if len(keys) == 1:
        return np.zeros(len(source), int)
    return above - (source - keys[above - 1] <= keys[above] - source)
