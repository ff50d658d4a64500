"""Rows of a model in a DataFrame like that it was fitted to."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdgm import (
    DBM,
    DBN,
    GSN,
    NADE,
    RNADE,
    VAE,
    BernoulliRBM,
    DBNClassifier,
    GaussianRBM,
    RBMClassifier,
    load,
    save,
)
from skdgm.base.frames import indexed
from skdgm.plotting import MarginalsDisplay, SamplesDisplay

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
N = 40
BITS = pd.DataFrame(
    {
        "bool": RNG.random(N) < 0.5,
        "small": RNG.integers(0, 2, N).astype(np.int8),
        "real": RNG.integers(0, 2, N).astype(float),
        "masked": pd.array(RNG.integers(0, 2, N), dtype="Int64"),
        "flag": pd.array(RNG.random(N) < 0.5, dtype="boolean"),
    },
    index=np.arange(N) + 100,
)
REALS = pd.DataFrame(RNG.normal(size=(N, 3)), columns=list("abc"))
REALS["n"] = RNG.integers(0, 9, N)
Y = RNG.integers(0, 2, N)
OF_BITS = [
    BernoulliRBM(3, n_iter=2),
    DBM((3, 2), n_iter=2),
    DBN((3, 2)),
    NADE(3, n_iter=2),
    VAE(2, (3,), n_iter=2),
    RBMClassifier(3, n_iter=2),
    DBNClassifier((3,)),
]
OF_REALS = [GaussianRBM(3, n_iter=2), RNADE(3, n_iter=2)]


@pytest.mark.exhaustive(default=["model3", "model4"])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", OF_BITS)
def test_samples_have_the_types_of_the_rows(model):
    model.set_params(random_state=0).fit(BITS, Y)
    drawn = model.sample(5, random_state=0)
    pd.testing.assert_series_equal(drawn.dtypes, BITS.dtypes)
    assert list(drawn.index) == list(range(5))
    plain = BITS.astype(float).to_numpy()
    found = model.fit(plain, Y).sample(5, random_state=0)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(drawn.astype(float), found)


@pytest.mark.exhaustive(default=["model3", "model0"])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [own for own in OF_BITS if not isinstance(own, NADE)])
def test_means_are_in_a_frame_if_features_are(model):
    model.set_params(random_state=0).fit(BITS, Y)
    H = model.transform(BITS)
    means = model.inverse_transform(H)
    assert isinstance(means, np.ndarray)
    found = model.inverse_transform(pd.DataFrame(H, BITS.index))
    np.testing.assert_array_equal(found, means)
    assert list(found.columns) == list(BITS.columns)
    assert list(found.index) == list(BITS.index)
    # What is no 0 or 1 is in no column of bits.
    assert (found.dtypes == means.dtype).all()
    assert np.isfinite((BITS.astype(float) - found).to_numpy()).all()


@pytest.mark.exhaustive(default=["model1"])
@pytest.mark.parametrize("model", OF_REALS)
def test_fractions_are_not_rounded(model):
    drawn = model.set_params(random_state=0).fit(REALS).sample(9, random_state=0)
    assert (drawn.dtypes == np.float64).all()
    assert (drawn["n"] % 1 != 0).any()
    single = model.fit(REALS.astype(np.float32)).sample(9, random_state=0)
    assert (single.dtypes == np.float32).all()


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries(library):
    pytest.importorskip(library)

    def made(frame):
        if library == "polars":
            import polars

            return polars.from_pandas(frame)
        import pyarrow

        return pyarrow.Table.from_pandas(frame, preserve_index=False)

    for model, frame in ((OF_BITS[0], BITS), (OF_REALS[0], REALS.drop(columns="n"))):
        table = made(frame)
        drawn = model.set_params(random_state=0).fit(table).sample(5, random_state=0)
        assert type(drawn) is type(table)
        assert drawn.schema == table.schema or library == "pyarrow"
        if library == "pyarrow":
            assert drawn.schema.types == table.schema.types
        expected = model.fit(frame).sample(5, random_state=0)
        found = drawn.to_pandas().astype(float)
        np.testing.assert_array_equal(found, expected.astype(float))


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
@pytest.mark.parametrize("model", [OF_BITS[0], *OF_BITS[3:5], GSN(n_iter=1)])
def test_rows_are_filled_in_their_library(model, library):
    module = pytest.importorskip(library)
    holes = {
        "flag": [True, None, False] * 8,
        "whole": [1, 0, None] * 8,
        "real": [None, 0.0, 1.0] * 8,
    }
    make = module.DataFrame if library == "polars" else module.table
    table = make(holes)
    types = {"flag": bool, "whole": int, "real": float}
    model.set_params(random_state=0).fit(
        make({n: [own(x) for x in (0, 1, 1)] * 8 for n, own in types.items()})
    )
    for options in ({}, {"method": "sample", "random_state": 0}):
        found = model.impute(table, **options)
        assert type(found) is type(table)
        assert list(found.to_pandas()) == list(holes)
        filled, known = found.to_pandas().astype(float), pd.DataFrame(holes)
        assert filled.notna().all(axis=None)
        assert ((filled == known) | known.isna()).all(axis=None)
        if options:
            kinds = getattr(found.schema, "types", found.schema)
            assert kinds == getattr(table.schema, "types", table.schema)


def test_arrays_and_names_that_are_no_text_give_arrays():
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)
    assert isinstance(rbm.gibbs(BITS), np.ndarray)
    numbered = BITS.set_axis(range(5), axis=1)
    assert isinstance(rbm.fit(numbered).sample(2), np.ndarray)
    assert isinstance(rbm.fit(BITS).fit(BITS.to_numpy(float)).sample(2), np.ndarray)


def test_pipelines_go_back():
    scaler = StandardScaler().set_output(transform="pandas")
    pipe = make_pipeline(scaler, GaussianRBM(3, n_iter=2, random_state=0))
    H = pipe.fit(REALS).transform(REALS)
    expected = pipe[0].inverse_transform(pipe[1].inverse_transform(H))
    np.testing.assert_array_equal(pipe.inverse_transform(H), expected)
    np.testing.assert_allclose(pipe.inverse_transform(pd.DataFrame(H)), expected)


def test_they_are_saved(tmp_path):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)
    save(rbm, tmp_path / "rbm.skdgm")
    found = load(tmp_path / "rbm.skdgm").sample(3, random_state=0)
    pd.testing.assert_frame_equal(found, rbm.sample(3, random_state=0))


def test_pictures_take_frames():
    pytest.importorskip("matplotlib").use("agg")
    frame = BITS.iloc[:, :4].astype(float)
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(frame)
    shown = SamplesDisplay.from_estimator(rbm, n_samples=4, random_state=0)
    assert isinstance(shown.samples, np.ndarray)
    MarginalsDisplay.from_estimator(rbm, frame.to_numpy(), random_state=0)
    MarginalsDisplay.from_estimator(rbm, frame, random_state=0)


def test_rows_have_the_index_of_others_if_both_are_frames():
    X = pd.DataFrame({"a": [1.0, 2.0]}, index=[7, 9])
    found = indexed(X.reset_index(drop=True), X)
    assert found.index.tolist() == [7, 9]
    values = X.to_numpy()
    assert indexed(values, X) is values
    fresh = X.reset_index(drop=True)
    assert indexed(fresh, values) is fresh
