"""A fit on several workers is that of one, and survives those that are lost."""

import copy
import logging
import os
import signal
import threading
import warnings
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import skdgm
from skdgm import (
    DBM,
    DBN,
    FVBN,
    GAN,
    GMMN,
    LAPGAN,
    MADE,
    NADE,
    RBM,
    RNNNADE,
    RNNRBM,
    RTRBM,
    VAE,
    VRNN,
    BernoulliRBM,
    BidirectionalHelmholtzMachine,
    BiGAN,
    BoltzmannMachine,
    ConditionalRBM,
    ConvRBM,
    DBMClassifier,
    GANClassifier,
    GaussianRBM,
    GenerativeImputer,
    GeneratorNet,
    HelmholtzMachine,
    InfoGAN,
    RBMClassifier,
    ReplicatedSoftmax,
    SigmoidBeliefNetwork,
    StackGAN,
)
from skdgm import dask as distribute
from skdgm.callbacks import Checkpoint
from skdgm.dask import _fit, _parts, _rounds, _run, _shard
from skdgm.dask._rows import Header
from skdgm.exceptions import CostWarning, DivergenceError
from skdgm.gradients.steps.outliers import step_factors
from skdgm.options import (
    SGD,
    BeliefObjective,
    Filters,
    Information,
    Penalty,
    Sequences,
    Tempering,
)
from tests.common.shapes import learned
from tests.options import grouped

distributed = pytest.importorskip("distributed")
da, dd = pytest.importorskip("dask.array"), pytest.importorskip("dask.dataframe")
RNG = np.random.default_rng(0)
GROUPS = RNG.integers(0, 2, (200, 2))
X = (RNG.random((200, 6)) < 0.1) ^ np.repeat(GROUPS, 3, axis=1)
X, LABELS = X.astype(np.float64), np.array(["no", "yes"])[GROUPS[:, 0]]
COUNTS = np.random.default_rng(1).poisson(2, (200, 6))
IMAGES = load_digits().data[:200] > 8
REAL = RNG.normal(size=(200, 3)) @ RNG.normal(size=(3, 3)) + [1, 20, -5]
# Noise of libraries, at the end of their clusters.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def cluster(n_workers, processes=False):
    """Cluster on this machine."""
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=processes,
        dashboard_address=":0",
        memory_limit=0,
    )


@pytest.fixture(scope="module")
def clients():
    """Clients of one worker, and of three."""
    with (
        cluster(1) as one,
        cluster(3) as three,
        distributed.Client(one) as a,
        distributed.Client(three) as b,
    ):
        yield a, b


@pytest.fixture
def client(clients):
    return clients[1]


def clone_of(model):
    """Fitted model with the same parameters, which has computed nothing yet."""
    found = copy.copy(model)
    found._forget()
    return found


def assert_same(a, b):
    a, b = learned(a), learned(b)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


MODELS = [
    (BernoulliRBM(4, solver=SGD(momentum=0.5)), X, None),
    (BernoulliRBM(4, gradient=Tempering(n_temperatures=3), solver="adam"), X, None),
    (
        BernoulliRBM(
            4, gradient="fpcd", centering="moving", penalty=Penalty(sparsity_target=0.2)
        ),
        X,
        None,
    ),
    (GaussianRBM(4), REAL, None),
    (DBM((4, 3)), X, None),
    (RBMClassifier(4), X, LABELS),
    (BoltzmannMachine(2), X, None),
    (NADE(4), X, None),
    (VAE(2, hidden_layer_sizes=(5,)), X, None),
    (MADE(5), X, None),
    (SigmoidBeliefNetwork((4, 3), objective="nvil"), X, None),
    (SigmoidBeliefNetwork((4,), objective="mean-field"), X, None),
    (
        SigmoidBeliefNetwork(
            4, objective=BeliefObjective("reinforce", baseline="optimal")
        ),
        X,
        None,
    ),
    (RBM(3, column_types="interval", hidden="gaussian"), REAL % 1, None),
    (ConvRBM(3, filters=Filters(shape=2), image_shape=(2, 3)), X, None),
    (GeneratorNet(), X, LABELS),
    (HelmholtzMachine((4, 3)), X, None),
    (BidirectionalHelmholtzMachine((4, 3)), X, None),
    (GAN(2, hidden_layer_sizes=(5,)), X, None),
    (GANClassifier(2, hidden_layer_sizes=(5,)), X, LABELS),
    (BiGAN(2, hidden_layer_sizes=(5,)), X, None),
    (GMMN(2, hidden_layer_sizes=(5,)), X, None),
    (InfoGAN(2, hidden_layer_sizes=(5,)), X, None),
    (
        InfoGAN(2, hidden_layer_sizes=(5,), information=Information(n_neighbors=2)),
        X,
        None,
    ),
    (LAPGAN(), IMAGES, None),
    (StackGAN(), IMAGES, None),
    (ReplicatedSoftmax(3), COUNTS, None),
    (ReplicatedSoftmax(3, gradient="cd", solver="adam"), COUNTS, None),
    (ReplicatedSoftmax(3, gradient=Tempering(n_temperatures=3)), COUNTS, None),
]


@pytest.mark.release
@pytest.mark.parametrize(
    ("estimator", "rows", "y"), MODELS, ids=lambda value: type(value).__name__
)
def test_the_result_is_that_of_the_shards_not_of_the_workers(
    clients, estimator, rows, y
):
    found = []
    for client in clients:
        own = clone(estimator).set_params(n_iter=2, batch_size=100, random_state=0)
        options = {"n_shards": 3, "client": client}
        assert distribute.fit(own, rows, y, **options) is own
        found.append(own)
    assert_same(*found)
    # It is an ordinary fitted estimator.
    (one, _), n = found, len(rows)
    assert vars(one).keys() == vars(clone(own).set_params(n_iter=1).fit(rows, y)).keys()
    assert (one.n_iter_, len(one.loss_curve_)) == (2, 2)
    assert np.isfinite(one.score_samples(rows)).all() if y is None else True
    assert one.sample(3).shape == (3, rows.shape[1])
    one.partial_fit(rows, y)
    assert one.n_iter_ == 3
    assert n == 200


@pytest.mark.exhaustive
def test_one_shard_is_a_fit(client):
    rbm = BernoulliRBM(
        4, n_iter=3, batch_size=50, solver=SGD(momentum=0.5), random_state=0
    )
    whole = clone(rbm).fit(X)
    found = distribute.fit(clone(rbm), X, n_shards=1, client=client)
    np.testing.assert_allclose(found.components_, whole.components_, atol=1e-5)
    np.testing.assert_array_equal(found.chains_, whole.chains_)
    np.testing.assert_allclose(found.loss_curve_, whole.loss_curve_, rtol=1e-4)


@pytest.mark.release
def test_what_is_said_at_the_end_is_that_of_a_fit(client):
    # Games amplify rounding: after 60 epochs, draws of both fits differ.
    gan = GAN(2, n_iter=40, hidden_layer_sizes=(3,), learning_rate=0.1, random_state=0)
    vae = VAE(2, hidden_layer_sizes=(5,), n_iter=2, random_state=0)
    worse = NADE(4, solver="sgd", n_iter=2, learning_rate=30.0, random_state=0)
    for model in (gan, vae, worse):
        with warnings.catch_warnings(record=True) as expected:
            warnings.simplefilter("always")
            whole = clone(model).fit(X)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = distribute.fit(clone(model), X, n_shards=1, client=client)
        ours = [str(w.message) for w in told if "skdgm" in w.category.__module__]
        ours += [str(w.message) for w in told if w.category is ConvergenceWarning]
        wanted = [str(w.message) for w in expected]
        assert ours == wanted
        for name in ("coverage_", "latent_variances_"):
            if hasattr(whole, name):
                own = getattr(found, name), getattr(whole, name)
                np.testing.assert_allclose(*own, rtol=1e-3)


@pytest.mark.exhaustive(default=["Machine-2"])
@pytest.mark.parametrize("n_shards", [2, 5])
@pytest.mark.parametrize(
    "estimator",
    [
        BoltzmannMachine(
            objective="pseudo-likelihood", centering=None, solver=SGD(momentum=0.5)
        ),
        NADE(4, solver=SGD(momentum=0.5), alpha=20.0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_gradient_is_that_of_all_rows(client, estimator, n_shards):
    # Of exact gradients, all rows in one batch.
    rows = np.concatenate([X, X[:37]])
    rows = np.unique(rows, axis=0)
    estimator.set_params(
        n_iter=5, batch_size=len(rows), learning_rate=0.1, random_state=0
    )
    whole = clone(estimator).fit(rows)
    found = distribute.fit(clone(estimator), rows, n_shards=n_shards, client=client)
    a, b = learned(whole), learned(found)
    for name in a:
        late = name.startswith(("loss_curve", "chains", "log_Z"))
        if not late and a[name].dtype != object:
            np.testing.assert_allclose(b[name], a[name], atol=2e-5, err_msg=name)


@pytest.mark.release
def test_it_learns_as_much_as_on_one_machine(client):
    options = {"batch_size": 40, "learning_rate": 0.2, "momentum": 0.9}
    # So high a rate has to fall all the time.
    options["schedule"] = "linear"
    rbm = grouped(BernoulliRBM, 4, n_iter=40, random_state=0, **options)
    whole = clone(rbm).fit(X).score(X)
    assert whole > -3.5
    for steps in (1, 3):
        options = {"n_shards": 2, "local_steps": steps, "client": client}
        assert abs(distribute.fit(clone(rbm), X, **options).score(X) - whole) < 0.2


@pytest.mark.release
@pytest.mark.parametrize("moment", ["_round", "_scattered"])
def test_a_killed_worker_costs_its_batch(moment, caplog, monkeypatch):
    rbm = BernoulliRBM(4, n_iter=5, batch_size=20, learning_rate=0.2, random_state=0)
    run, rounds = _run.ShardedRun, []
    whole, sent = run._round, run._scattered

    def round_with_a_kill(self, shared, place):
        rounds.append(place)
        if len(rounds) == 8 and moment == "_round":
            # In the middle of this round, or of the next one.
            kill = partial(os.kill, pids[0], signal.SIGKILL)
            threading.Timer(0.01, kill).start()
        return whole(self, shared, place)

    def sent_with_a_kill(self, shared):
        # While parameters are on their way.
        if len(rounds) == 8 and moment == "_scattered" and not killed:
            killed.append(os.kill(pids[0], signal.SIGKILL))
        return sent(self, shared)

    killed = []
    monkeypatch.setattr(run, "_round", round_with_a_kill)
    monkeypatch.setattr(run, "_scattered", sent_with_a_kill)
    with cluster(2, processes=True) as two, distributed.Client(two) as client:
        pids = list(client.run(os.getpid).values())
        with caplog.at_level(logging.WARNING, logger="skdgm"):
            distribute.fit(rbm, X, n_shards=4, client=client)
    lines = [line for name, _, line in caplog.record_tuples if name == "skdgm"]
    assert len(lines) == 1
    assert "go on at others, with new chains" in lines[0]
    # No round was left out, and none of before was made again.
    assert len(rounds) == 5 * 10
    assert rbm.n_iter_ == len(rbm.loss_curve_) == 5
    assert np.isfinite(rbm.components_).all()


def test_shards_that_are_forgotten_are_put_back(client, caplog):
    rbm = BernoulliRBM(4, n_iter=2, batch_size=50, random_state=0)
    run = _run.ShardedRun(
        client, rbm, _parts.shards_of(client, X, None, None, 2), None, 1
    )
    run.prepare()
    state, curve, _, ended = run.train()
    assert (len(curve), ended) == (2, "complete")
    assert len(state.chains[0]) == 50
    # As after the end of their worker, also between the last round and the end.
    for number in (0, 1):
        _shard.find(run.name, number).local_state = {}
    (own,) = run._result(lambda: run._listed(_rounds.chains, run._scattered(state)))[:1]
    assert len(own["chains"][0]) == 25
    run.places[0] = "inproc://nowhere"
    with caplog.at_level(logging.WARNING, logger="skdgm"):
        run._losses(state)
    assert "shards [0] go on" in caplog.text
    run.drop()
    assert not _shard._SHARDS


@pytest.mark.exhaustive
def test_tables_of_dask(client):
    rbm = BernoulliRBM(4, n_iter=2, batch_size=100, random_state=0)
    whole = distribute.fit(clone(rbm), X, n_shards=4, client=client)
    array = da.from_array(X, chunks=(50, 4))
    assert_same(whole, distribute.fit(clone(rbm), array, client=client))
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frames = dd.from_pandas(frame, npartitions=4)
    found = distribute.fit(clone(rbm), frames, client=client)
    assert list(found.feature_names_in_) == list("abcdef")
    np.testing.assert_array_equal(found.components_, whole.components_)
    # Without a client, that which is current.
    found = distribute.fit(clone(rbm), frame, n_shards=4)
    np.testing.assert_array_equal(found.components_, whole.components_)
    # Of eight partitions, two a shard, and an empty one.
    array = da.concatenate([da.from_array(X, chunks=(25, 6)), array[:0]])
    found = distribute.fit(clone(rbm), array, n_shards=4, client=client)
    assert_same(whole, found)
    weight = np.arange(200) % 3
    found = distribute.fit(clone(rbm), array, sample_weight=weight, client=client)
    assert found.n_iter_ == 2


@pytest.mark.exhaustive
def test_a_warm_start_goes_on(client):
    rbm = BernoulliRBM(4, n_iter=2, batch_size=40, warm_start=True, random_state=0)
    first = distribute.fit(rbm, X, n_shards=2, client=client).components_.copy()
    distribute.fit(rbm, X, n_shards=2, client=client)
    assert rbm.n_iter_ == len(rbm.loss_curve_) == 4
    assert abs(rbm.components_ - first).max() < 1
    # Nothing is left that was computed from the former parameters.
    before = rbm.log_Z_
    distribute.fit(rbm, X, n_shards=2, client=client)
    assert rbm.log_Z_ != before
    assert rbm.log_Z_ == clone_of(rbm).log_Z_


@pytest.mark.release
@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (BernoulliRBM(4, learning_rate=0.5), None),
        (NADE(4, learning_rate=0.1), None),
        (RBMClassifier(4, learning_rate=0.5), LABELS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_early_stopping(clients, estimator, y, capsys):
    asked = {"early_stopping": True, "n_iter_no_change": 3, "tol": 1e-2}
    asked |= {"n_iter": 60, "batch_size": 60, "random_state": 0, "verbose": True}
    asked |= {"schedule": "constant"}
    found = []
    for client in clients:
        own = clone(estimator).set_params(**asked)
        found.append(distribute.fit(own, X, y, n_shards=3, client=client))
    assert_same(*found)
    one, _ = found
    assert one.n_iter_ == len(one.loss_curve_) == len(one.validation_curve_) < 60
    lowest = int(np.argmin(one.validation_curve_))
    assert lowest < one.n_iter_
    assert "held out" in capsys.readouterr().out
    # Those of the best epoch are kept: a fit of so many ends with the same.
    again = clone(estimator).set_params(**asked | {"verbose": False})
    again.set_params(n_iter=lowest + 1, n_iter_no_change=100)
    distribute.fit(again, X, y, n_shards=3, client=clients[0])
    for name, value in learned(again).items():
        if name.startswith(("components_", "intercept", "coefs_", "V_", "W_")):
            np.testing.assert_array_equal(learned(one)[name], value)


def test_one_shard_stops_as_a_fit_does(client):
    rbm = BernoulliRBM(4, learning_rate=0.5, early_stopping=True, n_iter_no_change=3)
    rbm.set_params(n_iter=40, tol=1e-2, batch_size=20, random_state=0)
    whole = clone(rbm).fit(X)
    found = distribute.fit(rbm, X, n_shards=1, client=client)
    assert found.n_iter_ == whole.n_iter_ < 40
    np.testing.assert_allclose(found.components_, whole.components_, atol=1e-4)
    given = found.validation_curve_, whole.validation_curve_
    np.testing.assert_allclose(*given, rtol=1e-3)


@pytest.mark.release
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "model",
    [BernoulliRBM(4), RBMClassifier(4), NADE(4)],
    ids=lambda model: type(model).__name__,
)
def test_one_shard_stops_as_a_fit_does_where_rows_repeat(model, seed, client):
    """Held-out rows are distinct ones, so that their number is not the nominal one."""
    rows = X[:, [0, 1, 3]]
    for batch_size in (3, 7, 20):
        given = {"n_iter": 4, "batch_size": batch_size, "random_state": seed}
        given |= {"early_stopping": True, "validation_fraction": 0.3}
        whole = clone(model).set_params(**given).fit(rows, LABELS)
        found = distribute.fit(
            clone(model).set_params(**given), rows, LABELS, n_shards=1, client=client
        )
        assert found.n_iter_ == whole.n_iter_
        curves = found.validation_curve_, whole.validation_curve_
        np.testing.assert_allclose(*curves, rtol=1e-3)


def test_shards_shorten_steps_as_a_fit_does():
    """A value far out is in a batch of all shards' rows, not of those of its own."""
    rows = np.random.default_rng(0).normal(size=(200, 3))
    rows[7, 1] = 1e3
    rbm, whole = GaussianRBM(2, batch_size=20, n_iter=1, random_state=0), (rows,)
    header = Header(rbm)
    begun = _shard.begin(header, whole, None, None, None, True)
    reach = begun.estimator._columns.reach
    try:
        for n_batches, size in (10, 20), (40, 5):
            _shard.keep("fit", 0, begun, whole, None, None)
            _shard.divide("fit", 0, n_batches)
            objective = _shard.find("fit", 0).objective
            assert objective.options.batch_size == size
            energy, rate = objective.energy, 1.0
            own = step_factors(energy, rate, objective.max_magnitudes, size)
            (factor,) = step_factors(energy, rate, {0: reach}, 20).values()
            np.testing.assert_allclose(own[0], factor)
            assert factor[1] < factor[0] == 1
        np.testing.assert_array_equal(begun.estimator._columns.reach, reach)
    finally:
        _shard.drop("fit")


@pytest.mark.exhaustive
def test_many_rounds_of_few_rows_are_told(client, monkeypatch):
    monkeypatch.setattr(_run, "_ROUNDS", 30)
    rbm = BernoulliRBM(4, n_iter=2, random_state=0)
    for model, name in (rbm, "BernoulliRBM"), (DBN(layers=[("a", rbm)]), "DBN layer 0"):
        told = f"40 rounds of 10 rows for {name}.*batch_size .now 10.*local_steps"
        with pytest.warns(CostWarning, match=told):
            distribute.fit(clone(model), X, n_shards=2, client=client)
    few = {"n_shards": 2, "client": client}
    with warnings.catch_warnings():
        warnings.simplefilter("error", CostWarning)
        distribute.fit(clone(rbm), X, local_steps=10, **few)
        distribute.fit(clone(rbm).set_params(batch_size=100), X, **few)


def test_divergence_is_told(client):
    rbm = BernoulliRBM(4, n_iter=5, learning_rate=1e6, random_state=0)
    with pytest.raises(DivergenceError, match="diverged after 0 of 5"):
        distribute.fit(rbm, X, n_shards=2, client=client)
    assert np.isfinite(rbm.components_).all()


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (FVBN(column_types="gaussian"), "does not fit FVBN with these options"),
        (SigmoidBeliefNetwork(2, objective="gibbs"), "something for each row"),
        (GenerativeImputer(), "nets of skdgm, not GenerativeImputer"),
        (object(), "not object"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_models_that_cannot(client, estimator, message):
    with pytest.raises(TypeError, match=message):
        distribute.fit(estimator, X, client=client)
    assert not hasattr(estimator, "n_iter_")


LENGTHS = np.array([30, 10, 50, 20, 30, 20, 30, 10])
FEW = {"n_iter": 2, "batch_size": 4, "random_state": 0}
SERIES = [
    grouped(RNNNADE, 3, n_recurrent=4, sequences=Sequences(batch_length=8), **FEW),
    grouped(RNNRBM, 3, n_recurrent=4, **FEW),
    grouped(RTRBM, 3, **FEW),
    grouped(VRNN, 2, n_hidden=4, n_recurrent=4, early_stopping=True, **FEW),
    ConditionalRBM(3, n_lags=2, n_iter=2, random_state=0),
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("model", SERIES, ids=lambda own: type(own).__name__)
def test_sequences_stay_whole(clients, model):
    """One shard learns as a fit does; where rows are does not matter."""
    weight = np.arange(8) % 3
    own = clone(model).fit(X, lengths=LENGTHS, sample_weight=weight)
    how = {"client": clients[1], "sample_weight": weight}
    one = distribute.fit(clone(model), X, lengths=LENGTHS, n_shards=1, **how)
    if model.get_params().get("early_stopping") is not True:
        a, b = (found.score_samples(X, lengths=LENGTHS) for found in (one, own))
        np.testing.assert_allclose(a, b, rtol=1e-6)
    groups = np.repeat(np.arange(8), LENGTHS)
    array, frame = da.from_array(X, chunks=(10, 6)), pd.DataFrame(X)
    found = [
        distribute.fit(clone(model), given, n_shards=3, **how, **told)
        for given, told in (
            (np.split(X, np.cumsum(LENGTHS)[:-1]), {}),
            (X, {"groups": groups}),
            (array, {"lengths": LENGTHS}),
            (dd.from_pandas(frame, npartitions=20), {"groups": groups}),
        )
    ]
    how["client"] = clients[0]
    found.append(distribute.fit(clone(model), X, lengths=LENGTHS, n_shards=3, **how))
    for other in found[1:]:
        a, b = (own.score_samples(X, lengths=LENGTHS) for own in (found[0], other))
        np.testing.assert_array_equal(a, b)


def test_dates_and_columns_of_sequences_in_shards(client):
    days = pd.date_range("2024-01-01", periods=10)
    parts = [
        pd.DataFrame({"day": days, "sex": "fm"[k % 2], "x": RNG.normal(size=10)})
        for k in range(6)
    ]
    model = grouped(RNNNADE, 2, n_recurrent=3, column_types="mixed", **FEW)
    model = distribute.fit(model, parts, n_shards=3, client=client)
    assert model._kept.tolist() == [False, True, False]
    (drawn,) = model.sample_sequences(2, prefix=parts[1][:8], random_state=0)
    assert drawn["day"].tolist() == days[8:].tolist()
    assert drawn["sex"].tolist() == ["m", "m"]


def test_sequences_that_cannot(client):
    model, few = SERIES[0], {"client": client, "lengths": LENGTHS}
    with pytest.raises(ValueError, match="there are 2 sequences that end where"):
        distribute.fit(model, da.from_array(X, chunks=(110, 6)), n_shards=4, **few)
    with pytest.raises(ValueError, match="lengths add up to 200, but X has 100"):
        distribute.fit(model, X[:100], **few)
    with pytest.raises(ValueError, match="which BernoulliRBM has not"):
        distribute.fit(BernoulliRBM(2), X, **few)


@pytest.mark.exhaustive
def test_bad_input(client, monkeypatch):
    rbm = BernoulliRBM(2, n_iter=1)
    array = da.from_array(X, chunks=(50, 6))

    def refused(error, message, rows=X, model=rbm, y=None, **options):
        with pytest.raises(error, match=message):
            distribute.fit(model, rows, y, client=client, **options)

    refused(ValueError, "compute_chunk_sizes", array[array[:, 0] > 0])
    refused(ValueError, "1 dimensions", array[:, 0])
    refused(ValueError, "at least one row", X[:0])
    refused(ValueError, "4 partitions with rows", array, n_shards=5)
    refused(ValueError, "n_shards must be", n_shards=0)
    refused(ValueError, "local_steps must be", local_steps=1.5)
    refused(ValueError, "local_steps must be", local_steps=None)
    refused(ValueError, "sample_weight has 3 rows", sample_weight=[1, 2, 3])
    refused(ValueError, "pretrain='layerwise'", model=DBM((3, 2), pretrain="layerwise"))
    layers = DBMClassifier(DBM((3, 2), pretrain="layerwise"))
    refused(ValueError, "pretrain='layerwise'", model=layers, y=LABELS)
    refused(ValueError, "refine='up-down'", model=DBN((3, 2), refine="up-down"))
    refused(ValueError, "each of 2 layers", model=DBN((3, 2), n_iter=(1, 2, 3)))
    bits = {"column_types": "bernoulli"}
    refused(ValueError, "Negative values", X - 1.0, model=grouped(DBN, (3, 2), **bits))
    refused(ValueError, "Callbacks", model=clone(rbm).set_callbacks(Checkpoint("x")))
    refused(ValueError, "Callbacks", model=DBN(2).set_callbacks(Checkpoint("x")))
    refused(ValueError, "Negative values", X - 1.0)
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcdef")), npartitions=3)

    def narrow(part):
        return part if part.index[0] == 0 else part[["a", "b"]]

    wrong = frame.map_partitions(narrow, meta=frame._meta)
    refused(ValueError, "columns|features|feature names", wrong)
    versions = iter(["99", "1", "1", "1"])
    with monkeypatch.context() as patched:
        patched.setattr(_fit, "version", lambda _: next(versions))
        refused(RuntimeError, "other versions")
    with monkeypatch.context() as patched:
        patched.setitem(__import__("sys").modules, "distributed", None)
        with pytest.raises(ImportError, match="pip install dask distributed"):
            distribute.fit(rbm, X)
    assert not hasattr(rbm, "n_iter_")
    # All rows were freed.
    assert not _shard._SHARDS


@pytest.mark.exhaustive
def test_answers_by_partitions(client):
    array = da.from_array(X, chunks=(50, 6))
    rbm = distribute.fit(BernoulliRBM(4, n_iter=2), array, client=client)
    fvbn = FVBN(n_iter=2).fit(X)
    features = array.map_blocks(rbm.transform, dtype=np.float32, chunks=(50, 4))
    np.testing.assert_allclose(features.compute(), rbm.transform(X), rtol=1e-6)
    rbm.score(X)
    scores = array.map_blocks(rbm.score_samples, dtype=float, drop_axis=1)
    np.testing.assert_allclose(scores.compute(), rbm.score_samples(X))
    holed = array.astype(float).map_blocks(lambda part: np.where(part > 0, 1, np.nan))
    filled = holed.map_blocks(fvbn.impute, dtype=np.float32)
    assert filled.compute().shape == X.shape
    draws = client.gather(client.map(lambda seed: rbm.sample(5, seed), range(3)))
    expected = [rbm.sample(5, seed) for seed in range(3)]
    np.testing.assert_array_equal(draws, expected)


@pytest.mark.exhaustive
def test_searches_through_joblib(client):
    search = GridSearchCV(
        BernoulliRBM(2, n_iter=1, random_state=0), {"n_components": [1, 2]}, cv=2
    )
    expected = clone(search).fit(X).cv_results_["mean_test_score"]
    with joblib.parallel_config("dask", client=client):
        found = search.fit(X).cv_results_["mean_test_score"]
        rbm = BernoulliRBM(4, n_iter=2, random_state=0).fit(X)
        bracket = skdgm.metrics.partition_bracket(rbm, n_jobs=2, random_state=0)
    np.testing.assert_allclose(found, expected)
    alone = skdgm.metrics.partition_bracket(rbm, n_jobs=1, random_state=0)
    assert str(bracket) == str(alone)
    with joblib.parallel_config("dask", client=client):
        bracket = skdgm.metrics.likelihood_bracket(rbm, X, n_jobs=2, random_state=0)
    alone = skdgm.metrics.likelihood_bracket(rbm, X, n_jobs=1, random_state=0)
    assert str(bracket) == str(alone)
