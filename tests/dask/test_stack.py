"""Stacks on several workers are trained layer by layer, as on one machine."""

import logging
import pickle
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skdgm import (
    DBN,
    BernoulliRBM,
    ConvDBN,
    GaussianRBM,
    GenerativeDBNClassifier,
)
from skdgm import dask as distribute
from skdgm.belief import _stack
from skdgm.dask import _run, _shard
from skdgm.exceptions import DivergenceError
from skdgm.options import SGD, Filters
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

OPTIONS = {"n_iter": 2, "batch_size": 70, "random_state": 0}
UNKNOWN = np.where(np.arange(200) % 3, LABELS, "unknown")
STACKS = [
    (
        DBN(
            (4, 3, 2),
            n_iter=(2, 1, 2),
            batch_size=(100, 70, 40),
            solver=SGD(momentum=0.5),
            random_state=0,
        ),
        X,
        None,
    ),
    (grouped(DBN, (4, 3), column_types="gaussian", **OPTIONS), REAL, None),
    (grouped(DBN, (4, 6), init_layers="transpose", samples=False, **OPTIONS), X, None),
    (
        DBN(
            layers=[
                ("a", GaussianRBM(4, n_iter=1, batch_size=70)),
                ("b", BernoulliRBM(3, n_iter=2, early_stopping=True, batch_size=70)),
            ],
            random_state=0,
        ),
        REAL,
        None,
    ),
    (
        grouped(GenerativeDBNClassifier, (4, 3), unlabeled="unknown", **OPTIONS),
        X,
        UNKNOWN,
    ),
    (
        grouped(GenerativeDBNClassifier, (4,), column_types="gaussian", **OPTIONS),
        REAL,
        LABELS,
    ),
    (
        grouped(
            ConvDBN,
            2,
            hidden_layer_sizes=(3,),
            filters=Filters(shape=2),
            image_shape=(2, 3),
            **OPTIONS,
        ),
        X,
        None,
    ),
]
of_stacks = pytest.mark.parametrize(
    ("stack", "rows", "y"), STACKS, ids=lambda value: type(value).__name__
)


def assert_same(a, b):
    for one, other in zip([a, *a.layers_], [b, *b.layers_], strict=True):
        one, other = learned(one), learned(other)
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.exhaustive
@of_stacks
def test_one_shard_is_a_fit(client, stack, rows, y):
    whole = clone(stack).fit(rows, y)
    found = distribute.fit(clone(stack), rows, y, n_shards=1, client=client)
    assert vars(found).keys() == vars(whole).keys()
    for own, other in zip(found.layers_, whole.layers_, strict=True):
        assert vars(own).keys() == vars(other).keys()
        if not own.early_stopping:
            # Otherwise they are those of the last round.
            np.testing.assert_allclose(own.chains_, other.chains_, rtol=1e-5)
        np.testing.assert_allclose(own.loss_curve_, other.loss_curve_, rtol=1e-4)
        np.testing.assert_allclose(own.components_, other.components_, atol=1e-5)
    np.testing.assert_allclose(found.transform(rows), whole.transform(rows), atol=1e-5)
    if y is not None:
        np.testing.assert_array_equal(found.predict(rows), whole.predict(rows))


@pytest.mark.release
def test_a_busy_client_loses_no_results(client, monkeypatch):
    """Its loop waits for what is compiled meanwhile, for longer than results are."""
    monkeypatch.setattr(_run, "_POLL", 0.01)
    busy = True

    def work():
        time.sleep(0.05)
        if busy:
            client.loop.call_later(0.002, work)

    stack, rows, _ = STACKS[0]
    client.loop.add_callback(work)
    try:
        for _ in range(3):
            found = distribute.fit(clone(stack), rows, n_shards=1, client=client)
    finally:
        busy = False
    expected = clone(stack).fit(rows).transform(rows)
    np.testing.assert_allclose(found.transform(rows), expected, atol=1e-5)


@pytest.mark.release
@of_stacks
def test_the_result_is_that_of_the_shards_not_of_the_workers(clients, stack, rows, y):
    found = [
        distribute.fit(clone(stack), rows, y, n_shards=4, local_steps=2, client=one)
        for one in clients
    ]
    assert_same(*found)
    assert np.isfinite(found[0].score_samples(rows)).all()
    assert found[0].sample(3, random_state=0).shape == (3, rows.shape[1])
    assert not _shard._SHARDS


@pytest.mark.release
def test_it_learns_as_much_as_on_one_machine(client):
    options = {"n_iter": 40, "batch_size": 40, "momentum": 0.9, "random_state": 0}
    dbn = grouped(DBN, (5, 4), solver=SGD(schedule="constant"), **options)
    whole = clone(dbn).fit(X).score(X)
    poor = clone(dbn).set_params(n_iter=1).fit(X).score(X)
    assert whole > poor + 0.3
    spread = {"n_shards": 2, "local_steps": 5, "client": client}
    found = distribute.fit(clone(dbn), X, **spread)
    assert abs(found.score(X) - whole) < 0.2


@pytest.mark.release
def test_tables_of_dask(client, monkeypatch):
    # Of a table of 200 rows it is as many epochs as there may be.
    monkeypatch.setattr(_stack, "_EPOCHS", (2, 3))
    dbn = DBN((4, 3), n_iter=(1, "auto"), batch_size=100, random_state=0)
    whole = distribute.fit(clone(dbn), X, n_shards=4, client=client)
    assert [layer.n_iter_ for layer in whole.layers_] == [1, 3]
    array = da.from_array(X, chunks=(50, 4))
    assert_same(whole, distribute.fit(clone(dbn), array, client=client))
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frames = dd.from_pandas(frame, npartitions=4)
    found = distribute.fit(clone(dbn), frames, client=client)
    np.testing.assert_array_equal(found.coefs_[1], whole.coefs_[1])
    for named in (found, found.layers_[0]):
        assert list(named.feature_names_in_) == list("abcdef")
    assert list(found.sample(2).columns) == list("abcdef")

    def renamed(part):
        return part if part.index[0] == 0 else part.rename(columns={"a": "z"})

    wrong = frames.map_partitions(renamed, meta=frames._meta, enforce_metadata=False)
    with pytest.raises(ValueError, match="feature names"):
        distribute.fit(clone(dbn), wrong, client=client)
    # Weights are repetition, within a shard.
    weight = np.arange(200) % 3
    one = {"n_shards": 1, "client": client}
    found = distribute.fit(clone(dbn), X, sample_weight=weight, **one)
    other = distribute.fit(clone(dbn), np.repeat(X, weight, axis=0), **one)
    np.testing.assert_array_equal(found.coefs_[1], other.coefs_[1])


@pytest.mark.exhaustive
def test_a_warm_start_goes_on(client):
    dbn = grouped(DBN, (4, 3), warm_start=True, column_types="gaussian", **OPTIONS)
    one = {"n_shards": 1, "client": client}
    found = distribute.fit(clone(dbn), REAL, **one)
    first = found.coefs_[0].copy()
    # More layers may be added.
    found.set_params(hidden_layer_sizes=(4, 3, 2))
    distribute.fit(found, REAL, **one)
    assert [layer.n_iter_ for layer in found.layers_] == [4, 4, 2]
    assert (found.coefs_[0] != first).any()
    whole = clone(dbn).fit(REAL).set_params(hidden_layer_sizes=(4, 3, 2)).fit(REAL)
    for a, b in zip(found.coefs_, whole.coefs_):
        np.testing.assert_allclose(a, b, atol=1e-5)
    several = distribute.fit(found, REAL, n_shards=3, client=client)
    assert [layer.n_iter_ for layer in several.layers_] == [6, 6, 4]
    refined = assign(clone(dbn), refine="up-down", refine_iter=1).fit(REAL)
    with pytest.raises(ValueError, match="were refined"):
        distribute.fit(refined.set_params(refine=None), REAL, **one)


@pytest.mark.exhaustive
def test_layers_that_were_trained_are_kept_where_one_diverges(client):
    dbn = DBN((4, 3), n_iter=3, learning_rate=(0.1, 1e6), batch_size=40)
    with pytest.raises(DivergenceError, match="DBN layer 1 diverged after 0 of 3"):
        distribute.fit(dbn, X, n_shards=2, client=client)
    assert [layer.n_iter_ for layer in dbn.layers_] == [3, 0]
    assert all(np.isfinite(W).all() for W in dbn.coefs_)
    # Any other error leaves the estimator as it was.
    before, bad = pickle.dumps(vars(dbn)), X.astype(float)
    bad[-1, 0] = -1
    with pytest.raises(ValueError, match="Negative values"):
        distribute.fit(dbn, bad, n_shards=2, client=client)
    assert pickle.dumps(vars(dbn)) == before
    assert not _shard._SHARDS


@pytest.mark.exhaustive
def test_a_shard_that_was_lost_is_made_again_in_a_layer_above(
    client, caplog, monkeypatch
):
    dbn, whole, runs = grouped(DBN, (4, 3), **OPTIONS), _run.ShardedRun._round, []

    def forgetting(self, shared, place):
        if self.below.estimator.layers_ and self not in runs:
            runs.append(self)
            self.places[1] = "inproc://nowhere"
        return whole(self, shared, place)

    monkeypatch.setattr(_run.ShardedRun, "_round", forgetting)
    with caplog.at_level(logging.WARNING, logger="skdgm"):
        distribute.fit(dbn, X, n_shards=3, client=client)
    assert len(runs) == 1
    assert "shards [1] go on" in caplog.text
    assert [layer.n_iter_ for layer in dbn.layers_] == [2, 2]
    assert np.isfinite(dbn.score_samples(X)).all()


@pytest.mark.exhaustive
def test_what_is_printed(client, capsys):
    dbn = grouped(DBN, (4, 3), verbose=True, **OPTIONS)
    distribute.fit(dbn, X, n_shards=2, client=client)
    lines = capsys.readouterr().out.splitlines()
    assert lines.pop(0) == "[DBN] Columns: 6 bernoulli"
    titles = [line.split("]")[0] for line in lines]
    assert titles == ["[DBN layer 0"] * 3 + ["[DBN layer 1"] * 3
