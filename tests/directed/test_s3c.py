"""Spike and slab sparse coding beside sums over all states of its spikes."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit, logsumexp
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine

from skdgm import S3C
from skdgm.directed._spike_slab import (
    CodingParams,
    bound,
    maximized,
    pairs,
    sums,
)
from skdgm.directed._spike_slab_density import CodingDensity
from skdgm.directed._spike_slab_start import of_directions
from skdgm.exceptions import FewDrawsWarning
from tests.numerical import assert_means, numerical_gradient

IRIS = load_iris().data
N, K = 5, 4


def params_of(seed=0, n=N, k=K):
    rng = np.random.default_rng(seed)
    return CodingParams(
        *(rng.normal(size=(n, k)), rng.normal(size=n), rng.normal(size=k)),
        *(rng.normal(size=k), rng.uniform(0.5, 2, k), rng.uniform(0.5, 4, n)),
    )


def rows_of(params, n_rows, seed=1, missing=False):
    """Rows that the model itself draws."""
    rng, (W, c, b, mu, alpha, beta) = np.random.default_rng(seed), params
    h = rng.random((n_rows, len(b))) < expit(b)
    s = h * mu + rng.normal(size=h.shape) / np.sqrt(alpha)
    v = (h * s) @ W.T + c + rng.normal(size=(n_rows, len(c))) / np.sqrt(beta)
    if missing:
        v[rng.random(v.shape) < 0.3] = np.nan
        v[0] = np.nan
    return v


def moments(params):
    """All states of the spikes, their log probabilities, and means and covariances of
    rows given each."""
    W, c, b, mu, alpha, beta = params
    h = np.array(list(product((0.0, 1.0), repeat=len(b))))
    log_h = np.log(expit(np.where(h > 0, b, -b))).sum(axis=1)
    wide = (W * (h / alpha)[:, None]) @ W.T + np.diag(1 / beta)
    return h, log_h, (h * mu) @ W.T + c, wide


def log_joint(params, v):
    """Log probabilities of rows with each state of the spikes, (n_rows, n_states)."""
    _, log_h, mean, wide = moments(params)
    found = []
    for row in v:
        seen = ~np.isnan(row)
        C, gap = wide[:, seen][:, :, seen], row[seen] - mean[:, seen]
        fit = (gap * np.linalg.solve(C, gap[:, :, None])[:, :, 0]).sum(axis=1)
        log_det = np.linalg.slogdet(2 * np.pi * C)[1]
        found.append(log_h - 0.5 * (fit + log_det))
    return np.array(found)


def log_likelihood(params, v):
    """Log-likelihoods of rows by all states of the spikes."""
    return logsumexp(log_joint(params, v), axis=1)


@pytest.mark.parametrize("missing", [False, True])
def test_the_bound_is_below_the_likelihood_and_rises(missing):
    for seed in range(3):
        params = params_of(seed)
        v = rows_of(params, 40, missing=missing)
        exact = log_likelihood(params, v)
        found = [bound(params, v, pairs(params, v, n)) for n in (1, 2, 3, 6, 30)]
        assert (np.diff(found, axis=0) > -1e-9).all()
        assert (found[-1] < exact + 1e-9).all()
        assert (found[-1] < exact - 1e-3).any()
        if missing:
            # Nothing is known: the prior.
            assert found[-1][0] == pytest.approx(0)


@pytest.mark.parametrize("missing", [False, True])
def test_the_bound_is_tight_where_columns_do_not_compete(missing):
    v = rows_of(params_of(k=1), 10, missing=missing)
    for params in params_of(k=1), params_of(2):
        if len(params.b) == K:
            if missing:
                continue
            W = np.linalg.qr(params.W)[0] / np.sqrt(params.beta)[:, None]
            params = params._replace(W=2 * W)
        exact = log_likelihood(params, v)
        found = bound(params, v, pairs(params, v, 1))
        np.testing.assert_allclose(found, exact, atol=1e-12)


def test_each_pair_is_the_best_given_the_others():
    params = params_of()
    v = rows_of(params, 6, missing=True)
    found = pairs(params, v, 200)
    best = bound(params, v, found)

    def moved(g, m, a):
        found_there = found._replace(g=g, m=m, a=a, u=g * m)
        return bound(params, v, found_there).sum()

    # In terms of logits, as probabilities may be at their ends.
    g, m, a = (np.array(part) for part in found[:3])
    logits = np.log(g) - np.log1p(-g)

    def of(tree):
        return moved(expit(tree[0]), tree[1], tree[2])

    for part in numerical_gradient(of, (logits, m, a)):
        np.testing.assert_allclose(part, 0, atol=1e-6)
    assert of((logits, m, a)) == pytest.approx(best.sum())


def log_prior(params, pseudo):
    W, _, b, mu, alpha, beta = params
    spikes = np.log(expit(b)) + np.log(expit(-b))
    slabs = 0.5 * np.log(alpha) - 0.5 * alpha * (1 + mu**2)
    return pseudo * ((spikes + slabs).sum() - 0.5 * (beta @ W**2).sum())


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("pseudo", [0.0, 0.05])
def test_the_m_step_is_a_maximum(missing, pseudo):
    params, start = params_of(), params_of(3)
    v = rows_of(params, 60, missing=missing)
    found = pairs(start, v, 10)

    def value(params, found=found):
        # Given q, slabs of which have the precision that they have.
        return bound(params, v, found).mean() + log_prior(params, pseudo)

    new = maximized(start, sums(start, v, found), 1e-6, pseudo)
    if missing:
        # Missing entries have the distribution that old parameters give them: repeated
        # steps with the same posterior of the products reach the maximum.
        values = [value(start)]
        for _ in range(300):
            new = maximized(new, sums(new, v, found), 1e-6, pseudo)
            values.append(value(new))
        assert (np.diff(values) > -1e-12).all()
    for name, part in zip(new._fields, numerical_gradient(value, new)):
        np.testing.assert_allclose(part, 0, atol=1e-6, err_msg=name)
    assert value(new) > value(start) + 0.1


def test_the_bound_never_falls_in_training():
    params = params_of()
    v = rows_of(params_of(5), 100, missing=True)
    before = -np.inf
    for _ in range(20):
        found = pairs(params, v, 10)
        e_step = bound(params, v, found).mean()
        params = maximized(params, sums(params, v, found), 1e-3, 0.0)
        m_step = bound(params, v, found).mean()
        assert before - 1e-9 < e_step < m_step + 1e-9
        before = m_step


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = IRIS.copy()
    X[rng.random(X.shape) < 0.1] = np.nan
    return S3C(3, n_iter=20, random_state=0).fit(X), X


def test_scores_are_exact_or_bounds(fitted, monkeypatch):
    model, X = fitted
    params, X = model.density_.params, X[::10]
    v = (X - model.mean_) / model.scale_
    volume = np.where(np.isnan(v), 0, np.log(model.scale_)).sum(axis=1)
    exact = log_likelihood(params, v) - volume
    np.testing.assert_allclose(model.score_samples(X), exact)
    assert model.density_kind_ == "exact"
    weighted = model.importance_likelihood(X, n_draws=400)
    monkeypatch.setattr(CodingDensity, "enumerated", 2)
    assert model.density_kind_ == "lower bound"
    lower = bound(params, v, pairs(params, v, 10)) - volume
    np.testing.assert_allclose(model.score_samples(X), lower)
    assert (lower < exact + 1e-9).all()
    assert weighted.mean() > lower.mean()


def test_importance_weights_have_the_likelihood_as_their_mean(fitted):
    model, X = fitted
    params, X = model.density_.params, X[::10]
    v = (X - model.mean_) / model.scale_
    h, g = moments(params)[0], pairs(params, v, 10).g.T[:, None]
    joint = log_joint(params, v)
    exact = logsumexp(joint, axis=1)
    # The variance of weights, by all states that floats of the posterior can draw:
    # that of a few draws lacks seldom states of large weights.
    q, p = np.where(h > 0, g, 1 - g).prod(axis=2), np.exp(joint - exact[:, None])
    assert (np.where(q > 0, 0, p).sum(axis=1) < 1e-6).all()
    square = np.divide(p**2, q, where=q > 0, out=np.zeros_like(p)).sum(axis=1)
    found, se = model.importance_likelihood(X, n_draws=400, return_se=True)
    found += np.where(np.isnan(v), 0, np.log(model.scale_)).sum(axis=1)
    true_se = np.sqrt((square - 1).clip(0) / 400)
    assert (np.abs(np.expm1(found - exact)) < 4.5 * true_se + 1e-6).all()
    assert (se < 2 * true_se + 1e-6).all()


def test_draws_have_the_moments_of_the_model(fitted):
    model, _ = fitted
    params = model.density_.params
    drawn = (model.sample(4000, random_state=0) - model.mean_) / model.scale_
    _, log_h, means, covariances = moments(params)
    p = np.exp(log_h)
    second = [np.outer(m, m) + own for m, own in zip(means, covariances)]
    assert_means(drawn, p @ means)
    products = (drawn[:, :, None] * drawn[:, None]).reshape(len(drawn), -1)
    assert_means(products, p @ np.reshape(second, (len(p), -1)))


@pytest.mark.parametrize("few", [True, False])
def test_filled_entries_are_conditional(fitted, few, monkeypatch):
    model, _ = fitted
    if not few:
        # Chains, instead of all states.
        monkeypatch.setattr(CodingDensity, "enumerated", 2)
    params, row = model.density_.params, IRIS[60].copy()
    row[2:] = np.nan
    v = (row - model.mean_) / model.scale_
    seen, log_w, mean, second = ~np.isnan(v), [], [], []
    for _, log_h, m, C in zip(*moments(params)):
        own, cross = C[:2, :2], C[2:, :2]
        log_w.append(log_h + multivariate_normal(m[:2], own).logpdf(v[seen]))
        mean.append(m[2:] + cross @ np.linalg.solve(own, v[seen] - m[:2]))
        rest = C[2:, 2:] - cross @ np.linalg.solve(own, cross.T)
        second.append(np.diag(rest) + mean[-1] ** 2)
    weight = np.exp(log_w - logsumexp(log_w))
    filled = (model.impute(row[None]) - model.mean_) / model.scale_
    np.testing.assert_allclose(filled[0, 2:], weight @ mean, atol=1e-6 if few else 0.05)
    many = model.impute(np.repeat(row[None], 2000, 0), method="sample", random_state=0)
    drawn = ((many - model.mean_) / model.scale_)[:, 2:]
    assert_means(drawn, weight @ mean)
    assert_means(drawn**2, weight @ second)


def test_modes_that_chains_do_not_leave_are_all_drawn_and_warned_of(monkeypatch):
    # Either direction explains 5 in the first column: the second is 5, or -5. Pairs,
    # one at a time, keep to one of them.
    model = S3C(2, n_iter=0, random_state=0).fit([[1, 1], [-1, -1], [1, -1], [-1, 1]])
    model.components_ = np.array([[5.0, 5.0], [5.0, -5.0]])
    model.intercept_visible_, model.intercept_hidden_ = np.zeros(2), np.full(2, -2.0)
    model.slab_means_, model.slab_precisions_ = np.ones(2), np.full(2, 100.0)
    model._beta, row = np.full(2, 10.0), np.array([[5.0, np.nan]])
    np.testing.assert_allclose(model.impute(row), [[5, 0]], atol=1e-6)
    monkeypatch.setattr(CodingDensity, "enumerated", 1)
    with pytest.warns(FewDrawsWarning, match="1 of 1 rows .* fewer n_components"):
        assert abs(model.impute(row)[0, 1]) < 4
    many = model.impute(np.repeat(row, 400, 0), method="sample", random_state=0)
    assert 0.35 < (many[:, 1] > 0).mean() < 0.65
    assert (abs(abs(many[:, 1]) - 5) < 2).all()


def test_chains_fill_in_what_all_states_do(monkeypatch):
    rng, wine = np.random.default_rng(0), load_wine().data
    model = S3C(8, n_iter=20, random_state=0).fit(wine)
    X = np.where(rng.random((40, 13)) < 0.3, np.nan, wine[::4][:40])
    exact = model.impute(X)
    monkeypatch.setattr(CodingDensity, "enumerated", 2)
    gap = ((model.impute(X) - exact) / model.scale_)[np.isnan(X)]
    # By weighted draws of the mean field .06.
    assert np.sqrt((gap**2).mean()) < 0.03
    # A row is filled alike in any company.
    np.testing.assert_array_equal(model.impute(X[7:9]), model.impute(X)[7:9])


def test_features_and_rows_of_them(fitted):
    model, X = fitted
    v = (X - model.mean_) / model.scale_
    found = pairs(model.density_.params, v, 10)
    H = model.transform(X)
    np.testing.assert_allclose(H, found.g.T)
    W = model.components_.T
    back = (model.inverse_transform(H) - model.mean_) / model.scale_
    np.testing.assert_allclose(
        back, (H * model.slab_means_) @ W.T + model.intercept_visible_
    )
    other = clone(model).set_params(features="spike_slab").fit(X)
    H = other.transform(X)
    np.testing.assert_allclose(H, found.u.T)
    back = (other.inverse_transform(H) - model.mean_) / model.scale_
    np.testing.assert_allclose(back, H @ W.T + model.intercept_visible_)


@pytest.mark.exhaustive
def test_it_finds_a_dictionary():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(12, 6))
    W /= np.linalg.norm(W, axis=0)
    u = (rng.random((3000, 6)) < 0.15) * rng.normal(size=(3000, 6)) * 3
    X = u @ W.T + 0.3 * rng.normal(size=(3000, 12))
    model = S3C(6, batch_size=500, n_iter=30, random_state=0).fit(X)
    found = model.components_ * model.scale_
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert (np.abs(found @ W).max(axis=0) > 0.99).all()
    on = model.transform(X[:500])
    on = on[:, np.abs(found @ W).argmax(axis=0)]
    assert on[np.abs(u[:500]) > 1].mean() > on[u[:500] == 0].mean() + 0.6


# The longest tails have entries of fifteen deviations, which show directions best.
@pytest.mark.parametrize("shape", [0.3, 1, 4])
def test_independent_directions_are_found(shape):
    rng = np.random.default_rng(0)
    true = rng.normal(size=(3, 5))
    true /= np.linalg.norm(true, axis=0)
    X = (rng.gamma(shape, shape**-0.5, size=(2000, 3)) - shape**0.5) @ true
    W = of_directions(np.zeros((5, 7)), X, rng)
    gap = np.abs(W[:, :3, None] - true.T[:, None]).max(axis=0)
    assert (gap.min(axis=0) < 0.15).all()
    np.testing.assert_array_equal(W[:, 3:6], -W[:, :3])
    assert not W[:, 6].any()
    # Rows without any direction, and with one, which are no more than two.
    for v, n in (np.ones((4, 5)), 0), (X[:2], 1), (X[:1], 0):
        W = of_directions(np.zeros((5, 7)), v, rng)
        assert np.isfinite(W).all()
        assert W.any(axis=0).sum() == 2 * n


def test_rows_of_a_model_are_learned_from_any_seed():
    # Four spikes on four columns, each on in three of ten rows; from rows alone, five
    # of eight seeds ended .4 nats below the truth.
    rng = np.random.default_rng(1)
    W = rng.normal(size=(4, 4))
    h, mu = rng.random((3000, 4)) < 0.3, 2 * rng.normal(size=4)
    s = mu + rng.normal(size=h.shape)
    X = (h * s) @ W.T + 0.3 * rng.normal(size=h.shape)
    params = CodingParams(
        *(W, np.zeros(4), np.full(4, logit(0.3)), mu, np.ones(4), np.full(4, 0.3**-2))
    )
    truth = log_likelihood(params, X[1500:]).mean()
    for seed in range(2):
        model = S3C(4, random_state=seed).fit(X[:1500])
        assert truth - 0.15 < model.score(X[1500:]) < truth + 0.05


def test_batches_come_to_the_same_as_all_rows():
    whole = S3C(6, n_iter=60, random_state=0).fit(IRIS)
    parts = S3C(6, n_iter=60, batch_size=30, random_state=0).fit(IRIS)
    assert abs(whole.score(IRIS) - parts.score(IRIS)) < 0.4


def test_statistics_are_averaged_by_the_learning_rate():
    model, before = S3C(3, learning_rate=0.4, random_state=0), None
    for rho in 1, 1 / 2, 0.4, 0.4:
        if before:
            v = (IRIS - model.mean_) / model.scale_
            params = model.density_.params
            found = sums(params, v, pairs(params, v, 10))
        model.partial_fit(IRIS)
        *means, _ = model._training
        if before:
            for new, old, part in zip(means, before, found):
                np.testing.assert_allclose(new, old + rho * (part - old), atol=1e-12)
        before = means


def test_hard_tables_have_finite_results():
    rng = np.random.default_rng(0)
    few = rng.normal(size=(3, 4))
    flat = np.column_stack([np.ones(30), rng.normal(size=30)])
    far = rng.normal(size=(50, 3))
    far[0] = 1e12
    for X in few, flat, far, 1e8 * flat, few[:1]:
        for prior_weight in 0.0, 1.0:
            model = S3C(5, prior_weight=prior_weight, n_iter=20, random_state=0)
            model.fit(X)
            assert np.isfinite(model.score_samples(X)).all()
            assert np.isfinite(model.transform(X)).all()
