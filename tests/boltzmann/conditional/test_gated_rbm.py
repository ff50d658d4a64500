"""Hidden units that are transformations of pairs."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skdgm import GatedRBM

RNG = np.random.default_rng(0)
N, SIZE = 2000, 12
X = (RNG.random((N, SIZE)) < 0.3).astype(float)
SHIFT = RNG.integers(3, size=N)
Y = np.array([np.roll(x, s) for x, s in zip(X, SHIFT)])
TRAIN, TEST = slice(0, 1600), slice(1600, None)


@pytest.fixture(scope="module")
def model():
    return GatedRBM(16, 30, random_state=0).fit(X[TRAIN], Y[TRAIN])


@pytest.mark.release
def test_hidden_units_are_the_transformation(model):
    H = model.transform(X, Y)
    reader = LogisticRegression(max_iter=1000).fit(H[TRAIN], SHIFT[TRAIN])
    assert reader.score(H[TEST], SHIFT[TEST]) > 0.95
    assert not model.components_.any()
    assert not model.condition_visible_.any()
    assert not model.condition_hidden_.any()


@pytest.mark.release
def test_a_pair_moves_other_rows(model):
    one = slice(1600, 1601)
    moved = model.analogy(X[one], Y[one], X[TEST])
    truth = np.roll(X[TEST], SHIFT[1600], axis=1)
    assert ((moved > 0.5) == truth).mean() > 0.95
    each = model.analogy(X[TEST], Y[TEST], X[TEST], method="sample", random_state=0)
    assert (each == Y[TEST]).mean() > 0.9


@pytest.mark.release
def test_images_of_given_hidden_units_are_the_conditional_means(model):
    H = (RNG.random((5, 16)) < 0.5).astype(np.float32)
    A, B, C = model.factors_
    z = (X[:5] - X[TRAIN].mean(axis=0)) / X[TRAIN].std(axis=0)
    sent = (H @ B.T) * (z @ C.T)
    p = 1 / (1 + np.exp(-model.intercept_visible_ - sent @ A))
    np.testing.assert_allclose(model.decode(H, X[:5]), p, atol=1e-4)
    many = np.repeat(X[:1], 4000, axis=0)
    drawn = model.decode(H[:1], many, method="sample", random_state=0)
    error = np.sqrt(p[0] * (1 - p[0]) / 4000)
    assert (abs(drawn.mean(axis=0) - p[0]) < 4.5 * error + 1e-9).all()


@pytest.mark.release
def test_real_columns_and_frames():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 2))
    turn = rng.choice([-1.0, 1.0], 1000)[:, None]
    y = x * turn + rng.normal(0, 0.1, (1000, 2))
    names = ["east", "north"]
    given, found = pd.DataFrame(x, columns=names), pd.DataFrame(y, columns=names)
    model = GatedRBM(4, 8, n_iter=200, random_state=0)
    model.fit(given, found)
    moved = model.analogy(given[:1], found[:1], given)
    assert list(moved.columns) == names
    assert np.corrcoef(moved["east"], turn[0] * x[:, 0])[0, 1] > 0.9


@pytest.mark.exhaustive
def test_what_does_not_fit_is_named(model):
    with pytest.raises(ValueError, match="H has 3 columns"):
        model.decode(np.ones((1, 3)), X)
    with pytest.raises(ValueError, match="H has 2 rows, but X has 5"):
        model.decode(np.ones((2, 16)), X[:5])
    with pytest.raises(ValueError, match="method must be"):
        model.decode(np.ones((1, 16)), X, method="mode")
    with pytest.raises(ValueError, match="requires y to be passed"):
        clone(model).fit(X)
    with pytest.raises(ValueError, match="n_factors"):
        clone(model).set_params(n_factors=0).fit(X, Y)
