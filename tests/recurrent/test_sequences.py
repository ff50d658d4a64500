"""What estimators of sequences promise, however these are given."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import multivariate_normal
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from skdgm import RNNNADE, RNNRBM, RTRBM, VRNN, ConditionalRBM, load, save
from skdgm.callbacks import Checkpoint
from skdgm.data.sequences import sequences_of
from skdgm.exceptions import OrderWarning
from skdgm.options import Sequences
from skdgm.recurrent._objective import SequenceObjective
from skdgm.training import Run
from skdgm.utils.rows import Rows
from tests.common.shapes import learned
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
LENGTHS = np.array([9, 1, 14, 5, 9])
PARTS = [(RNG.random((n, 3)) < 0.5).astype(float) for n in LENGTHS]
X, GROUPS = np.concatenate(PARTS), np.repeat([4, 1, 3, 0, 2], LENGTHS)
HOLED = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
SMALL = {"n_recurrent": 4, "n_iter": 3, "batch_size": 2, "random_state": 0}
MODELS = [
    grouped(RNNNADE, 5, sequences=Sequences(batch_length=4), **SMALL),
    grouped(RNNRBM, 5, cell="lstm", **SMALL),
]
MODELS += [RTRBM(12, n_iter=3, batch_size=2, n_betas=20, random_state=0)]
MODELS += [
    grouped(
        VRNN, 2, n_hidden=5, n_draws=4, sequences=Sequences(batch_length=4), **SMALL
    )
]
models = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def assert_same(a, b):
    a, b = learned(a), learned(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.exhaustive(default=["RNNRBM", "RNNNADE"])
@models
def test_a_list_is_a_table_with_lengths_or_groups(model):
    one = clone(model).fit(X, lengths=LENGTHS)
    for other in clone(model).fit(PARTS), clone(model).fit(X, groups=GROUPS):
        assert_same(one, other)
    for name in "score_samples", "transform", "impute":
        method = getattr(one, name)
        whole, parts = method(X, lengths=LENGTHS), method(PARTS)
        np.testing.assert_array_equal(method(X, groups=GROUPS), whole)
        assert [len(part) for part in parts] == LENGTHS.tolist()
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    scores = one.score_samples(X, lengths=LENGTHS)
    assert one.score(PARTS) == pytest.approx(scores.mean())
    weight = np.array([0, 1, 2, 0, 1])
    by_row = np.repeat(weight, LENGTHS)
    for given in weight, by_row:
        found = one.score(X, sample_weight=given, lengths=LENGTHS)
        assert found == pytest.approx(np.average(scores, weights=by_row))


@models
def test_weights_are_repetitions_in_any_order(model):
    order, weight = RNG.permutation(5), np.array([1, 0, 2, 3, 1])
    parts = [PARTS[k] for k in order]
    weighted = clone(model).fit(parts, sample_weight=weight[order])
    again = [PARTS[k] for k in np.repeat(np.arange(5), weight)]
    assert_same(weighted, clone(model).fit(again))


@pytest.mark.exhaustive(default=["RNNRBM"])
@models
def test_a_table_is_one_sequence_or_several_of_a_length(model):
    assert_same(clone(model).fit(X), clone(model).fit([X]))
    halves = assign(clone(model), sequence_length=20).fit(X)
    assert_same(halves, clone(model).fit([X[:20], X[20:]]))
    parts = [X[:20], X[20:]]
    expected = np.concatenate(halves.score_samples(parts))
    np.testing.assert_array_equal(halves.score_samples(X), expected)
    assert halves.sample(30, random_state=0).shape == (30, 3)


@pytest.mark.exhaustive(default=["RNNRBM", "RNNNADE"])
@models
def test_only_what_was_before_counts(model):
    model = clone(model).fit(PARTS)
    long, changed = PARTS[2], PARTS[2].copy()
    changed[7] = 1 - changed[7]
    for name in "score_samples", "transform":
        a, b = (getattr(model, name)(x) for x in (long, changed))
        np.testing.assert_array_equal(a[:7], b[:7])
        assert (a[7:] != b[7:]).any()
    # In the company of others, in segments, or alone.
    alone = [model.score_samples(x) for x in PARTS]
    for one, other in zip(alone, model.score_samples(PARTS), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    density = model.density_
    whole = density.log_prob(X)
    density.__class__ = type("Narrow", (type(density),), {"width": 2**17})
    np.testing.assert_allclose(density.log_prob(X), whole, rtol=1e-5)


@pytest.mark.exhaustive(default=["RNNNADE"])
@models
def test_gaps_are_filled_given_their_sequence(model):
    model = clone(model).fit(HOLED, lengths=LENGTHS)
    holed, known = HOLED[:9].copy(), ~np.isnan(HOLED[:9])
    filled = model.impute(holed)
    np.testing.assert_array_equal(filled[known], holed[known])
    assert ((filled >= 0) & (filled <= 1)).all()
    np.testing.assert_array_equal(model.impute(holed), filled)
    # What follows counts, but not of another sequence.
    holed[8] = np.nan
    changed = model.impute(holed)
    assert (changed[:8] != filled[:8]).any()
    again = model.impute(np.concatenate([holed, X[:5]]), lengths=[9, 5])
    np.testing.assert_array_equal(again[:9], changed)
    drawn = model.impute(holed, method="sample", random_state=0)
    assert set(drawn[~np.isnan(drawn)]) == {0, 1}
    assert np.isfinite(model.score_samples(HOLED, lengths=LENGTHS)).all()


@models
def test_sequences_are_continued(model):
    model = clone(model).fit(PARTS)
    found = model.sample_sequences(6, prefix=PARTS[:2], n_samples=3, random_state=0)
    assert [part.shape for part in found] == [(6, 3)] * 6
    # Deterministically so, whatever is beside.
    again = model.sample_sequences(
        6, prefix=X[:10], lengths=[9, 1], n_samples=3, random_state=0
    )
    np.testing.assert_array_equal(np.stack(found), np.stack(again))
    assert len(model.sample_sequences(4, n_samples=2)) == 2
    with pytest.raises(ValueError, match="n_samples == 0"):
        model.sample_sequences(4, n_samples=0)


@models
def test_dataframes_come_back(model):
    frames = [pd.DataFrame(part, columns=list("abc")).astype(bool) for part in PARTS]
    model = clone(model).fit(frames)
    assert list(model.sample_sequences(3, random_state=0)[0].columns) == list("abc")
    holes = frames[0].astype("boolean").mask(np.isnan(HOLED[:9]))
    (filled,) = model.impute([holes], method="sample", random_state=0)
    assert list(filled.columns) == list("abc")
    assert ((filled == holes) | holes.isna()).all(axis=None)
    assert not filled.isna().any(axis=None)


@pytest.mark.parametrize("model", [MODELS[0], ConditionalRBM(3, n_lags=2, n_iter=1)])
def test_states_of_lists_are_frames_if_asked_for(model):
    parts = [pd.DataFrame(part, np.arange(len(part)) + 7) for part in PARTS]
    parts = [part.set_axis(list("abc"), axis=1) for part in parts]
    model = clone(model).set_output(transform="pandas")
    states = model.fit_transform(parts, sample_weight=np.ones(5))
    for found, again, part in zip(states, model.transform(parts), parts, strict=True):
        assert found.index.tolist() == part.index.tolist()
        assert found.columns.tolist() == model.get_feature_names_out().tolist()
        pd.testing.assert_frame_equal(found, again)
    model.set_output(transform="default")
    for found, own in zip(model.transform(parts), states, strict=True):
        np.testing.assert_array_equal(found, own)


def test_states_of_fitted_rows_are_those_of_their_sequences():
    states = clone(MODELS[0]).fit_transform(X, lengths=LENGTHS)
    own = clone(MODELS[0]).fit(X, lengths=LENGTHS).transform(X, lengths=LENGTHS)
    np.testing.assert_array_equal(states, own)


@pytest.mark.exhaustive
@models
def test_groups_keep_sequences_whole_in_searches(model):
    grid = {"n_components": [2, 3]}
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_fit_request(groups=True)
        routed.set_score_request(groups=True)
        search = GridSearchCV(routed, grid, cv=GroupKFold(2)).fit(X, groups=GROUPS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert np.isfinite(cross_val_score(model, PARTS, cv=2)).all()


@pytest.mark.exhaustive(default=["VRNN", "RNNRBM", "RNNNADE"])
@models
def test_files_and_checkpoints(model, tmp_path):
    whole = clone(model).fit(PARTS)
    save(whole, tmp_path / "model.skdgm")
    other = load(tmp_path / "model.skdgm")
    assert_same(whole, other)
    assert_same(whole.partial_fit(PARTS), other.partial_fit(PARTS))
    for _ in range(2):
        kept = clone(model).set_callbacks(Checkpoint(tmp_path / "fit.skdgm"))
        assert_same(kept.fit(PARTS), clone(model).fit(PARTS))


LAGS = ConditionalRBM(3, column_types="bernoulli", n_lags=2, n_iter=1)


@pytest.mark.exhaustive(default=["RNNNADE"])
@pytest.mark.parametrize("model", [*MODELS, LAGS], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"X": X, "lengths": [5, 5]}, "add up to 10, but X has 38"),
        ({"X": X, "lengths": [2**63, 2**63]}, "add up to 1.8"),
        ({"X": X, "lengths": [9.5, 28.5]}, "whole numbers"),
        ({"X": X, "lengths": [np.inf, 38]}, "whole numbers"),
        ({"X": X, "lengths": ["a", "b"]}, "whole numbers"),
        ({"X": X, "lengths": []}, "whole numbers"),
        ({"X": X, "lengths": [40, -2]}, "has the length -2"),
        ({"X": X, "lengths": [38, 0]}, "leave empty sequences out"),
        ({"X": X, "groups": GROUPS[:5]}, "each is of one group"),
        ({"X": X, "groups": np.arange(38) % 2}, "do not follow each other"),
        ({"X": X, "groups": [None] * 38}, "NaN or None"),
        ({"X": X, "groups": GROUPS, "lengths": LENGTHS}, "not both"),
        ({"X": [X, X[:, :2]]}, "has 2 columns"),
        ({"X": [X, X[:0]]}, "length 0"),
        ({"X": [X, X[0]]}, "Sequence 1 is no table"),
        ({"X": [X, pd.DataFrame(X)]}, "Sequence 1 is a DataFrame"),
        ({"X": []}, "no sequence"),
        ({"X": X[:0]}, "X has no rows"),
        ({"X": np.stack([X, X])}, "dim 3"),
        ({"X": None}, "not None"),
        ({"X": PARTS, "groups": GROUPS}, "leave their lengths out"),
    ],
)
def test_bad_sequences_are_named(model, given, error):
    fitted, prefix = clone(model).fit(PARTS), dict(given)
    for method in clone(model).fit, fitted.score, fitted.transform, fitted.impute:
        with pytest.raises(ValueError, match=error):
            method(**given)
    prefix["prefix"] = prefix.pop("X")
    if prefix["prefix"] is not None:
        with pytest.raises(ValueError, match=error):
            fitted.sample_sequences(2, **prefix)


@models
def test_weights_are_of_sequences(model):
    fitted, given = clone(model).fit(PARTS), {"sample_weight": [1, 2]}
    for method in clone(model).fit, fitted.score:
        with pytest.raises(ValueError, match="5 sequences"):
            method(X, lengths=LENGTHS, **given)


# What holds of independent rows only.
OF_ROWS = {
    "check_sample_weights_not_overwritten",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
}


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore")
def test_a_single_sequence_passes_all_checks_but_those_of_independent_rows():
    model = RNNNADE(5, n_recurrent=4, n_iter=2)
    found = check_estimator(model, on_fail=None, on_skip=None)
    failed = {one["check_name"] for one in found if one["status"] != "passed"}
    assert failed == OF_ROWS


def waves(n_sequences, n_steps, seed):
    """Noisy points on circles, of which each sequence has its own speed."""
    rng = np.random.default_rng(seed)
    phase, speed = rng.uniform(0, 6, n_sequences), rng.uniform(0.2, 0.6, n_sequences)
    turn = np.outer(speed, np.arange(n_steps)) + phase[:, None]
    points = np.stack([np.sin(turn), np.cos(turn)], -1)
    return list(points + 0.2 * rng.normal(size=points.shape))


@pytest.mark.release
@pytest.mark.parametrize(
    "kind, given", [(VRNN, waves(3, 50, 1)), (VRNN, waves(1, 150, 1)[0])]
)
def test_few_sequences_are_not_learned_by_heart(kind, given):
    """By default, new sequences are about as probable as by a normal distribution of
    independent rows; with all epochs they are several to dozens of nats less so."""
    model = kind(column_types="gaussian", random_state=0).fit(given)
    new = np.concatenate(waves(20, 50, 2))
    assert model.score(new, lengths=[50] * 20) > independent_score(new, given) - 0.3
    assert len(model.validation_curve_) == model.n_iter_
    # All epochs that are asked for are done.
    assert not model.set_params(n_iter=2).fit(given).validation_curve_


def independent_score(new, given):
    """Mean log density of rows by a normal distribution of given rows."""
    seen = np.vstack(given)
    return multivariate_normal(seen.mean(0), np.cov(seen.T)).logpdf(new).mean()


@pytest.mark.release
def test_few_sequences_of_numbers_are_learned_in_few_epochs():
    """The autoregression of RNNNADE, to which few epochs add little, describes new
    sequences, and the continuation of a single sequence. A single sequence tells
    nothing of sequences of other speeds."""
    several = waves(3, 50, 1)
    model = RNNNADE(column_types="gaussian", random_state=0).fit(several)
    assert model.n_iter_ == 10
    assert not model.validation_curve_
    new = np.concatenate(waves(20, 50, 2))
    assert model.score(new, lengths=[50] * 20) > independent_score(new, several) - 0.3
    single = waves(1, 150, 1)[0]
    model.fit(single)
    # The same speed, other noise.
    later = waves(1, 1150, 1)[0][150:]
    gain = model.score(later, lengths=[50] * 20) - independent_score(later, single)
    assert gain > 0.3


class Halves(SequenceObjective):
    """An objective that only divides tables."""

    prepare = forward = watched = None


def test_the_last_steps_of_a_single_sequence_are_held_out():
    X = np.random.default_rng(0).integers(0, 2, (45, 3)).astype(float)
    for lengths, expected in ([45], (40, 5)), ([2], (1, 1)), ([1], (1, 1)):
        table = sequences_of(Rows(X[: lengths[0]], np.float64), lengths)
        options = SimpleNamespace(validation_fraction=0.1)
        objective = Halves(Run(options, table.rows, 0), None, net=None)
        parts = objective.split(table)
        read = [X[one.rows.row_index(one.index)] for one in parts]
        assert tuple(map(len, read)) == expected
        if lengths[0] > 1:
            assert_array_equal(np.concatenate(read), X[: lengths[0]])
            assert objective.rows is parts[0].rows


@pytest.mark.parametrize(
    "model",
    [
        RNNNADE(3, n_recurrent=4, column_types="mixed", n_iter=1, random_state=0),
        VRNN(2, n_hidden=4, column_types="mixed", n_iter=1, random_state=0),
        ConditionalRBM(3, n_lags=2, n_iter=1, random_state=0),
    ],
    ids=lambda m: type(m).__name__,
)
def test_dates_in_order_are_times_of_steps(model):
    """Futures lie after the past, and in its rhythm; gaps between their neighbors."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-29", periods=12)
    times = days[0] + pd.to_timedelta(rng.exponential(900, 12).cumsum().round(), "s")
    part = pd.DataFrame({"day": days, "time": times, "x": rng.normal(size=12)})
    part["kind"] = rng.choice(["a", "b"], 12)
    later = part.assign(day=days + pd.Timedelta("30D"))
    model = clone(model).fit([part, later])
    # Shifted in time they are as probable.
    np.testing.assert_allclose(*map(model.score_samples, [part, later]))
    drawn = model.sample_sequences(5, prefix=[part, later], n_samples=2, random_state=0)
    for known, future in zip([part, part, later, later], drawn, strict=True):
        assert future.dtypes.equals(known.dtypes)
        whole = pd.concat([known, future])
        assert (whole["day"].diff().dropna() == pd.Timedelta("1D")).all()
        assert (future["time"].diff().dropna() >= pd.Timedelta(0)).all()
        assert future["time"].iloc[0] >= known["time"].iloc[-1]
    begun = model.sample_sequences(4, n_samples=20, random_state=0)
    first = [own["day"].iloc[0] for own in begun]
    assert days[0] <= min(first) < max(first) <= later["day"].iloc[0]
    assert all(own["day"].diff().iloc[1] == pd.Timedelta("1D") for own in begun)
    holed = part.copy()
    holed.loc[[0, 4, 5, 10, 11], ["day", "time"]] = pd.NaT
    for method in "mean", "sample":
        filled = model.impute(holed, method=method, random_state=0)
        assert filled["day"].tolist() == days.tolist()
        assert filled["time"].is_monotonic_increasing
        known = holed["time"].notna()
        assert filled["time"][known].tolist() == holed["time"][known].tolist()
    if hasattr(model, "predict"):
        assert model.predict(holed)["day"].tolist() == days.tolist()


def test_dates_that_are_no_steps_of_time():
    days = pd.date_range("2024-01-01", periods=9)
    part = pd.DataFrame({"day": days, "x": np.arange(9.0)})
    model = RNNNADE(2, n_recurrent=2, column_types="mixed", n_iter=1, random_state=0)
    shuffled = part.assign(day=days[RNG.permutation(9)])
    drawn = clone(model).fit([part, shuffled]).sample_sequences(9, random_state=0)[0]
    assert not drawn["day"].is_monotonic_increasing
    with pytest.warns(OrderWarning, match="too few"):
        few = clone(model).partial_fit(part[:2])
    with pytest.raises(ValueError, match="too few, in the first fit"):
        few.partial_fit(part)


@pytest.mark.parametrize(
    "model",
    [*MODELS, ConditionalRBM(3, n_lags=1, n_iter=1, random_state=0)],
    ids=lambda m: type(m).__name__,
)
def test_columns_of_sequences_are_kept(model):
    sexes = np.arange(8) % 2
    parts = [np.c_[np.full(6, sex), RNG.integers(0, 2, (6, 2))] for sex in sexes]
    model = clone(model).fit([part.astype(float) for part in parts])
    drawn = model.sample_sequences(5, n_samples=40, random_state=0)
    assert all(np.ptp(part[:, 0]) == 0 for part in drawn)
    assert {part[0, 0] for part in drawn} == {0, 1}
    assert any(np.ptp(part[:, 1]) > 0 for part in drawn)
    prefix = [part[:3].astype(float) for part in parts[:2]]
    prefix[1][1:, 0] = np.nan
    drawn = model.sample_sequences(5, prefix=prefix, random_state=0)
    for sex, part in enumerate(drawn):
        assert (part[:, 0] == sex).all()
    # Gaps are filled by what is known elsewhere, or drawn once.
    holed = [part.astype(float) for part in [*parts[:4], parts[0]]]
    for part in holed[:2]:
        part[[0, 1, 3], 0], part[5] = np.nan, np.nan
    holed[2][:, 0] = holed[3][:, 0] = holed[3][1] = np.nan
    for part in holed[4:]:  # Of the last rows nothing is known.
        part[:, 0] = part[1:] = np.nan
    for method in "mean", "sample":
        filled = model.impute(holed, method=method, random_state=0)
        assert [part[0, 0] for part in filled[:2]] == [0, 1]
        assert all(np.ptp(part[:, 0]) == 0 for part in filled)
        for part, known in zip(filled, holed):
            np.testing.assert_array_equal(part[known == known], known[known == known])
    # Where a later sequence changes in it, it is of steps.
    assert model.partial_fit(X)._kept.tolist() == [False] * 3
    # One sequence in each call.
    model = clone(model)
    for part in parts[:3]:
        model.partial_fit(part.astype(float))
    assert model._kept.tolist() == [True, False, False]


def test_steps_given_columns_that_are_kept_are_drawn_as_others():
    """Latent units by the prior: an encoder that sees one column may be too sure."""
    rng, kinds = np.random.default_rng(0), ("bernoulli", *("gaussian",) * 3)
    parts = [
        np.c_[
            np.full(8, i % 2), rng.normal(size=(8, 1)) + 0.35 * rng.normal(size=(8, 3))
        ]
        for i in range(30)
    ]
    how = {"n_iter": 60, "early_stopping": False, "random_state": 0}
    model = grouped(VRNN, 4, n_hidden=8, n_recurrent=8, column_types=kinds, **how).fit(
        parts
    )
    spread = []
    for kept in model._kept, None:
        model._kept = kept
        drawn = model.sample_sequences(8, n_samples=200, random_state=0)
        spread.append(np.stack(drawn)[:, 1:, 1:].reshape(-1, 3).std(axis=0))
    np.testing.assert_allclose(*spread, rtol=0.1)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("freq", ["h", "B", "ME"])
def test_forecasts_continue_the_index_of_dates(freq, zone):
    days = pd.date_range("2024-01-31", periods=14, freq=freq, tz=zone, name="when")
    frame = pd.DataFrame({"x": np.arange(14) % 3}, index=days)
    model = RNNNADE(2, n_recurrent=2, n_iter=1, random_state=0).fit(frame)
    options = {"n_samples": 2, "random_state": 0}
    drawn = model.sample_sequences(2, prefix=[frame[:12], frame[:9]], **options)
    expected = [days[12:], days[12:], days[9:11], days[9:11]]
    for part, index in zip(drawn, expected):
        pd.testing.assert_index_equal(part.index, index, exact="equiv")
    # Other indices are numbers, without a prefix as well.
    for prefix in frame.iloc[[0, 1, 5, 7]], frame[:1].set_axis([7]), None:
        (part,) = model.sample_sequences(2, prefix=prefix, random_state=0)
        assert part.index.tolist() == [0, 1]


def test_forecasts_continue_periods_of_the_index():
    months = pd.period_range("2024-01", periods=12, freq="M")
    frame = pd.DataFrame({"x": np.arange(12.0) % 2}, index=months)
    model = ConditionalRBM(2, n_lags=1, n_iter=1, random_state=0).fit(frame)
    (part,) = model.sample_sequences(2, prefix=frame[:10], random_state=0)
    assert part.index.equals(months[10:])
    (part,) = model.sample_sequences(2, prefix=frame.iloc[[0, 5]], random_state=0)
    assert part.index.tolist() == [0, 1]


@pytest.mark.parametrize("model", [RNNRBM(2), RTRBM(2)])
def test_errors_about_dates_name_models_of_series(model):
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=9), "x": 1})
    with pytest.raises(
        TypeError, match="drop them. RNNNADE and VRNN read dates of series"
    ):
        model.fit(frame)
