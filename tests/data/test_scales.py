import numpy as np
import pytest
from scipy.stats import kstest, norm

from skdgm.data.scales import Levels, few, scores_of, separate, stride_of
from skdgm.utils.equations import step_of
from tests.suites import DTYPES


def learned(x, weight=None):
    values, place = np.unique(x, return_inverse=True)
    weight = np.bincount(place, weight, minlength=len(values)).astype(float)
    return scores_of(values, weight)


def numbers(kind, n=2000):
    """Columns of several kinds, by name."""
    rng = np.random.default_rng(0)
    amounts = np.exp(rng.normal(7, 1, n))
    found = {
        "real": rng.normal(3, 100, n),
        "tails": rng.standard_cauchy(n),
        "whole": rng.poisson(30, n).astype(float),
        "cents": np.round(amounts, 2),
        "inflated": np.where(rng.random(n) < 0.9, 0, np.rint(amounts)),
        "heaped": np.where(rng.random(n) < 0.5, 40, rng.integers(1, 100, n)),
        "four values": rng.integers(0, 4, n) * 1.5,
        "tenths": rng.integers(0, 40, n) / 10 + 0.5,
        "nearly one": np.where(np.arange(n) < n - 1, 7.0, 9.0),
    }
    return found[kind]


KINDS = ["real", "tails", "whole", "cents", "inflated", "heaped", "four values"]
KINDS += ["nearly one", "tenths"]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_there_and_back(kind):
    x = numbers(kind)
    scores = learned(x)
    z = scores.forward(x)
    assert (np.diff(scores.z) > 0).all()
    assert (np.diff(scores.x) > 0).all()
    np.testing.assert_allclose(scores.backward(z), x, rtol=1e-9)
    beyond = scores.forward(np.array([x.min() - 1e9, x.max() + 1e9]))
    assert beyond[0] < z.min() < z.max() < beyond[1]
    np.testing.assert_array_equal(scores.backward(beyond), [x.min(), x.max()])
    assert np.isnan(scores.backward(scores.forward(np.full(1, np.nan))))


@pytest.mark.parametrize("kind", ["real", "tails", "whole", "cents"])
def test_scores_are_normal(kind):
    x = numbers(kind)
    z = learned(x).forward(x)
    assert kstest(z, "norm").statistic < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_is_the_derivative(kind):
    scores = learned(numbers(kind))
    inside = scores.x[:-1] + np.diff(scores.x) * 0.4
    outside = scores.x[[0, -1]] + [-1, 1]
    x = np.concatenate([inside, outside])
    x, step = x[~scores.is_atom(x)], 1e-7
    change = (scores.forward(x + step) - scores.forward(x - step)) / (2 * step)
    np.testing.assert_allclose(np.exp(scores.log_slope(x)), change, rtol=1e-2)
    assert not scores.log_slope(np.append(scores.atoms, np.nan)).any()


def test_values_that_many_rows_share_are_atoms():
    np.testing.assert_array_equal(learned(numbers("inflated")).atoms, [0])
    np.testing.assert_array_equal(learned(numbers("heaped")).atoms, [40])
    np.testing.assert_array_equal(learned(numbers("nearly one")).atoms, [7])
    for kind in ("real", "tails", "whole", "cents"):
        assert not len(learned(numbers(kind)).atoms)
    # Their shares are smoothed, and the mean is that of the others' scores.
    share = learned(numbers("inflated")).share
    assert share[0] == pytest.approx((numbers("inflated") == 0).mean(), abs=1e-3)


def test_round_numbers_are_atoms():
    # One hour in three is a multiple of five, and four times as frequent as others;
    # chance makes none of others an atom, however few rows there are.
    for n in (60, 600, 6000):
        rng = np.random.default_rng(n)
        hours = rng.integers(4, 80, n)
        some = rng.random(n) < 1 / 3
        hours = np.where(some, hours // 5 * 5, hours).astype(float)
        atoms = learned(hours).atoms
        assert not (atoms % 5).any()
        assert not len(learned(rng.integers(4, 80, n).astype(float)).atoms)
    assert set(range(10, 75, 5)) <= set(atoms)


def test_atoms_are_at_most_so_many():
    x = np.repeat(np.arange(400.0), np.where(np.arange(400) % 5, 2, 30))
    atoms = learned(np.append(x, np.full(100, 205.0))).atoms
    assert len(atoms) == 50
    assert 205 in atoms


@pytest.mark.parametrize("dtype", DTYPES)
def test_atoms_are_known_by_their_scores(dtype):
    scores = learned(numbers("heaped"))
    z = scores.forward(np.array([39.0, 40, 41, np.nan])).astype(dtype)
    np.testing.assert_array_equal(scores.codes(z), [1, 0, 1, np.nan])


def test_a_weight_is_a_repetition():
    x = numbers("heaped", 300)
    weight = np.random.default_rng(1).integers(0, 4, len(x))
    some = learned(x[weight > 0], weight[weight > 0])
    for one, other in zip(some, learned(np.repeat(x, weight)), strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(
    "values, step",
    [
        ([1, 2, 7], 1),
        ([0.5, 1, 7], 0.1),
        ([0.25, 1.75, 1e4], 0.01),
        ([1e17, 3e17], 0),
        ([np.pi, np.e], 0),
        (np.float32([0.1, 0.2, 12.7]).astype(float), 0.1),
    ],
)
def test_steps(values, step):
    assert step_of(np.array(values, float)) == step


def test_what_is_drawn_is_rounded_and_within_the_range():
    z = np.random.default_rng(0).normal(0, 3, 1000)
    found = learned(numbers("cents")).backward(z)
    np.testing.assert_array_equal(found, np.round(found, 2))
    for kind in KINDS:
        x, found = numbers(kind), learned(numbers(kind)).backward(z)
        assert x.min() <= found.min()
        assert found.max() <= x.max()


def test_levels():
    levels = Levels(np.array([-1.5, 0, 2]))
    found = levels.forward(np.array([0, 2, -1.5, 1.9, 9, -9, np.nan]))
    np.testing.assert_array_equal(found, [1, 2, 0, *[np.nan] * 4])
    np.testing.assert_array_equal(levels.backward(found[:3]), [0, 2, -1.5])
    one = Levels(np.array([3.0]))
    np.testing.assert_array_equal(one.forward(np.array([3, 4, np.nan]))[:1], 0)
    assert np.isnan(one.forward(np.array([4, np.nan]))).all()


@pytest.mark.parametrize(
    "n, rows, found", [(2, 3, True), (5, 20, False), (5, 60, True)]
)
def test_few_values_are_levels(n, rows, found):
    assert few(np.arange(n), np.full(n, rows / n)) == found


def test_columns_of_noise_are_read_without_harm():
    # Gaps as small as rounding errors, and huge ones, give finite slopes.
    x = np.array([0, 1e-300, 1e-12, 1, 1 + 1e-15, 1e12, *np.linspace(2, 3, 60)])
    scores = learned(x)
    assert np.isfinite(scores.log_slope(x)).all()
    assert np.isfinite(scores.forward(x)).all()


@pytest.mark.parametrize("step", [0.1, 0.01, 0.3, 7.0])
def test_few_values_of_any_step_have_scores(step):
    # Multiples of decimal fractions are not exact.
    for first in range(5):
        x = np.repeat((first + np.arange(4)) * step, [1, 2, 9, 1])
        scores = learned(x)
        assert np.isfinite(scores.z).all()
        np.testing.assert_allclose(scores.backward(scores.forward(x)), x, rtol=1e-9)


def test_values_near_small_atoms_are_none():
    atom = 2e-14
    x = atom * (1 + 1e-6 * np.random.default_rng(0).integers(-50, 50, 2000))
    x[:500] = atom
    scores = learned(x)
    np.testing.assert_array_equal(scores.atoms, [atom])
    near = atom * (1 + 1e-9 * np.arange(-40.0, 41))
    found = [scores.is_atom(near, dtype) for dtype in (np.float32, np.float64)]
    np.testing.assert_array_equal(found, [near == atom] * 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_near_large_atoms_are_none(dtype):
    x = 2e7 + np.random.default_rng(0).integers(-50, 50, 2000)
    x[:500] = 2e7
    scores = learned(x)
    np.testing.assert_array_equal(scores.atoms, [2e7])
    near = 2e7 + np.arange(-40.0, 41)
    np.testing.assert_array_equal(scores.is_atom(near, dtype), near == 2e7)
    slope = scores.log_slope(near, dtype)
    assert slope[40] == 0
    assert (np.delete(slope, 40) < -2).all()


def test_whole_levels_that_are_close():
    levels = Levels(np.array([2_000_001.0, 2_000_004.0, 2_000_005.0]))
    given = 2e6 + np.array([1.0, 2, 3, 4, 5, 6, np.nan])
    nan = np.nan
    np.testing.assert_array_equal(levels.forward(given), [0, nan, nan, 1, 2, nan, nan])


@pytest.mark.parametrize("kind", KINDS)
def test_nets_read_values_a_tail_beyond_the_range(kind):
    """As wide a tail as of so many rows as the lowest score tells of."""
    scores = learned(numbers(kind))
    low, high = scores.ends
    n_rows = 0.5 / norm.cdf(scores.z[0]) - 1
    width = scores.z[-1] - scores.z[0]
    assert scores.z[0] - low == pytest.approx(width * 2 / np.sqrt(max(n_rows, 1)))
    assert high - scores.z[-1] == pytest.approx(scores.z[0] - low)
    assert scores.slope == pytest.approx(width / (scores.x[-1] - scores.x[0]))


@pytest.mark.parametrize(
    "values, step",
    [
        (500.0 * np.arange(3, 40), 500),
        (0.25 * np.arange(-9, 40), 0.25),
        (2.0 * np.arange(9), 1),
        (2.0 * np.arange(40) + 1, 1),
        (np.arange(40) / 10, 0.1),
        (np.sqrt(np.arange(40)), 0),
    ],
)
def test_steps_that_are_no_powers_of_ten(values, step):
    assert stride_of(values) == pytest.approx(step)
    scores = scores_of(values, np.full(len(values), 2.0))
    assert scores.step == pytest.approx(step)
    found = scores.backward(scores.forward(values))
    np.testing.assert_allclose(found, values, rtol=0 if step else 1e-12, atol=1e-12)
    drawn = scores.backward(np.random.default_rng(0).normal(size=500))
    if step:
        assert np.isin(drawn, np.round(step * np.arange(-40, 999), 6)).all()


def test_separate_values():
    rows = np.full(30, 25.0)
    prices = np.random.default_rng(0).permutation(9000)[:30] / 100
    assert separate(np.sort(prices), rows)
    assert separate(np.sqrt(np.arange(30)), rows)
    # A full grid, a value that hardly repeats, few rows, and many values.
    assert not separate(np.arange(30.0), rows)
    assert not separate(np.sort(prices), np.append(rows[1:], 4))
    assert not separate(np.sort(prices), rows - 6)
    assert not separate(np.sqrt(np.arange(201)), np.full(201, 25.0))
