"""Tables as users have them: DataFrames, of which not all is seen in ``fit``."""

import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from skdgm import NADE, EoNADE
from skdgm.exceptions import MissingDataWarning
from tests.autoregressive.models import FAMILIES, noisy

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
TOWNS, SIZES = ["Bonn", "Oslo", "Rome"], ["L", "S"]
N = 20
FRAME = pd.DataFrame(
    {
        "town": RNG.choice(TOWNS, N),
        "paid": RNG.random(N) < 0.4,
        "size": pd.Categorical(RNG.choice(SIZES, N), SIZES),
    }
)
KINDS = "categorical", "bernoulli", "categorical"
# How probable other categories are, all together: as if one had been seen.
OTHER = 1 / (N + 3 + 1), 1 / (N + 2 + 1)


def made(name, X, column_types="mixed", **options):
    """A model whose parameters are what they begin with, and noise."""
    cls, own = FAMILIES[name]
    given = {
        "n_iter": 0,
        "random_state": 0,
        "average": False,
        "column_types": column_types,
    }
    return noisy(cls(**given | own | {"ordering": "given"} | options).fit(X), 0.5)


def rows_of(*values):
    return pd.DataFrame(list(product(*values)), columns=FRAME.columns)


def codes(frame):
    """The same as numbers."""
    return np.column_stack(
        [
            [TOWNS.index(town) for town in frame["town"]],
            frame["paid"],
            [SIZES.index(size) for size in frame["size"]],
        ]
    ).astype(float)


@pytest.mark.parametrize("name", ["fvbn", "nade", "deep", "orderless"])
def test_probabilities_add_up_to_one_with_those_of_other_categories(name):
    # Of chains, what comes after a missing value is an estimate by that many draws.
    draws = {} if name == "orderless" else {"n_draws": 1000}
    own = made(name, FRAME, **draws)
    rows = rows_of([*TOWNS, "?"], [False, True], [*SIZES, "?"])
    log_p = own.score_samples(rows)
    new = np.exp(log_p[(rows["town"] == "?").to_numpy()])
    tol = 1e-6 if name == "orderless" else 0.02
    assert new.sum() == pytest.approx(OTHER[0], rel=tol)
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-6 + tol * OTHER[0])
    new = np.exp(log_p[(rows["size"] == "?").to_numpy()])
    assert new.sum() == pytest.approx(OTHER[1], rel=tol)


@pytest.mark.parametrize("name", ["nade", "orderless"])
def test_room_for_other_categories_costs_those_that_are_known(name):
    own, plain = made(name, FRAME), made(name, codes(FRAME), KINDS)
    cost = np.array([np.log1p(-OTHER[0]), 0, np.log1p(-OTHER[1])])
    expected = plain.score_features(codes(FRAME)) + cost
    np.testing.assert_allclose(own.score_features(FRAME), expected, rtol=1e-5)
    expected = plain.score_samples(codes(FRAME)) + cost.sum()
    np.testing.assert_allclose(own.score_samples(FRAME), expected, rtol=1e-5)
    holed = FRAME.astype({"size": object})
    holed.loc[:, "size"] = None
    expected = own.score_samples(FRAME.assign(size="?")) - np.log(OTHER[1])
    np.testing.assert_allclose(own.score_samples(holed), expected, rtol=1e-5)


def test_what_is_not_known_is_surprising_where_it_stands():
    own = made("orderless", FRAME)
    rows = FRAME.assign(town="Rome").replace({"town": {"Rome": "Paris"}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = own.score_features(rows), own.score_features(rows, given="others")
        scores = own.score_samples(rows)
    for part in found:
        np.testing.assert_allclose(part["town"], np.log(OTHER[0]), rtol=1e-6)
    np.testing.assert_allclose(found[0].sum(axis=1), scores, rtol=1e-6)


@pytest.mark.parametrize("model", [NADE(3), EoNADE((4,))])
def test_folds_with_rare_categories_have_scores(model):
    rare = FRAME.astype({"size": object})
    rare.loc[[3, 12], ["town", "size"]] = [["Kyiv", "XL"], ["Graz", "XS"]]
    model.set_params(column_types="mixed", n_iter=1, random_state=0)
    assert np.isfinite(cross_val_score(model, rare)).all()


@pytest.mark.parametrize("name", ["nade", "orderless"])
def test_other_categories_are_kept_and_not_seen(name):
    own, rows = made(name, FRAME), FRAME.iloc[:3].astype({"size": object})
    holed = rows.astype(object)
    rows.loc[0, "town"], rows.loc[1, "size"] = "Paris", None
    holed.loc[0, "town"], holed.loc[1, "size"] = None, None
    message = "as missing: 'Paris' in column 'town'. Declare"
    with pytest.warns(MissingDataWarning, match=message):
        found = own.transform(rows)
    np.testing.assert_array_equal(found, own.transform(holed))
    with pytest.warns(MissingDataWarning, match=message):
        found = own.impute(rows)
    expected = own.impute(holed).astype(object)
    expected.loc[0, "town"] = "Paris"
    pd.testing.assert_frame_equal(found.astype(object), expected)
    with pytest.warns(MissingDataWarning, match=message):
        drawn = own.conditional_sample(rows, n_samples=2, random_state=0)
    assert (drawn.loc[0, "town"] == "Paris").all()
    assert drawn["size"].notna().all()


def test_other_categories_in_a_dtype_of_their_own_are_kept():
    own, rows = made("orderless", FRAME), FRAME.iloc[:3].copy()
    rows["size"] = pd.Categorical(["XL", None, "S"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MissingDataWarning)
        found = own.impute(rows)["size"].tolist()
    assert [found[0], found[2]] == ["XL", "S"]
    assert found[1] in SIZES


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_row_is_no_table():
    with pytest.raises(ValueError, match=r"NADE takes a table, but .* X.iloc\[\[0\]\]"):
        made("nade", FRAME).score(FRAME.iloc[0])


def test_nothing_is_learned_of_other_categories():
    own, rows = made("nade", FRAME), FRAME.assign(town="Paris")
    for learn in (own.partial_fit, own.set_params(warm_start=True).fit):
        with pytest.raises(ValueError, match="'town' has categories .* know: 'Paris'"):
            learn(rows)


class Polars:
    """A DataFrame of another library."""

    def __init__(self, frame):
        self.frame, self.columns = frame, list(frame)

    def __array__(self, dtype=None, copy=None):
        return self.frame.to_numpy(dtype)

    def to_pandas(self):
        """That of pandas."""
        return self.frame


Polars.__module__ = "polars.dataframe.frame"


def test_frames_of_other_libraries_are_told_the_way():
    message = r"from pandas DataFrames, not from those of polars: .* X.to_pandas\(\)"
    own = NADE(3, "mixed", n_iter=1)
    with pytest.raises(TypeError, match=message):
        own.fit(Polars(FRAME))
    own.fit(FRAME)
    with pytest.raises(TypeError, match=message):
        own.impute(Polars(FRAME))
    with pytest.raises(ValueError, match="column 'town' has other values .* of pandas"):
        EoNADE((3,)).fit(Polars(FRAME))
