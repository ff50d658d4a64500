"""Rows given classes, and without them, held to sums over all rows and classes."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import VAE, load, save
from tests.numerical import assert_means, effort
from tests.options import grouped

BITS = np.array(list(product([0.0, 1.0], repeat=4)))
RNG = np.random.default_rng(0)
Y = np.array(["a", "b", "c"])[RNG.integers(0, 3, 300) * (RNG.random(300) < 0.8)]
CAUSE = RNG.normal(size=(300, 1)) + 0.5 * RNG.normal(size=(300, 4))
X = (CAUSE + [[1, -1, 0, 0]] * (Y == "b")[:, None] - (Y == "c")[:, None] > 0) * 1.0
CODES = np.unique(Y, return_inverse=True)[1]


@pytest.fixture(scope="module")
def vae():
    """A model whose encoder is wide."""
    how = {"learning_rate": 0.02, "batch_size": 10, "n_iter": 8, "random_state": 0}
    found = grouped(VAE, 1, 5, class_conditional=True, **how).fit(X, Y)
    found.intercepts_[1][1] += 1.0
    return found


def log_joint(vae):
    """Log probability of each class with each row of bits, by the trapezoidal rule."""
    z = np.linspace(-10, 10, 801)
    shares = (np.bincount(CODES) + 1) / (len(Y) + 3)
    found = []
    (V, W), (b, c) = vae.coefs_[2:], vae.intercepts_[2:]
    for k in range(3):
        told = np.c_[z, np.tile(np.eye(3)[k], (len(z), 1))]
        out = np.tanh(told @ V + b) @ W + c
        parts = (BITS[:, None] * out - np.logaddexp(0, out)).sum(axis=2)
        parts = parts + norm.logpdf(z) + np.log(z[1] - z[0])
        found.append(logsumexp(parts, axis=1) + np.log(shares[k]))
    return np.array(found)


def test_scores_are_of_rows_of_unknown_class(vae):
    expected = logsumexp(log_joint(vae), axis=0)
    assert np.exp(expected).sum() == pytest.approx(1)
    found, se = vae.importance_likelihood(BITS, n_draws=1000, return_se=True)
    assert (abs(found - expected) < 4 * se + 1e-9).all()
    assert (se < 0.1).all()
    assert (vae.elbo(BITS).bound < expected).all()
    holed = np.where([True, True, False, False], BITS, np.nan)[::4]
    found, se = vae.importance_likelihood(holed, n_draws=1000, return_se=True)
    expected = logsumexp(expected.reshape(4, 4), axis=1)
    assert (abs(found - expected) < 4 * se + 1e-9).all()


def test_scores_given_classes(vae):
    joint = log_joint(vae)
    given = joint - logsumexp(joint, axis=1, keepdims=True)
    holed = np.where([True, True, False, False], BITS, np.nan)[::4]
    few = logsumexp(given.reshape(3, 4, 4), axis=2)

    def assert_scores(rows, codes, expected):
        found, se = vae.density_.importance_likelihood(rows, 2000, codes)
        assert (abs(found - expected) < 4 * se + 1e-9).all()
        assert (se < 0.1).all()

    for code in range(3):
        assert_scores(BITS, np.full(16, code), given[code])
        assert_scores(holed, np.full(4, code), few[code])
    codes = np.arange(16) % 3
    assert_scores(BITS, codes, given[codes, range(16)])
    names = np.array(list("abc"))[codes]
    found = vae.score_samples(BITS, names)
    np.testing.assert_array_equal(found, vae.density_.log_prob(BITS, codes=codes))
    # The same in another order, and those of all rows of one class.
    turned = vae.score_samples(BITS[::-1][:5], names[::-1][:5])
    np.testing.assert_array_equal(turned, found[::-1][:5])
    parts = [vae.score_samples(BITS, name) for name in "abc"]
    np.testing.assert_array_equal(np.array(parts)[codes, range(16)], found)
    # All classes together are those without one, of the same draws.
    shares = (np.bincount(CODES) + 1) / (len(Y) + 3)
    total = logsumexp(parts + np.log(shares)[:, None], axis=0)
    np.testing.assert_allclose(total, vae.score_samples(BITS))
    assert vae.score(BITS, names) == vae.score(BITS)


def test_draws_are_of_their_class(vae):
    joint = np.exp(log_joint(vae))
    for code, name in enumerate("abc"):
        rows = vae.sample(8000, random_state=code, y=name)
        expected = joint[code] / joint[code].sum()
        assert_means((rows[:, None] == BITS).all(axis=2), expected)
    rows = vae.sample(8000, random_state=9)
    assert_means((rows[:, None] == BITS).all(axis=2), joint.sum(axis=0))
    mixed = vae.sample(8000, random_state=3, y=np.repeat(["c", "a"], 4000))
    for part, code in ((mixed[:4000], 2), (mixed[4000:], 0)):
        assert_means(part, joint[code] @ BITS / joint[code].sum())


def test_conditions_go_with_a_class(vae):
    joint = np.exp(log_joint(vae)) * (BITS[:, 1] == 1)
    rows = vae.sample(6000, random_state=0, y="b", conditions={1: 1})
    assert (rows[:, 1] == 1).all()
    assert_means(rows[:, [0, 2, 3]], (joint[1] @ BITS / joint[1].sum())[[0, 2, 3]])
    rows = vae.sample(6000, random_state=0, conditions={1: 1})
    joint = joint.sum(axis=0)
    assert_means(rows[:, [0, 2, 3]], (joint @ BITS / joint.sum())[[0, 2, 3]])
    with pytest.raises(ValueError, match="one class at a time"):
        vae.sample(2, y=["a", "b"], conditions={1: 1})


@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_missing_entries_are_filled_as_likely(vae, sampler):
    p = np.exp(logsumexp(log_joint(vae), axis=0)) * (BITS[:, :2] == [1, 0]).all(axis=1)
    rows = np.tile([1.0, 0, np.nan, np.nan], (1500, 1))
    how = effort(sampler, 60) | {"method": "sample", "random_state": 0}
    found = vae.impute(rows, **how)
    assert_means(found[:, 2:], (p @ BITS / p.sum())[2:])
    assert_means(found[:, 2] * found[:, 3], p @ (BITS[:, 2] * BITS[:, 3]) / p.sum())


def test_a_class_tells_of_rows(vae):
    means = [vae.sample(2000, random_state=0, y=name).mean(axis=0) for name in "abc"]
    seen = [X[name == Y].mean(axis=0) for name in "abc"]
    np.testing.assert_allclose(means, seen, atol=0.12)
    assert vae.transform(X).shape == (300, 1)
    assert vae.inverse_transform(vae.transform(X)).shape == X.shape


def test_classes_are_kept(vae, tmp_path):
    save(vae, tmp_path / "vae")
    again = load(tmp_path / "vae")
    drawn = [model.sample(20, random_state=0, y="c") for model in (vae, again)]
    np.testing.assert_array_equal(*drawn)
    np.testing.assert_array_equal(again.classes_, ["a", "b", "c"])
    assert again.partial_fit(X[:50], Y[:50]).n_iter_ == 9
    with pytest.raises(ValueError, match="partial_fit"):
        again.partial_fit(X[:2], ["a", "d"])


@pytest.mark.parametrize(
    "options",
    [
        {"prior": "vamp", "n_prior_components": 4, "posterior": "full"},
        {"n_components": (3, 2), "hidden_layer_sizes": (6, 5), "objective": "iwae"},
        {"architecture": "conv", "conv_layer_sizes": 3, "free_bits": 1.0},
        {"column_types": "gaussian", "early_stopping": True, "posterior": "flow"},
        {"column_types": "mixed", "prior": "autoregressive"},
    ],
    ids=str,
)
def test_options_go_together(options):
    how = {"n_components": 2, "hidden_layer_sizes": 6, "n_iter": 3, "random_state": 0}
    model = grouped(VAE, **how | options, class_conditional=True).fit(X, Y)
    holed = np.where(RNG.random((9, 4)) < 0.3, np.nan, X[:9])
    filled = model.impute(holed, n_draws=5)
    found = model.sample(3, y="b", random_state=0), model.score_samples(holed), filled
    assert all(np.isfinite(part).all() for part in found)


def test_what_is_no_class_is_named(vae):
    with pytest.raises(ValueError, match="conditional: fit needs y"):
        VAE(1, 5, class_conditional=True).fit(X)
    with pytest.raises(ValueError, match="class_conditional=True"):
        VAE(1, 5, n_iter=0).fit(X, Y).sample(3, y="a")
    with pytest.raises(ValueError, match="d"):
        vae.sample(3, y="d")
    with pytest.raises(ValueError, match="2 classes for 3 rows"):
        vae.sample(3, y=["a", "b"])
    with pytest.raises(ValueError, match="2 classes for 4 rows"):
        vae.score_samples(BITS[:4], ["a", "b"])
    with pytest.raises(ValueError, match="d"):
        vae.score_samples(BITS[:4], "d")
    with pytest.raises(ValueError, match="class_conditional=True"):
        VAE(1, 5, n_iter=0).fit(X, Y).score_samples(X, Y)
    assert not hasattr(VAE(1, 5, n_iter=0).fit(X, Y), "classes_")
