"""Functions between columns, found from rows."""

import numpy as np
import pytest

from skdgm.utils.equations import Linear, Product
from skdgm.utils.relations import (
    WIDE,
    Combinations,
    Ranges,
    broken,
    find,
    in_range,
    nearest,
)

N = 400


def drawn(*columns, numbers=None, holes=0.0):
    """Relations of columns, some of whose entries are missing."""
    rng = np.random.default_rng(9)
    columns = [np.asarray(x, float) for x in columns]
    holed = [np.where(rng.random(len(x)) < holes, np.nan, x) for x in columns]
    kinds = [True] * len(columns) if numbers is None else numbers
    found = find(holed, kinds)
    for relation in found:
        assert not broken(relation, holed, holed).any()
    return found


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("holes", [0.0, 0.1])
@pytest.mark.parametrize("is_number", [False, True])
def test_values_that_determine_others(rng, holes, is_number):
    x = rng.integers(3, 38, 10 * N)
    y, z = rng.normal(size=40)[x], rng.integers(0, 4, 40)[x]
    noise = rng.normal(size=len(x))
    found = drawn(noise, y, x, numbers=[True, True, is_number], holes=holes)
    assert found == [Combinations((2, 1) if not is_number else (1, 2))]
    # The function of a function has the same root.
    kinds = [is_number, True, is_number, True]
    assert [set(r.columns) for r in drawn(x, y, z, noise, numbers=kinds)] == [{0, 1, 2}]
    # A single exception is enough.
    y[0] = y[x != x[0]][0]
    assert drawn(noise, y, x, numbers=[True, True, is_number]) == []


def test_what_is_no_evidence(rng):
    constant, noise = np.zeros(N), rng.normal(size=N)
    identifier, rare = np.arange(N), np.arange(N) == 7
    assert drawn(identifier, noise, constant, rare) == []
    assert drawn(identifier, rare, constant, numbers=[False, False, False]) == []
    # Three rows for each value, or a value that nearly all rows share.
    code, value = np.repeat(np.arange(N // 3), 3), rng.integers(0, 3, N // 3)
    assert drawn(code, np.repeat(value, 3), numbers=[False, False]) == []
    code = rng.integers(0, 5, 150)
    assert drawn(code, np.arange(150) == 0, numbers=[False, False]) == []
    assert drawn(np.arange(3), [0, 1, 1], [2, 2, 5], [1, 2, 3]) == []
    assert find([], []) == []
    assert drawn(*np.full((3, 50), np.nan)) == []
    # Two clusters, and a threshold with noise.
    sides = rng.integers(0, 2, N)
    assert drawn(noise + 9 * sides, sides) == []
    assert drawn(noise, noise + rng.normal(0, 0.2, N) > 0) == []


def test_columns_that_only_some_values_have(rng):
    x, y = rng.integers(0, 10, N), rng.normal(size=10)
    assert drawn(x, y[x], numbers=[False, True]) == [Combinations((0, 1))]
    y[:3] = np.nan
    assert drawn(x, y[x], numbers=[False, True]) == []


def test_rare_values_that_are_always_the_same_are_evidence(rng):
    code = np.append(rng.integers(1, 5, 900), np.zeros(9, int))
    rng.shuffle(code)
    assert drawn(code, code == 0, numbers=[False, False]) == [Combinations((0, 1))]


def test_few_rows_near_a_change_are_no_evidence(rng):
    # Among noisy functions of few numbers, one in thousands has no exception.
    for n_rows, found in ((9, []), (50, [Combinations((0, 1))])):
        x = np.repeat(np.arange(5), [200, n_rows, n_rows, 200, 200])
        assert drawn(x, x >= 2) == found


def test_ranges(rng):
    x, age = rng.normal(size=N), rng.integers(0, 90, N)
    grade, group = np.digitize(x, [-1, 0.5, 0.9]), np.digitize(age, [20, 60])
    assert drawn(x, grade, age, group) == [Ranges(1, 0), Ranges(3, 2)]
    assert drawn(x, grade, numbers=["time", False], holes=0.1) == [Ranges(1, 0)]
    relation, real = Ranges(1, 0), [x, grade.astype(float)]
    low, high = np.sort(x)[[0, -1]]
    edge = np.array([x[grade == 0].max(), x[grade == 1].min()]).mean()
    rows = [np.array([low - 1, low, edge, edge, edge, high, np.nan, 0.0]), None]
    rows[1] = np.array([0.0, 1, 0, 1, 2, 3, 2, np.nan])
    expected = [False, True, False, False, True, False, False, False]
    assert broken(relation, real, rows).tolist() == expected


@pytest.mark.parametrize("holes", [0.0, 0.05])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums(rng, holes, dtype):
    a, b, c = rng.gamma(2, 30, (3, N)).round(2)
    d = rng.integers(0, 9, N)

    def found(*columns):
        columns = [np.asarray(x, dtype).astype(float) for x in columns]
        return drawn(*columns, holes=holes)

    assert found(a, (a + b).round(2), b, c) == [Linear(1, (0, 2), (1.0, 1.0))]
    assert found(a, b, (2 * a - b).round(2), d) == [Linear(2, (0, 1), (2.0, -1.0))]
    assert found(24 - a, c, a)[0] in (
        Linear(2, (0,), (-1.0,), 24.0),
        Linear(0, (2,), (-1.0,), 24.0),
    )
    # A mean has more decimals than its parts.
    assert found(((a + d) / 2).round(3), a, d) == [Linear(0, (1, 2), (0.5, 0.5))]
    # A total of a total has all of its parts.
    total = (a + b).round(2)
    both = found(a, b, total, (total + c).round(2), c)
    assert both == [
        Linear(3, (0, 1, 4), (1.0, 1.0, 1.0)),
        Linear(2, (0, 1), (1.0, 1.0)),
    ]
    # Rounded conversions of units; one part in a hundred is off.
    assert found((1.8 * a + 32).round(0), a) == [Linear(0, (1,), (1.8,), 32.0)]
    off = total + 0.1 * (np.arange(N) % 100 == 0)
    assert found(a, b, off) == []


def test_bits_that_sum_to_one_are_combinations(rng):
    code = rng.integers(0, 3, N)
    bits = [code == k for k in range(3)]
    assert drawn(*bits) == [Combinations((0, 1, 2))]


def test_products(rng):
    price, number = rng.integers(100, 9999, N) / 100, rng.integers(1, 9, N)
    total = (price * number).round(2)
    assert drawn(number, total, price) == [Product(1, (0, 2))]
    assert drawn(number, total, price, holes=0.1) == [Product(1, (0, 2))]
    assert drawn(price**2, price) == [Product(0, (1, 1))]
    taxed = (price * rng.choice([1.07, 1.19], N)).round(2)
    assert drawn(price, taxed) == []
    total[3] += 0.01
    assert drawn(number, total, price) == []
    # A factor of 1 makes no product.
    assert not any(
        isinstance(r, Product) for r in drawn(price, price.copy(), np.ones(N))
    )
    relation = Product(1, (0, 2))
    rows = [np.array(x, float) for x in ([2, 2, 2, np.nan], [3, 3.01, 3, 1], [1.5] * 4)]
    real = [np.asarray(x, float) for x in (number, (price * number).round(2), price)]
    assert broken(relation, real, rows).tolist() == [False, True, False, False]


def test_wide_tables_are_not_searched(rng):
    x = rng.normal(size=N)
    assert find([x] * (WIDE + 1), [True] * (WIDE + 1)) == []


def test_keys_and_their_neighbors():
    keys, values = np.array([1.0, 3.0, 9.0]), np.array([5.0, 6.0, 5.0])
    source = np.array([0.0, 1.0, 1.9, 2.0, 2.1, 9.0, 50.0])
    assert nearest(keys, source).tolist() == [0, 0, 0, 0, 1, 2, 2]
    assert nearest(keys[:1], source).tolist() == [0] * 7
    target = np.array([6.0, 6.0, 6.0, 5.0, 7.0, 6.0, 5.0])
    fits = [False, False, True, True, False, False, True]
    assert in_range(keys, values, source, target).tolist() == fits
