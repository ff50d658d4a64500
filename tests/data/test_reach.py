"""Known values beyond the range seen, given which nets fill in what is unknown."""

import warnings

import numpy as np
import pytest

from skdgm import (
    FVBN,
    GSN,
    MADE,
    NADE,
    RNADE,
    RNNNADE,
    RNNRBM,
    RTRBM,
    VAE,
    VRNN,
    Diffusion,
    EoNADE,
    Flow,
    GenerativeImputer,
)
from skdgm.exceptions import DataRangeWarning
from skdgm.utils import rows

pd = pytest.importorskip("pandas")

MODELS = {
    "eonade": EoNADE((8,), column_types="mixed", n_iter=3, random_state=0),
    "nade": NADE(4, column_types="mixed", n_iter=3, random_state=0),
    "made": MADE((8,), column_types="mixed", n_iter=3, random_state=0),
    "fvbn": FVBN(column_types="mixed", n_iter=3, random_state=0),
    "vae": VAE(2, (8,), column_types="mixed", n_iter=3, random_state=0),
    "gsn": GSN((8,), column_types="mixed", n_iter=3, random_state=0),
    "diffusion": Diffusion((8,), column_types="mixed", n_iter=3, random_state=0),
    "rnade": RNADE(4, n_iter=3, random_state=0),
    "flow": Flow(2, (8,), n_iter=3, random_state=0),
    "rnnnade": RNNNADE(4, column_types="mixed", n_iter=1, random_state=0),
    "vrnn": VRNN(2, column_types="mixed", n_iter=1, random_state=0),
    "rnnrbm": RNNRBM(4, column_types="gaussian", n_iter=1, random_state=0),
    "rtrbm": RTRBM(4, column_types="gaussian", n_iter=1, random_state=0),
}
REAL = "rnade", "flow", "rnnrbm", "rtrbm"


def table(real):
    rng = np.random.default_rng(0)
    city = rng.integers(0, 3, 200)
    warm = 5.0 * city + rng.normal(size=200)
    second = rng.normal(size=200) + city if real else np.array(list("abc"))[city]
    return pd.DataFrame({"warm": warm, "city": second})


@pytest.mark.exhaustive(default=["flow", "diffusion", "nade", "vae"])
@pytest.mark.parametrize("name", MODELS)
def test_known_values_far_out_are_read_as_the_end_of_the_range(name):
    model, real = MODELS[name], name in REAL
    X = table(real)
    model.fit(X.to_numpy() if real else X)
    # Draws depend on the place of a row, not on what it has.
    own = X.iloc[:20].assign(city=np.nan if real else None)

    def filled(warm):
        rows = own.assign(warm=warm)
        found = model.impute(
            rows.to_numpy() if real else rows, method="sample", random_state=0
        )
        found = np.asarray(found)
        assert (found[:, 0] == warm).all()
        return found[:, 1]

    with pytest.warns(DataRangeWarning, match=f"{type(model).__name__} .*(warm|0)"):
        far, farther = filled(1e3), filled(1e6)
    assert (far == farther).all()
    with warnings.catch_warnings():
        # New rows are a little beyond the range often enough.
        warnings.simplefilter("error")
        filled(X["warm"].max() + 0.2)


@pytest.mark.exhaustive(default=["flow"])
@pytest.mark.parametrize("name", REAL)
def test_ranges_of_real_columns_end_where_their_values_do(name):
    """Values that only rise from 0 have none below, however large they are above."""
    X = np.random.default_rng(0).exponential(size=(200, 2))
    model = MODELS[name].fit(X)
    own = np.column_stack([X[:20, 0], np.full(20, np.nan)])

    def filled(low):
        own[0, 0] = low
        return model.impute(own, method="sample", random_state=0)[0, 1]

    with pytest.warns(DataRangeWarning):
        near, far = filled(-0.6 * X.max()), filled(-1e6)
    assert near == far
    # Later rows make it wider.
    model.partial_fit(np.concatenate([X[:20], [[-X.max(), 1.0]]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filled(-0.6 * X.max())


def test_a_value_beyond_the_range_does_not_flip_what_is_filled_in():
    rng = np.random.default_rng(0)
    city = rng.choice([0, 1, 2], 600, p=[0.6, 0.3, 0.1])
    warm = np.array([2.5, 10, 30])[city] + rng.normal(0, 2, 600)
    X = pd.DataFrame({"city": np.array(list("abc"))[city], "warm": warm})
    far = pd.DataFrame({"city": [None] * 6, "warm": [34, 45, 500, -4, -20, -500.0]})
    imputer = GenerativeImputer(EoNADE(column_types="mixed", n_iter=20), random_state=0)
    imputer.fit(X)
    with pytest.warns(DataRangeWarning):
        assert imputer.transform(far)["city"].tolist() == list("cccaaa")


def test_conditions_far_out_are_read_as_the_end_of_the_range():
    X = table(real=True).to_numpy()
    model = RNADE(4, n_iter=3, random_state=0).fit(X)
    with pytest.warns(DataRangeWarning, match="0"):
        far, farther = (model.sample(5, 0, conditions={0: x}) for x in (1e3, 1e5))
    assert (far[:, 0] == 1e3).all()
    assert (far[:, 1] == farther[:, 1]).all()


def test_scores_of_the_other_columns_do_not_depend_on_how_far_a_value_is():
    X = table(real=False)
    model = MODELS["eonade"].fit(X)
    far, farther = (X.head(5).assign(warm=x) for x in (1e3, 1e5))
    parts = [model.score_features(x, given="others") for x in (far, farther)]
    np.testing.assert_allclose(*(np.asarray(part)[:, 1] for part in parts))


def test_futures_of_values_far_out_are_those_of_the_end_of_the_range():
    X, rng = table(real=False), np.random.default_rng(0)
    born = np.repeat(rng.normal(1970, 9, 10).round(2), 20)
    X, lengths = X.assign(born=born), [20] * 10
    model = MODELS["rnnnade"].fit(X, lengths=lengths)
    draws = []
    for far in 1e5, 1e7:
        prefix = X[:20].assign(born=far, warm=far)
        with pytest.warns(DataRangeWarning, match="warm"):
            draws += model.sample_sequences(3, prefix=prefix, random_state=0)
        assert (draws[-1]["born"] == far).all()
    assert draws[0].drop(columns="born").equals(draws[1].drop(columns="born"))


def test_means_of_a_normal_distribution_are_linear_however_far():
    X = np.random.default_rng(0).normal(size=(200, 1)) @ [[1.0, 2.0]]
    model = FVBN(column_types="gaussian").fit(X)
    assert np.isclose(model.impute([[100.0, np.nan]])[0, 1], 200, rtol=1e-2)


def test_all_blocks_of_rows_are_told_together(monkeypatch):
    model, X = MODELS["nade"], table(False)
    model.fit(X)
    monkeypatch.setattr(rows, "BLOCK_ENTRIES", 10)
    far = X.iloc[:20].assign(warm=np.arange(20) * 100.0, city=None)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.impute(far)
    found = [own for own in told if own.category is DataRangeWarning]
    assert len(found) == 1
