import numpy as np
import pytest

from skdgm import DBN
from tests.belief.enumeration import Listed, bits, random_dbn
from tests.numerical import assert_means

RNG = np.random.default_rng(0)


@pytest.mark.exhaustive(default=["noise-True", "chains-False"])
@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("init", ["noise", "chains", bits(4)])
def test_samples_have_the_models_means(untied, init):
    dbn = random_dbn(4, (3, 2), untied=untied)
    x = dbn.sample(20_000, random_state=0, init=init, n_steps=60)
    listed, rows = Listed(dbn), bits(4)
    p = np.exp([listed.log_prob(v) for v in rows])
    assert p.sum() == pytest.approx(1)
    assert_means(x, p @ rows)
    pairs = np.einsum("n,ni,nj->ij", p, rows, rows)
    assert_means(x[:, :, None] * x[:, None, :], pairs)


def test_samples_of_real_columns():
    dbn = random_dbn(2, (3, 2), column_types="gaussian", untied=True)
    x = dbn.sample(20_000, random_state=0, init="noise", n_steps=60)
    listed, bottom = Listed(dbn), dbn.layers_[0]
    p = np.exp(listed.log_p)
    mean = listed.down(0, listed.h[0]) * bottom.scale_ + bottom.mean_
    assert_means(x, p @ mean)
    assert_means(x**2, p @ (mean**2 + 1 / bottom.precision_))


def test_states_of_a_chain_are_kept():
    dbn = random_dbn(4, (3, 2))
    many = dbn.sample(6, random_state=0, n_steps=40, thin=20)
    assert many.shape == (6, 4)
    for options, name in (({"thin": 50}, "thin"), ({"burn_in": -1}, "burn_in")):
        with pytest.raises(ValueError, match=name):
            dbn.sample(6, n_steps=40, **options)
    with pytest.raises(ValueError, match="init"):
        dbn.sample(6, init="nonsense")
    with pytest.raises(ValueError, match="features"):
        dbn.sample(6, init=np.ones((2, 3)))


def test_filling_is_exact_where_recognition_is():
    # Upside down, Q is the posterior, and steps are Gibbs steps.
    X = RNG.integers(0, 2, (60, 5)).astype(float)
    X[:, 1] = X[:, 0]
    dbn = DBN((4, 5), init_layers="transpose", n_iter=(50, 0), random_state=0).fit(X)
    listed = Listed(dbn)
    holed = np.where(np.arange(5) % 2, np.nan, bits(5)[::4])
    filled = dbn.impute(holed, n_steps=4000)
    expected = [np.where(np.isnan(v), listed.mean(v), v) for v in holed]
    np.testing.assert_allclose(filled, expected, atol=0.03)
    drawn = dbn.impute(
        np.repeat(holed, 800, axis=0), method="sample", n_steps=20, random_state=0
    )
    for rows, mean in zip(drawn.reshape(len(holed), 800, 5), expected):
        assert_means(rows, mean)


def test_filling_keeps_what_is_known_and_is_the_same_each_time():
    X = RNG.random((20, 6))
    holed = np.where(RNG.random(X.shape) < 0.3, np.nan, X)
    dbn = DBN((5, 4), n_iter=2, refine="up-down", random_state=0).fit(holed)
    filled = dbn.impute(holed)
    np.testing.assert_array_equal(filled[~np.isnan(holed)], X[~np.isnan(holed)])
    np.testing.assert_array_equal(filled, dbn.impute(holed))
    np.testing.assert_allclose(filled[7:9], dbn.impute(holed[7:9]), rtol=1e-9)
    with pytest.raises(ValueError, match="method"):
        dbn.impute(holed, method="nonsense")
