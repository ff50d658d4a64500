"""Rows given numbers and classes, and without them, held to sums over all rows."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import VAE, load, save
from tests.numerical import assert_means, effort
from tests.options import grouped

BITS = np.array(list(product([0.0, 1.0], repeat=4)))
RNG = np.random.default_rng(0)
# Few distinct attributes: a number far from 0 and 1, and a class.
Y = pd.DataFrame({"age": RNG.choice([20.0, 35.0, 70.0], 300), "sex": "f"})
Y.loc[RNG.random(300) < 0.3, "sex"] = "m"
CAUSE = RNG.normal(size=(300, 1)) + 0.5 * RNG.normal(size=(300, 4))
MOVED = np.outer((Y.age - 40) / 20, [1, -1, 0, 0])
MOVED += np.outer(Y.sex == "m", [0, 0, 1, 0])
X = (CAUSE + MOVED > 0) * 1.0
KNOWN = Y.value_counts(normalize=True, sort=False).sort_index()


@pytest.fixture(scope="module")
def vae():
    """A model whose encoder is wide."""
    how = {"learning_rate": 0.02, "batch_size": 10, "n_iter": 8, "random_state": 0}
    found = grouped(VAE, 1, 5, attribute_conditional=True, **how).fit(X, Y)
    found.intercepts_[1][1] += 1.0
    return found


def log_p(vae, age, sex):
    """Log probability of each row of bits given attributes, by the trapezoidal rule."""
    z = np.linspace(-10, 10, 801)
    (V, W), (b, c) = vae.coefs_[2:], vae.intercepts_[2:]
    own = [(age - Y.age.mean()) / Y.age.std(ddof=0), sex == "f", sex == "m"]
    out = np.tanh(np.c_[z, np.tile(own, (len(z), 1))] @ V + b) @ W + c
    parts = (BITS[:, None] * out - np.logaddexp(0, out)).sum(axis=2)
    return logsumexp(parts + norm.logpdf(z) + np.log(z[1] - z[0]), axis=1)


def of_any(vae):
    """The same of rows whose attributes are not known."""
    parts = [log_p(vae, *of) for of in KNOWN.index]
    return logsumexp(parts + np.log(KNOWN.to_numpy())[:, None], axis=0)


def test_scores_given_attributes(vae):
    ages, sexes = RNG.uniform(20, 70, 16), np.array(["f", "m"])[np.arange(16) % 2]
    given = pd.DataFrame({"age": ages, "sex": sexes})
    expected = [log_p(vae, *of)[k] for k, of in enumerate(zip(ages, sexes))]
    density = vae.density_
    found, se = density.importance_likelihood(BITS, 2000, y=given)
    assert (abs(found - expected) < 4 * se + 1e-9).all()
    assert (se < 0.1).all()
    # The same in another order, and those of all rows of one row of attributes.
    found = vae.score_samples(BITS, given)
    turned = vae.score_samples(BITS[::-1][:5], given[::-1][:5])
    np.testing.assert_array_equal(turned, found[::-1][:5])
    one = vae.score_samples(BITS, {"age": ages[3], "sex": sexes[3]})
    assert one[3] == found[3]
    holed = np.where([True, True, False, False], BITS, np.nan)[::4]
    found, se = density.importance_likelihood(holed, 2000, y={"age": 50, "sex": "m"})
    expected = logsumexp(log_p(vae, 50, "m").reshape(4, 4), axis=1)
    assert (abs(found - expected) < 4 * se + 1e-9).all()


def test_scores_are_of_rows_of_unknown_attributes(vae):
    expected = of_any(vae)
    assert np.exp(expected).sum() == pytest.approx(1)
    found, se = vae.importance_likelihood(BITS, n_draws=2000, return_se=True)
    assert (abs(found - expected) < 4 * se + 1e-9).all()
    assert (se < 0.1).all()
    assert (vae.elbo(BITS).bound < expected).all()
    assert vae.score(BITS, Y[:16]) == vae.score(BITS)


def test_few_attributes_are_summed_over_and_many_drawn(vae, monkeypatch):
    parts = [
        vae.score_samples(BITS, dict(zip(["age", "sex"], of))) for of in KNOWN.index
    ]
    total = logsumexp(parts + np.log(KNOWN.to_numpy())[:, None], axis=0)
    np.testing.assert_allclose(total, vae.score_samples(BITS))
    tight = vae.elbo(BITS).bound
    monkeypatch.setattr("skdgm.latent.covariates._SUMMED", 3)
    found, se = vae.importance_likelihood(BITS, n_draws=4000, return_se=True)
    assert (abs(found - of_any(vae)) < 4 * se + 1e-9).all()
    assert (vae.elbo(BITS).bound < tight).all()


def test_draws_are_given_attributes(vae):
    for age, sex in [(25.0, "m"), (60.0, "f")]:
        rows = vae.sample(8000, random_state=1, y={"age": age, "sex": sex})
        expected = np.exp(log_p(vae, age, sex))
        assert_means((rows[:, None] == BITS).all(axis=2), expected)
        rows = vae.sample(
            6000, random_state=0, y={"age": age, "sex": sex}, conditions={1: 1}
        )
        expected = expected * BITS[:, 1]
        assert_means(rows[:, [0, 2, 3]], expected @ BITS[:, [0, 2, 3]] / expected.sum())
    rows = vae.sample(8000, random_state=9)
    assert_means((rows[:, None] == BITS).all(axis=2), np.exp(of_any(vae)))
    with pytest.raises(ValueError, match="same attributes"):
        vae.sample(2, y=Y[:2], conditions={1: 1})


@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_missing_entries_are_filled_as_likely(vae, sampler):
    p = np.exp(of_any(vae)) * (BITS[:, :2] == [1, 0]).all(axis=1)
    rows = np.tile([1.0, 0, np.nan, np.nan], (1500, 1))
    how = effort(sampler, 60) | {"method": "sample", "random_state": 0}
    found = vae.impute(rows, **how)
    assert_means(found[:, 2:], (p @ BITS / p.sum())[2:])
    assert_means(found[:, 2] * found[:, 3], p @ (BITS[:, 2] * BITS[:, 3]) / p.sum())


@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_missing_entries_are_filled_given_attributes(vae, sampler):
    seen = (BITS[:, :2] == [1, 0]).all(axis=1)
    rows = np.tile([1.0, 0, np.nan, np.nan], (3000, 1))
    how = effort(sampler, 60) | {"method": "sample", "random_state": 0}
    y = pd.DataFrame({"age": [25.0, 60.0] * 1500, "sex": ["m", "f"] * 1500})
    found = vae.impute(rows, y, **how)
    for k in range(2):
        p = np.exp(log_p(vae, y.age[k], y.sex[k])) * seen
        assert_means(found[k::2, 2:], (p @ BITS / p.sum())[2:])
    mean = vae.impute(rows[:2], y[:2], **effort(sampler, 3000))
    np.testing.assert_allclose(mean[1, 2:], (p @ BITS / p.sum())[2:], atol=0.03)


def test_attributes_are_drawn_as_seen_entries_tell():
    """Also by a Gibbs sampler, of which the encoder knows nothing of attributes."""
    rng = np.random.default_rng(0)
    cause = rng.normal(size=800)
    rows = (cause[:, None] + 0.3 * rng.normal(size=(800, 6)) > 0) * 1.0
    holed, found = rows[:300].copy(), {}
    holed[:, 3:] = np.nan
    for name, y in (("attribute", cause), ("class", cause > 0)):
        how = {"n_iter": 15, "random_state": 0, f"{name}_conditional": True}
        model = grouped(VAE, 2, 16, **how).fit(rows, y)
        for sampler in ("importance", "gibbs"):
            how = {"sampler": sampler, "method": "sample", "random_state": 0}
            filled = model.impute(holed, **how)
            found[sampler] = (filled[:, 3:] == rows[:300, 3:]).mean()
        assert found["gibbs"] > 0.7
        assert abs(found["gibbs"] - found["importance"]) < 0.1


def test_what_is_decoded_is_at_mean_attributes_or_those_given(vae):
    (V, W), (b, c) = vae.coefs_[2:], vae.intercepts_[2:]
    own = np.array([0, (Y.sex == "f").mean(), (Y.sex == "m").mean()])
    out = np.tanh(np.r_[0.3, own] @ V + b) @ W + c
    found = vae.inverse_transform([[0.3]])[0]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-out)), rtol=1e-6)
    own = np.array([(70 - Y.age.mean()) / Y.age.std(ddof=0), 0, 1])
    out = np.tanh(np.r_[0.3, own] @ V + b) @ W + c
    found = vae.inverse_transform([[0.3]], {"age": 70, "sex": "m"})[0]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-out)), rtol=1e-6)


def test_attributes_are_kept(vae, tmp_path):
    save(vae, tmp_path / "vae")
    again, of = load(tmp_path / "vae"), {"age": 30.0, "sex": "m"}
    drawn = [model.sample(20, random_state=0, y=of) for model in (vae, again)]
    np.testing.assert_array_equal(*drawn)
    kinds = [own.kind for own in again.attribute_types_.values()]
    assert kinds == ["gaussian", "categorical"]
    assert again.partial_fit(X[:50], Y[:50]).n_iter_ == 9
    with pytest.raises(ValueError, match="partial_fit"):
        again.partial_fit(X[:2], Y[:2].replace("f", "d").replace("m", "d"))


@pytest.mark.parametrize(
    "options",
    [
        {"prior": "vamp", "n_prior_components": 4, "posterior": "full"},
        {"n_components": (3, 2), "hidden_layer_sizes": (6, 5), "objective": "iwae"},
        {
            "n_components": (3, 2),
            "hidden_layer_sizes": (6, 5),
            "inference": "top-down",
        },
        {"architecture": "conv", "conv_layer_sizes": 3, "free_bits": 1.0},
        {"column_types": "gaussian", "early_stopping": True, "posterior": "flow"},
        {"column_types": "mixed", "prior": "autoregressive", "posterior": "auxiliary"},
    ],
    ids=str,
)
def test_options_go_together(options):
    how = {"n_components": 2, "hidden_layer_sizes": 6, "n_iter": 3, "random_state": 0}
    model = grouped(VAE, **how | options, attribute_conditional=True).fit(
        X, Y.age + 0.5
    )
    holed = np.where(RNG.random((9, 4)) < 0.3, np.nan, X[:9])
    filled = model.impute(holed, n_draws=5)
    scores = model.score_samples(holed), model.score_samples(X[:9], Y.age[:9] + 0.5)
    found = model.sample(3, y=41.0, random_state=0), *scores, filled
    assert all(np.isfinite(part).all() for part in found)


def test_a_refit_forgets_attributes_and_classes():
    model = VAE(1, 5, n_iter=0, attribute_conditional=True).fit(X, Y)
    model.set_params(attribute_conditional=False, class_conditional=True)
    model.fit(X, Y.sex)
    assert not hasattr(model, "attribute_types_")
    model.set_params(attribute_conditional=True, class_conditional=False)
    model.fit(X, Y)
    assert not hasattr(model, "classes_")
    model.set_params(attribute_conditional=False).fit(X, Y)
    assert not hasattr(model, "attribute_types_")


def test_what_is_no_attribute_is_named(vae):
    with pytest.raises(ValueError, match="exclude each other"):
        VAE(attribute_conditional=True, class_conditional=True).fit(X, Y.sex)
    with pytest.raises(ValueError, match="VAE"):
        VAE(1, 5, attribute_conditional=True).fit(X)
    with pytest.raises(ValueError, match="no attribute 'sex'"):
        vae.sample(3, y={"age": 3.0})
    with pytest.raises(ValueError, match="'?d'?"):
        vae.score_samples(BITS[:1], {"age": 3.0, "sex": "d"})
    with pytest.raises(ValueError, match="2 rows|3 rows|rows"):
        vae.sample(3, y=Y[:2])
    plain = VAE(1, 5, n_iter=0).fit(X, Y.sex)
    for call in (
        lambda: plain.sample(3, y=1.0),
        lambda: plain.impute(X[:2], Y.sex[:2]),
        lambda: plain.inverse_transform([[0.0]], "f"),
        lambda: plain.density_.log_prob(X, y=3),
    ):
        with pytest.raises(ValueError, match="conditional=True"):
            call()
    whole = VAE(1, 5, n_iter=0, attribute_conditional=True).fit(X, Y.age)
    with pytest.raises(ValueError, match='not whole.*"gaussian" by attribute_types'):
        whole.score_samples(X, 1.5)
    with pytest.raises(ValueError, match="Attribute 'sex'"):
        vae.score_samples(X[:2], pd.DataFrame({"age": [1.0, 2], "sex": ["f", None]}))
    with pytest.raises(ValueError, match="give a DataFrame"):
        VAE(1, 5, attribute_conditional=True).fit(X, {"age": Y.age, "sex": Y.sex})
