import numpy as np
import pytest
from scipy.special import expit, logsumexp

from skdgm import DBN
from skdgm.belief._stack import attributes_of
from tests.belief.enumeration import Listed, bits, random_dbn
from tests.options import grouped

RNG = np.random.default_rng(0)
NETWORKS = {
    "4-3-2": (4, (3, 2), {}),
    "3-3-3-2": (3, (3, 3, 2), {}),
    "untied": (4, (3, 2), {"untied": True}),
    "untied-deep": (3, (2, 3, 2), {"untied": True}),
    "labels": (4, (3, 2), {"n_labels": 3}),
    "labels-untied": (3, (2, 3, 2), {"n_labels": 2, "untied": True}),
    "gaussian": (2, (3, 2), {"column_types": "gaussian"}),
    "gaussian-untied": (2, (2, 2, 2), {"column_types": "gaussian", "untied": True}),
}


@pytest.fixture(autouse=True)
def begin(monkeypatch):
    """Draws that do not depend on the tests before."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


@pytest.fixture(params=NETWORKS)
def dbn(request):
    n_features, sizes, options = NETWORKS[request.param]
    return random_dbn(n_features, sizes, **options)


@pytest.fixture
def rows(dbn):
    if dbn.column_types == "gaussian":
        return RNG.normal(1, 2, (6, 2))
    return bits(dbn.n_features_in_)


def test_the_bound_is_below_and_its_draws_are_around_it(dbn, rows):
    listed = Listed(dbn)
    exact = np.array([listed.log_prob(v) for v in rows])
    bound = np.array([listed.bound(v) for v in rows])
    assert (bound < exact).all()
    found, se = dbn.likelihood_bound(rows, n_draws=800, return_se=True)
    assert (abs(found - bound) <= 4.5 * se).all()
    assert (se < 0.15).all()
    assert dbn.density_kind_ == "lower bound"


@pytest.mark.exhaustive(default=["gaussian-untied"])
def test_importance_sampling_finds_the_likelihood(dbn, rows):
    listed = Listed(dbn)
    exact = np.array([listed.log_prob(v) for v in rows])
    found, se = dbn.importance_likelihood(rows, n_draws=2000, return_se=True)
    assert (abs(found - exact) <= 4.5 * se + 1e-12).all()
    assert (se < 0.5).all()
    few = dbn.importance_likelihood(np.repeat(rows, 2, axis=0), n_draws=5).mean()
    assert dbn.likelihood_bound(rows, n_draws=300).mean() < few < exact.mean() + 0.1


@pytest.mark.exhaustive(default=["4-3-2", "gaussian-untied"])
def test_missing_entries_are_left_out(dbn, rows):
    listed = Listed(dbn)
    holed = np.where(RNG.random(rows.shape) < 0.4, np.nan, rows)
    exact = np.array([listed.log_prob(v) for v in holed])
    found, se = dbn.importance_likelihood(holed, n_draws=1500, return_se=True)
    assert (abs(found - exact) <= 4.5 * se + 1e-12).all()
    bound, se = dbn.likelihood_bound(holed, n_draws=300, return_se=True)
    assert (bound < exact + 4.5 * se).all()


def test_probabilities_of_all_rows_add_up_to_one():
    dbn = random_dbn(4, (3, 2), seed=3)
    listed = Listed(dbn)
    rows = bits(4)
    assert logsumexp([listed.log_prob(v) for v in rows]) == pytest.approx(0)
    found = dbn.importance_likelihood(rows, n_draws=3000)
    assert logsumexp(found) == pytest.approx(0, abs=0.05)


def test_a_posterior_that_factorizes_leaves_no_gap():
    dbn = random_dbn(4, (3, 2), scale=0.0)
    bottom, top = dbn.layers_
    top.intercept_visible_ = bottom.intercept_hidden_
    dbn._forget()
    vars(dbn).update(attributes_of(dbn.layers_))
    listed, rows = Listed(dbn), bits(4)
    exact = [listed.log_prob(v) for v in rows]
    np.testing.assert_allclose([listed.bound(v) for v in rows], exact)
    np.testing.assert_allclose(dbn.importance_likelihood(rows, n_draws=3), exact)
    # In each draw.
    np.testing.assert_allclose(dbn.likelihood_bound(rows, n_draws=3), exact)


def test_bounds_of_single_rows_vary_little_between_draws():
    """Much less than the log-likelihood does between rows, also with few draws."""
    shared = RNG.normal(size=(500, 2)) @ RNG.normal(size=(2, 8))
    rows = (RNG.random((500, 8)) < expit(2 * shared)).astype(float)
    dbn = DBN((64, 64), n_iter=20, random_state=0).fit(rows)
    exact = dbn.importance_likelihood(rows, n_draws=500)
    assert (dbn.score_samples(rows) - exact).std() < 0.2 * exact.std()
    assert np.exp(dbn.score_samples(bits(8))).sum() < 1.05


def test_gray_values_are_means_of_bits():
    # The energy is linear in what is seen; Q is not, but here it does not look.
    dbn = random_dbn(3, (2, 2), untied=True)
    ((q, p),) = dbn._untied
    q.couplings[0][...] = 0
    gray, rows = RNG.random(3), bits(3)
    p = np.prod(np.where(rows, gray, 1 - gray), axis=1)
    listed = Listed(dbn)
    expected = p @ np.array([listed.bound(v) for v in rows])
    found, se = dbn.likelihood_bound(gray[None], n_draws=4000, return_se=True)
    assert abs(found - expected) <= 4.5 * se


def test_a_single_layer_is_a_machine():
    X = RNG.integers(0, 2, (50, 6)).astype(float)
    dbn = DBN((4,), random_state=0).fit(X)
    machine = dbn.layers_[0]
    for holed in (X, np.where(RNG.random(X.shape) < 0.2, np.nan, X)):
        for method in ("score_samples", "transform"):
            np.testing.assert_array_equal(
                getattr(dbn, method)(holed), getattr(machine, method)(holed)
            )
        np.testing.assert_array_equal(
            dbn.importance_likelihood(holed), machine.score_samples(holed)
        )
    assert dbn.density_kind_ == "exact"
    assert (dbn.log_Z_, dbn.log_Z_se_) == (machine.log_Z_, 0.0)
    np.testing.assert_array_equal(dbn.likelihood_bound(X, return_se=True)[1], 0)
    wide = DBN((30,), n_iter=0).fit(RNG.random((9, 30)))
    assert wide.density_kind_ == "estimate"


def test_kinds_of_density():
    X = RNG.random((9, 30))
    assert DBN((30, 3), n_iter=0).fit(X).density_kind_ == "lower bound"
    assert DBN((30, 30), n_iter=0).fit(X).density_kind_ == "estimate"


@pytest.mark.parametrize("depth", [2, 3])
def test_upside_down_the_likelihood_is_where_it_was(depth):
    X = RNG.integers(0, 2, (60, 6)).astype(float)
    sizes = (4, 6, 4)[:depth]
    options = {"init_layers": "transpose", "n_iter": (20, 0, 0)[:depth]}
    dbn = grouped(DBN, sizes, random_state=0, **options).fit(X)
    before = dbn.layers_[0].score_samples(X)
    np.testing.assert_allclose(dbn.importance_likelihood(X, n_draws=2), before)
    np.testing.assert_allclose(dbn.likelihood_bound(X, n_draws=2), before)
    listed = Listed(dbn)
    np.testing.assert_allclose([listed.bound(v) for v in X], before)


def test_more_units_hardly_change_the_start():
    X = RNG.integers(0, 2, (60, 6)).astype(float)
    options = {"n_iter": (20, 0), "random_state": 0}
    dbn = grouped(DBN, (4, 9), init_layers="transpose", **options).fit(X)
    before = dbn.layers_[0].score_samples(X)
    np.testing.assert_allclose(dbn.importance_likelihood(X), before, atol=0.05)
    # Where it cannot be, it is not.
    narrow = grouped(DBN, (4, 5), init_layers="transpose", **options).fit(X)
    assert abs(narrow.coefs_[1]).max() < 0.1
    real = grouped(
        DBN, (4, 9), init_layers="transpose", column_types="gaussian", **options
    ).fit(X)
    assert abs(real.coefs_[1]).max() < 0.1


def test_noise_belongs_to_rows():
    dbn = random_dbn(4, (3, 2))
    rows = np.tile(bits(4), (300, 1))
    found = dbn.score_samples(rows).reshape(300, 16)
    np.testing.assert_allclose(found, np.tile(found[:1], (300, 1)))
    np.testing.assert_array_equal(dbn.score_samples(rows), dbn.score_samples(rows))


@pytest.mark.parametrize("n_draws", [0, -3])
def test_draws_are_counted(n_draws):
    dbn = random_dbn(4, (3, 2))
    with pytest.raises(ValueError, match="n_draws"):
        dbn.likelihood_bound(bits(4), n_draws=n_draws)
