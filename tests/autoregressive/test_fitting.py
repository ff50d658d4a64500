"""Options, and what is learned with them."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from skdgm import FVBN, MADE, NADE, RNADE, EoNADE, NeuralAutoregressive
from skdgm.exceptions import MissingDataWarning
from skdgm.options import SGD, Adam
from skdgm.training import Budget
from skdgm.utils.threading.parallel import limit
from skdgm.utils.tree import leaves
from tests.autoregressive.models import (
    CHAINS,
    FAMILIES,
    OUTPUT,
    SOME,
    correlated_bits,
    data,
    made,
)
from tests.options import assign, grouped

NAN = np.nan
ALL = pytest.mark.parametrize("name", FAMILIES)
SOME_OF_ALL = pytest.mark.parametrize("name", [*SOME, "orderless"])
X = correlated_bits()
# What costs a row of independent columns, in nats.
INDEPENDENT = X.shape[1] * np.log(2)
RATE = {"learning_rate": 0.05, "batch_size": 20, "n_iter": 8}


def net(name, **options):
    """A model that has learned nothing yet."""
    cls, own = FAMILIES[name]
    given = {"random_state": 0, "n_draws": 20, **RATE, **own, **options}
    known = {*cls().get_params(deep=False), *cls._DETAILS}
    return grouped(cls, **{k: v for k, v in given.items() if k in known})


def learned(own):
    return [leaf.copy() for leaf in leaves(own._training.learned)]


def assert_same(a, b):
    for one, other in zip(learned(a), learned(b), strict=True):
        np.testing.assert_array_equal(one, other)


def norm(own):
    return sum((W**2).sum() for W in own.coefs_)


@pytest.mark.exhaustive(default=["relu"])
@ALL
def test_learning_beats_independent_columns(name):
    """By far: causes explain nearly all."""
    own, gain = net(name, n_iter=20).fit(X), 0.4 if name == "deep" else 0.8
    assert own.score(correlated_bits(seed=1)) > -INDEPENDENT + gain
    assert own.loss_curve_[-1] < INDEPENDENT - gain
    assert own.loss_curve_[0] > own.loss_curve_[-1]
    assert own.n_iter_ == len(own.loss_curve_) == 20


@pytest.mark.exhaustive(default=["indirect", "deep-real", "nade-real"])
@pytest.mark.parametrize("kind", ["codes", "mixed", "table", "real"])
@pytest.mark.parametrize("name", [*SOME[1:], "orderless"])
def test_learning_of_columns_of_all_kinds(name, kind):
    rows, output = data(kind, 200), OUTPUT[kind]
    n_iter = 60 if name == "orderless" else 20
    own = net(name, column_types=output, n_iter=n_iter).fit(rows)
    start = net(name, column_types=output, n_iter=0).fit(rows)
    assert own.score(rows) > start.score(rows) + 0.03


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "activation, conditional",
    [("relu", "gaussian"), ("tanh", "laplace"), ("logistic", "gaussian")],
)
def test_rnade_learns_more_than_a_line_would(conditional, activation):
    rows = data("real", 400)
    options = {"activation": activation, "conditional": conditional}
    own = grouped(RNADE, 16, n_mixtures=3, random_state=0, **RATE, **options)
    own.set_params(n_iter=25).fit(rows)
    normal = -0.5 * (np.linalg.slogdet(2 * np.pi * np.e * np.cov(rows.T))[1])
    assert own.score(data("real", 400, seed=1)) > normal + 0.15


@pytest.mark.exhaustive(default=["nade", "fvbn"])
@SOME_OF_ALL
def test_the_penalty_shrinks_weights(name):
    plain, shrunk, none = (
        norm(net(name, alpha=alpha).fit(X)) for alpha in (0.0, 3.0, 1000.0)
    )
    assert none < 0.2 * plain
    assert none < shrunk < 0.9 * plain


def test_the_path_of_penalties_goes_on_where_the_last_one_ended():
    """It shares the epochs: so many with each."""
    path = grouped(
        FVBN,
        alpha=(30.0, 0.1),
        solver=Adam(schedule="constant"),
        random_state=0,
        **RATE,
    )
    path.fit(X)
    first = grouped(
        FVBN, alpha=30.0, solver=Adam(schedule="constant"), random_state=0, **RATE
    )
    first.set_params(n_iter=4).fit(X)
    assert path.loss_curve_[:4] == first.loss_curve_
    first.set_params(alpha=0.1, warm_start=True).fit(X)
    assert_same(path, first)
    assert norm(path) > norm(grouped(FVBN, alpha=30.0, random_state=0, **RATE).fit(X))
    for alpha in [(), (1.0, -1.0), ("a",)]:
        with pytest.raises(ValueError, match="alpha must be"):
            FVBN(alpha=alpha).fit(X)


@pytest.mark.exhaustive(default=["-nade"])
@pytest.mark.parametrize("name", ["nade", "orderless"])
@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_solvers_and_schedules(name, solver):
    found = []
    for schedule in ("constant", "invscaling", "linear"):
        own = net(name, solver=solver, schedule=schedule, momentum=0.5)
        rate = {"adam": 0.05, "rmsprop": 0.02, "sgd": 0.5}[solver]
        assign(own, learning_rate=rate, clip_norm=5.0).fit(X)
        assert own.loss_curve_[-1] < INDEPENDENT - 0.3
        found.append(own.loss_curve_[-1])
    assert len(set(found)) == 3


def test_clipping_alone_and_with_others():
    rows, options = data("real", 100), {"random_state": 0, "n_mixtures": 2, **RATE}
    plain = grouped(RNADE, 8, solver="sgd", **options).fit(rows)
    clipped = grouped(RNADE, 8, solver=SGD(clip_norm=1e-3), **options).fit(rows)
    start = grouped(RNADE, 8, **options).set_params(n_iter=0).fit(rows)
    far, near = (
        sum(abs(a - b).sum() for a, b in zip(learned(own), learned(start)))
        for own in (plain, clipped)
    )
    assert 0 < near < 0.05 * far


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["eonade", "orderless"])
def test_dropping_out(name):
    plain, dropped = (net(name, dropout=rate, n_iter=15).fit(X) for rate in (0, 0.3))
    assert dropped.score(X) > -INDEPENDENT + 0.2
    assert abs(plain.coefs_[0] - dropped.coefs_[0]).max() > 0.01
    np.testing.assert_array_equal(dropped.score_samples(X), dropped.score_samples(X))


@pytest.mark.exhaustive(default=["fvbn"])
@SOME_OF_ALL
def test_training_goes_on_with_warm_start_and_partial_fit(name):
    options = {"schedule": "constant"}
    whole = net(name, **options).fit(X)
    parts = net(name, n_iter=5, warm_start=True, **options).fit(X)
    parts.set_params(n_iter=3).fit(X)
    assert_same(parts, whole)
    passes = net(name, **options)
    for _ in range(8):
        passes.partial_fit(X)
    assert_same(passes, whole)
    assert passes.n_iter_ == parts.n_iter_ == whole.n_iter_ == 8
    np.testing.assert_allclose(passes.loss_curve_, whole.loss_curve_)


@pytest.mark.exhaustive(default=["nade"])
@SOME_OF_ALL
def test_the_mean_of_late_updates_is_kept(name):
    """One for each epoch here, so that all there were can be seen."""
    options = {"schedule": "constant", "batch_size": len(X), "average": False}
    path = [learned(net(name, n_iter=t, **options).fit(X)) for t in range(1, 13)]
    expected = path[0]
    for t, params in enumerate(path, start=1):
        w = 10 / (t + 9)
        expected = [(1 - w) * m + w * p for m, p in zip(expected, params, strict=True)]
    own = assign(net(name, n_iter=12, **options), average=True).fit(X)
    for found, mean in zip(learned(own), expected, strict=True):
        np.testing.assert_allclose(found, mean, rtol=1e-6, atol=1e-9)
    assert abs(learned(own)[0] - path[-1][0]).max() > 1e-3


@SOME_OF_ALL
def test_a_mean_may_be_kept_from_some_time_on_and_no_longer(name):
    """It knows nothing of what was before, and what follows goes on from it."""
    options = {"schedule": "constant", "n_iter": 4, "warm_start": True}
    options["batch_size"] = len(X)
    own = net(name, average=False, **options).fit(X)
    plain = net(name, average=False, **options).fit(X)
    first = learned(plain.set_params(n_iter=1).fit(X))
    second = learned(plain.fit(X))
    assign(own, average=True, n_iter=2).fit(X)
    for found, a, b in zip(learned(own), first, second, strict=True):
        expected = a / 11 + b * 10 / 11
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    before = learned(own)
    assign(own, average=False, learning_rate=1e-9).partial_fit(X)
    for found, was in zip(learned(own), before, strict=True):
        np.testing.assert_allclose(found, was, atol=1e-6)


@pytest.mark.exhaustive
def test_the_mean_follows_passes_of_any_length():
    """It counts updates, not passes."""
    own, plain = (net("nade", average=average) for average in (True, False))
    for one in own, plain:
        for _ in range(100):
            one.partial_fit(X[:20])
        for _ in range(10):
            one.partial_fit(np.tile(X, (2, 1)))
    assert own._training.mean.t == 100 + 10 * 30
    assert own.score(X) == pytest.approx(plain.score(X), abs=0.1)


@SOME_OF_ALL
def test_a_solver_may_change_on_the_way(name):
    own = net(name).fit(X)
    loss = own.loss_curve_[-1]
    own.set_params(solver="sgd", learning_rate=0.01).partial_fit(X)
    assert own.loss_curve_[-1] < loss + 0.2
    assert own.n_iter_ == 9


@SOME_OF_ALL
def test_early_stopping_keeps_the_best(name):
    """Which is what held-out rows say, again."""
    few = correlated_bits(60, noise=0.3)
    options = {"early_stopping": True, "validation_fraction": 0.3, "n_iter": 60}
    options |= {"n_iter_no_change": 4, "schedule": "constant"}
    own = net(name, **options).set_params(learning_rate=0.2).fit(few)
    curve = np.array(own.validation_curve_)
    assert own.n_iter_ == len(curve) < 60
    assert curve.argmin() < len(curve) - 1
    best = clone(own).set_params(n_iter=int(curve.argmin()) + 1).fit(few)
    assert_same(own, best)


@pytest.mark.exhaustive(default=["15", "FVBN", "MADE"])
@pytest.mark.parametrize("batch_size, expected", [(20, 15), (10, 15), (1, 10)])
@pytest.mark.parametrize(
    "kind, there_are",
    [
        (FVBN, (10_000, 20, 300)),
        (EoNADE, (7_500, 20, 150)),
        *((kind, (3_500, 20, 100)) for kind in (NADE, MADE, RNADE)),
    ],
)
def test_as_many_epochs_as_make_so_many_updates(
    kind, there_are, batch_size, expected, monkeypatch
):
    """Here they are less, and so are their bounds."""
    assert Budget(*there_are) == kind._BUDGET
    monkeypatch.setattr(kind, "_BUDGET", Budget(200, 2, 15))
    own = kind(batch_size=batch_size, early_stopping=False, random_state=0)
    assert own.fit(X[:20, :2]).n_iter_ == expected


@pytest.mark.exhaustive(default=["RNADE"])
@pytest.mark.parametrize("kind", [NADE, RNADE, MADE, NeuralAutoregressive])
def test_numbers_are_not_learned_by_heart(kind):
    """By default, densities of held-out rows are at least about those of a normal
    distribution; with all epochs they can be hundreds of nats below."""
    rows = StandardScaler().fit_transform(load_wine().data)
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    options = {} if kind is RNADE else {"column_types": "gaussian"}
    own = grouped(kind, random_state=0, **options).fit(rows[:140])
    normal = LedoitWolf().fit(rows[:140])
    assert own.score(rows[140:]) > normal.score(rows[140:]) - 1.5
    assert len(own.validation_curve_) == own.n_iter_
    # All epochs are trained if their number is set.
    assert (
        not grouped(kind, n_iter=2, random_state=0, **options)
        .fit(rows)
        .validation_curve_
    )
    if kind is not RNADE:
        assert kind(random_state=0).fit(X[:20]).validation_curve_  # Bits, too.


@pytest.mark.parametrize("name", ["nade", "made", "eonade", "fvbn", "network"])
def test_orderings_are_checked(name):
    own = net(name)
    for ordering in [(0, 1, 1, 2, 3, 4), (1, 2, 3, 4, 5, 6), (0.0, 1, 2, 3, 4, 5), ()]:
        with pytest.raises(ValueError, match="each column once"):
            clone(own).set_params(ordering=ordering).fit(X)
    with pytest.raises(ValueError, match="from 0 to 5; got"):
        clone(own).set_params(ordering=(1, 0, 2)).fit(X)
    for ordering in ["reverse", [0, 1, 2, 3, 4, 5], 3]:
        with pytest.raises(ValueError, match="ordering"):
            clone(own).set_params(ordering=ordering).fit(X)


@pytest.mark.exhaustive(default=["nade", "deep", "made"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_wrong_ordering_loses_nothing(name):
    own = net(name).fit(X)
    before = deepcopy(vars(own)), own.score_samples(X)
    with pytest.raises(ValueError, match="ordering"):
        own.set_params(ordering=(1, 0, 2)).fit(X)
    own.set_params(ordering=before[0]["ordering"])
    np.testing.assert_array_equal(own.score_samples(X), before[1])
    assert own.n_iter_ == 8
    assert own.loss_curve_ == before[0]["loss_curve_"]


CHANGES = {
    "fvbn": {"ordering": "random", "n_orderings": 2},
    "network": {"n_components": 3, "activation": "relu", "direct": False},
    "nade": {"n_components": 3, "min_variance": 0.1, "ordering": (5, 4, 3, 2, 1, 0)},
    "made": {"hidden_layer_sizes": (9, 9), "n_masks": 2, "direct": False},
    "eonade": {"hidden_layer_sizes": (7,), "activation": "relu", "min_variance": 0.1},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_cannot_change_is_named(name):
    for option, value in (CHANGES[name] | {"column_types": "categorical"}).items():
        own = net(name, n_iter=1).fit(X)
        before = learned(own)
        assign(own, **{option: value})
        with pytest.raises(ValueError, match=f"{option}.* changed"):
            own.partial_fit(X)
        own.set_params(warm_start=True)
        with pytest.raises(ValueError, match=f"{option}.* changed"):
            own.fit(X)
        for leaf, was in zip(leaves(own._training.learned), before, strict=True):
            np.testing.assert_array_equal(leaf, was)
        assert own.set_params(warm_start=False).fit(X).n_iter_ == 1


def test_more_orders_of_an_orderless_net_are_no_change():
    own = net("eonade", n_iter=1).fit(X)
    own.set_params(n_orderings=3, ordering=(5, 4, 3, 2, 1, 0), dropout=0.1)
    assert own.partial_fit(X).n_iter_ == 2


@SOME_OF_ALL
def test_as_many_categories_as_asked_for(name):
    rows = data("codes")
    own = net(name, column_types="categorical", min_categories=5, n_iter=2).fit(rows)
    high = np.full((1, 4), 4.0)
    assert np.isfinite(own.score_samples(high)).all()
    sizes = [3, 3, 2, 4]
    assign(own, min_categories=sizes).fit(rows)
    assert np.isfinite(own.score_samples(np.array(sizes)[None] - 1.0)).all()
    for column, code in [(0, 3.0), (2, 2.0)]:
        new = rows[:2].copy()
        new[1, column] = code
        with pytest.raises(
            ValueError, match=f"{code:g} of column {column} was not seen"
        ):
            own.score_samples(new)
        with pytest.raises(ValueError, match="was not seen"):
            own.partial_fit(new)
    for bad in ([1, 2], 2.5, [0, 1, 1, 1]):
        with pytest.raises(ValueError, match="min_categories"):
            assign(clone(own), min_categories=bad).fit(rows)
    for bad in (-1.0, 0.5):
        new[1, 0], new[1, 2] = bad, 0
        with pytest.raises(ValueError, match=f"{bad:g} of column 0 is no code"):
            own.score_samples(new)


def frame(n=60, seed=0):
    rows = data("table", n, seed)
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "smokes": rows[:, 0] > 0,
            "height": rows[:, 1].astype(np.float32),
            "city": pd.Categorical.from_codes(
                rows[:, 2].astype(int), ["Rome", "Oslo", "Bonn", "Kyiv"]
            ),
            "sex": np.where(rng.random(len(rows)) < 0.5, "f", "m"),
            "children": rng.integers(0, 5, len(rows)),
        },
        index=np.arange(len(rows)) + 100,
    )


@SOME_OF_ALL
def test_data_frames_in_and_out(name):
    table = frame()
    own = net(name, column_types="mixed").fit(table)
    for found in (
        own.sample(40, random_state=0),
        own.impute(table),
        own.conditional_sample(table[:4], n_samples=3, random_state=0),
    ):
        assert list(found.columns) == list(table.columns)
        assert (found.dtypes == table.dtypes).all()
        assert list(found["city"].cat.categories) == list(table["city"].cat.categories)
        assert set(found["sex"]) <= {"f", "m"}
    pd.testing.assert_frame_equal(own.impute(table), table)
    holed = table.astype({"smokes": "boolean", "children": "Int64"})
    holed.iloc[::2, 2] = holed.iloc[1::3, 3] = holed.iloc[::5, 0] = None
    holed.iloc[3::4, 1] = NAN
    holed.iloc[::6, 4] = None
    for method in ("mean", "mode", "sample"):
        found = own.impute(holed, method=method)
        assert not found.isna().any(axis=None)
        assert (found.dtypes == holed.dtypes).all()
        known = holed.notna().to_numpy()
        values = (f.astype(object).to_numpy()[known] for f in (found, table))
        assert list(next(values)) == list(next(values))
    assert np.isfinite(own.score_samples(holed)).all()
    scores = own.score_features(holed)
    pd.testing.assert_index_equal(scores.index, holed.index)
    np.testing.assert_array_equal(scores.to_numpy()[holed.isna().to_numpy()], 0)
    assert own.score_features(table).all(axis=None)
    assert own.score(table) > net(name, column_types="mixed", n_iter=0).fit(
        table
    ).score(table)
    assert len(own.conditional_sample(holed[:4], n_samples=3)) == 12


@pytest.mark.parametrize("name", ["nade", "eonade", "fvbn"])
def test_categories_that_are_new_are_named(name):
    table = frame()
    own = net(name, column_types="mixed", n_iter=1).fit(table)
    # Declared, though never seen.
    other = table[:2].copy()
    other["city"] = pd.Categorical(["Kyiv", "Rome"], table["city"].cat.categories)
    assert np.isfinite(own.score_samples(other)).all()
    other["sex"] = ["f", "x"]
    with pytest.raises(ValueError, match="'sex' has categories .* 'x'"):
        own.partial_fit(other)
    for method in (own.impute, own.transform):
        with pytest.warns(MissingDataWarning, match="missing: 'x' in column 'sex'"):
            method(other)
    assert np.isfinite(own.score_samples(other)).all()
    with pytest.raises(ValueError, match="bring them into that order|feature names"):
        own.score_samples(table[table.columns[::-1]])


@SOME_OF_ALL
def test_frames_are_their_numbers(name):
    """Codes, bits and numbers of an array, of kinds that are told."""
    table = frame()
    own = net(name, column_types="mixed").fit(table)
    codes = own._columns.codec.encode(table).astype(np.float32)
    output = tuple(own._columns.kinds)
    assert output == ("bernoulli", "numeric", "categorical", "categorical", "ordinal")
    plain = net(name, column_types=output, min_categories=[1, 1, 4, 2, 1])
    plain.fit(codes.astype(own._dtype))
    # Names leave room for one other, as if it had been seen once.
    n = np.array([len(table) + 4, len(table) + 2])
    found = own.score_samples(table) - np.log(n / (n + 1)).sum()
    np.testing.assert_allclose(plain.score_samples(codes), found, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["bits", "table"])
@SOME_OF_ALL
def test_memory_mapped_and_sparse_rows_are_rows(name, kind, tmp_path):
    rows, options = data(kind, 70), {"column_types": OUTPUT[kind], "n_iter": 2}
    own = net(name, **options).fit(rows)
    path = tmp_path / "rows.npy"
    np.save(path, rows)
    mapped = np.load(path, mmap_mode="r")
    for other in (mapped, sp.csr_matrix(rows), sp.csr_array(rows)):
        found = net(name, **options).fit(other)
        assert_same(found, own)
        scores = own.score_samples(other)
        np.testing.assert_array_equal(scores, own.score_samples(rows))
    assert isinstance(mapped, np.memmap)


@pytest.mark.parametrize("kind", ["bits", "table"])
@SOME_OF_ALL
def test_whole_weights_repeat_rows(name, kind):
    rows = data(kind, 40)
    weight = np.arange(len(rows)) % 3
    own = net(name, column_types=OUTPUT[kind]).fit(rows, sample_weight=weight)
    other = net(name, column_types=OUTPUT[kind]).fit(np.repeat(rows, weight, axis=0))
    assert_same(own, other)


@SOME_OF_ALL
def test_constant_columns(name):
    rows = correlated_bits(80)
    rows[:, 0], rows[:, 3] = 0, 1
    own = net(name).fit(rows)
    assert (own.sample(100, random_state=0)[:, [0, 3]] == [0, 1]).mean() > 0.9
    table = data("table", 80)
    table[:, 1] = 7.0
    own = net(name, column_types=OUTPUT["table"]).fit(table)
    assert np.isfinite(own.score_samples(table)).all()
    drawn = own.sample(100, random_state=0)[:, 1]
    assert np.median(abs(drawn - 7)) < 2
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("kind", ["bernoulli", "categorical", "gaussian"])
@pytest.mark.parametrize("name", [*SOME[1:], "orderless"])
def test_one_column_and_one_row(name, kind):
    one = np.array([[0.0], [1], [1], [0], [1], [1]] * 10)
    own = net(name, column_types=kind, n_iter=30).fit(one)
    assert own.sample(5, random_state=0).shape == (5, 1)
    assert np.isfinite(own.impute([[NAN]])).all()
    assert own.transform(one).shape[0] == 60
    if kind != "gaussian":
        p = np.exp(own.score_samples([[0.0], [1.0]]))
        np.testing.assert_allclose(p, [1 / 3, 2 / 3], atol=0.07)
        assert p.sum() == pytest.approx(1)
    row = np.array([[1.0, 0, 1]])
    own = net(name, column_types=kind, n_iter=2).fit(row)
    assert np.isfinite(own.score_samples(row)).all()
    assert own.sample(3, random_state=0).shape == (3, 3)
    assert own.conditional_sample([[NAN, 0, NAN]], n_samples=2).shape == (2, 3)


@pytest.mark.exhaustive(default=["orderless"])
@SOME_OF_ALL
def test_rows_with_holes_are_learned_from(name):
    """Of each nearly a third is missing."""
    holed = np.where(np.random.default_rng(0).random(X.shape) < 0.3, NAN, X)
    holed[0] = NAN
    own = net(name, n_iter=12).fit(holed)
    gain = 0.1 if name == "deep" else 0.4
    assert own.score(correlated_bits(seed=1)) > -INDEPENDENT + gain
    filled = own.impute(holed)
    known = ~np.isnan(holed)
    guess = np.where(X.mean(axis=0) > 0.5, 1, 0) == X
    assert ((filled > 0.5) == X)[~known].mean() > guess[~known].mean() + 0.1


@pytest.mark.exhaustive(default=["nade"])
@SOME_OF_ALL
def test_thread_count_does_not_matter(name):
    options = {"n_iter": 1, "batch_size": 150, "learning_rate": 0.005}
    big = {
        "hidden_layer_sizes": (300,)
        * len(getattr(net(name), "hidden_layer_sizes", ())),
        "n_components": 300 if "nade" in name else 40,
    }
    names = net(name).get_params()
    options |= {k: v for k, v in big.items() if k in names}
    rows, found = correlated_bits(300, 40), []
    for n in (1, 2, 4):
        with limit(n):
            own = net(name, **options).fit(rows)
            found.append((own, own.score_samples(rows), own.sample(300, 0)))
    (first, *expected), *others = found
    for other, *same in others:
        assert_same(first, other)
        for one, two in zip(expected, same, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("cls", [FVBN, MADE, NADE, EoNADE, NeuralAutoregressive])
def test_wrong_outputs_are_named(cls):
    with pytest.raises(ValueError, match="column_types has 2 entries, but X has 6"):
        cls(column_types=("bernoulli", "gaussian")).fit(X)
    with pytest.raises(ValueError, match="poisson"):
        cls(column_types=("bernoulli",) * 5 + ("poisson",)).fit(X)
    with pytest.raises(ValueError, match="column_types"):
        cls(column_types="poisson").fit(X)
    table = data("table", 20)
    table[3, 0] = 1.5
    with pytest.raises(ValueError, match=r"1\.5 of column 0 is no bit"):
        cls(column_types=OUTPUT["table"]).fit(table)


@pytest.mark.parametrize("name", CHAINS)
def test_hidden_sizes_say_how_many_features_there_are(name):
    for n_orders in (1, 2):
        own = made(name, "mixed", n_orders=n_orders)
        names = own.get_feature_names_out()
        assert own.transform(data("mixed")).shape[1] == len(names)


@pytest.mark.exhaustive
@pytest.mark.parametrize("cls", [FVBN, MADE, NADE, EoNADE, NeuralAutoregressive])
def test_what_columns_are_stays_when_options_change(cls):
    own = cls(n_iter=1).fit(X)
    score = own.score(X)
    for output in ("mixed", "categorical", "gaussian"):
        assert own.set_params(column_types=output).score(X) == score
        assert own.sample(2, 0).max() <= 1
        with pytest.raises(ValueError, match="column_types changed"):
            own.partial_fit(X)
        assert own.score(X) == score


def test_numbers_of_draws_and_orders_are_checked_when_they_matter():
    holed = np.where(X > 0, X, NAN)
    with pytest.raises(ValueError, match="n_draws"):
        NADE(4, n_iter=1).fit(X).set_params(n_draws=0).score(holed)
    with pytest.raises(ValueError, match="n_orderings"):
        EoNADE((4,), n_iter=1).fit(X).set_params(n_orderings=0).score(X)


def test_one_size_is_as_good_as_a_tuple_of_one():
    own = MADE((4,), n_iter=1).fit(X)
    assert own.set_params(hidden_layer_sizes=4).partial_fit(X).n_iter_ == 2
