"""Networks that are tuned learn on several workers as on one machine."""

import logging
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdgm import (
    DBM,
    BernoulliRBM,
    ConvDBNClassifier,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    GaussianRBM,
    RBMClassifier,
    StackedAutoencoderClassifier,
)
from skdgm import dask as distribute
from skdgm.callbacks import Checkpoint
from skdgm.dask import _run, _shard
from skdgm.exceptions import DivergenceError
from skdgm.options import Filters, Pretraining
from skdgm.stacks.tuning import part_of
from tests.common.shapes import learned
from tests.dask.test_fit import (
    LABELS,
    REAL,
    X,
    client,
    clients,
    da,
    dd,
    pytestmark,
)
from tests.options import assign, grouped

__all__ = ["client", "clients", "pytestmark"]

# Three batches an epoch, which are two rounds of two local steps.
EACH = {"pretrain_iter": 1, "pretrain_batch_size": 70, "batch_size": 70, "n_iter": 2}
EACH["random_state"] = 0
TARGETS = np.column_stack([REAL[:, 0] ** 2, 100 + REAL[:, 1]])
HOLED = np.where(np.arange(200)[:, None] % [3, 4], TARGETS, np.nan)
HALF = np.where(np.arange(200) % 3, LABELS, "unknown")
# Labels of some of the shards only: the first has none.
LATE = np.where(np.arange(200) >= 120, LABELS, "unknown")
MODELS = [
    (
        grouped(
            DBNClassifier, (4, 3), column_types="gaussian", unlabeled="unknown", **EACH
        ),
        REAL,
        HALF,
    ),
    (grouped(DBNClassifier, (4,), unlabeled="unknown", solver="sgd", **EACH), X, LATE),
    (grouped(DBNClassifier, (4, 3), max_norm=0.5, dropout=0.2, **EACH), X, X[:, :2]),
    (
        grouped(DBNRegressor, (4, 3), alpha=1.0, **EACH),
        np.where(REAL > 20, np.nan, REAL),
        HOLED,
    ),
    (
        DBNRegressor(
            layers=[
                ("a", GaussianRBM(4, n_iter=1, batch_size=70)),
                ("b", BernoulliRBM(3, n_iter=1, batch_size=70)),
            ],
            n_iter=2,
            batch_size=70,
            random_state=0,
        ),
        REAL,
        TARGETS[:, 0],
    ),
    (
        grouped(
            ConvDBNClassifier,
            (2,),
            hidden_layer_sizes=(3,),
            filters=Filters(shape=2),
            image_shape=(2, 3),
            **EACH,
        ),
        X,
        LABELS,
    ),
    (
        grouped(
            StackedAutoencoderClassifier,
            (4, 3),
            activation="tanh",
            column_types="gaussian",
            unlabeled="unknown",
            **EACH,
        ),
        REAL,
        HALF,
    ),
]
of_models = pytest.mark.parametrize(
    ("model", "rows", "y"), MODELS, ids=lambda value: type(value).__name__
)


def assert_same(a, b):
    for one, other in zip(_parts(a), _parts(b), strict=True):
        one, other = learned(one), learned(other)
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def _parts(net):
    return [net, *part_of(net).layers_]


@pytest.mark.exhaustive
@of_models
def test_one_shard_is_a_fit(client, model, rows, y):
    whole = clone(model).fit(rows, y)
    found = distribute.fit(clone(model), rows, y, n_shards=1, client=client)
    for own, other in zip(_parts(found), _parts(whole), strict=True):
        assert vars(own).keys() == vars(other).keys()
        np.testing.assert_allclose(own.loss_curve_, other.loss_curve_, rtol=1e-4)
    assert vars(part_of(found)).keys() == vars(part_of(whole)).keys()
    pairs = zip(
        [*found.coefs_, *found.intercepts_], [*whole.coefs_, *whole.intercepts_]
    )
    for own, other in pairs:
        np.testing.assert_allclose(own, other, atol=1e-5)
    np.testing.assert_allclose(found.transform(rows), whole.transform(rows), atol=1e-5)
    a, b = found.predict(rows), whole.predict(rows)
    if np.asarray(a).dtype.kind == "f":
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_array_equal(a, b)


@pytest.mark.release
@of_models
def test_the_result_is_that_of_the_shards_not_of_the_workers(clients, model, rows, y):
    found = [
        distribute.fit(clone(model), rows, y, n_shards=4, local_steps=2, client=one)
        for one in clients
    ]
    assert_same(*found)
    assert np.isfinite(found[0].score(rows, y))
    assert np.isfinite(found[0].score_samples(rows)).all()
    assert len(found[0].loss_curve_) == found[0].n_iter_ == model.n_iter
    # It is an ordinary fitted estimator.
    assert found[0].partial_fit(rows, y).n_iter_ == model.n_iter + 1
    assert not _shard._SHARDS


@pytest.mark.exhaustive
@pytest.mark.parametrize("n_shards", [2, 5])
def test_the_gradient_is_that_of_all_rows(client, n_shards):
    """Without draws, with all rows in a batch, and layers that are not pre-trained."""
    rows = np.unique(np.concatenate([X, X[:37]]), axis=0)
    options = {"solver": "sgd", "momentum": 0.5, "alpha": 5.0, "learning_rate": 0.5}
    net = grouped(
        DBNRegressor,
        (4, 3),
        column_types="bernoulli",
        pretrain=Pretraining(n_iter=0),
        dropout=0.0,
        **options,
    )
    net.set_params(n_iter=3, batch_size=len(rows), random_state=0)
    y = rows @ np.arange(6) + 3.0
    whole = clone(net).fit(rows, y)
    found = distribute.fit(clone(net), rows, y, n_shards=n_shards, client=client)
    for own, other in zip(found.coefs_, whole.coefs_, strict=True):
        np.testing.assert_allclose(own, other, atol=2e-5)
    # Targets are standardized by all of them.
    np.testing.assert_allclose(found.predict(rows), whole.predict(rows), rtol=1e-4)


@pytest.mark.release
def test_it_learns_as_much_as_on_one_machine(client):
    digits, y = load_digits(return_X_y=True)
    digits = digits / 16
    options = {"pretrain_iter": 5, "pretrain_batch_size": 50, "random_state": 0}
    options |= {"batch_size": 90, "learning_rate": 0.02}
    net = grouped(DBNClassifier, (64,), n_iter=20, **options)
    whole = clone(net).fit(digits[:900], y[:900]).score(digits[900:], y[900:])
    assert whole > 0.87
    for steps in (1, 4):
        given = {"n_shards": 3, "local_steps": steps, "client": client}
        found = distribute.fit(clone(net), digits[:900], y[:900], **given)
        assert found.score(digits[900:], y[900:]) > whole - 0.03


@pytest.mark.release
def test_tables_of_dask_and_weights(client):
    net = grouped(DBNClassifier, (4, 3), **EACH)
    whole = distribute.fit(clone(net), X, LABELS, n_shards=2, client=client)
    array = da.from_array(X, chunks=(100, 4))
    assert_same(whole, distribute.fit(clone(net), array, LABELS, client=client))
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frames = dd.from_pandas(frame, npartitions=2)
    found = distribute.fit(clone(net), frames, LABELS, client=client)
    np.testing.assert_array_equal(found.coefs_[1], whole.coefs_[1])
    for named in (found, part_of(found), part_of(found).layers_[0]):
        assert list(named.feature_names_in_) == list("abcdef")
    assert list(found.sample(2).columns) == list("abcdef")
    other = clone(net).fit(frame, LABELS)
    assert vars(found).keys() == vars(other).keys()
    assert found.sample(2).dtypes.equals(other.sample(2).dtypes)
    # Weights are repetition, within a shard.
    weight, one = np.arange(200) % 3, {"n_shards": 1, "client": client}
    found = distribute.fit(clone(net), X, LABELS, sample_weight=weight, **one)
    again = np.repeat(np.arange(200), weight)
    other = distribute.fit(clone(net), X[again], LABELS[again], **one)
    assert_same(found, other)
    # A shard without weight is merged.
    weight[:100] = 0
    two = {"n_shards": 2, "client": client, "sample_weight": weight}
    found = distribute.fit(clone(net), X, LABELS, **two)
    assert_same(found, distribute.fit(clone(net), X, LABELS, weight, **one))


@pytest.mark.release
@pytest.mark.parametrize("y", [LABELS, TARGETS], ids=["labels", "numbers"])
def test_early_stopping(clients, y):
    kind = DBNClassifier if y is LABELS else DBNRegressor
    options = {"early_stopping": True, "n_iter_no_change": 2, "tol": 1e-2}
    options |= {"learning_rate": 0.05, "schedule": "constant"}
    net = grouped(
        kind, (4, 3), column_types="gaussian", **EACH | options | {"n_iter": 60}
    )
    found = [
        distribute.fit(clone(net), REAL, y, n_shards=3, client=client)
        for client in clients
    ]
    assert_same(*found)
    (one, _) = found
    assert one.n_iter_ == len(one.validation_curve_) < 60
    whole = clone(net).fit(REAL, y)
    alone = distribute.fit(clone(net), REAL, y, n_shards=1, client=clients[0])
    assert alone.n_iter_ == whole.n_iter_
    np.testing.assert_allclose(alone.coefs_[0], whole.coefs_[0], atol=1e-4)


@pytest.mark.exhaustive
def test_a_warm_start_goes_on(client):
    net = grouped(DBNClassifier, (4, 3), warm_start=True, **EACH)
    one = {"n_shards": 1, "client": client}
    found = distribute.fit(clone(net), X, LABELS, **one)
    before = [W.copy() for W in found.dbn_.coefs_]
    distribute.fit(found, X, LABELS, **one)
    np.testing.assert_array_equal(found.dbn_.coefs_[1], before[1])
    assert found.n_iter_ == len(found.loss_curve_) == 4
    whole = clone(net).fit(X, LABELS).fit(X, LABELS)
    for a, b in zip(found.coefs_, whole.coefs_, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    # Of a fit on one machine, too, and on several workers.
    distribute.fit(whole, X, LABELS, n_shards=3, client=client)
    assert whole.n_iter_ == 6
    found.set_params(hidden_layer_sizes=(4, 5))
    with pytest.raises(ValueError, match="units"):
        distribute.fit(found, X, LABELS, **one)


@pytest.mark.exhaustive
def test_divergence(client):
    options = EACH | {"schedule": "constant"}
    net = grouped(
        DBNClassifier, (4, 3), pretrain=Pretraining(learning_rate=1e6), **options
    )
    with pytest.raises(DivergenceError, match="pretrain__learning_rate") as told:
        distribute.fit(net, X, LABELS, n_shards=2, client=client)
    assert "DBNClassifier is unchanged" in str(told.value)
    assert not hasattr(net, "dbn_")
    # Layers are kept where the net diverges.
    net = grouped(DBNRegressor, (4, 3), solver="sgd", learning_rate=1e9, **options)
    with pytest.raises(DivergenceError, match="DBNRegressor diverged after"):
        distribute.fit(net, REAL, TARGETS, n_shards=2, client=client)
    assert [layer.n_iter_ for layer in net.dbn_.layers_] == [1, 1]
    assert np.isfinite(net.predict(REAL)).all()


@pytest.mark.exhaustive
def test_a_shard_that_was_lost_is_made_again(client, caplog, monkeypatch):
    net, whole, runs = (
        grouped(DBNClassifier, (4, 3), **EACH),
        _run.ShardedRun._round,
        [],
    )

    def forgetting(self, shared, place):
        if isinstance(self.estimator, DBNClassifier) and not runs:
            runs.append(self)
            self.places[1] = "inproc://nowhere"
        return whole(self, shared, place)

    expected = distribute.fit(clone(net), X, LABELS, n_shards=3, client=client)
    monkeypatch.setattr(_run.ShardedRun, "_round", forgetting)
    with caplog.at_level(logging.WARNING, logger="skdgm"):
        distribute.fit(net, X, LABELS, n_shards=3, client=client)
    assert len(runs) == 1
    assert "shards [1] go on" in caplog.text
    # Nothing of a net is lost with a worker.
    assert_same(net, expected)


@pytest.mark.exhaustive
def test_bad_input(client):
    net = grouped(DBNClassifier, (4, 3), unlabeled="unknown", **EACH)
    known = clone(net).fit(X, LABELS)
    before = pickle.dumps(vars(known))

    def refused(error, message, rows=X, y=LABELS, model=known, **options):
        with pytest.raises(error, match=message):
            distribute.fit(model, rows, y, n_shards=2, client=client, **options)
        assert pickle.dumps(vars(known)) == before

    refused(ValueError, "requires y", y=None)
    refused(ValueError, "y has 3 rows", y=LABELS[:3])
    refused(ValueError, "no label|none", y=np.full(200, "unknown"))
    refused(ValueError, "Negative values", rows=X - 1.0)
    late = X.astype(float)
    late[-1, 0] = -1
    refused(ValueError, "Negative values", rows=late)
    refused(ValueError, "weight", sample_weight=np.zeros(200))
    refused(ValueError, "Negative values", sample_weight=-np.ones(200))
    refused(
        ValueError, "each of 2 layers", model=assign(clone(net), pretrain_iter=(1,))
    )
    refused(
        ValueError,
        "Callbacks",
        model=clone(net).set_callbacks(Checkpoint("x")),
    )
    numbers = np.where(np.arange(200)[:, None] < [200, 0], 1.0, np.nan)
    reg = grouped(DBNRegressor, (4,), column_types="bernoulli", **EACH)
    refused(ValueError, "needs targets", y=numbers, model=reg)
    # Two classes are known, of which the first shards have one.
    order = np.argsort(LABELS, kind="stable")
    found = distribute.fit(
        clone(net), X[order], LABELS[order], n_shards=2, client=client
    )
    assert list(found.classes_) == ["no", "yes"]
    assert not _shard._SHARDS


@pytest.mark.exhaustive
def test_what_is_printed(client, capsys):
    net = grouped(DBNClassifier, (4, 3), verbose=True, **EACH)
    distribute.fit(net, X, LABELS, n_shards=2, client=client)
    lines = capsys.readouterr().out.splitlines()
    assert lines.pop(0) == "[DBNClassifier pre-training] Columns: 6 bernoulli"
    titles = [line.split("]")[0] for line in lines]
    layers = [f"[DBNClassifier pre-training layer {k}" for k in (0, 0, 1, 1)]
    assert titles == layers + ["[DBNClassifier"] * 3


SMALL = {"n_iter": 2, "batch_size": 70}
NET = {"n_iter": 2, "batch_size": 70, "random_state": 0}
MACHINES = [
    (
        grouped(
            DBMClassifier,
            grouped(DBM, (4, 3), column_types="gaussian", **SMALL),
            unlabeled="unknown",
            **NET,
        ),
        REAL,
        HALF,
    ),
    (
        grouped(DBMClassifier, grouped(DBM, (4,), **SMALL), unlabeled="unknown", **NET),
        X,
        LATE,
    ),
    (
        grouped(DBMClassifier, grouped(DBM, (4, 3), **SMALL), fine_tune=None, **NET),
        X,
        LABELS,
    ),
    (
        grouped(
            DBMClassifier,
            grouped(DBM, (4, 3), **SMALL),
            early_stopping=True,
            dropout=0.2,
            alpha=1.0,
            **NET,
        ),
        X,
        LABELS,
    ),
]


@pytest.mark.release
@pytest.mark.parametrize(
    ("model", "rows", "y"), MACHINES, ids=["real", "late", "no net", "stopping"]
)
def test_deep_machines_with_a_net(clients, model, rows, y):
    whole = clone(model).fit(rows, y)
    found = distribute.fit(clone(model), rows, y, n_shards=1, client=clients[0])
    assert vars(found).keys() == vars(whole).keys()
    for name in ("coefs_", "net_coefs_", "net_loss_curve_", "net_validation_curve_"):
        pairs = zip(getattr(found, name, []), getattr(whole, name, []), strict=True)
        for own, other in pairs:
            np.testing.assert_allclose(own, other, atol=1e-5)
    np.testing.assert_array_equal(found.predict(rows), whole.predict(rows))
    spread = {"n_shards": 4, "local_steps": 2}
    one, other = (
        distribute.fit(clone(model), rows, y, client=client, **spread)
        for client in clients
    )
    for name, value in learned(one).items():
        np.testing.assert_array_equal(value, learned(other)[name], err_msg=name)
    assert hasattr(one, "net_coefs_") == (model.fine_tune is not None)
    assert np.isfinite(one.predict_proba(rows)).all()
    assert not _shard._SHARDS


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "model",
    [
        grouped(RBMClassifier, 4, **SMALL),
        DBMClassifier(grouped(DBM, (4, 3), **SMALL), n_iter=1),
    ],
    ids=str,
)
def test_losses_of_labels_are_those_of_rows_with_one(client, model):
    model = clone(model).set_params(unlabeled="unknown", random_state=0)
    found = distribute.fit(model, X, LATE, n_shards=5, client=client)
    # Two classes that are hardly learned yet.
    np.testing.assert_allclose(found.loss_curve_[0], np.log(2), atol=0.1)
    assert np.isfinite(found.loss_curve_).all()


@pytest.mark.exhaustive
def test_a_net_that_diverges_leaves_the_machine(client):
    clf = grouped(
        DBMClassifier,
        grouped(DBM, (4, 3), **SMALL),
        solver="sgd",
        learning_rate=1e9,
        **NET,
    )
    with pytest.raises(DivergenceError, match="the net of DBMClassifier diverged"):
        distribute.fit(clf, X, LABELS, n_shards=2, client=client)
    assert clf.n_iter_ == 2
    assert np.isfinite(clf.predict_proba(X)).all()
