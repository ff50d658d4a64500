import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline

from skdgm import BernoulliRBM
from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import average_over_draws, likelihood_table, log_density
from skdgm.preprocessing import BernoulliBinarizer, Dequantizer
from tests.checks import with_checks
from tests.suites import DTYPES

V = np.random.default_rng(0).random((400, 5))
SCHEMES = [
    BernoulliBinarizer(),
    BernoulliBinarizer("threshold", threshold=0.3),
    BernoulliBinarizer(draw=2, random_state=5),
]


@with_checks([*SCHEMES[:2], Dequantizer()])
def test_scikit_learns_checks(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped


def test_threshold():
    bits = BernoulliBinarizer("threshold", threshold=0.3).fit_transform(V)
    np.testing.assert_array_equal(bits, V > 0.3)


def test_draws_have_their_probabilities():
    v = np.full((20_000, 1), 0.2)
    # Rows of other content have other noise.
    v = np.column_stack([v, np.random.default_rng(1).random(20_000)])
    bits = BernoulliBinarizer().fit_transform(v)
    assert abs(bits[:, 0].mean() - 0.2) < 4 * np.sqrt(0.16 / 20_000)
    slope = np.cov(bits[:, 1], v[:, 1])[0, 1] / v[:, 1].var()
    assert slope == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_a_row_keeps_its_bits(scheme):
    bits = scheme.fit_transform(V)
    np.testing.assert_array_equal(scheme.transform(V[::-1]), bits[::-1])
    np.testing.assert_array_equal(scheme.transform(V[7:8]), bits[7:8])
    sparse = scheme.transform(sp.csr_array(V))
    assert sp.issparse(sparse)
    np.testing.assert_array_equal(sparse.toarray(), bits)
    holes = V.copy()
    holes[3, 2] = np.nan
    assert np.isnan(scheme.transform(holes)).sum() == 1


def test_other_draws_and_seeds_give_other_bits():
    one, two, three = (
        BernoulliBinarizer(draw=draw, random_state=seed).fit_transform(V)
        for draw, seed in ((0, 0), (1, 0), (0, 1))
    )
    assert 0.2 < (one != two).mean() < 0.45
    assert 0.2 < (one != three).mean() < 0.45


def test_values_outside():
    with pytest.raises(ValueError, match="Negative values"):
        BernoulliBinarizer().fit(-V)
    binarizer = BernoulliBinarizer().fit(V)
    with pytest.warns(DataRangeWarning, match="clips them"):
        assert binarizer.transform(V + 1).min() == 1


def test_tables_know_schemes_apart():
    rbm = BernoulliRBM(3, n_iter=2, random_state=0)
    pipes = {
        scheme.scheme + str(scheme.draw): make_pipeline(scheme, rbm).fit(V)
        for scheme in SCHEMES
    }
    with pytest.raises(ValueError, match="fixed0 has draw 0 .*above 0.3.*same Bern"):
        likelihood_table(pipes, V)
    with pytest.raises(ValueError, match="rows as given"):
        likelihood_table([pipes["fixed0"], rbm.fit(V)], V)
    likelihood_table(pipes, (V > 0.5).astype(float))
    likelihood_table([pipes["fixed0"], pipes["fixed0"]], V)


def test_average_over_draws():
    rbm = BernoulliRBM(3, n_iter=5, resample=True, random_state=0).fit(V)
    mean, se = average_over_draws(rbm, V[:20], n_draws=100)
    every = np.array([[(i >> k) & 1 for k in range(5)] for i in range(32)], float)
    p = np.prod(np.where(every[:, None], V[:20], 1 - V[:20]), axis=2)
    exactly = rbm.score_samples(every) @ p
    assert (np.abs(mean - exactly) < 5 * se).all()
    bits = (V > 0.5).astype(float)
    mean, se = average_over_draws(rbm, bits, n_draws=2)
    np.testing.assert_allclose(mean, rbm.score_samples(bits))
    assert (se == 0).all()
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        average_over_draws(rbm, 3 * V)
    with pytest.raises(TypeError, match="score_samples"):
        average_over_draws(BernoulliBinarizer().fit(V), V)


def test_dequantizer_stays_in_the_cell():
    X = np.random.default_rng(2).integers(0, 256, (3000, 4)) / 255
    spread = Dequantizer(1 / 255).fit(X)
    Y = spread.transform(X)
    u = (Y - X) * 255
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 4 * np.sqrt(1 / 12 / u.size)
    np.testing.assert_allclose(spread.inverse_transform(Y), X, atol=1e-9)
    np.testing.assert_array_equal(spread.transform(X[::-1]), Y[::-1])
    other = Dequantizer(1 / 255, draw=1).fit_transform(X)
    assert (other != Y).mean() > 0.99


@pytest.mark.parametrize(
    ("dtype", "step"),
    [(np.uint8, 1), (np.float32, 1 / 255), (np.float64, 1), (np.float64, 1 / 255)],
)
def test_no_value_leaves_its_cell_by_rounding(dtype, step):
    """Of a million, some would."""
    X = np.random.default_rng(4).integers(0, 256, (20_000, 50))
    X = (X * step).astype(dtype)
    spread = Dequantizer(step).fit(X)
    Y = spread.transform(X)
    assert Y.dtype == (np.float64 if dtype == np.float64 else np.float32)
    for on_grid in Y, X.astype(Y.dtype):
        found = spread.inverse_transform(on_grid)
        assert found.dtype == Y.dtype
        assert np.abs(found - X).max() < 1e-3 * step


@pytest.mark.parametrize("u", [0.0, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_at_the_ends_of_a_cell_stays_inside(monkeypatch, u, dtype):
    X = np.array([[-3, 0.0], [100, 7]], dtype)
    spread = Dequantizer(0.5).fit(X)
    noise = SimpleNamespace(uniform=lambda n, dtype: np.full((2, n), u, dtype))
    streams = SimpleNamespace(rows=lambda hashes: noise)
    module = "skdgm.preprocessing.dequantizer.stream"
    monkeypatch.setattr(module, lambda *path: streams)
    Y = spread.transform(X)
    assert (X < Y).all()
    assert (Y < X + 0.5).all()
    np.testing.assert_allclose(Y, X + 0.5 * u, atol=1e-4)
    np.testing.assert_array_equal(spread.inverse_transform(Y), X)


def test_values_without_an_inside_of_their_cells():
    large = np.array([[1, 2**24]])
    with pytest.raises(ValueError, match="too large for steps of 1 in float32.*float6"):
        Dequantizer().fit(large).transform(large)
    assert Dequantizer().fit_transform(large.astype(float))[0, 1] > 2**24


@pytest.mark.parametrize("transformer", [BernoulliBinarizer(), Dequantizer()], ids=repr)
def test_names_of_columns(transformer):
    frame = pd.DataFrame(V, columns=list("abcde"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = transformer.set_output(transform="pandas").fit_transform(frame)
    assert list(found.columns) == list("abcde")
    transformer.set_output(transform="default")
    np.testing.assert_array_equal(found, transformer.fit_transform(V))


def test_a_density_behind_it_has_no_correction():
    X = np.random.default_rng(3).integers(0, 9, (200, 2)).astype(float)
    pipe = make_pipeline(Dequantizer(), GaussianMixture(2, random_state=0)).fit(X)
    np.testing.assert_allclose(log_density(pipe, X), pipe.score_samples(X))


@pytest.mark.parametrize("step", [Dequantizer(), BernoulliBinarizer()], ids=str)
@pytest.mark.parametrize(
    "X",
    [
        [["a", "b"]] * 3,
        np.array([["a"], [0.5]], object),
        pd.DataFrame({"a": pd.Categorical(["a", "b"]), "b": [0.5, 1.0]}),
    ],
)
@pytest.mark.filterwarnings("ignore:X has feature names")
def test_strings_are_named(step, X):
    message = f"{type(step).__name__} takes numbers.*ColumnTransformer"
    with pytest.raises(ValueError, match=message):
        step.fit(X)
    with pytest.raises(ValueError, match=message):
        step.fit(np.zeros(np.shape(X))).transform(X)


def test_numbers_beyond_all_floats_are_named():
    for step in Dequantizer(), BernoulliBinarizer():
        with pytest.raises(ValueError, match="beyond .*floats"):
            step.fit(np.array([[10**400], [1]], object))


def test_ends_of_intervals_of_bits():
    """A value at the threshold is off, and one of 0 whatever is drawn."""

    class Lowest:
        def uniform(self, n, dtype):
            return np.zeros(n, dtype)

    v = np.array([[0.0, 0.3, 0.300001, np.nan]])
    bits = BernoulliBinarizer("threshold", threshold=0.3)._bits(v, None)
    np.testing.assert_array_equal(bits, [[0, 0, 1, np.nan]])
    bits = BernoulliBinarizer()._bits(v, Lowest())
    np.testing.assert_array_equal(bits, [[0, 1, 1, np.nan]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [0.1, 1.0, 3.0])
def test_values_a_rounding_below_a_multiple_are_of_that_multiple(dtype, step):
    whole = np.arange(-50.0, 50)[:, None]
    multiples = (whole * step).astype(dtype)
    scaler = Dequantizer(step=step).fit(multiples)
    found = scaler.inverse_transform(multiples)
    np.testing.assert_allclose(found, multiples, rtol=1e-6, atol=1e-12)
    if step >= 1:
        near = np.nextafter(multiples, dtype(-np.inf))[whole != 0][:, None]
        found = scaler.inverse_transform(near)
        np.testing.assert_allclose(found, multiples[whole != 0][:, None], rtol=1e-6)
    below = scaler.inverse_transform(multiples - dtype(1e-3 * step))
    np.testing.assert_allclose(below, (whole - 1) * step, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cells_have_an_interior_up_to_a_limit(dtype):
    """Of two margins of four roundings of the largest value."""
    limit = 1 / (8 * np.finfo(dtype).eps) - 1
    X = np.floor(np.array([[0.999 * limit], [1.0]])).astype(dtype)
    scaler = Dequantizer().fit(X)
    Y = scaler.transform(X)
    assert (X < Y).all()
    assert (Y < X + 1).all()
    np.testing.assert_array_equal(scaler.inverse_transform(Y), X)
    # Exactly at it, and above.
    scaler.transform(np.full((1, 1), limit, dtype))
    with pytest.raises(ValueError, match="too large for steps of 1"):
        scaler.transform(np.full((1, 1), limit + 4, dtype))
