"""Rare and unknown categories in models of tables."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skdgm import (
    MADE,
    NADE,
    VAE,
    ConstrainedTable,
    EoNADE,
    GenerativeImputer,
    load,
    save,
)
from skdgm.constraints import FixedCombinations
from skdgm.exceptions import MissingDataWarning
from tests.autoregressive.models import FAMILIES, noisy
from tests.numerical import assert_means
from tests.options import assign, grouped

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
N, N_DRAWS = 120, 4000
CITIES, SHARES = ["Bonn", "Oslo", "Pisa", "Rome", "Turku", "Umea"], [6, 5, 4, 2, 1, 1]
CODES = np.repeat(np.arange(6), np.array(SHARES) * N // sum(SHARES) + 1)[:N]
CODES = np.concatenate([CODES, np.zeros(N - len(CODES), int)])
PAID = RNG.random(N) < 0.3 + 0.1 * CODES
FRAME = pd.DataFrame({"city": np.array(CITIES)[CODES], "paid": PAID})
RARE = ["Rome", "Turku", "Umea"]
OPTIONS = {"min_frequency": 20, "handle_unknown": "infrequent_if_exist"}
MODELS = ["fvbn", "nade", "deep", "orderless", "vae"]


def made(name, X=FRAME, **options):
    """A model whose parameters are those that it begins with, and noise."""
    given = {"column_types": "mixed", "n_iter": 0, "random_state": 0} | OPTIONS
    if name == "vae":
        return grouped(VAE, 2, (5,), **given | {"n_draws": 20_000} | options).fit(X)
    cls, own = FAMILIES[name]
    given |= {"ordering": "given", "average": False, "n_draws": 400}
    if name == "orderless":
        del given["n_draws"]
    return noisy(grouped(cls, **given | own | options).fit(X), 0.5)


def rows_of(cities):
    return pd.DataFrame([(c, b) for c in cities for b in (False, True)]).set_axis(
        ["city", "paid"], axis=1
    )


@pytest.mark.parametrize("cls", [NADE, MADE])
def test_rare_categories_of_few_distinct_rows_are_learned(cls):
    # Where all copies of a row were held out, training ended after an epoch.
    rng, n = np.random.default_rng(0), 2000
    p = np.array([0.5, 0.3, 0.16, 0.02, 0.02])
    code = rng.choice(5, n, p=p)
    other = np.where(rng.random(n) < 0.9, code, rng.integers(0, 5, n))
    X = pd.DataFrame({"a": code, "b": other}).astype(str)
    model = cls(32, column_types="mixed", random_state=0).fit(X)
    joint = 0.02 * p[:, None] + 0.9 * np.diag(p)
    assert model.score(X) > np.log(joint[code, other]).mean() - 0.03
    holes = X.assign(a=None)
    found = model.impute(holes, method="sample", random_state=0)["a"].to_numpy(int)
    posterior = (joint / joint.sum(axis=0)).T[other]
    assert_means((found[:, None] == np.arange(5)).astype(float), posterior.mean(0), 5)


@pytest.mark.exhaustive
def test_which_are_rare():
    own = made("nade")
    assert own.column_types_["city"].rare == RARE
    assert own.column_types_["city"].values == CITIES
    assert own.column_types_["paid"].rare is None
    whole = made("nade", min_frequency=None).column_types_["city"]
    assert whole.rare == []


@pytest.mark.exhaustive(default=["nade"])
@pytest.mark.parametrize("name", MODELS)
def test_probabilities_add_up_to_one_with_those_of_unknown_categories(name):
    own, rows = made(name), rows_of([*CITIES, "?"])
    p = np.exp(own.score_samples(rows))
    assert p.sum() == pytest.approx(1, abs=0.01 if name == "vae" else 1e-5)
    by = pd.Series(p).groupby(rows["city"]).sum()
    counts = FRAME["city"].value_counts()[RARE]
    group = by[[*RARE, "?"]].sum()
    expected = np.append(counts, 1) / (counts.sum() + 1) * group
    tol = 0.02 if name == "vae" else 1e-4
    np.testing.assert_allclose(by[[*RARE, "?"]], expected, rtol=tol)
    drawn = own.sample(N_DRAWS, random_state=0)
    found = drawn["city"].to_numpy()[:, None] == np.array(CITIES)
    # What is drawn is known.
    expected = by[CITIES].to_numpy().copy()
    expected[3:] *= group / expected[3:].sum()
    assert_means(found.astype(float), expected, 5)


@pytest.mark.parametrize("how", ["ignore", "error"])
def test_probabilities_of_known_categories_add_up_to_one(how):
    own = made("orderless", handle_unknown=how)
    p = np.exp(own.score_samples(rows_of(CITIES)))
    assert p.sum() == pytest.approx(1, abs=1e-6)
    counts = FRAME["city"].value_counts()[RARE]
    found = p.reshape(6, 2)[3:].sum(axis=1)
    np.testing.assert_allclose(found / found.sum(), counts / counts.sum(), rtol=1e-5)


@pytest.mark.release
@pytest.mark.parametrize("name", ["nade", "orderless", "vae"])
@pytest.mark.parametrize("wanted", [["Umea"], ["Oslo", "Rome", "Turku"]])
def test_draws_under_conditions(name, wanted):
    own, rows = made(name), rows_of(wanted)
    p = np.exp(own.score_samples(rows))
    condition = wanted if len(wanted) > 1 else wanted[0]
    drawn = own.sample(N_DRAWS, random_state=1, conditions={"city": condition})
    pairs = drawn.apply(tuple, axis=1).to_numpy()
    found = [[pair == tuple(row) for row in rows.to_numpy()] for pair in pairs]
    assert_means(np.array(found, float), p / p.sum(), 5)
    with pytest.raises(ValueError, match="has no probability"):
        own.sample(1, conditions={"city": "Paris"})


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_come_back_as_they_were(library):
    pytest.importorskip(library)
    frame = FRAME.assign(
        grade=pd.Categorical(RNG.choice(["a", "b", "c"], N, p=[0.5, 0.48, 0.02])),
        mixed=pd.Series(RNG.choice(["x", "y", 3], N), dtype=object).astype(str),
    )
    table = frame
    if library == "polars":
        import polars

        table = polars.from_pandas(frame)
    elif library == "pyarrow":
        import pyarrow

        table = pyarrow.Table.from_pandas(frame)
    own = made("nade", table, n_draws=4)
    drawn = own.sample(200, random_state=0)
    assert type(drawn) is type(table)
    found = drawn if library == "pandas" else drawn.to_pandas()
    for name in frame:
        assert set(found[name]) <= set(frame[name])
    assert set(found["city"]) & set(RARE)


def test_unknown_categories_are_missing_if_they_are_ignored():
    own, rows = made("orderless", handle_unknown="ignore"), FRAME.head(3).copy()
    holed = rows.copy()
    rows.loc[[0, 2], "city"], holed.loc[[0, 2], "city"] = "Paris", None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in ("transform", "score_samples"):
            found, expected = (getattr(own, method)(part) for part in (rows, holed))
            np.testing.assert_array_equal(found, expected)
        scores = own.score_features(rows)
        filled = own.impute(rows)
    assert (scores.loc[[0, 2], "city"] == 0).all()
    assert filled["city"].tolist() == ["Paris", rows["city"][1], "Paris"]


def test_unknown_categories_are_rare_ones():
    own, rows = made("orderless"), FRAME.head(3).assign(city="Paris")
    known = rows.assign(city="Umea")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(own.transform(rows), own.transform(known))
        holed = rows.assign(paid=pd.array([True, None, None], "boolean"))
        filled = own.impute(holed)
        drawn = own.conditional_sample(holed, n_samples=2, random_state=0)
    assert (filled["city"] == "Paris").all()
    assert (drawn["city"] == "Paris").all()
    assert filled["paid"].notna().all()


def test_unknown_categories_may_be_an_error():
    own, rows = made("nade", handle_unknown="error"), FRAME.assign(city="Paris")
    for method in (own.transform, own.score_samples, own.impute):
        with pytest.raises(ValueError, match="'city' has categories .* know: 'Paris'"):
            method(rows)
    levels = FRAME.assign(n=np.arange(N) % 3)
    own = made("nade", levels, handle_unknown="error")
    with pytest.raises(ValueError, match="the value 7 of column 'n' was not seen"):
        own.score_samples(levels.assign(n=7))


def test_unknown_levels_are_missing():
    levels = FRAME.assign(n=np.arange(N) % 3)
    own = made("orderless", levels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = own.score_samples(levels.assign(n=7))
    expected = own.score_samples(levels.assign(n=np.nan))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.release(default=["NADE-"])
@pytest.mark.parametrize("kinds", ["categorical", ("categorical", "bernoulli")])
@pytest.mark.parametrize("how", ["ignore", "infrequent_if_exist"])
@pytest.mark.parametrize("cls", [NADE, VAE])
def test_codes_in_arrays(cls, how, kinds):
    X = np.column_stack([CODES, PAID]).astype(float)
    options = OPTIONS | {"handle_unknown": how, "column_types": kinds, "n_iter": 1}
    exact = {"ordering": (1, 0)} if cls is NADE else {"n_draws": 20_000}
    own = grouped(cls, 3, random_state=0, **options, **exact).fit(X)
    assert own.column_types_[0].rare == [3, 4, 5]
    new = np.array([[17.0, 1], [6, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, filled = own.score_samples(new), own.impute(new)
        own.partial_fit(np.concatenate([X, new]))
    np.testing.assert_array_equal(filled, new)
    if how == "ignore":
        expected = clone(own).fit(X).score_samples([[np.nan, 1], [np.nan, 0]])
        np.testing.assert_allclose(found, expected, rtol=1e-5 if cls is NADE else 0.01)
    assert np.isfinite(found).all()
    assert set(np.unique(own.sample(300, random_state=0)[:, 0])) <= set(range(6))
    auto = assign(clone(own), handle_unknown="auto").fit(X)
    with pytest.raises(ValueError, match="value 17 of column 0 was not seen"):
        auto.score_samples(new)


@pytest.mark.exhaustive
def test_a_weight_is_a_repetition():
    weight = RNG.integers(0, 3, N)
    rows = FRAME.iloc[np.repeat(np.arange(N), weight)]
    options = OPTIONS | {"column_types": "mixed", "n_iter": 2, "random_state": 0}
    found = grouped(NADE, 3, **options).fit(FRAME, sample_weight=weight)
    expected = grouped(NADE, 3, **options).fit(rows)
    assert found.column_types_["city"].rare == expected.column_types_["city"].rare
    scores = [own.score_samples(FRAME) for own in (found, expected)]
    np.testing.assert_array_equal(*scores)


def test_groups_are_those_of_the_first_fit():
    own = grouped(NADE, 3, **OPTIONS, column_types="mixed", random_state=0).partial_fit(
        FRAME
    )
    before = own.column_types_["city"].rare
    own.partial_fit(FRAME.assign(city="Umea"))
    own.partial_fit(FRAME.assign(city="Paris"))
    assert own.column_types_["city"].rare == before == RARE


@pytest.mark.exhaustive(default=["arrays-model0"])
@pytest.mark.parametrize("how", ["ignore", "infrequent_if_exist"])
@pytest.mark.parametrize("model", [NADE(3), EoNADE((4,)), VAE(2, (4,))])
@pytest.mark.parametrize("of", ["frames", "arrays"])
def test_folds_with_rare_categories_have_scores(model, how, of):
    X = FRAME.copy()
    X.loc[[3, 60], "city"] = ["Kyiv", "Graz"]
    if of == "arrays":
        X = np.column_stack([CODES, PAID]).astype(float)
        X[[3, 60], 0] = [6, 9]
    kinds = "mixed" if of == "frames" else "categorical"
    model = assign(
        clone(model), column_types=kinds, n_iter=1, random_state=0, handle_unknown=how
    )
    assert np.isfinite(cross_val_score(model, X, error_score="raise")).all()
    search = GridSearchCV(
        model, {"column_types__min_frequency": [None, 3, 0.2]}, cv=2
    ).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_imputers_take_them():
    model = grouped(EoNADE, (4,), column_types="mixed", n_iter=2, **OPTIONS)
    holed = FRAME.copy()
    holed.loc[::3, "city"] = None
    imputer = GenerativeImputer(model, method="sample", random_state=0).fit(holed)
    filled = imputer.transform(holed)
    assert set(filled["city"]) <= set(CITIES)
    assert imputer.transform(holed.assign(city="Paris")).notna().all(axis=None)


def test_tables_under_constraints_take_them():
    frame = FRAME.assign(land=FRAME["city"].str.upper())
    model = grouped(EoNADE, (4,), column_types="mixed", n_iter=2, **OPTIONS)
    table = ConstrainedTable(model, [FixedCombinations(["city", "land"])])
    table.set_params(random_state=0).fit(frame)
    drawn = table.sample(200, random_state=0)
    assert (drawn["land"] == drawn["city"].str.upper()).all()
    drawn = table.sample(9, random_state=0, conditions={"city": "Umea"})
    assert set(drawn["land"]) == {"UMEA"}


def test_they_are_saved(tmp_path):
    own = made("nade")
    save(own, tmp_path / "own.skdgm")
    other = load(tmp_path / "own.skdgm")
    pd.testing.assert_frame_equal(
        own.sample(50, random_state=0), other.sample(50, random_state=0)
    )
    rows = FRAME.assign(city="Paris")
    np.testing.assert_array_equal(own.score_samples(rows), other.score_samples(rows))


@pytest.mark.parametrize(
    "options", [{"min_frequency": 0}, {"max_categories": 0}, {"handle_unknown": "x"}]
)
def test_options_are_checked(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        grouped(NADE, 3, column_types="mixed", **options).fit(FRAME)


def test_by_default_unknown_names_are_told():
    with pytest.warns(MissingDataWarning, match="'Paris' in column 'city'"):
        made("nade", handle_unknown="auto").transform(FRAME.assign(city="Paris"))
