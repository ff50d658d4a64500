"""Bounds on the likelihood, held to integrals over one or two latent units."""

from copy import copy
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from skdgm import VAE
from skdgm.latent import Hierarchy
from skdgm.latent.density import _MAX_ACTIVATIONS
from skdgm.nets.stochastic.latents import BOUND
from tests.numerical import assert_means
from tests.options import grouped

BITS = np.array(list(product([0.0, 1.0], repeat=4)))
CODES = np.array(list(product([0.0, 1.0], [0.0, 1.0, 2.0], [0.0, 1.0])))
DEEP = {"n_components": (1, 1), "hidden_layer_sizes": (5, 4)}
BINARY, REAL = {"column_types": "bernoulli"}, {"column_types": "gaussian"}
MODELS = {
    "bits": BINARY,
    "bits-iwae": {**BINARY, "objective": "iwae"},
    "bits-deep": {**BINARY, **DEEP},
    "feature": REAL,
    "sample": {**REAL, "variance": "sample"},
    "fixed": {**REAL, "variance": 0.4},
    "sample-deep": {**REAL, **DEEP, "variance": "sample"},
    "codes": {"column_types": "categorical"},
    "codes-deep": {"column_types": "categorical", **DEEP},
}
DISCRETE = [name for name in MODELS if name[:4] in ("bits", "code")]
NUMBERS = [name for name in MODELS if name not in DISCRETE]


def data(decoder, n=300):
    """Rows whose columns have one cause, and two parts of it."""
    rng = np.random.default_rng(0)
    cause = rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=(n, 4))
    if decoder == "gaussian":
        return (np.sin(cause) * [10, 1, 0.1, 1] + [5, 0, 0, -3])[:, :3]
    if decoder == "categorical":
        return (cause[:, :3, None] > [[0, 9], [-0.5, 0.5], [0, 9]]).sum(axis=2) * 1.0
    noise = rng.logistic(size=cause.shape)
    return (2 * cause * [2, -2, 1, 1] + noise > 0).astype(float)


@cache
def fitted(name):
    """A model whose encoders are wide, so that the weights of draws are bounded."""
    options = {"n_components": 1, "hidden_layer_sizes": 5, **MODELS[name]}
    options |= {"learning_rate": 0.02, "batch_size": 10, "n_iter": 8}
    vae = grouped(VAE, **options, random_state=0)
    vae.fit(data(vae._options.column_types))
    for level in range(len(vae.coefs_) // 4):
        vae.intercepts_[2 * level + 1][1] += 1.2
    return vae


def rows_of(vae):
    return {"bernoulli": BITS, "categorical": CODES}.get(
        vae._options.column_types, data(vae._options.column_types)[:8]
    )


def net(vae, number, x):
    """Outputs of the encoders and then the decoders, each with one hidden layer."""
    (W, V), (b, c) = (
        part[2 * number : 2 * number + 2] for part in (vae.coefs_, vae.intercepts_)
    )
    return np.tanh(x @ W + b) @ V + c


def log_given(vae, X, out):
    """Log-likelihoods of rows given outputs, one for each pair."""
    X = X[:, None]
    if vae._options.column_types == "bernoulli":
        parts = X * out - np.logaddexp(0, out)
    elif vae._options.column_types == "gaussian":
        columns, n = vae._columns, X.shape[2]
        if vae._options.variance == "feature":
            variance = vae._options.min_variance + np.exp(
                vae._training.params.dispersion
            )
        elif vae._options.variance == "sample":
            variance = vae._options.min_variance + np.exp(out[:, n:])
        else:
            variance = vae._options.variance
        mean = out[:, :n] * columns.scale + columns.mean
        parts = norm.logpdf(X, mean, columns.scale * np.sqrt(variance))
    else:
        parts, columns = [], np.split(out, [2, 5], axis=1)
        for x, part in zip(X[:, 0].T, columns):
            log_p = log_softmax(part, axis=1)
            known = np.where(np.isnan(x), 0, x).astype(int)
            parts.append(np.where(np.isnan(x), np.nan, log_p[:, known]).T)
        parts = np.stack(parts, axis=2)
    return np.where(np.isnan(X), 0, parts).sum(axis=2)


def encoded(vae, X):
    """Means and spreads of the lowest latent unit."""
    if vae._options.column_types == "gaussian":
        X = (X - vae._columns.mean) / vae._columns.scale
    elif vae._options.column_types == "categorical":
        X = np.concatenate(
            [np.eye(n)[x.astype(int)] for n, x in zip([2, 3, 2], X.T)], 1
        )
    mean, s = net(vae, 0, X).T
    return mean, np.exp(0.5 * BOUND * np.tanh(s / BOUND))


def reconstruction(vae, X):
    """Its expectation for each row and its spread over draws, by Gauss and Hermite."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(80)
    mean, spread = encoded(vae, X)
    given = []
    for i in range(len(X)):
        z = mean[i] + spread[i] * nodes
        given.append(log_given(vae, X[i : i + 1], net(vae, 1, z[:, None]))[0])
    given, weight = np.array(given), weight / weight.sum()
    expected = given @ weight
    return expected, np.sqrt((given - expected[:, None]) ** 2 @ weight)


def many(X, n):
    """So many copies of each row, with the noise of different rows."""
    X = np.repeat(X, n, axis=0)
    return X + (1 - 2 * X) * 1e-12 * np.random.default_rng(0).random(X.shape)


def exact(vae, X):
    """Log-likelihoods by the trapezoidal rule."""
    z = np.linspace(-10, 10, 1001)
    log_step = np.log(z[1] - z[0])
    log_p = norm.logpdf(z) + log_step
    depth = len(vae.coefs_) // 4
    if depth == 2:
        mean, s = net(vae, 3, z[:, None]).T[:, :, None]
        spread = np.exp(0.5 * BOUND * np.tanh(s / BOUND))
        log_p = logsumexp(norm.logpdf(z, mean, spread) + log_p[:, None], axis=0)
        log_p += log_step
    return logsumexp(log_given(vae, X, net(vae, depth, z[:, None])) + log_p, axis=1)


def holed(X):
    """Rows with a part missing, one with all but one and one with all."""
    X = np.where(np.random.default_rng(1).random(X.shape) < 0.4, np.nan, X)
    X[0] = np.nan
    X[1] = [*X[1, :1], *[np.nan] * (X.shape[1] - 1)]
    X[1, 0] = 1.0
    return X


def assert_exact(vae, X, n_draws=2000):
    expected = exact(vae, X)
    found, se = vae.importance_likelihood(X, n_draws=n_draws, return_se=True)
    assert (abs(found - expected) <= 4 * se + 1e-9).all()
    assert (se < 0.1).all()
    return expected


@pytest.mark.exhaustive(default=["iwae"])
@pytest.mark.parametrize("name", MODELS)
def test_importance_sampling_finds_the_likelihood(name):
    vae = fitted(name)
    assert_exact(vae, rows_of(vae))


@pytest.mark.exhaustive(default=["iwae", "fixed"])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_missing_is_left_out(name):
    vae = fitted(name)
    X = holed(rows_of(vae))
    expected = assert_exact(vae, X)
    assert expected[0] == pytest.approx(0, abs=1e-6)
    assert vae.score_samples(X[:1]) == pytest.approx(0, abs=0.5)
    found = vae.elbo(X, n_draws=500)
    assert (found.bound <= expected + 0.05).all()


@pytest.mark.exhaustive(default=["iwae"])
@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities_of_all_rows_add_up_to_one(name):
    vae = fitted(name)
    X = rows_of(vae)
    assert np.exp(exact(vae, X)).sum() == pytest.approx(1, abs=1e-9)
    found, se = vae.importance_likelihood(X, n_draws=2000, return_se=True)
    error = np.linalg.norm(np.exp(found) * se)
    assert abs(np.exp(found).sum() - 1) <= 4 * error < 0.05


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NUMBERS)
def test_densities_of_a_column_in_its_own_units_add_up_to_one(name):
    vae = fitted(name)
    X = np.full((301, 3), np.nan)
    X[:, 0] = np.linspace(-60, 70, 301)
    step = X[1, 0] - X[0, 0]
    found, se = vae.importance_likelihood(X, n_draws=1500, return_se=True)
    error = step * np.linalg.norm(np.exp(found) * se)
    assert abs(step * np.exp(found).sum() - 1) <= 4 * error < 0.05
    assert step * np.exp(exact(vae, X)).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.exhaustive(default=["bits"])
@pytest.mark.parametrize("name", DISCRETE)
def test_samples_are_as_frequent_as_they_are_probable(name):
    vae = fitted(name)
    X = rows_of(vae)
    rows = vae.sample(20_000, random_state=0)
    assert_means((rows[:, None] == X).all(axis=2), np.exp(exact(vae, X)))


@pytest.mark.exhaustive(default=["fixed"])
@pytest.mark.parametrize("name", NUMBERS)
def test_samples_have_the_moments_of_the_density(name):
    vae = fitted(name)
    X = np.full((301, 3), np.nan)
    X[:, 0] = grid = np.linspace(-60, 70, 301)
    p = np.exp(exact(vae, X)) * (grid[1] - grid[0])
    rows = vae.sample(20_000, random_state=0)[:, 0]
    for power in (1, 2, 3):
        assert_means((rows / 10) ** power, p @ (grid / 10) ** power)


@pytest.mark.exhaustive(default=["fixed", "feature"])
@pytest.mark.parametrize("name", MODELS)
def test_the_bound_is_below_and_is_the_sum_of_its_parts(name):
    vae = fitted(name)
    X = rows_of(vae)
    found = vae.elbo(X, n_draws=2000)
    np.testing.assert_allclose(found.bound, found.reconstruction - found.kl)
    assert (found.bound < exact(vae, X)).all()
    if name.endswith("deep"):
        return
    mean, spread = encoded(vae, X)
    kl = (mean**2 + spread**2 - 1) / 2 - np.log(spread)
    np.testing.assert_allclose(found.kl, kl)
    expected, spread = reconstruction(vae, X)
    assert (abs(found.reconstruction - expected) <= 4 * spread / np.sqrt(2000)).all()
    assert (expected - kl < exact(vae, X)).all()


@pytest.mark.parametrize("name", ["bits", "bits-deep", "sample"])
def test_more_draws_raise_the_bound_up_to_the_likelihood(name):
    vae = fitted(name)
    one, n = rows_of(vae)[:4], 600
    rows = many(one, n)
    truth = np.repeat(exact(vae, one), n)
    bounds = [vae.importance_likelihood(rows, n_draws=k) for k in (1, 5, 50)]
    errors = [(b - truth).std() / np.sqrt(len(rows)) for b in bounds]
    gaps = [(truth - b).mean() for b in bounds]
    assert gaps[0] > gaps[1] + 4 * np.hypot(*errors[:2])
    assert gaps[1] > gaps[2] + 4 * np.hypot(*errors[1:])
    assert gaps[2] > -4 * errors[2]


@pytest.mark.parametrize("name", ["bits", "bits-deep"])
def test_one_draw_is_the_bound_on_average(name):
    vae = fitted(name)
    rows = many(BITS[5:8], 400)
    draws = vae.importance_likelihood(rows, n_draws=1)
    bound = vae.elbo(rows, n_draws=400).bound
    for own, expected in zip(np.split(draws, 3), np.split(bound, 3)):
        assert_means(own - expected, 0, n_sigma=4)


def test_a_tenth_of_the_scale_is_ten_times_the_density():
    X, scale = data("gaussian"), np.array([1, 10, 1])
    options = {"n_components": 1, "hidden_layer_sizes": 5, **REAL, "random_state": 0}
    one, other = (grouped(VAE, **options, n_iter=0).fit(X * s) for s in (1, scale))
    np.testing.assert_allclose(one.elbo(X).kl, other.elbo(X * scale).kl, rtol=1e-9)
    options = {"n_draws": 400, "return_se": True}
    found, se = one.importance_likelihood(X, **options)
    wide, wide_se = other.importance_likelihood(X * scale, **options)
    error = np.hypot(se, wide_se)
    assert (abs(found - wide - np.log(10)) <= 4.5 * error).all()
    assert (error < 0.5).all()
    np.testing.assert_allclose(
        exact(one, X), exact(other, X * scale) + np.log(10), rtol=1e-9
    )


@pytest.mark.exhaustive
def test_gray_values_are_means_of_bits():
    vae = fitted("bits")
    gray = np.array([[0.3, 0.9, 0.0, 0.6]])
    p = np.prod(np.where(BITS == 1, gray, 1 - gray), axis=1)
    found = vae.elbo(gray, n_draws=20_000)
    nodes, weight = np.polynomial.hermite_e.hermegauss(80)
    mean, spread = encoded(vae, gray)
    z = mean + spread * nodes
    given = p @ log_given(vae, BITS, net(vae, 1, z[:, None]))
    expected = given @ weight / weight.sum()
    spread = np.sqrt((given - expected) ** 2 @ weight / weight.sum())
    assert abs(found.reconstruction - expected) <= 4 * spread / np.sqrt(20_000)
    assert found.bound < p @ exact(vae, BITS)
    assert vae.score(gray) < p @ exact(vae, BITS)


@pytest.mark.parametrize("name", ["bits-deep", "sample", "codes"])
def test_scores_belong_to_rows(name):
    vae = fitted(name)
    X = data(vae._options.column_types)
    X[::3, 0] = np.nan
    scores = vae.score_samples(X)
    np.testing.assert_allclose(vae.score_samples(X[5:50:7]), scores[5:50:7], rtol=1e-9)
    np.testing.assert_allclose(vae.score_samples(X[::-1])[::-1], scores, rtol=1e-9)
    bound = vae.elbo(X).bound
    np.testing.assert_allclose(vae.elbo(X[5:50:7]).bound, bound[5:50:7], rtol=1e-9)


def test_scores_have_as_many_draws_as_asked_for():
    vae = fitted("bits")
    few = copy(vae).set_params(n_draws=3)
    assert (few.score_samples(BITS) != vae.score_samples(BITS)).all()
    for model, n_draws in ((few, 3), (vae, 100)):
        found = vae.importance_likelihood(BITS, n_draws=n_draws)
        np.testing.assert_array_equal(model.score_samples(BITS), found)
        assert model.score(BITS) == pytest.approx(found.mean())


def test_what_scores_are():
    for name in ("bits", "feature", "codes-deep"):
        assert fitted(name).density_kind_ == "lower bound"


@pytest.mark.parametrize("n_draws", [0, -3])
def test_draws_are_counted(n_draws):
    for method in (fitted("bits").elbo, fitted("bits").importance_likelihood):
        with pytest.raises(ValueError, match="n_draws"):
            method(BITS, n_draws=n_draws)


def test_codes_are_scored_in_as_little_room_as_bits(monkeypatch):
    X = np.zeros((300, 1))
    X[0] = 3999
    vae = VAE(1, 2, column_types="categorical", n_iter=0, random_state=0)
    vae.fit(X.astype(np.float32))
    sizes, through = [], Hierarchy.through

    def spy(self, *given, **options):
        found = through(self, *given, **options)
        sizes.append(found.out.size)
        return found

    monkeypatch.setattr(Hierarchy, "through", spy)
    vae.importance_likelihood(X, n_draws=10)
    assert sum(sizes) == 300 * 4000 * 10
    assert max(sizes) <= _MAX_ACTIVATIONS
