"""What y and X may be, and what the machine gives back of them."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdgm
from skdgm import ConditionalRBM
from skdgm.utils.tree import leaves
from tests.options import assign

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
NAMES = np.where(X[:, 0] > 0, "a", "b")
MODEL = ConditionalRBM(6, n_iter=3, random_state=0)


def test_frames_of_both_sides_come_back_as_they_were():
    pd = pytest.importorskip("pandas")
    given = pd.DataFrame({"size": X[:, 0], "kind": NAMES, "on": X[:, 1] > 0})
    y = pd.DataFrame(
        {"name": NAMES, "rain": X[:, 2], "wet": X[:, 2] > 0, "n": RNG.poisson(3, 80)}
    )
    y.loc[3, "name"] = None
    model = clone(MODEL).set_params(column_types={"n": "poisson"}).fit(given, y)
    kinds = [own.kind for own in model.column_types_.values()]
    assert kinds == ["categorical", "gaussian", "bernoulli", "poisson"]
    assert [t.kind for t in model.condition_types_.values()][1:] == [
        "categorical",
        "bernoulli",
    ]
    # A condition for each of the two kinds.
    assert model.condition_hidden_.shape == (4, 6)
    for found in model.predict(given), model.sample(given, 0):
        assert list(found.columns) == list(y.columns)
        assert set(found["name"]) <= {"a", "b"}
    filled = model.impute(given, y)
    assert filled["name"][3] in ("a", "b")
    assert list(filled["name"].drop(3)) == list(y["name"].drop(3))
    p = model.predict_proba(given)
    assert [own.shape for own in p] == [(80, 2), (80, 2)]
    assert model.classes_[0].tolist() == ["a", "b"]
    assert np.isfinite(model.score_samples(given, y)).all()


def test_files_keep_it(tmp_path):
    model = clone(MODEL).fit(X, NAMES)
    skdgm.save(model, tmp_path / "model.skdgm")
    other = skdgm.load(tmp_path / "model.skdgm")
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))
    model.partial_fit(X, NAMES)
    other.partial_fit(X, NAMES)
    np.testing.assert_array_equal(model.components_, other.components_)


def test_attributes_are_all_parameters():
    """Counts and categories have gains and one-hot entries."""
    y = np.column_stack([RNG.poisson(9, 80), RNG.integers(0, 3, 80), X[:, 0]])
    kinds = ("poisson", "categorical", "rectified")
    y[:, 2] = abs(y[:, 2])
    model = clone(MODEL).set_params(column_types=kinds, hidden="binomial(3)").fit(X, y)
    facts = model._facts(model._learned)
    state = model._state()
    again = model._MODEL.state(facts, model._MODEL.attributes(facts, state))
    for one, other in zip(leaves(state.params), leaves(again.params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert model.condition_visible_.shape == (4, 5)


def test_missing_conditions_are_means():
    model = clone(MODEL).fit(X, NAMES)
    means = np.tile(X.mean(axis=0), (2, 1))
    given = np.full((2, 4), np.nan)
    expected = model.predict_proba(means)
    np.testing.assert_allclose(model.predict_proba(given), expected, atol=1e-6)
    assert set(model.sample(5, random_state=0)) <= {"a", "b"}


def test_missing_y_counts_as_if_it_were_not_there():
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(float)
    model = clone(MODEL).fit(X, y)
    nothing = np.full((80, 2), np.nan)
    np.testing.assert_allclose(model.score_samples(X, nothing), 0, atol=1e-6)
    np.testing.assert_array_equal(model.score_samples(X), 0)
    holed = np.where(RNG.random((80, 2)) < 0.3, np.nan, y)
    assert np.isfinite(model.fit(X, holed).score(X, y))


def test_rows_are_held_out_of_regressions_too():
    y = X[:, :2] @ [[1, 2], [0, 1]] + RNG.normal(size=(80, 2))
    model = clone(MODEL).set_params(early_stopping=True, n_iter=20).fit(X, y)
    assert len(model.validation_curve_) == model.n_iter_
    assert model.score(X, y) > -4


def test_searches_and_pipelines():
    grid = {"conditionalrbm__n_components": [2, 4]}
    search = GridSearchCV(make_pipeline(StandardScaler(), clone(MODEL)), grid, cv=2)
    search.fit(sp.csr_array(np.eye(80)[:, :4]).toarray(), NAMES)
    assert search.predict(X[:3]).shape == (3,)


@pytest.mark.parametrize(
    "y, options, message",
    [
        (None, {}, "requires y to be passed"),
        (NAMES[:-1], {}, "y has 79 rows, but X has 80"),
        (np.full(80, np.nan), {}, "no value in column 0"),
        (np.c_[X[:, 0], np.full(80, np.nan)], {}, "no value in column 1"),
        (np.full(80, np.inf), {}, "infinity"),
        (X[:, :2], {"column_types": ("bernoulli",)}, "1 entries, but y has 2"),
        (X[:, :2], {"column_types": {"a": "bernoulli"}}, "names 'a', but y has"),
        (X[:, :1], {"column_types": "poisson"}, "negative"),
        (X[:, :1], {"column_types": "bernoulli"}, "is no bit"),
        (X[:, :1], {"column_types": "text"}, "column_types must be"),
        (NAMES, {"column_types": "gaussian"}, "no numbers"),
        (X[:, 0], {"hidden": "gaussian"}, "no finite partition function"),
        (X, {"gradient": "enumeration", "n_components": 20}, "needs y, or hidden"),
        (X, {"gradient": "mean-field"}, "predicts bits and categories"),
    ],
    ids=range(14),
)
def test_what_y_cannot_be_is_named(y, options, message):
    with pytest.raises(ValueError, match=message):
        assign(clone(MODEL), **options).fit(X, y)


def test_what_a_fitted_machine_does_not_know_is_named():
    model = clone(MODEL).fit(X, NAMES)
    with pytest.raises(ValueError, match=r"y has labels \['c'\]"):
        model.partial_fit(X, np.full(80, "c"))
    with pytest.raises(ValueError, match="y has 2 columns"):
        model.score(X, X[:, :2])
    with pytest.raises(ValueError, match="method must be"):
        model.impute(X, method="mode")
    real = clone(MODEL).fit(X, X[:, 0] + RNG.normal(size=80))
    with pytest.raises(AttributeError, match="predict_proba"):
        real.predict_proba(X)
    assert not hasattr(real, "classes_")


@pytest.mark.exhaustive
def test_columns_at_the_limit_of_precision_are_those_of_y():
    pd = pytest.importorskip("pandas")
    y = pd.DataFrame({"name": NAMES, "rain": X[:, 0]})
    model = assign(clone(MODEL), min_variance=0.5, n_iter=100)
    with pytest.warns(skdgm.exceptions.PrecisionWarning, match=r"\['rain'\]"):
        model.fit(pd.DataFrame(X[:, :1], columns=["size"]), y)


def test_categories_known_in_all_rows_help_to_fill_the_others():
    pd = pytest.importorskip("pandas")
    y = pd.DataFrame({"name": NAMES, "rain": X[:, 2]})
    model = clone(MODEL).fit(X[:, :2], y)
    y.loc[:2, "rain"] = np.nan
    filled = model.impute(X[:, :2], y)
    assert filled["name"].tolist() == NAMES.tolist()
    assert filled["rain"].notna().all()


def test_frames_keep_their_index():
    pd = pytest.importorskip("pandas")
    rows, own = np.arange(80) + 5, np.arange(80) + 100
    given, y = pd.DataFrame(X[:, :2], rows), pd.DataFrame(X[:, 2:], own)
    model = clone(MODEL).set_params(n_iter=1).fit(given, y)
    assert model.predict(given).index.tolist() == rows.tolist()
    assert model.sample(given, random_state=0).index.tolist() == rows.tolist()
    assert len(model.sample(3, random_state=0)) == 3
    assert model.impute(given, y).index.tolist() == own.tolist()
    assert model.impute(given).index.tolist() == rows.tolist()


def test_columns_of_frames_keep_their_types(tmp_path):
    pd = pytest.importorskip("pandas")
    days, kinds = np.arange(80) * 3, pd.CategoricalDtype(["w", "v", "b", "a"], True)
    y = pd.DataFrame(
        {
            "on": X[:, 0] > 0,
            "maybe": pd.array(X[:, 1] > 0, "boolean"),
            "n": pd.array(RNG.poisson(50, 80), "Int64"),
            "small": RNG.integers(0, 9, 80).astype(np.int8),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D"),
            "there": pd.date_range("2024-01-01", periods=80, tz="Europe/Berlin"),
            "long": pd.to_timedelta(days, "h"),
            "kind": pd.Categorical(NAMES, dtype=kinds),
            "level": pd.Categorical(RNG.integers(1, 4, 80), [1, 2, 3, 4]),
            "text": pd.array(NAMES, "string"),
            "real": X[:, 2].astype(np.float32),
        }
    )
    holed = y.mask(RNG.random(y.shape) < 0.2)
    holed["on"] = y["on"]
    model = clone(MODEL).fit(X, holed.astype(y.dtypes.drop(["small"])))
    assert [own.kind for own in model.column_types_.values()] == [
        *("bernoulli", "bernoulli", "gaussian", "gaussian", "gaussian", "gaussian"),
        *("gaussian", "categorical", "categorical", "categorical", "gaussian"),
    ]
    model = clone(MODEL).fit(X, y)
    skdgm.save(model, tmp_path / "model.skdgm")
    drawn = model.sample(X, 0), skdgm.load(tmp_path / "model.skdgm").sample(X, 0)
    pd.testing.assert_frame_equal(*drawn)
    filled = model.impute(X, holed)
    for found in *drawn, model.predict(X), filled:
        assert found.dtypes.tolist() == y.dtypes.tolist()
    assert (filled == y)[holed.notna()].where(holed.notna(), True).all(axis=None)
    assert drawn[0]["day"].between("2023-01-01", "2026-12-31").all()


def test_numbers_beyond_all_floats_and_text_are_named():
    huge = [10**400] * len(X)
    vae = skdgm.VAE(2, (4,), attribute_conditional=True, n_iter=1)
    flow = skdgm.Flow(attribute_conditional=True, n_iter=1)
    for model in MODEL, vae, flow:
        for y in huge, [[1, own] for own in huge]:
            with pytest.raises(ValueError, match="a whole number of 1329 bits"):
                clone(model).fit(abs(X).clip(0, 1), y)
    with pytest.raises(ValueError, match="X has whole numbers beyond"):
        clone(MODEL).fit([[own] for own in huge], NAMES)
    gated = skdgm.GatedRBM(2, 3, n_iter=1).fit(X, X[:, 0] > 0)
    with pytest.raises(ValueError, match="H must be numbers: could not convert"):
        gated.decode([["a", "b"]] * len(X), X)


def test_options_may_be_odd_until_the_next_fit():
    model = clone(MODEL).fit(X, NAMES)
    expected = model.transform(X)
    model.set_params(n_lags=np.array([1, 2]))
    np.testing.assert_array_equal(model.transform(X), expected)
    assert not model.__sklearn_tags__().target_tags.required
    with pytest.raises(ValueError, match="'n_lags' parameter"):
        model.fit(X, NAMES)
