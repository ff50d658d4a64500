"""Samples with missing entries, whose pattern is part of the model."""

from itertools import product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skdgm import FVBN, NADE, VAE, ConstrainedTable, EoNADE, GenerativeImputer
from skdgm import load as loaded
from skdgm import save as saved
from skdgm.constraints import Inequality
from skdgm.options import Columns
from tests.autoregressive.models import FAMILIES, noisy
from tests.numerical import assert_means
from tests.options import assign, grouped

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
N, N_DRAWS = 60, 5000
TOWNS = ["Bonn", "Oslo", "Rome"]
FRAME = pd.DataFrame(
    {
        "town": pd.Series(RNG.choice([*TOWNS, None], N), dtype=object),
        "paid": RNG.random(N) < 0.4,
        "level": RNG.choice([1, 5, np.nan], N),
    }
)
VALUES = [*TOWNS, None], [False, True], [1, 5, np.nan]
ROWS = pd.DataFrame(list(product(*VALUES)), columns=FRAME.columns)
MODELS = ["fvbn", "nade", "deep", "orderless", "vae"]


def made(name, X=FRAME, **options):
    """A model whose parameters are those that it begins with, and noise."""
    given = {"column_types": "mixed", "n_iter": 0, "random_state": 0}
    given["missing_pattern"] = "model"
    if name == "vae":
        return grouped(VAE, 2, (5,), **given | {"n_draws": 20_000} | options).fit(X)
    cls, own = FAMILIES[name]
    given |= {"ordering": "given", "average": False}
    return noisy(grouped(cls, **given | own | options).fit(X), 0.5)


def codes(frame):
    """Rows as numbers, 9 where missing."""
    town = pd.Categorical(frame["town"], TOWNS).codes.astype(int)
    parts = np.where(town < 0, 9, town), frame["paid"], frame["level"].fillna(9)
    return np.column_stack(parts).astype(float)


@pytest.mark.release(default=["nade", "orderless"])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("options", [{}, {"min_frequency": 0.25}])
def test_draws_have_the_probabilities_of_rows_with_their_pattern(name, options):
    own = made(name, **options | {"handle_unknown": "ignore"})
    p = np.exp(own.score_samples(ROWS))
    assert p.sum() == pytest.approx(1, abs=0.01 if name == "vae" else 1e-5)
    drawn = codes(own.sample(N_DRAWS, random_state=0))
    found = (drawn[:, None] == codes(ROWS)).all(axis=2)
    assert_means(found.astype(float), p / p.sum(), 5)


def test_unknown_categories_are_present():
    own = made("orderless")
    rows = [*VALUES[0], "?"], VALUES[1], [*VALUES[2], 7]
    rows = pd.DataFrame(list(product(*rows)), columns=FRAME.columns)
    p = np.exp(own.score_samples(rows))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    # Where they are ignored, nothing is known but that there is some.
    own = made("orderless", handle_unknown="ignore")
    rows = rows[rows["level"] != 7]
    p, unknown = np.exp(own.score_samples(rows)), rows["town"] == "?"
    some = p[rows["town"].isin(TOWNS)].sum()
    np.testing.assert_allclose(p[unknown].sum(), some, rtol=1e-5)


@pytest.mark.release(default=["nade"])
@pytest.mark.parametrize(
    "name, conditions",
    [
        # Conditionals of an orderless net need not agree: it begins with the condition.
        *product(["nade", "orderless", "vae"], [{"town": "Oslo"}, {"town": TOWNS[:2]}]),
        *product(["nade", "vae"], [{"level": slice(2, None)}]),
    ],
)
def test_draws_under_conditions(name, conditions):
    own = made(name)
    drawn = own.sample(N_DRAWS, random_state=1, conditions=conditions)
    ((column, condition),) = conditions.items()
    if column == "level":
        known = ROWS["level"] >= 2
    else:
        known = ROWS["town"].isin(np.ravel(condition))
    p = np.exp(own.score_samples(ROWS)) * known.to_numpy()
    found = (codes(drawn)[:, None] == codes(ROWS)).all(axis=2)
    assert_means(found.astype(float), p / p.sum(), 5)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["numeric", "gaussian"])
def test_densities_and_gaps_add_up_to_one(kind):
    x = np.round(RNG.gamma(2, 3, 400), 6)
    x[RNG.random(400) < 0.3] = np.nan
    frame = pd.DataFrame({"x": x})
    own = made("nade", frame, column_types={"x": kind})
    grid = np.linspace(-200, 200, 400_001)
    p = np.exp(own.score_samples(pd.DataFrame({"x": grid})))
    gone = np.exp(own.score_samples(pd.DataFrame({"x": [np.nan]})))[0]
    assert p.sum() * (grid[1] - grid[0]) + gone == pytest.approx(1, abs=2e-4)
    drawn = own.sample(N_DRAWS, random_state=0)["x"].isna()
    assert_means(drawn.to_numpy(float)[:, None], np.array([gone]))


@pytest.mark.release
@pytest.mark.parametrize(
    "model",
    [
        FVBN(n_iter=100),
        NADE(8, n_iter=60),
        EoNADE((24,), n_iter=60),
    ],
)
def test_a_law_is_learned(model):
    # b is missing by a, c wherever b is: not at random.
    n = 3000
    a, u = RNG.random(n) < 0.5, RNG.random(n)
    b = np.where(u < np.where(a, 0.7, 0.1), np.nan, RNG.integers(0, 2, n))
    c = np.where(np.isnan(b), np.nan, RNG.integers(0, 2, n))
    X = np.column_stack([a, b, c]).astype(float)
    model = assign(
        clone(model),
        column_types=("bernoulli",) * 3,
        missing_pattern="model",
        random_state=0,
    )
    drawn = model.fit(X).sample(N_DRAWS, random_state=0)
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)

    def facts(X):
        gone = np.isnan(X)
        pairs = np.column_stack([X[:, 0], gone[:, 1]])
        found = (pairs[:, None] == rows).all(axis=2)
        return np.column_stack([found, gone[:, 1] != gone[:, 2]]).astype(float)

    expected = facts(X).mean(axis=0)
    assert not expected[-1]
    off = facts(drawn).mean(axis=0) - expected
    assert np.abs(off[:4]).max() < 0.035
    assert off[-1] < 0.03


def test_what_was_never_missing_is_always_drawn():
    own = made("nade")
    drawn = own.sample(300, random_state=0)
    assert drawn["paid"].notna().all()
    assert drawn["paid"].dtype == bool
    assert drawn["town"].isna().any()
    np.testing.assert_array_equal(own._columns.gaps, [True, False, True])
    plain = made("nade", missing_pattern="ignore").sample(300, random_state=0)
    assert plain.notna().all(axis=None)
    whole = made("nade", FRAME.dropna())
    assert whole.sample(300, random_state=0).notna().all(axis=None)
    assert np.isfinite(whole.score_samples(FRAME)).all()


@pytest.mark.exhaustive(default=["nade", "orderless"])
@pytest.mark.parametrize("name", ["nade", "orderless", "vae"])
@pytest.mark.parametrize("method", ["mean", "sample"])
def test_what_is_missing_is_filled(name, method):
    own = made(name)
    filled = own.impute(FRAME, method=method, random_state=0)
    assert filled.notna().all(axis=None)
    assert set(filled["town"]) <= set(TOWNS)
    known = FRAME.notna().to_numpy()
    same = (filled.astype(object) == FRAME.astype(object)).to_numpy()
    assert same[known].all()
    again = own.sample(500, random_state=0)
    assert again["town"].isna().any()
    imputer = GenerativeImputer(clone(own)).fit(FRAME)
    assert imputer.transform(FRAME).notna().all(axis=None)


def test_patterns_are_features():
    own = made("orderless")
    rows = FRAME.head(2).assign(town=None)
    found = own.transform(rows) - own.transform(rows.assign(town="Rome"))
    assert found.any()
    scores = own.score_features(rows)
    assert (scores["town"] < 0).all()


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries(library):
    pytest.importorskip(library)
    if library == "polars":
        import polars

        table = polars.from_pandas(FRAME)
    else:
        import pyarrow

        table = pyarrow.Table.from_pandas(FRAME)
    drawn = made("nade", table).sample(200, random_state=0)
    assert type(drawn) is type(table)
    found = drawn.to_pandas()
    assert 0.05 < found["town"].isna().mean() < 0.8
    assert found["paid"].notna().all()


def test_a_weight_is_a_repetition():
    weight = RNG.integers(0, 3, N)
    rows = FRAME.iloc[np.repeat(np.arange(N), weight)]
    options = {"column_types": "mixed", "n_iter": 2, "random_state": 0}
    options["missing_pattern"] = "model"
    found = grouped(NADE, 3, **options).fit(FRAME, sample_weight=weight)
    expected = grouped(NADE, 3, **options).fit(rows)
    np.testing.assert_array_equal(found._columns.absent, expected._columns.absent)
    scores = [own.score_samples(FRAME) for own in (found, expected)]
    np.testing.assert_array_equal(*scores)


def test_training_continues_and_is_saved(tmp_path):
    own = NADE(
        3, column_types=Columns("mixed", missing_pattern="model"), random_state=0
    )
    own.partial_fit(FRAME).partial_fit(FRAME.dropna()).partial_fit(ROWS)
    saved(own, tmp_path / "own.skdgm")
    other = loaded(tmp_path / "own.skdgm")
    drawn = [model.sample(50, random_state=0) for model in (own, other)]
    pd.testing.assert_frame_equal(*drawn)
    assert np.isfinite(cross_val_score(clone(own).set_params(n_iter=1), FRAME)).all()


def test_tables_under_constraints_take_them():
    low = RNG.integers(0, 9, 200).astype(float)
    frame = pd.DataFrame({"low": low, "high": low + RNG.integers(0, 9, 200)})
    frame.loc[RNG.random(200) < 0.3, "high"] = np.nan
    model = EoNADE(
        (4,), column_types=Columns("mixed", missing_pattern="model"), n_iter=2
    )
    table = ConstrainedTable(model, [Inequality("low", "high")], random_state=0)
    drawn = table.fit(frame).sample(200, random_state=0)
    assert 0.1 < drawn["high"].isna().mean() < 0.6
    known = drawn.dropna()
    assert (known["low"] <= known["high"]).all()


@pytest.mark.parametrize("model", [NADE(3), EoNADE((3,)), VAE(2, (3,))])
def test_tables_of_one_kind_have_no_patterns(model):
    model = assign(clone(model), missing_pattern="model", column_types="bernoulli")
    with pytest.raises(ValueError, match='missing_pattern="model" is for tables of'):
        model.fit(np.ones((5, 2)))
