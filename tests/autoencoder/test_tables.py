"""Tables of several kinds of columns."""

from itertools import product

import numpy as np
import pytest

from skdgm import VAE
from tests.autoregressive.test_conditions import CONDITIONS, assert_kept
from tests.autoregressive.test_tables import WIDE
from tests.numerical import assert_means

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def vae():
    return VAE(4, (32,), column_types="mixed", n_iter=60, random_state=0).fit(WIDE)


@pytest.mark.exhaustive
def test_frames_come_back(vae):
    found = vae.sample(500, random_state=0)
    assert (found.dtypes == WIDE.dtypes).all()
    for name in ("gain", "income", "day"):
        assert found[name].between(WIDE[name].min(), WIDE[name].max()).all()
    share, real = ((frame["gain"] == 0).mean() for frame in (found, WIDE))
    assert share == pytest.approx(real, abs=0.1)
    assert set(found["rooms"]) <= {1, 2, 3}
    means = vae.inverse_transform(vae.transform(WIDE))
    assert (means.dtypes == WIDE.dtypes).all()
    assert vae.column_types_["gain"].values == [0]


@pytest.mark.exhaustive
def test_missing_entries_are_filled(vae):
    holed = WIDE.astype({"gain": float, "rooms": float}).head(20)
    holed.iloc[::2, :2] = np.nan
    holed.iloc[::3, 3:] = None
    for method in ("mean", "sample"):
        found = vae.impute(holed, method=method, random_state=0)
        assert not found.isna().any(axis=None)
        pd.testing.assert_index_equal(found.index, holed.index)
        known = holed.notna()
        pd.testing.assert_frame_equal(found.where(known), holed.where(known))
    assert np.isfinite(vae.score_samples(holed)).all()
    assert list(vae.impute(WIDE[["town"]]).columns) == list(WIDE)


def test_scores_are_bounds_on_the_density_of_a_column():
    frame = WIDE[["town", "rooms"]]
    own = VAE(2, (8,), column_types="mixed", n_iter=5, random_state=0).fit(frame)
    rows = pd.DataFrame(list(product(["Bonn", "Rome"], [1, 2, 3])), columns=list(frame))
    p = np.exp(own.importance_likelihood(rows, n_draws=5000))
    # What is left is for values that were never seen.
    n = len(frame)
    assert p.sum() == pytest.approx((1 - 1 / (n + 3)) * (1 - 1 / (n + 4)), abs=0.01)


@pytest.mark.exhaustive(default=["names5", "names3", "names4"])
@pytest.mark.parametrize("names", [[name] for name in CONDITIONS] + [list(CONDITIONS)])
def test_all_draws_keep_to_the_conditions(vae, names):
    given = {name: CONDITIONS[name] for name in names}
    found = vae.sample(50, random_state=0, conditions=given)
    assert_kept(found, names)


@pytest.mark.exhaustive
@pytest.mark.parametrize("conditions", [{0: 1}, {0: 0, 2: [1]}])
def test_draws_have_the_conditional_probabilities(conditions):
    X = np.random.default_rng(0).random((200, 1)) < [0.5, 0.2, 0.7]
    X[:, 1] ^= X[:, 0]
    own = VAE(2, (16,), n_iter=100, random_state=0).fit(X)
    states = np.array(list(product([0.0, 1], repeat=3)))
    p = np.exp(own.importance_likelihood(states, n_draws=20_000))
    for j, value in conditions.items():
        p = p * (states[:, j] == np.ravel(value)[0])
    drawn = own.sample(8000, random_state=0, conditions=conditions)
    found = (drawn[:, None] == states).all(axis=2)
    # Latent units are shared by some of the draws.
    assert_means(found.astype(float), p / p.sum(), n_sigma=6)


def test_real_columns_alone_take_no_conditions():
    own = VAE(2, (8,), column_types="gaussian", n_iter=1).fit(np.eye(4))
    with pytest.raises(ValueError, match="takes no conditions: fit with column_types="):
        own.sample(3, conditions={0: 1})


def test_seasons_of_several_years_are_learned():
    """A date has several modes, one a year, given latent units that tell a season."""
    rng, day = np.random.default_rng(0), np.arange(900)
    frame = pd.DataFrame(
        {"day": pd.Timestamp("2021-01-01") + pd.to_timedelta(day, "D")}
    )

    def season(day):
        return np.cos(2 * np.pi * day / 365.25)

    frame["warm"] = season(day) + rng.normal(0, 0.2, 900)
    own = VAE(
        2, 32, column_types="mixed", n_iter=60, learning_rate=0.02, random_state=0
    )
    found = own.fit(frame).sample(900, random_state=0)
    known = season((found["day"] - frame["day"][0]).dt.days)
    assert np.corrcoef(known, found["warm"])[0, 1] > 0.5
    assert found["day"].dt.year.nunique() == 3
