"""Proofs of fits on several workers by a client without a cluster.

They are the tests that run with a cluster, which takes seconds, in the exhaustive suite
and in releases. What concerns the cluster itself is left to these.
"""

from inspect import signature
from itertools import islice

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_moons

from skdgm import DBN, NADE, VAE, BernoulliRBM, DBNClassifier, Flow
from skdgm import dask as distribute
from skdgm.dask import _rounds, _run
from skdgm.dask._shard import Shard
from skdgm.exceptions import CollapseWarning
from skdgm.options import ELBO
from tests.dask import test_fit, test_stack, test_tuned
from tests.dask.here import Done, Here
from tests.dask.test_fit import pytestmark
from tests.options import grouped

__all__ = ["pytestmark"]

PROOFS = {
    test_fit: [
        "test_one_shard_is_a_fit",
        "test_what_is_said_at_the_end_is_that_of_a_fit",
        "test_tables_of_dask",
        "test_a_warm_start_goes_on",
        "test_many_rounds_of_few_rows_are_told",
        "test_bad_input",
    ],
    test_stack: [
        "test_a_warm_start_goes_on",
        "test_layers_that_were_trained_are_kept_where_one_diverges",
        "test_a_shard_that_was_lost_is_made_again_in_a_layer_above",
        "test_what_is_printed",
    ],
    test_tuned: [
        "test_tables_of_dask_and_weights",
        "test_a_warm_start_goes_on",
        "test_divergence",
        "test_a_shard_that_was_lost_is_made_again",
        "test_bad_input",
        "test_what_is_printed",
    ],
}
# Tests of a list of cases, with the numbers of those that are run here.
ONE, SAME = "test_one_shard_is_a_fit", "test_the_result_is_that_of_the_shards_not_of_"
SAME += "the_workers"
DEEP, WHOLE = "test_deep_machines_with_a_net", "test_sequences_stay_whole"
CASES = [
    (test_fit, SAME, test_fit.MODELS, (0, 2, 5, 8, 10, 14, 26)),
    (test_fit, WHOLE, [(one,) for one in test_fit.SERIES], (1,)),
    (test_stack, ONE, test_stack.STACKS, (0, 2, 4, 6)),
    (test_stack, SAME, test_stack.STACKS, (0, 4)),
    (test_tuned, ONE, test_tuned.MODELS, (0, 2, 4, 6)),
    (test_tuned, SAME, test_tuned.MODELS, (0, 3)),
    (test_tuned, DEEP, test_tuned.MACHINES, (3,)),
    (test_tuned, "test_early_stopping", [(test_tuned.LABELS,)], (0,)),
    (test_tuned, "test_the_gradient_is_that_of_all_rows", [(3,)], (0,)),
    (
        test_tuned,
        "test_losses_of_labels_are_those_of_rows_with_one",
        [(test_tuned.RBMClassifier(4, **test_tuned.SMALL),)],
        (0,),
    ),
]


@pytest.fixture(autouse=True)
def without_a_cluster(monkeypatch):
    monkeypatch.setattr("distributed.wait", lambda future, timeout: None)
    monkeypatch.setattr("distributed.default_client", lambda: Here(3))


@pytest.fixture
def clients():
    return Here(1), Here(3)


@pytest.fixture
def client():
    return Here(3)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in PROOFS.items() for name in names],
    ids=lambda part: getattr(part, "__name__", part)[5:],
)
def test_by_a_client_without_a_cluster(module, name, request):
    proof = getattr(module, name)
    proof(*map(request.getfixturevalue, signature(proof).parameters))


@pytest.mark.parametrize(
    ("proof", "case"),
    [
        pytest.param(
            getattr(module, name), cases[k], id=f"{module.__name__}-{name}-{k}"
        )
        for module, name, cases, numbers in CASES
        for k in numbers
    ],
)
def test_cases_by_a_client_without_a_cluster(proof, case, client, clients):
    first = clients if "clients" in signature(proof).parameters else client
    names = [name for name in signature(proof).parameters if not name.startswith("cl")]
    proof(first, **dict(zip(names, case, strict=True)))


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (BernoulliRBM(3, n_iter=2, batch_size=50, random_state=0), None),
        (DBN((3, 2), n_iter=2, batch_size=50, random_state=0), None),
        (grouped(DBNClassifier, (3,), **test_tuned.EACH), test_fit.LABELS),
        (NADE(3, n_iter=2, batch_size=50, random_state=0), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_second_fit_begins_anew(model, y, client):
    once = distribute.fit(clone(model), test_fit.X, y, n_shards=2, client=client)
    twice = distribute.fit(clone(model), 1 - test_fit.X, y, n_shards=2, client=client)
    twice = distribute.fit(twice, test_fit.X, y, n_shards=2, client=client)
    assert once.n_iter_ == twice.n_iter_
    found, expected = (own.score_samples(test_fit.X) for own in (twice, once))
    np.testing.assert_array_equal(found, expected)


def test_a_batch_has_a_share_of_the_rows_of_all_shards(client):
    X = make_moons(5_000, noise=0.1, random_state=0)[0]
    options = {"hidden_layer_sizes": (4,), "base": "normal", "early_stopping": False}
    options |= {"n_iter": 2, "random_state": 0}
    found, expected = (
        distribute.fit(
            grouped(Flow, **options, batch_size=size), X, n_shards=2, client=client
        )
        for size in ("auto", 200)
    )
    assert found.loss_curve_ == expected.loss_curve_


@pytest.mark.parametrize("n_errors", [0, 1, 4, 5])
def test_results_that_are_lost_on_their_way_are_asked_for_so_often(n_errors, client):
    from distributed.client import FutureCancelledError

    run = _run.ShardedRun(client, BernoulliRBM(2), [], None, 1)
    run._noticed = list
    errors = [FutureCancelledError("key", None) for _ in range(n_errors)]

    def make():
        return Done(error=errors.pop()) if errors else Done("found")

    if n_errors < _run._NOTICED:
        assert run._result(make) == "found"
    else:
        with pytest.raises(FutureCancelledError):
            run._result(make)
    assert not errors


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool])
def test_changes_times_rows_are_numbers_with_signs(dtype):
    """Of the type of the state, if that is one of real numbers."""
    new, old = np.array([0, 1], dtype), np.array([1, 0], dtype)
    found = _rounds._times(new, old, 300)
    np.testing.assert_array_equal(found, [-300, 300])
    assert found.dtype == (dtype if np.dtype(dtype).kind == "f" else np.float64)


def test_means_over_rows_are_rounded_for_whole_numbers():
    old = (np.array([0.5], np.float32), np.array([3, 7]))
    total = 4, (np.array([2.0], np.float32), np.array([7.0, -3.0]))
    real, whole = _rounds.mean(old, total)
    assert real.dtype == np.float32
    assert real[0] == 1
    np.testing.assert_array_equal(whole, [5, 6])
    assert whole.dtype == old[1].dtype


def test_weights_below_0_are_refused_of_all_rows_with_a_target(client):
    net, weight = grouped(DBNClassifier, (3,), **test_tuned.EACH), np.ones(200)
    weight[-1] = -1
    with pytest.raises(ValueError, match="[Nn]egative"):
        distribute.fit(
            net, test_fit.X, test_fit.LABELS, weight, n_shards=2, client=client
        )
    assert not hasattr(net, "dbn_")


def test_targets_of_no_weight_are_unknown(client):
    """Also where they are all that a shard knows."""
    net = grouped(DBNClassifier, (3,), unlabeled="unknown", **test_tuned.EACH)
    rows, given = test_fit.X, {"n_shards": 2, "client": client}
    weight, late = np.where(np.arange(200) % 3, 1.0, 0.0), np.arange(200) >= 100
    y = np.where(late & (weight > 0), "unknown", test_fit.LABELS)
    unknown = np.where(weight > 0, y, "unknown")
    found, expected = (
        distribute.fit(clone(net), rows, own, weight, **given) for own in (y, unknown)
    )
    for ours, theirs in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_collapse_is_told_of(client):
    rows = np.random.default_rng(0).normal(size=(200, 1)) * [1.0, 2.0, 3.0]
    model = VAE(2, (5,), column_types="gaussian", objective=ELBO(beta=300.0), n_iter=10)
    model.set_params(learning_rate=0.05, random_state=0)
    with pytest.warns(CollapseWarning, match="The posterior of VAE collapsed"):
        clone(model).fit(rows)
    with pytest.warns(CollapseWarning, match="The posterior of VAE collapsed"):
        distribute.fit(model, rows, n_shards=2, client=client)


def test_batches_of_a_shard_go_on_where_they_were_left():
    shard, n_begun = object.__new__(Shard), 0

    class Objective:
        def batches(self, table, epoch):
            nonlocal n_begun
            n_begun += 1
            yield from table

    shard.objective, shard.table = Objective(), "abcdef"
    shard.epoch, shard.left, shard.at = None, iter(()), 0
    assert list(islice(shard.batches(0, 0), 2)) == ["a", "b"]
    assert list(islice(shard.batches(0, 2), 2)) == ["c", "d"]
    assert list(islice(shard.batches(0, 5), 1)) == ["f"]
    assert n_begun == 1
    # An earlier batch, and another epoch, begin again.
    assert list(islice(shard.batches(0, 1), 1)) == ["b"]
    assert list(islice(shard.batches(1, 0), 1)) == ["a"]
    assert n_begun == 3


@pytest.mark.parametrize("empty", [slice(20), slice(40, 80), slice(180, None)])
def test_shards_without_weight_are_merged(client, empty):
    weight = np.ones(len(test_fit.X))
    weight[empty] = 0
    machine = BernoulliRBM(3, n_iter=2, random_state=0)
    distribute.fit(machine, test_fit.X, None, weight, n_shards=10, client=client)
    assert np.isfinite(machine.components_).all()
