"""Tables that the imputer fills, of all kinds, and what it does with their columns."""

from contextlib import nullcontext

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler
from skops import io

import skdgm
from skdgm import (
    FVBN,
    VAE,
    BernoulliRBM,
    EoNADE,
    GaussianRBM,
    GenerativeImputer,
    RBMClassifier,
)
from skdgm.exceptions import MissingDataWarning
from skdgm.persistence import TRUSTED_TYPES
from tests.options import grouped

pd = pytest.importorskip("pandas")

MIXED = EoNADE((8,), column_types="mixed", n_iter=3, n_orderings=2)
NORMAL = FVBN(column_types="gaussian")
RNG = np.random.default_rng(0)
X = load_diabetes().data[:120, :5] * 20
HIDDEN = RNG.random(X.shape) < 0.2
HOLES = np.where(HIDDEN, np.nan, X)


def table():
    """A DataFrame of columns of all types, with missing values and labels twice."""
    rng, n = np.random.default_rng(1), 80
    size = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "real": size,
            "whole": rng.integers(0, 9, n),
            "maybe": pd.array(rng.integers(0, 9, n), dtype="Int16"),
            "bit": size > 0,
            "flag": pd.array(size > 0, dtype="boolean"),
            "size": pd.Categorical(np.where(size > 0, "l", "s"), ["s", "m", "l"]),
            "text": np.where(size > 0.5, "p", "q"),
            "object": np.where(size > 0, "yes", np.array(3, dtype=object)),
        },
        index=np.arange(n) // 2,
    )
    for name in ("real", "maybe", "flag", "size", "text", "object"):
        frame[name] = frame[name].mask(rng.random(n) < 0.2)
    return frame


FRAME = table()


@pytest.mark.parametrize("method", ["mean", "mode", "sample"])
def test_frames_keep_types_index_and_known_entries(method):
    imputer = GenerativeImputer(MIXED, method=method, random_state=0)
    filled = imputer.fit_transform(FRAME)
    assert not filled.isna().any(axis=None)
    assert list(filled.dtypes) == list(FRAME.dtypes)
    pd.testing.assert_frame_equal(
        filled.where(FRAME.notna()), FRAME.where(FRAME.notna())
    )
    pd.testing.assert_frame_equal(filled, imputer.transform(FRAME))
    np.testing.assert_array_equal(imputer.get_feature_names_out(), FRAME.columns)
    new = FRAME.iloc[:7].assign(whole=pd.array([None] * 7, dtype="Int64"))
    assert not imputer.transform(new).isna().any(axis=None)
    nothing = pd.DataFrame(None, index=range(3), columns=FRAME.columns, dtype=object)
    assert not imputer.transform(nothing).isna().any(axis=None)
    whole = filled.iloc[:5]
    pd.testing.assert_frame_equal(imputer.transform(whole), whole)


@pytest.mark.exhaustive(default=["EoNADE"])
@pytest.mark.parametrize(
    "model",
    [
        NORMAL,
        GaussianRBM(3, n_iter=2),
        VAE(2, (5,), column_types="gaussian", n_iter=2),
        EoNADE((8,), column_types=("gaussian",) * 5, n_iter=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_it_fills_as_the_model_does(model):
    model = clone(model).set_params(random_state=3)
    imputer = GenerativeImputer(model, random_state=0).fit(HOLES)
    alone = clone(model).fit(HOLES)
    np.testing.assert_array_equal(imputer.transform(HOLES), alone.impute(HOLES))
    drawn = imputer.set_params(method="sample").transform(HOLES)
    np.testing.assert_array_equal(drawn[~HIDDEN], X[~HIDDEN])
    assert (drawn[HIDDEN] != alone.impute(HOLES)[HIDDEN]).all()
    np.testing.assert_array_equal(drawn, imputer.transform(HOLES))
    if not isinstance(model, EoNADE | FVBN):
        with pytest.raises(ValueError, match="method must be 'mean' or 'sample'"):
            imputer.set_params(method="mode").transform(HOLES)


def test_the_seed_is_the_models_where_that_has_none():
    draws = GenerativeImputer(MIXED, random_state=0, method="sample")
    first, second, other = (
        clone(draws).set_params(random_state=seed).fit_transform(FRAME)
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)
    assert draws.fit(FRAME).estimator_.random_state is not None
    assert draws.estimator.random_state is None
    own = clone(draws).set_params(estimator__random_state=5).fit(FRAME)
    assert own.estimator_.random_state == 5
    free = clone(draws).set_params(random_state=None).fit(FRAME)
    assert free.estimator_.random_state is None
    pd.testing.assert_frame_equal(free.transform(FRAME), free.transform(FRAME))


def test_several_tables():
    imputer = GenerativeImputer(NORMAL, add_indicator=True, random_state=0).fit(HOLES)
    three, two = imputer.draw(HOLES, 3), imputer.draw(HOLES, 2)
    assert [part.shape for part in three] == [(120, 10)] * 3
    np.testing.assert_array_equal(three[:2], two)
    assert (three[0] != three[1])[:, :5][HIDDEN].all()
    np.testing.assert_array_equal(
        three[0], clone(imputer).set_params(method="sample").fit_transform(HOLES)
    )
    assert imputer.method == "mean"
    others = [imputer.draw(HOLES, 2, random_state=seed) for seed in (7, 7, None)]
    np.testing.assert_array_equal(*others[:2])
    assert (others[0][0] != others[2][0]).any()
    imputer.set_output(transform="pandas")
    names = imputer.get_feature_names_out()
    assert all(list(part.columns) == list(names) for part in imputer.draw(HOLES, 2))
    for wrong in (0, 1.5):
        with pytest.raises((TypeError, ValueError), match="n_draws"):
            imputer.draw(HOLES, wrong)


def test_draws_have_the_spread_that_means_lack():
    # Given the others, a normal column's draws vary by its conditional variance.
    rng = np.random.default_rng(0)
    y = rng.normal(size=4000)
    Z = np.column_stack([y, 0.6 * y + 0.8 * rng.normal(size=4000)])
    holes = Z.copy()
    holes[::2, 1] = np.nan
    imputer = GenerativeImputer(NORMAL, random_state=0).fit(holes)
    gone = np.arange(4000) % 2 == 0
    mean = imputer.transform(holes)[gone, 1]
    drawn = np.stack([part[gone, 1] for part in imputer.draw(holes, 4)])
    # Four standard errors: of the slope from 2000 rows, of a variance of 8000 draws.
    slope, _ = np.polyfit(y[gone], mean, 1)
    assert slope == pytest.approx(0.6, abs=4 * 0.8 / np.sqrt(2000))
    spread = (drawn - mean).var()
    expected = 0.64 * (1 + 4 * np.sqrt(2 / 2000 + 2 / 8000) * np.array([-1, 1]))
    assert expected[0] < spread < expected[1]
    errors = drawn - mean
    correlation = np.corrcoef(errors)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(2000)


@pytest.mark.exhaustive(default=["True-True"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("indicate", [False, True])
def test_columns_of_arrays_are_those_of_the_simple_imputer(keep, indicate):
    given = HOLES.copy()
    given[:, [1, 3]] = np.nan
    options = {"keep_empty_features": keep, "add_indicator": indicate}
    imputer = grouped(GenerativeImputer, NORMAL, **options)
    simple = SimpleImputer(**options).fit(given)
    if keep:
        found = imputer.fit_transform(given)
    else:
        message = r"\['x1', 'x3'\] have no observed value: GenerativeImputer drops them"
        with pytest.warns(MissingDataWarning, match=message):
            found = imputer.fit_transform(given)
    seen = given.copy()
    seen[:4, 1] = 7.0
    for rows in (given, seen):
        ours = imputer.transform(rows)
        with pytest.warns(UserWarning, match="Skipping") if not keep else nullcontext():
            theirs = simple.transform(rows)
        assert ours.shape == theirs.shape
        whole = np.array([name not in ("x0", "x2", "x4") for name in names(simple)])
        np.testing.assert_array_equal(ours[:, whole], theirs[:, whole])
    np.testing.assert_array_equal(names(imputer), names(simple))
    assert imputer.estimator_.n_features_in_ == 3
    alone = clone(NORMAL).fit(HOLES[:, [0, 2, 4]]).impute(HOLES[:, [0, 2, 4]])
    kept = [0, 2, 4] if keep else [0, 1, 2]
    np.testing.assert_array_equal(found[:, kept], alone)
    if indicate:
        np.testing.assert_array_equal(imputer.inverse_transform(found), given)
        with pytest.raises(ValueError, match="has 2 columns, but transform returns"):
            imputer.inverse_transform(found[:, :2])
    else:
        with pytest.raises(AttributeError, match="inverse_transform") as error:
            imputer.inverse_transform(found)
        assert "add_indicator=True" in str(error.value.__cause__)
    # These are no matter of what was learned.
    other = imputer.set_params(keep_empty_features=not keep)
    assert other.transform(given).shape[1] != found.shape[1]


def names(imputer):
    """Names of the columns that an imputer returns."""
    return imputer.get_feature_names_out()


def test_columns_of_frames():
    empty = {
        "n": np.nan,
        "o": pd.Series([None] * 80, dtype=object, index=FRAME.index),
        "c": pd.Categorical([None] * 80, ["u", "v"]),
        "d": pd.Categorical([None] * 80),
        "f": pd.array([None] * 80, dtype="boolean"),
    }
    frame = FRAME.assign(**empty)[["n", "real", "o", "size", "c", "bit", "d", "f"]]
    imputer = GenerativeImputer(
        MIXED, add_indicator=True, keep_empty_features=True, random_state=0
    )
    filled = imputer.fit_transform(frame)
    assert list(filled.columns) == list(names(imputer))
    assert names(imputer)[8] == "missingindicator_n"
    assert not filled.isna().any(axis=None)
    constants = filled[["n", "o", "c", "d", "f"]].drop_duplicates()
    assert constants.to_numpy().tolist() == [
        [0.0, "missing_value", "u", "missing_value", False]
    ]
    assert (filled.index == frame.index).all()
    alone = GenerativeImputer(MIXED, random_state=0)
    own = alone.fit_transform(frame[["real", "size", "bit"]])
    pd.testing.assert_frame_equal(filled[own.columns], own)
    back = imputer.inverse_transform(filled)
    assert list(back.columns) == list(frame.columns)
    np.testing.assert_array_equal(back.isna(), frame.isna())
    known = frame[["real", "size", "bit"]]
    pd.testing.assert_frame_equal(back[known.columns], known)
    imputer.set_params(keep_empty_features=False)
    short = imputer.transform(frame)
    assert list(short.columns[:3]) == ["real", "size", "bit"]
    np.testing.assert_array_equal(imputer.inverse_transform(short).isna(), frame.isna())
    numbered = frame.set_axis(range(8), axis=1)
    with pytest.warns(MissingDataWarning, match=r"\[0, 2, 4, 6, 7\] have no observed"):
        kept = imputer.fit(numbered).transform(numbered).columns
    assert list(kept[:5]) == [1, 3, 5, "missingindicator_0", "missingindicator_1"]


def test_a_model_of_a_frame_may_be_given_an_array():
    codes = pd.DataFrame({"a": HOLES[:, 0], "b": HOLES[:, 1], "e": np.nan})
    imputer = GenerativeImputer(
        MIXED, keep_empty_features=True, add_indicator=True, random_state=0
    ).fit(codes)
    with pytest.warns(UserWarning, match="valid feature names"):
        found = imputer.transform(codes.to_numpy())
    pd.testing.assert_frame_equal(found, imputer.transform(codes))


def test_marks_beyond_the_numbers_of_a_column():
    frame = pd.DataFrame({"a": np.arange(20), "b": np.arange(20) % 3 + 0.5})
    imputer = GenerativeImputer(NORMAL, missing_values=10**39, random_state=0)
    np.testing.assert_array_equal(imputer.fit(frame).transform(frame), frame)


def test_other_marks_of_missing_values():
    plain = GenerativeImputer(NORMAL, random_state=0).fit_transform(HOLES)
    imputer = GenerativeImputer(NORMAL, missing_values=-999, random_state=0)
    marked = np.where(HIDDEN, -999, X)
    np.testing.assert_array_equal(imputer.fit_transform(marked), plain)
    marked[0] = np.nan
    assert np.isfinite(imputer.transform(marked)).all()
    np.testing.assert_array_equal(imputer.transform(marked)[1:], plain[1:])
    sparse = sp.csr_array(np.where(HIDDEN, -999, X))
    np.testing.assert_allclose(imputer.fit_transform(sparse), plain)
    whole = np.array([[1, 2], [3, -1], [5, 6], [7, 9]])
    imputer.set_params(missing_values=-1, add_indicator=True)
    found = imputer.fit_transform(whole)
    assert found[1, 1] != -1
    np.testing.assert_array_equal(imputer.inverse_transform(found), whole)
    text = np.where(HIDDEN, "?", X.astype(str))
    imputer.set_params(missing_values="?", add_indicator=False)
    for rows in (text, text.astype(object), text.tolist()):
        np.testing.assert_array_equal(imputer.fit_transform(rows), plain)
    with pytest.raises(ValueError, match="is 0, and X is sparse"):
        imputer.set_params(missing_values=0).fit(sp.csr_array(whole))


def test_other_marks_in_frames():
    frame = pd.DataFrame(
        {
            "text": ["a", "?", "b", "a"] * 10,
            "code": pd.Categorical(["u", "?", "v", "u"] * 10, ["u", "?", "v"]),
            "real": np.random.default_rng(0).normal(size=40),
        }
    )
    imputer = GenerativeImputer(
        MIXED, missing_values="?", add_indicator=True, random_state=0
    )
    found = imputer.fit_transform(frame)
    assert set(found["text"]) == {"a", "b"}
    assert set(found["code"].cat.categories) == {"u", "v"}
    back = imputer.inverse_transform(found)
    assert back.astype(str).equals(frame.astype(str))
    numbers = pd.DataFrame({"n": [1, -1, 2, 5] * 10, "b": [True, False] * 20})
    imputer.set_params(missing_values=-1)
    found = imputer.fit_transform(numbers)
    assert (found["n"] != -1).all()
    assert found["n"].dtype == "Int64"
    assert found["b"].dtype == bool


def test_sparse_matrices():
    bits = sp.random_array((60, 8), density=0.3, rng=0, format="csr")
    bits.data[:] = 1.0
    dense = bits.toarray()
    bits.data[::4] = np.nan
    rbm = BernoulliRBM(4, n_iter=2, random_state=0)
    imputer = GenerativeImputer(rbm, add_indicator=True).fit(bits)
    found = imputer.transform(bits)
    np.testing.assert_array_equal(imputer.transform(bits.tocsc()), found)
    np.testing.assert_array_equal(imputer.transform(bits.toarray()), found)
    known = ~np.isnan(bits.toarray())
    np.testing.assert_array_equal(found[:, :8][known], dense[known])
    bits = sp.csr_array(np.where(np.arange(8) == 2, np.nan, bits.toarray()))
    imputer.set_params(keep_empty_features=True)
    found = imputer.fit_transform(bits)
    assert (found[:, 2] == 0).all()


def test_weights_are_repetition():
    n = RNG.integers(0, 3, len(HOLES))
    given = HOLES.copy()
    given[n > 0, 4] = np.nan
    for weights, rows in ((n, np.repeat(given, n, axis=0)), (n * 0 + 1, given)):
        ours = GenerativeImputer(NORMAL, add_indicator=True)
        theirs = clone(ours)
        if weights is n:
            with pytest.warns(MissingDataWarning, match=r"\['x4'\]"):
                ours.fit(given, sample_weight=weights)
            with pytest.warns(MissingDataWarning, match=r"\['x4'\]"):
                theirs.fit(rows)
        else:
            ours.fit(given, sample_weight=weights)
            theirs.fit(rows)
        np.testing.assert_allclose(ours.transform(given), theirs.transform(given))
    with pytest.raises(ValueError, match=r"sample_weight.shape|inconsistent"):
        ours.fit(HOLES, sample_weight=[1.0])


@pytest.mark.exhaustive
def test_metadata_are_routed():
    weights = RNG.integers(0, 4, len(HOLES)) * 1.0
    alone = clone(NORMAL).fit(HOLES, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        model = clone(NORMAL).set_fit_request(sample_weight=True)
        pipe = make_pipeline(GenerativeImputer(model), MaxAbsScaler())
        pipe.fit(HOLES, sample_weight=weights)
        with pytest.raises(ValueError, match="not explicitly set.*FVBN.fit"):
            GenerativeImputer(NORMAL).fit(HOLES, sample_weight=weights)
    np.testing.assert_array_equal(pipe[0].transform(HOLES), alone.impute(HOLES))


@pytest.mark.exhaustive
def test_fitted_models_and_models_of_labels():
    fitted = clone(NORMAL).fit(HOLES)
    imputer = GenerativeImputer(FrozenEstimator(fitted), random_state=0)
    given = HOLES[:9].copy()
    given[:, 2] = np.nan
    np.testing.assert_array_equal(imputer.fit_transform(given), fitted.impute(given))
    labeled = RBMClassifier(4, column_types="gaussian", n_iter=2, random_state=0)
    y = X[:, 0] > 0
    found = GenerativeImputer(labeled).fit_transform(HOLES, y)
    np.testing.assert_array_equal(found, clone(labeled).fit(HOLES, y).impute(HOLES))


@pytest.mark.exhaustive
def test_pipelines_and_searches():
    y = FRAME["bit"].to_numpy()
    frame = FRAME.drop(columns=["bit", "flag", "object"])
    encode = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(handle_unknown="ignore"),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    imputer = GenerativeImputer(MIXED, random_state=0)
    pipe = make_pipeline(imputer, encode, LogisticRegression())
    grid = {
        "generativeimputer__estimator__hidden_layer_sizes": [(4,), (8, 4)],
        "generativeimputer__method": ["mean", "sample"],
    }
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(frame, y)
    assert search.score(frame, y) > 0.8
    # Inside of a ColumnTransformer it sees its own columns.
    each = make_column_transformer(
        (GenerativeImputer(NORMAL, add_indicator=True), ["real", "whole"]),
        (clone(imputer), ["size", "text"]),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    found = each.fit_transform(frame)
    assert list(found) == ["real", "whole", "missingindicator_real", "size", "text"]
    assert found.index.equals(frame.index)
    model = make_pipeline(
        clone(imputer).set_params(estimator=NORMAL), LinearRegression()
    )
    assert model.fit(HOLES, X[:, 0]).score(HOLES, X[:, 0]) > 0.5


@pytest.mark.exhaustive
def test_output_containers():
    frame = pd.DataFrame(HOLES, columns=list("abcde"), index=np.arange(120) + 3)
    imputer = GenerativeImputer(NORMAL, add_indicator=True).fit(frame)
    plain = imputer.transform(frame)
    assert isinstance(plain, np.ndarray)
    found = imputer.set_output(transform="pandas").transform(frame)
    assert list(found.columns) == list(names(imputer))
    assert found.index.equals(frame.index)
    np.testing.assert_array_equal(found, plain)
    mixed = GenerativeImputer(MIXED, random_state=0).fit(FRAME)
    default = mixed.transform(FRAME)
    for kind in ("pandas", "default"):
        table = mixed.set_output(transform=kind).transform(FRAME)
        pd.testing.assert_frame_equal(table, default)


@pytest.mark.exhaustive
@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries(library):
    nw = pytest.importorskip("narwhals")
    pytest.importorskip(library)
    plain = FRAME.drop(columns="object").reset_index(drop=True)
    plain["text"] = plain["text"].astype(object)
    values = {
        name: [None if pd.isna(x) else x for x in plain[name].tolist()]
        for name in plain
    }
    values["empty"] = [None] * 79 + [1.5]
    frame = nw.from_dict(values, backend=library)
    # All of it is missing in what is learned from.
    learned = frame.head(79).to_native()
    imputer = GenerativeImputer(
        MIXED, add_indicator=True, keep_empty_features=True, random_state=0
    )
    found = imputer.fit(learned).transform(frame.to_native())
    assert isinstance(found, type(learned))
    table = nw.from_native(found)
    assert table.columns == list(names(imputer))
    assert not any(table[name].is_null().any() for name in table.columns)
    assert table["empty"].to_list() == [0] * 79 + [1.5]
    assert table["text"].dtype == nw.String
    back = nw.from_native(imputer.inverse_transform(found))
    indicated = [name for name in plain if f"missingindicator_{name}" in table.columns]
    for name in indicated:
        assert back[name].is_null().to_list() == frame[name].is_null().to_list()
    imputer.set_params(keep_empty_features=False, add_indicator=False)
    draws = [nw.from_native(part) for part in imputer.draw(frame.to_native(), 2)]
    assert draws[0]["real"].to_list() != draws[1]["real"].to_list()
    assert draws[0].columns == list(plain.columns)
    # A model of one kind of columns gives arrays, and these what they are asked for.
    real = nw.from_dict(dict(zip("abcde", HOLES.T)), backend=library).to_native()
    own = GenerativeImputer(NORMAL, add_indicator=True).fit(real)
    np.testing.assert_array_equal(
        own.transform(real), clone(own).fit(HOLES).transform(HOLES)
    )
    if library == "polars":
        found = own.set_output(transform="polars").transform(real)
        assert found.columns == list(names(own))
        mixed = GenerativeImputer(MIXED, random_state=0).set_output(transform="polars")
        assert mixed.fit_transform(plain)["text"].null_count() == 0


def test_dates():
    days = pd.date_range("2020-01-01", periods=60)
    frame = pd.DataFrame(
        {"day": days, "none": pd.Series([pd.NaT] * 60), "x": range(60)}
    )
    frame.loc[::7, "day"] = pd.NaT
    imputer = GenerativeImputer(
        MIXED, keep_empty_features=True, add_indicator=True, random_state=0
    )
    filled = imputer.fit_transform(frame)
    assert filled["day"].dtype == frame["day"].dtype
    assert not filled.isna().any(axis=None)
    assert (filled["none"] == pd.Timestamp(0)).all()
    back = imputer.inverse_transform(filled)
    pd.testing.assert_series_equal(back["day"], frame["day"])


def test_errors_leave_it_as_it_was():
    imputer = GenerativeImputer(NORMAL, random_state=0).fit(HOLES)
    before = dict(vars(imputer))
    for wrong, message in (
        (np.full((4, 2), np.nan), "all of its entries are missing"),
        (X[:0], r"0 sample\(s\)"),
        ([["a", "b"]] * 4, "column 0 has other values"),
        ([[np.inf, 1.0]], "X contains infinity"),
    ):
        with pytest.raises(ValueError, match=message):
            imputer.fit(wrong)
        assert vars(imputer) == before
    with pytest.raises(ValueError, match="all of its entries are missing"):
        imputer.fit(np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="features"):
        imputer.transform(X[:, :3])
    with pytest.raises(ValueError, match="'estimator'.*impute"):
        GenerativeImputer(KMeans(2)).fit(X)
    with pytest.raises(ValueError, match="'method'"):
        GenerativeImputer(NORMAL, method="median").fit(X)


def test_the_default_model():
    imputer = GenerativeImputer()
    assert imputer.get_metadata_routing()._route_mappings
    assert repr(imputer._model()) == "NormalMixtures()"


@pytest.mark.exhaustive
def test_files_and_skops(tmp_path):
    imputer = GenerativeImputer(MIXED, method="sample", add_indicator=True).fit(FRAME)
    skdgm.save(imputer, tmp_path / "imputer.skdgm")
    other = skdgm.load(tmp_path / "imputer.skdgm")
    pd.testing.assert_frame_equal(other.transform(FRAME), imputer.transform(FRAME))
    pipe = make_pipeline(GenerativeImputer(NORMAL), StandardScaler()).fit(HOLES)
    dumped = io.dumps(pipe)
    assert set(io.get_untrusted_types(data=dumped)) <= set(TRUSTED_TYPES)
    other = io.loads(dumped, trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(other.transform(HOLES), pipe.transform(HOLES))
