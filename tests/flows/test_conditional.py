"""Flows of rows given attributes, and draws under conditions on columns."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.model_selection import cross_val_score

from skdgm import Flow
from skdgm.exceptions import DataRangeWarning
from skdgm.persistence import load, save
from tests.flows.recipes import log_base
from tests.options import grouped

SHORT = {"n_layers": 2, "hidden_layer_sizes": (8,), "n_iter": 20, "random_state": 0}
SHORT |= {"batch_size": 50, "learning_rate": 0.02, "attribute_conditional": True}
MOONS, WHICH = make_moons(300, noise=0.1, random_state=0)
SIDE = np.linspace(-6, 16, 400)
GRID = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
STEP = SIDE[1] - SIDE[0]


def _bent(n=300):
    """Rows whose mean, width and shape depend on two real attributes."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(n, 2))
    x = y[:, :1] + np.exp(0.5 * y[:, 1:]) * rng.normal(size=(n, 2)) * 0.3
    x[:, 1] += x[:, 0] ** 2
    return x, y


BENT = _bent()


@pytest.fixture(scope="module", params=["classes", "numbers"])
def given(request):
    """A flow, its rows and attributes, and those of one row."""
    X, y = (MOONS, WHICH == 1) if request.param == "classes" else BENT
    layer = "affine" if request.param == "numbers" else "spline"
    flow = grouped(Flow, layer_type=layer, **SHORT).fit(X, y)
    return flow, X, y, True if request.param == "classes" else y[:1]


@pytest.mark.exhaustive(default=["classes"])
def test_densities_given_attributes_integrate_to_one(given):
    flow, _, _, one = given
    total = np.exp(flow.score_samples(GRID, one)).sum() * STEP**2
    np.testing.assert_allclose(total, 1, rtol=2e-3)


def test_draws_have_the_density_given_attributes(given):
    flow, _, _, one = given
    p = np.exp(flow.score_samples(GRID, one))
    drawn = flow.sample(4000, 0, y=one)
    for function in (lambda v: v, lambda v: v**2, lambda v: v[:, :1] * v[:, 1:]):
        own = function(drawn)
        error = own.std(axis=0) / np.sqrt(len(drawn))
        expected = p @ function(GRID) / p.sum()
        assert (abs(own.mean(axis=0) - expected) < 5 * error).all()


def test_codes_and_back_given_attributes(given):
    flow, X, y, _ = given
    codes = flow.transform(X, y)
    np.testing.assert_allclose(flow.inverse_transform(codes, y), X, atol=1e-6)
    x, step = X[:1], 1e-5
    moved = x + step * np.concatenate([np.eye(2), -np.eye(2)])
    around = flow.transform(moved, y[:1])
    volume = np.linalg.slogdet((around[:2] - around[2:]) / (2 * step))[1]
    expected = log_base(flow, codes[0]) + volume
    found = flow.score_samples(x, y[:1])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.release
def test_missing_entries_given_attributes(given):
    flow, X, y, _ = given
    x, own = X[:10].copy(), y[:10]
    x[:, 1] = np.nan
    side = np.linspace(-6, 16, 1000)
    grid = [np.column_stack([np.full(1000, value), side]) for value in x[:, 0]]
    whole = flow.score_samples(np.concatenate(grid), np.repeat(own, 1000, axis=0))
    whole = np.exp(whole).reshape(10, -1)
    expected = np.log(whole.sum(axis=1) * (side[1] - side[0]))
    mean = whole @ side / whole.sum(axis=1)
    flow.set_params(n_draws=500)
    np.testing.assert_allclose(flow.score_samples(x, own), expected, atol=0.3)
    np.testing.assert_allclose(flow.impute(x, own)[:, 1], mean, atol=0.2)
    drawn = flow.conditional_sample(x[:1], own[:1], n_samples=500, random_state=0)
    error = drawn[:, 1].std() / np.sqrt(500)
    assert abs(drawn[:, 1].mean() - mean[0]) < 6 * error


def test_it_begins_at_a_regression():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(3000, 3)) * [1, 10, 100]
    A = np.array([[1.0, -1], [0.2, 0], [0, 0.03]])
    X = y @ A + rng.multivariate_normal([1, 2], [[1, 0.8], [0.8, 1]], 3000)
    start = Flow(n_iter=0, attribute_conditional=True).fit(X, y)
    exact = multivariate_normal([1, 2], [[1, 0.8], [0.8, 1]])
    gap = start.score_samples(X, y) - exact.logpdf(X - y @ A)
    assert abs(gap).mean() < 0.05
    drawn = start.sample(4000, 0, y=y[:1])
    np.testing.assert_allclose(drawn.mean(axis=0), [1, 2] + y[0] @ A, atol=0.15)


@pytest.mark.exhaustive
def test_a_single_column_given_attributes_is_learned():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(400, 1))
    X = np.exp(y) * (1 + 0.1 * rng.normal(size=(400, 1)))
    start = grouped(Flow, **SHORT | {"n_iter": 0}).fit(X, y)
    assert grouped(Flow, **SHORT).fit(X, y).score(X, y) > start.score(X, y) + 0.5


def test_draws_without_attributes_are_of_those_of_rows():
    flow = grouped(Flow, **SHORT | {"n_iter": 0}).fit(BENT[0], BENT[1])
    drawn = flow.sample(3000, 0)
    np.testing.assert_allclose(drawn.mean(axis=0), BENT[0].mean(axis=0), atol=0.2)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(BENT[0].T), rtol=0.2, atol=0.2)


@pytest.mark.release
def test_scores_without_classes_sum_over_them():
    weight = np.where(WHICH == 1, 3.0, 1.0)
    flow = grouped(Flow, **SHORT | {"n_iter": 5}).fit(MOONS, WHICH, weight)
    total = np.exp(flow.score_samples(GRID)).sum() * STEP**2
    np.testing.assert_allclose(total, 1, rtol=2e-3)
    parts = [flow.score_samples(MOONS, k) + np.log((0.25, 0.75)[k]) for k in (0, 1)]
    found = flow.score_samples(MOONS)
    np.testing.assert_allclose(found, np.logaddexp(*parts), rtol=1e-12)
    np.testing.assert_allclose(flow.score(MOONS), found.mean())
    # Of several attributes, all pairs that there were.
    names = np.array(["a", "b", "c"])[np.arange(300) % 3]
    y = np.column_stack([WHICH.astype(str), names])
    both = grouped(Flow, **SHORT | {"n_iter": 1}).fit(MOONS, y)
    total = np.exp(both.score_samples(GRID)).sum() * STEP**2
    np.testing.assert_allclose(total, 1, rtol=2e-3)


@pytest.mark.exhaustive
def test_attributes_count_as_part_of_a_row(tmp_path):
    X, y = BENT[0][:60], BENT[1][:60]
    weight = np.tile([1, 2, 3], 20)
    short = grouped(Flow, **SHORT | {"n_iter": 2})
    once = short.fit(X, y, weight).score_samples(X, y)
    again = clone(short).fit(np.repeat(X, weight, 0), np.repeat(y, weight, 0))
    np.testing.assert_array_equal(again.score_samples(X, y), once)
    save(again, tmp_path / "flow.skdgm")
    loaded = load(tmp_path / "flow.skdgm")
    np.testing.assert_array_equal(loaded.score_samples(X, y), once)
    np.testing.assert_array_equal(loaded.sample(3, 0), again.sample(3, 0))
    loaded.partial_fit(X, y)
    assert np.isfinite(loaded.score_samples(X, y)).all()
    codes = clone(short).fit_transform(X, y)
    np.testing.assert_allclose(codes, clone(short).fit(X, y).transform(X, y))
    assert np.isfinite(cross_val_score(short, X, y, cv=2)).all()


@pytest.mark.exhaustive
def test_what_cannot_be_given():
    X, y = MOONS, WHICH
    short = grouped(Flow, base="normal", **SHORT | {"n_iter": 0})
    flow, plain = clone(short).fit(X, y), Flow(n_iter=0, base="normal").fit(X, y)
    for function in flow.transform, flow.impute:
        with pytest.raises(ValueError, match="Flow is conditional: give y"):
            function(X)
    numbers = clone(short).fit(*BENT)
    with pytest.raises(ValueError, match="Flow is conditional: give y.* are classes"):
        numbers.score_samples(BENT[0])
    with pytest.raises(ValueError, match="Flow is not conditional: leave out y"):
        plain.score_samples(X, y)
    with pytest.raises(ValueError, match="not conditional"):
        plain.sample(3, y=1)
    with pytest.raises(AttributeError, match="not conditional"):
        plain.attribute_types_  # noqa: B018
    with pytest.raises(ValueError, match='7.*"gaussian" by attribute_types'):
        flow.sample(3, y=7)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        flow.score_samples(X, y[:5])
    with pytest.raises(ValueError, match="2 values of 0, .* give a DataFrame"):
        flow.sample(2, y={0: [0, 1]})
    with pytest.raises(ValueError, match="y has 'size', but the attributes are"):
        flow.sample(2, y={0: 1, "size": 3})
    with pytest.raises(ValueError, match="conditions are given the same attributes"):
        flow.sample(2, y=[0, 1], conditions={0: 0.5})
    assert flow.sample(2, 0, y=[1, 1], conditions={0: 0.5}).shape == X[:2].shape
    with pytest.raises(ValueError, match="y"):
        clone(short).fit(X)
    with pytest.raises(ValueError, match="missing values"):
        clone(short).fit(X, np.where(y == 1, np.nan, MOONS[:, 0] + 0.5))
    assert flow.attribute_types_["y" if "y" in flow.attribute_types_ else 0]
    flow.fit(X, y)
    with pytest.raises(ValueError, match="attribute_conditional"):
        flow.set_params(warm_start=True, attribute_conditional=False).fit(X, y)


@pytest.fixture(scope="module")
def plain():
    return grouped(Flow, **SHORT | {"attribute_conditional": False}).fit(MOONS)


def _moments_agree(drawn, points, log_p):
    p = np.exp(log_p - log_p.max())
    for power in 1, 2:
        error = (drawn**power).std(axis=0) / np.sqrt(len(drawn))
        expected = p @ points**power / p.sum()
        assert (abs((drawn**power).mean(axis=0) - expected) <= 6 * error).all()


@pytest.mark.exhaustive
def test_draws_under_conditions_have_the_density(plain):
    side = np.linspace(-3, 3, 1500)
    line = np.column_stack([np.full(1500, 0.5), side])
    drawn = plain.sample(1000, 0, conditions={0: 0.5})
    assert (drawn[:, 0] == 0.5).all()
    _moments_agree(drawn[:, 1:], line[:, 1:], plain.score_samples(line))
    inside = GRID[(GRID[:, 0] >= 0) & (GRID[:, 0] <= 1) & (GRID[:, 1] >= 0.2)]
    drawn = plain.sample(1500, 0, conditions={0: slice(0, 1), 1: slice(0.2, None)})
    assert (drawn.min(axis=0) >= [0, 0.2]).all()
    assert drawn[:, 0].max() <= 1
    _moments_agree(drawn, inside, plain.score_samples(inside))


def test_conditions_beside_attributes(given):
    flow, X, _, one = given
    value = float(X[:, 0].mean())
    side = np.linspace(-6, 8, 1500)
    line = np.column_stack([np.full(1500, value), side])
    drawn = flow.sample(800, 0, y=one, conditions={0: value})
    _moments_agree(drawn[:, 1:], line[:, 1:], flow.score_samples(line, one))
    assert np.isfinite(flow.sample(20, 0, conditions={0: value})).all()


@pytest.mark.exhaustive
def test_conditions_that_cannot_be(plain):
    with pytest.raises(ValueError, match="names 5"):
        plain.sample(2, conditions={5: 1.0})
    with pytest.raises(ValueError, match="no probability"):
        plain.sample(2, conditions={0: [1.0, 2.0]})
    with pytest.raises(ValueError, match="none of .* draws satisfies the conditions"):
        plain.sample(2, 0, conditions={0: slice(50, None)})
    with pytest.warns(DataRangeWarning, match="far beyond the training range"):
        drawn = plain.sample(2, 0, conditions={0: 1e4})
    assert (drawn[:, 0] == 1e4).all()


def test_given_attributes_the_base_is_normal():
    """Components as wide as rows without attributes would be draws far from what rows
    given them are: here 1 where rows have a deviation of 0.1."""
    y = np.random.default_rng(0).normal(size=(200, 1))
    X = y + 0.1 * np.random.default_rng(1).normal(size=(200, 2))
    X[:, 1] += y[:, 0] ** 3
    own = [
        grouped(Flow, base=base, **SHORT | {"n_iter": 0}).fit(X, y).score_samples(X, y)
        for base in ("auto", "normal", "mixture")
    ]
    np.testing.assert_array_equal(own[0], own[1])
    assert (own[0] != own[2]).any()
