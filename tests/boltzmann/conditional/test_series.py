"""Rows of series given those before: the lags of a conditional machine."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.metrics import check_scoring
from sklearn.pipeline import make_pipeline

import skdgm
from skdgm import ConditionalRBM

RNG = np.random.default_rng(0)
N = 200
# A wave, and a second column that follows the first one a step later.
NOISE = RNG.normal(0, 0.2, (N, 2))
WAVE = np.sin(np.arange(N) / 3)
X = np.column_stack([WAVE, np.append(0, WAVE[:-1])]) + NOISE
LENGTHS = np.array([120, 80])
MODEL = ConditionalRBM(5, n_lags=3, n_iter=15, random_state=0)


@pytest.fixture(scope="module")
def model():
    return clone(MODEL).fit(X, lengths=LENGTHS)


def lagged(X, n_lags):
    """Columns of the rows before each, with the mean before the first."""
    first = np.tile(X.mean(axis=0), (n_lags, 1))
    whole = np.concatenate([first, X])
    parts = [whole[n_lags - lag : len(whole) - lag] for lag in range(1, n_lags + 1)]
    return np.concatenate(parts, axis=1)


def test_a_step_is_a_row_given_its_lags():
    """What the machine of columns given columns says, with the same parameters."""
    series = clone(MODEL).fit(X)
    flat = clone(MODEL).set_params(n_lags=0, n_iter=0).fit(lagged(X, 3), X)
    names = "components_", "condition_visible_", "condition_hidden_"
    names += "intercept_visible_", "intercept_hidden_", "_log_precisions"
    for name in names:
        setattr(flat, name, getattr(series, name))
    # Both standardize by the columns of the series.
    mean, scale = (np.tile(own, 3) for own in (X.mean(axis=0), X.std(axis=0)))
    units = flat._columns.units._replace(mean=mean)
    flat._columns = flat._columns._replace(mean=mean, scale=scale, units=units)
    expected = flat.score_samples(lagged(X, 3), X)
    np.testing.assert_allclose(series.score_samples(X), expected, atol=1e-6)


def test_series_are_apart(model):
    parts = np.split(X, [120])
    together = model.score_samples(X, lengths=LENGTHS)
    groups = np.repeat(["a", "b"], LENGTHS)
    np.testing.assert_array_equal(model.score_samples(X, groups=groups), together)
    alone = [model.score_samples(part) for part in parts]
    np.testing.assert_allclose(np.concatenate(alone), together)
    as_list = model.score_samples(parts)
    assert [len(part) for part in as_list] == [120, 80]
    np.testing.assert_array_equal(np.concatenate(as_list), together)
    assert model.score(parts) == pytest.approx(together.mean())
    other = clone(MODEL).fit(parts)
    np.testing.assert_array_equal(other.components_, model.components_)
    # A row knows nothing of those after it.
    np.testing.assert_allclose(model.score_samples(X[:50]), together[:50])


def test_weights_are_of_rows_or_of_series(model):
    by_series = clone(MODEL).fit(X, sample_weight=[2, 1], lengths=LENGTHS)
    weight = np.repeat([2, 1], LENGTHS)
    by_rows = clone(MODEL).fit(X, sample_weight=weight, lengths=LENGTHS)
    twice = [X[:120], X[:120], X[120:]]
    repeated = clone(MODEL).fit(twice)
    np.testing.assert_array_equal(by_series.components_, by_rows.components_)
    np.testing.assert_array_equal(by_series.components_, repeated.components_)


def test_it_predicts_and_goes_on(model):
    error = np.std(model.predict(X, lengths=LENGTHS) - X, axis=0)
    assert (error < 0.5 * X.std(axis=0)).all()
    first, second, *_ = model.sample_sequences(
        300, prefix=[X[:30], X[:9]], n_samples=2, random_state=0
    )
    assert first.shape == (300, 2)
    assert (first != second).any()
    assert (abs(first) < 6).all()
    assert 0.5 < first[100:].std() / X.std() < 1.5
    assert model.sample(7, random_state=0).shape == (7, 2)


def test_gaps_are_filled_from_all_that_is_known(model):
    holed = X.copy()
    holed[40:43] = np.nan
    holed[60, 1] = np.nan
    filled = model.impute(holed)
    known = ~np.isnan(holed)
    np.testing.assert_array_equal(filled[known], holed[known])
    changed = holed.copy()
    changed[43:] = -changed[43:]
    assert abs(model.impute(changed)[40:43] - filled[40:43]).max() > 0.1
    # At the end of a series, the first missing row is its prediction.
    expected = model.predict(holed[:43])[40]
    np.testing.assert_allclose(model.impute(holed[:43])[40], expected, atol=1e-5)
    assert np.isfinite(model.score_samples(holed)).all()
    drawn = model.impute([holed, holed[:50]], method="sample", random_state=0)
    assert [part.shape for part in drawn] == [(200, 2), (50, 2)]


def test_bits_categories_and_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"up": X[:, 0] > 0, "where": np.where(X[:, 1] > 0, "a", "b")})
    model = clone(MODEL).fit(frame)
    assert list(model.predict(frame).columns) == ["up", "where"]
    right = (model.predict(frame)["up"] == frame["up"]).mean()
    assert right > 0.75
    (drawn,) = model.sample_sequences(5, prefix=frame[:9], random_state=0)
    assert set(drawn["where"]) <= {"a", "b"}
    assert model.column_types_["where"].values == ["a", "b"]
    roll = (X > 0).astype(float)
    bits = clone(MODEL).set_params(column_types="bernoulli").fit(roll)
    assert bits.score(roll) > -1.2


@pytest.mark.parametrize("form", ["array", "truth", "frame"])
def test_columns_of_0_and_1_are_bits(form):
    pd = pytest.importorskip("pandas")
    roll = X > 0
    if form != "truth":
        roll = roll.astype(float)
        roll[3, 0] = np.nan
    both = np.column_stack([roll, X[:, 0]])
    given = {
        "array": both,
        "truth": roll,
        "frame": pd.DataFrame(both, columns=[*"abc"]),
    }
    model = clone(MODEL).set_params(n_iter=1).fit(given[form])
    kinds = [own.kind for own in model.column_types_.values()]
    assert kinds == ["bernoulli", "bernoulli", "gaussian"][: len(kinds)]
    told = clone(model).set_params(column_types="gaussian").fit(roll)
    assert told.column_types_[0].kind == "gaussian"


def test_answers_about_frames():
    pd = pytest.importorskip("pandas")
    days = pd.date_range("2026-01-01", periods=N)
    frame = pd.DataFrame(X, days, ["a", "b"])
    frame["c"] = np.where(WAVE > 0, "up", "down")
    # As many hidden units as columns: what they say is no table of these.
    model = clone(MODEL).set_params(n_components=3, n_iter=1).fit(frame)
    features = model.transform(frame)
    assert isinstance(features, np.ndarray)
    shown = clone(model).set_output(transform="pandas").fit(frame)
    assert shown.transform(frame).shape == (N, 3)
    low, high = model.likelihood_bracket(frame)
    np.testing.assert_allclose(0.5 * (low + high), model.score_samples(frame))
    assert (model.predict(frame).index == days).all()
    frame.iloc[5, 0] = np.nan
    filled = model.impute(frame)
    assert filled["c"].equals(frame["c"])
    assert not filled.isna().any(axis=None)


def test_brackets_and_scores_of_lists(model):
    parts = [sp.csr_array(X[:120]), sp.csr_array(X[120:])]
    low, high = model.likelihood_bracket(parts)
    assert [own.shape for own in low] == [(120,), (80,)] == [own.shape for own in high]
    scores = model.score_samples(parts)
    expected = np.average(np.concatenate(scores), weights=np.repeat([2, 1], LENGTHS))
    assert model.score(parts, sample_weight=[2, 1]) == pytest.approx(expected)


def test_lengths_are_routed_and_kept(model, tmp_path):
    with config_context(enable_metadata_routing=True):
        own = clone(MODEL).set_fit_request(lengths=True)
        pipeline = make_pipeline(own).fit(X, lengths=LENGTHS)
    np.testing.assert_array_equal(pipeline[0].components_, model.components_)
    skdgm.save(model, tmp_path / "model.skdgm")
    other = skdgm.load(tmp_path / "model.skdgm")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    other.partial_fit(X, lengths=LENGTHS)


def test_callbacks_hear_of_series():
    monitor = ScoringMonitor(scoring={"n": lambda e, X, y, lengths: len(lengths)})
    clone(MODEL).set_params(n_iter=2).set_callbacks(monitor).fit([X[:90], X[90:]])
    assert monitor.get_logs().data


@pytest.mark.parametrize("weight", [None, [1, 2], np.arange(200) + 1])
def test_scorers_of_callbacks_know_where_series_end(weight):
    monitor = ScoringMonitor(scoring={"score": check_scoring(MODEL)})
    model = clone(MODEL).set_params(n_iter=2).set_callbacks(monitor)
    model.fit(X, sample_weight=weight, lengths=LENGTHS)
    last = [row for row in monitor.get_logs().data if row["task_name"] == "fit"][-1]
    own = model.score(X, sample_weight=weight, lengths=LENGTHS)
    assert last["score"] == pytest.approx(own)
    assert own != pytest.approx(model.score(X, sample_weight=np.repeat(1, 200)))


@pytest.mark.parametrize(
    "given, message",
    [
        ({"X": X, "lengths": [100, 90]}, "add up to 190, but X has 200 rows"),
        ({"X": [X, X[:, :1]]}, "1 columns, but the first one has 2"),
        ({"X": X, "lengths": [200, 0]}, "leave empty sequences out"),
        ({"X": X[:3]}, "n_lags=3, but the longest series has 3 rows"),
        ({"X": X, "y": X[:, 0]}, "of a series X alone"),
        ({"X": []}, "an empty list"),
    ],
    ids=range(6),
)
def test_what_are_no_series_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        clone(MODEL).fit(**given)


def test_columns_given_columns_have_no_lengths():
    flat = clone(MODEL).set_params(n_lags=0)
    with pytest.raises(ValueError, match="has n_lags=0"):
        flat.fit(X, X, lengths=LENGTHS)
    flat.fit(X, X[:, 0] + NOISE[:, 1])
    with pytest.raises(ValueError, match="has n_lags=0"):
        flat.score_samples(X, lengths=LENGTHS)
    assert not hasattr(flat, "sample_sequences")
