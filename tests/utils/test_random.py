import numpy as np
import pytest
from scipy import stats

from skdgm.utils.random import Stream, standard_normal, stream
from tests.suites import DTYPES


def test_a_draw_has_an_address():
    rng = stream(3, 1).rows(50)
    whole = rng.uniform(20)
    some = np.array([40, 3, 17])
    np.testing.assert_array_equal(rng.take(some).uniform(20), whole[some])
    np.testing.assert_array_equal(stream(3, 1).rows(50).uniform(7), whole[:, :7])
    places = np.array([40, 3, 40]), np.array([1, 19, 0])
    np.testing.assert_array_equal(rng.uniform_at(*places), whole[places])


def test_ids_name_rows():
    ids = np.array([5, 2**63 + 11], dtype=np.uint64)
    a, b = stream(0).rows(ids).uniform(4)
    np.testing.assert_array_equal(stream(0).rows(ids[1:]).uniform(4)[0], b)
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("other", [stream(4, 1), stream(3, 2), stream(3), stream(1, 3)])
def test_purposes_and_seeds_differ(other):
    correlation = np.corrcoef(
        stream(3, 1).rows(40).uniform(500).ravel(), other.rows(40).uniform(500).ravel()
    )[0, 1]
    assert 0 < abs(correlation) < 5 / np.sqrt(40 * 500)


def test_fold_is_a_path():
    assert stream(1).fold(2, 3) == stream(1).fold(2).fold(3)
    assert stream(1).fold(2, 3).root != stream(1).fold(3, 2).root


@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform_is_below_one_and_of_its_type(dtype):
    u = stream(0).rows(1000).uniform(1000, dtype)
    assert u.dtype == dtype
    assert u.min() >= 0
    assert u.max() < 1


def test_bits_are_uniform_and_independent():
    n_rows, n_columns = 2048, 512
    bits = stream(7).rows(n_rows).bits(n_columns)
    for shift in (0, 16):
        counts = np.bincount(((bits >> np.uint32(shift)) & np.uint32(0xFFFF)).ravel())
        assert stats.chisquare(counts).pvalue > 1e-4
    centered = (bits >> np.uint32(8)) * 2.0**-24 - 0.5
    for a, b in [
        (centered[:, 1:], centered[:, :-1]),
        (centered[1:], centered[:-1]),
        (centered[:, 64:], centered[:, :-64]),
    ]:
        z = 12 * (a * b).sum() / np.sqrt(a.size)
        assert abs(z) < 4
    for axis, n in ((0, n_rows), (1, n_columns)):
        z = centered.mean(axis) * np.sqrt(12 * n)
        assert stats.chi2.sf((z**2).sum(), z.size) > 1e-4


def test_generator_is_reproducible():
    a, b = stream(5, 2).generator(), stream(5, 2).generator()
    assert a.random() == b.random()


def test_normal_numbers_are_normal():
    x = stream(3).rows(2000).normal(5)
    assert stats.kstest(x.ravel(), "norm").pvalue > 0.01
    assert stream(3).rows(4).normal(5, np.float32).dtype == np.float32
    np.testing.assert_array_equal(stream(3).rows(4).normal(3), x[:4, :3])


def test_the_most_extreme_normal_numbers_are_finite():
    class Edge(Stream):
        def uniform(self, n_columns):
            return np.array([[0.0] * n_columns, [1 - 2.0**-32] * n_columns])

    x = Edge(0).normal(3)
    np.testing.assert_allclose(x[1], -x[0])
    assert (abs(x) < 7).all()


@pytest.mark.parametrize("name", ["uniform", "norm", "gumbel_r"])
def test_numbers_have_their_distributions(name):
    """Over rows, and over columns of a row, as SciPy has it."""
    method = {"norm": "normal", "gumbel_r": "gumbel"}.get(name, name)
    for n_rows, n_columns in (3000, 1), (1, 3000):
        x = getattr(stream(3).rows(n_rows), method)(n_columns)
        assert x.shape == (n_rows, n_columns)
        assert stats.kstest(x.ravel(), name).pvalue > 1e-3


@pytest.mark.parametrize("dtype", DTYPES)
def test_standard_normal_numbers_of_a_generator(dtype):
    z = standard_normal(np.random.default_rng(0), (999, 1001), dtype)
    assert z.dtype == dtype
    n = z.size
    moments = z.mean(), (z**2).mean() - 1, (z**3).mean(), (z**4).mean() - 3
    for moment, variance in zip(moments, (1, 2, 15, 96), strict=True):
        assert abs(moment) < 4 * np.sqrt(variance / n)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    # The sines and cosines of a pair share their radius.
    first, second = z.ravel()[: n // 2], z.ravel()[n // 2 + 1 :]
    for a, b in (first, second), (first**2 - 1, second**2 - 1):
        assert abs((a * b).sum()) < 4 * np.sqrt((a**2 * b**2).sum())


def test_few_standard_normal_numbers():
    shapes = [(0, 3), (1,), (), (2, 3, 5)]
    for shape in shapes:
        z = standard_normal(np.random.default_rng(0), shape, np.float32)
        assert z.shape == shape
        assert np.isfinite(z).all()
