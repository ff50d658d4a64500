"""Clusters of rows, which tables of several kinds of columns often have."""

import numpy as np
import pytest

from skdgm import VAE
from skdgm.options import ELBO, Columns
from tests.numerical import effort
from tests.options import grouped

pd = pytest.importorskip("pandas")


def towns(n_rows=500):
    rng = np.random.default_rng(0)
    place = rng.choice(3, n_rows, p=[0.6, 0.3, 0.1])
    warm = np.array([2.5, 10, 30])[place] + rng.normal(0, 2, n_rows)
    return pd.DataFrame({"town": np.array(list("abc"))[place], "warm": warm})


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [0, 1])
def test_drawn_rows_of_a_rare_group_have_its_category(seed):
    rng = np.random.default_rng(seed)
    place = rng.choice(3, 1000, p=[0.6, 0.35, 0.05])
    level = np.array([5, 20, 60])[place]
    warm = (level / 2 + rng.normal(0, 2, 1000)).round(1)
    X = {"town": np.array(list("abc"))[place], "warm": warm, "n": rng.poisson(level)}
    vae = VAE(column_types="mixed", random_state=seed).fit(pd.DataFrame(X))
    drawn = vae.sample(20_000, random_state=0)
    assert (drawn["town"][drawn["warm"].between(28, 32)] == "c").mean() > 0.75


@pytest.fixture(scope="module")
def apart():
    """A model of which numbers depend on categories, and nothing on latent units."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    X = np.stack([(x - x.mean()) / x.std(), rng.integers(0, 3, 200)], axis=1)
    kinds = "gaussian", "categorical"
    how = {"column_types": kinds, "n_mixtures": 1, "average": False, "prior": "normal"}
    vae = grouped(VAE, 2, (4,), **how, n_iter=0, n_draws=2, random_state=0).fit(X)
    params = vae._training.params
    for net in (*params.encoders, *params.decoders):
        net[-1].W[:] = 0
    of_data = params.links[1][0]
    of_data[1:, :] = np.array([-1, 0.5, 2])[:, None]
    return vae


def test_numbers_depend_on_categories(apart):
    x, centers = 0.4, np.array([-1, 0.5, 2])
    found = apart.score_samples([[x, k] for k in range(3)])
    shares = apart.score_samples([[np.nan, k] for k in range(3)])
    middle, far = apart.score_samples([[0.5, 1], [1.5, 1]])
    expected = shares - (middle - far) * (x - centers) ** 2
    np.testing.assert_allclose(np.ptp(found - expected), 0, atol=1e-5)
    assert abs(apart.impute([[np.nan, 2]])[0, 0] - 2) < 0.01
    drawn = apart.sample(2000, conditions={1: 2}, random_state=0)[:, 0]
    assert abs(drawn.mean() - 2) < 0.1


@pytest.mark.parametrize("sampler", ["importance", "metropolis", "gibbs"])
def test_categories_are_filled_by_numbers_that_depend_on_them(apart, sampler):
    p = np.exp(apart.score_samples([[0.4, k] for k in range(3)]))
    row, how = [[0.4, np.nan]] * 1000, effort(sampler, 30)
    drawn = apart.impute(row, method="sample", random_state=0, **how)[:, 1]
    shares = np.bincount(drawn.astype(int), minlength=3) / 1000
    np.testing.assert_allclose(shares, p / p.sum(), atol=0.05)


@pytest.mark.exhaustive
def test_weekends_are_learned():
    rng, day = np.random.default_rng(0), pd.date_range("2021-01-01", periods=900)
    visits = 40.0 * (day.day_of_week >= 5) + rng.normal(0, 8, 900)
    X = pd.DataFrame({"day": day, "visits": visits})
    vae = VAE(2, 32, column_types="mixed", random_state=0).fit(X)
    drawn = vae.sample(2000, random_state=0)
    late = drawn["day"].dt.day_of_week >= 5
    assert drawn["visits"][late].mean() - drawn["visits"][~late].mean() > 25


def test_the_prior_follows_the_kinds_of_columns():
    bits = np.random.default_rng(0).random((20, 3)) < 0.5
    how = {"hidden_layer_sizes": (4,), "n_components": 2, "n_iter": 0}
    found = {
        "plain": grouped(VAE, **how).fit(bits),
        "mixed": grouped(VAE, **how, column_types="mixed").fit(towns(20)),
        "numbers": grouped(VAE, **how, column_types="mixed").fit(towns(20)[["warm"]]),
        "tuple": grouped(VAE, **how, column_types=("bernoulli",) * 3).fit(bits),
        "vamp": grouped(VAE, **how, prior="vamp").fit(bits),
        "other": grouped(VAE, **how, prior="normal", column_types="mixed").fit(
            towns(20)
        ),
    }
    learned = {name: vars(model._learned) for name, model in found.items()}
    pairs = {
        name: (own["prior"], own["n_prior_components"]) for name, own in learned.items()
    }
    assert pairs["plain"] == pairs["other"] == ("normal", None)
    assert pairs["mixed"] == pairs["numbers"] == pairs["tuple"] == ("vamp", 20)
    assert pairs["vamp"] == ("vamp", 100)


def test_fits_of_tables_stop_early_by_default():
    bits = np.random.default_rng(0).random((20, 3)) < 0.5
    table = VAE(2, (4,), n_iter_no_change=1, tol=9.0, random_state=0).fit(towns(40))
    assert table.n_iter_ == len(table.validation_curve_) == 2
    for how, X in ({"n_iter": 3}, towns(40)), ({"n_iter": 3}, bits):
        vae = VAE(2, (4,), **how, random_state=0).fit(X)
        assert vae.n_iter_ == 3
        assert not vae.validation_curve_


def test_encoders_learn_numbers_with_narrow_distributions():
    """Two numbers of a factor have its information; rescaled gradients of the means of
    narrow distributions leave much of it unused."""
    factor = np.random.default_rng(0).normal(size=(600, 1))
    X = factor + 0.15 * np.random.default_rng(1).normal(size=(600, 4))
    vae = VAE(2, (16,), learning_rate=0.02, random_state=0).fit(X[:400])
    drawn = np.corrcoef(vae.sample(2000, random_state=0), rowvar=False)
    assert drawn[np.triu_indices(4, 1)].min() > 0.93


def test_numbers_are_mixtures_of_normal_distributions():
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(-3, 0.5, 300), rng.normal(3, 0.5, 300)]
    X, kinds = np.c_[x, rng.integers(0, 2, 600)], ("gaussian", "bernoulli")
    how, fits = {"column_types": kinds, "prior": "normal", "random_state": 0}, {}
    for n in 1, 2:
        vae = grouped(VAE, 1, (4,), **how, n_mixtures=n)
        fits[n] = vae.set_params(objective=ELBO(beta=50.0)).fit(X)
    assert fits[2].score(X) > fits[1].score(X) + 0.5
    with pytest.raises(ValueError, match="n_mixtures.* changed since"):
        fits[2].set_params(column_types=Columns(kinds, n_mixtures=3)).partial_fit(X)
