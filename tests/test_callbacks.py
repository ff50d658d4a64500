"""A fit that is killed goes on where its file ends, as if nothing had happened."""

import os
import pickle
from errno import EACCES, ENOSPC
from itertools import count

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skdgm
from skdgm import (
    DBM,
    DBN,
    NADE,
    VAE,
    BernoulliRBM,
    ConvDBM,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    Diffusion,
    GenerativeDBNClassifier,
    RBMClassifier,
)
from skdgm.callbacks import Checkpoint
from skdgm.exceptions import (
    CheckpointWarning,
    CorruptFileError,
    DivergenceError,
    InterruptedFitWarning,
    OlderFileError,
    UnsavableError,
)
from skdgm.options import Columns, Convolutions, Filters, Pretraining, Tempering, UpDown
from skdgm.persistence.target import replaced
from skdgm.preprocessing import BernoulliBinarizer
from skdgm.stacks import StackedNetwork, TunedNetwork
from tests.callbacks import Callback
from tests.common.instances import INSTANCES, cases
from tests.common.shapes import brief
from tests.common.test_contract import Data
from tests.kills import survive
from tests.options import assign, grouped
from tests.persistence.same import assert_identical

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (200, 6)).astype(np.float64)
LABELS = BITS[:, 0].astype(int)
FEW, OF_FEW = BITS[:60], LABELS[:60]
STACKS = [one for one in INSTANCES if isinstance(one, StackedNetwork | TunedNetwork)]
SINGLE = [one for one in INSTANCES if one not in STACKS]


class Break(Exception):
    """What ends a fit in the middle."""


class At(Callback):
    """Raise, or call a function, when the epoch of a number begins."""

    def __init__(self, number, call=None):
        self.number, self.call = number, call

    def setup(self, estimator, context):
        self.epoch = 0

    def on_fit_task_begin(self, estimator, context):
        if context.task_name != "epoch":
            return
        if self.call is not None:
            self.call(self.epoch)
        if self.epoch == self.number:
            raise Break
        self.epoch += 1


def broken(estimator, number, checkpoint, X, **data):
    """Fit that breaks off when an epoch begins."""
    with pytest.raises(Break):
        clone(estimator).set_callbacks(At(number), checkpoint).fit(X, **data)


def resumed(estimator, path, X, **data):
    """Fit with a file, without the callback afterwards."""
    found = clone(estimator).set_callbacks(Checkpoint(path, n_epochs=1)).fit(X, **data)
    return found.set_callbacks()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skdgm"


@pytest.mark.parametrize("instance", cases(SINGLE))
def test_going_on_is_the_same_as_never_having_stopped(instance, path):
    instance, data = brief(clone(instance), most=3), Data(instance)
    given = {"X": data.X[:40], **data.y(slice(40))}
    whole = clone(instance).fit(**given)
    broken(instance, 2, Checkpoint(path, n_epochs=1), **given)
    assert_identical(whole, resumed(instance, path, **given))
    # The file ends as the fitted model, and a fit of it has nothing left to do.
    kept = skdgm.load(path)
    del kept._record
    assert_identical(whole, kept)
    assert_identical(whole, resumed(instance, path, **given))


class Each(Checkpoint):
    """That is written after each epoch."""

    def __init__(self, path, *, n_epochs=1, seconds=None):
        super().__init__(path, n_epochs=n_epochs, seconds=seconds)


class Written(Checkpoint):
    """One that notes after how many epochs it writes."""

    def write(self, estimator):
        self.epochs = [*getattr(self, "epochs", []), estimator.n_iter_]
        super().write(estimator)


class Crash(Each):
    """One that breaks off a fit once it has written so many times."""

    def __init__(self, path, n_left, **options):
        super().__init__(path, **options)
        self.n_left = n_left

    def write(self, estimator):
        super().write(estimator)
        self.n_left -= 1
        if not self.n_left:
            raise Break


def assert_goes_on(estimator, path, start=clone, step=1, **data):
    """Break off a fit at each of its writes, or every so many, and let another go on.

    Returns
    -------
    n_writes : int
    """
    whole = start(estimator).fit(**data)
    for n_writes in count(step, step):
        path.unlink(missing_ok=True)
        crash = Crash(path, n_writes)
        try:
            start(estimator).set_callbacks(crash).fit(**data)
        except Break:
            pass
        else:
            return n_writes - step
        # What there is, of as many layers, is a model.
        kept = skdgm.load(path)
        assert np.isfinite(kept.score_samples(data["X"][:10])).all()
        again = start(estimator).set_callbacks(Checkpoint(path, n_epochs=1)).fit(**data)
        assert_identical(whole, again.set_callbacks())
        kept = skdgm.load(path)
        del kept._record
        assert_identical(whole, kept)


@pytest.mark.release
@pytest.mark.parametrize("instance", cases(STACKS))
def test_stacks_go_on_with_the_layer_under_way(instance, path):
    instance, data = brief(clone(instance), most=2), Data(instance)
    given = {"X": data.X[:40], **data.y(slice(40))}
    assert assert_goes_on(instance, path, step=3, **given) >= 3


@pytest.mark.exhaustive
def test_layers_of_a_stack_that_are_complete_are_not_trained_again(path):
    machines = [("a", BernoulliRBM(4, n_iter=2)), ("b", BernoulliRBM(3, n_iter=3))]
    dbn = DBN(layers=machines, random_state=0)
    # Each epoch, the end of each layer, and of all.
    assert assert_goes_on(dbn, path, X=BITS) == 3 + 4 + 1
    path.unlink()
    with pytest.raises(Break):
        clone(dbn).set_callbacks(Crash(path, 4)).fit(BITS)
    kept, written = skdgm.load(path), Written(path, n_epochs=1)
    assert [layer.n_iter_ for layer in kept.layers_] == [2, 1]
    clone(dbn).set_callbacks(written).fit(BITS)
    assert written.epochs == [4, 5, 5, 5]
    # A machine of other options, and another one.
    for machine in (BernoulliRBM(3, n_iter=4), NADE(3)):
        other = DBN(layers=[machines[0], ("b", machine)], random_state=0)
        with pytest.raises(ValueError, match="b__n_iter=3, not 4|must be"):
            resumed(other, path, BITS)
    for options, message in (
        ({"random_state": 1}, "random_state=0, not 1"),
        ({"refine": "up-down"}, "refine=None"),
    ):
        with pytest.raises(ValueError, match=message):
            resumed(clone(dbn).set_params(**options), path, BITS)


@pytest.mark.parametrize(
    "model",
    [
        Diffusion(4, architecture=Convolutions(layer_sizes=2, image_shape=(2, 3))),
        Diffusion(4, class_conditional=True, early_stopping=True),
        VAE(2, 4, attribute_conditional=True),
    ],
    ids=["images", "classes", "attributes"],
)
def test_what_nets_are_told_goes_on_with_them(model, path):
    model.set_params(n_iter=3, random_state=0)
    assert assert_goes_on(model, path, X=FEW, y=OF_FEW) == 4


REFINE = {"n_iter": 2, "refine": "up-down", "refine_iter": 3, "random_state": 0}


class Refined(Each):
    """One that notes the epochs of each layer, and of refinement."""

    def write(self, estimator):
        epochs = [layer.n_iter_ for layer in estimator.layers_]
        self.seen = [*getattr(self, "seen", []), (epochs, len(estimator._losses))]
        super().write(estimator)


@pytest.mark.release
@pytest.mark.parametrize(
    ("dbn", "y"),
    [
        (grouped(DBN, (4, 3), **REFINE), None),
        (grouped(DBN, (4, 3, 2), column_types="gaussian", **REFINE), None),
        (grouped(DBN, (4, 3), gradient=Tempering(n_temperatures=3), **REFINE), None),
        (
            grouped(
                DBN,
                (4, 3),
                solver="adam",
                column_types=Columns(resample=False),
                **REFINE,
            ),
            None,
        ),
        (grouped(GenerativeDBNClassifier, (4, 3), **REFINE), OF_FEW),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refinement_goes_on(dbn, y, path):
    depth = len(dbn.hidden_layer_sizes)
    # Each epoch of each layer and its end, those of refinement, and the end.
    data = {"X": FEW} if y is None else {"X": FEW, "y": y}
    assert assert_goes_on(dbn, path, **data) == depth * 3 + 3 + 1


@pytest.mark.exhaustive
def test_refined_layers_are_not_trained_again(path):
    dbn, first = grouped(DBN, (4, 3), **REFINE), Refined(path)
    clone(dbn).set_callbacks(first).fit(BITS)
    assert first.seen[6:] == [([2, 2], n) for n in (1, 2, 3, 3)]
    for n_writes in (7, 8, 9):
        path.unlink()
        with pytest.raises(Break):
            clone(dbn).set_callbacks(Crash(path, n_writes)).fit(BITS)
        kept, again = skdgm.load(path), Refined(path)
        assert len(kept._untied) == 1
        assert len(kept.loss_curves_[-1]) == n_writes - 6
        clone(dbn).set_callbacks(again).fit(BITS)
        assert again.seen == first.seen[n_writes:]
    with pytest.raises(ValueError, match="refine__n_iter=3, not 4"):
        resumed(assign(clone(dbn), refine_iter=4), path, BITS)


@pytest.mark.exhaustive
def test_refinement_that_is_continued_goes_on(path):
    dbn = grouped(DBN, (4, 3), warm_start=True, **REFINE).fit(BITS)
    state = pickle.dumps(dbn)
    start = lambda _: pickle.loads(state)  # noqa: E731
    # All layers learn together now: epochs, and the end.
    assert assert_goes_on(dbn, path, start, X=BITS) == 3 + 1
    assert skdgm.load(path).n_iter_ == 4 + 6


def test_a_refinement_that_was_diverging_is_still_measured_by_its_beginning(path):
    dbn = grouped(DBN, (4, 3), **REFINE)
    with pytest.raises(Break):
        clone(dbn).set_callbacks(Crash(path, 7)).fit(BITS)
    kept = skdgm.load(path)
    limit = kept._record["progress"]["watch"]["limit"]
    with pytest.raises(Break):
        clone(dbn).set_callbacks(Crash(path, 1)).fit(BITS)
    assert skdgm.load(path)._record["progress"]["watch"]["limit"] == limit


@pytest.mark.exhaustive
def test_a_stack_that_is_fitted_further_goes_on(path):
    dbn = DBN((4, 3), n_iter=2, warm_start=True, random_state=0).fit(BITS)
    state = pickle.dumps(dbn)
    start = lambda _: pickle.loads(state)  # noqa: E731
    assert assert_goes_on(dbn, path, start, X=BITS) == 7
    assert skdgm.load(path).n_iter_ == 8


def test_a_seed_of_a_stack_that_nobody_gave_is_kept(path):
    dbn = DBN((4, 3), n_iter=2)
    with pytest.raises(Break):
        clone(dbn).set_callbacks(Crash(path, 4)).fit(BITS)
    kept = skdgm.load(path)
    found = resumed(dbn, path, BITS)
    assert found._seed == kept._seed
    assert found.layers_[1]._seed == kept.layers_[1]._seed
    np.testing.assert_array_equal(found.coefs_[0], kept.coefs_[0])


@pytest.mark.exhaustive(default=["BernoulliRBM"])
@pytest.mark.parametrize(
    "estimator",
    [
        BernoulliRBM(4, n_iter=30, learning_rate=0.5, batch_size=5),
        VAE(2, n_iter=30, hidden_layer_sizes=(8,), batch_size=20),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_early_stopping_is_remembered(estimator, path):
    estimator.set_params(
        early_stopping=True, n_iter_no_change=3, tol=1e-4, random_state=1
    )
    whole = clone(estimator).fit(BITS)
    assert 4 < whole.n_iter_ < 30
    # In the middle, when it is about to stop, and after it stopped.
    for number in (2, whole.n_iter_ - 3):
        broken(estimator, number, Checkpoint(path, n_epochs=1), BITS)
        kept = skdgm.load(path)
        assert len(kept.loss_curve_) == len(kept.validation_curve_) == kept.n_iter_
    assert kept.n_iter_ == whole.n_iter_ - 1
    assert_identical(whole, resumed(estimator, path, BITS))
    assert_identical(whole, resumed(estimator, path, BITS))


def test_a_seed_that_nobody_gave_is_kept(path):
    rbm = BernoulliRBM(4, n_iter=5)
    broken(rbm, 3, Checkpoint(path, n_epochs=1), BITS)
    first = skdgm.load(path)
    found = resumed(rbm, path, BITS)
    assert found._seed == first._seed
    # What was learned with it goes on.
    assert found.loss_curve_[:3] == first.loss_curve_
    assert found.n_iter_ == 5


def test_a_warm_start_that_is_killed_goes_on(path):
    rbm = BernoulliRBM(4, n_iter=4, warm_start=True, random_state=0).fit(BITS)
    start = rbm.__getstate__()

    def again():
        found = BernoulliRBM(4)
        found.__setstate__(start)
        return found

    whole = again().fit(BITS)
    with pytest.raises(Break):
        again().set_callbacks(At(1), Checkpoint(path, n_epochs=1)).fit(BITS)
    assert skdgm.load(path).n_iter_ == 5
    found = (
        again().set_callbacks(Checkpoint(path, n_epochs=1)).fit(BITS).set_callbacks()
    )
    assert_identical(whole, found)
    with pytest.raises(ValueError, match="other epochs before it"):
        clone(rbm).set_callbacks(Checkpoint(path, n_epochs=1)).fit(BITS)


def test_training_that_diverged_is_not_kept(path):
    rbm = BernoulliRBM(8, n_iter=10, learning_rate=1e4, random_state=0)
    for _ in range(2):
        with pytest.raises(DivergenceError):
            resumed(rbm, path, BITS)
    assert np.isfinite(skdgm.load(path).components_).all()


def test_pre_training_is_not_repeated(path, monkeypatch):
    dbm = DBM((4, 3), n_iter=3, pretrain=Pretraining(n_iter=2), random_state=0)
    whole = clone(dbm).fit(BITS)
    broken(dbm, 1, Checkpoint(path, n_epochs=1), BITS)
    monkeypatch.setattr("skdgm.boltzmann.learning.pretraining.PairStage.run", None)
    assert_identical(whole, resumed(dbm, path, BITS))


PAIRS = {"pretrain": "layerwise", "pretrain_iter": (2, 3), "random_state": 0}


@pytest.mark.release
@pytest.mark.parametrize(
    ("machine", "n_epochs"),
    [
        (grouped(DBM, (4, 3), n_iter=2, **PAIRS), [2, 3]),
        (grouped(DBM, (4, 3), n_iter=2, column_types="gaussian", **PAIRS), [2, 3]),
        (
            grouped(DBM, (4, 3, 2), n_iter=2, **PAIRS | {"pretrain_iter": (2, 0, 2)}),
            [2, 0, 2],
        ),
        (grouped(DBM, (4, 3), n_iter=2, early_stopping=True, **PAIRS), [2, 3]),
        (DBMClassifier(grouped(DBM, (4, 3), n_iter=2, **PAIRS), n_iter=2), [2, 3]),
        (
            grouped(
                ConvDBM,
                (2, 3),
                filters=Filters(shape=2),
                image_shape=(2, 3),
                n_iter=2,
                **PAIRS,
            ),
            [2, 3],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_pre_training_of_a_machine_goes_on(machine, n_epochs, path):
    data, machine = {"X": FEW}, clone(machine).set_params(random_state=0)
    n_net = 0
    if isinstance(machine, DBMClassifier):
        data["y"], n_net = OF_FEW, machine.n_iter
    # Each epoch of each pair, those of all layers together, of a net, and the end.
    assert assert_goes_on(machine, path, **data) == sum(n_epochs) + 2 + n_net + 1
    path.unlink()
    with pytest.raises(Break):
        clone(machine).set_callbacks(Crash(path, 3)).fit(**data)
    kept = skdgm.load(path)
    assert kept.n_iter_ == 0
    assert [len(curve) for curve in kept.pretrain_loss_curves_ if curve] == [2, 1]


NET = {"n_iter": 3, "random_state": 0}


class Nets(Each):
    """One that notes how far a machine is, and its net."""

    def write(self, estimator):
        net = vars(estimator).get("net_loss_curve_", [])
        self.seen = [*getattr(self, "seen", []), (estimator.n_iter_, len(net))]
        super().write(estimator)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("options", "own"),
    [
        ({}, {}),
        ({"column_types": "gaussian"}, {"solver": "sgd", "dropout": (0.1, 0.2)}),
        ({"early_stopping": True}, {"early_stopping": True, "max_norm": 1.0}),
        ({"n_iter": 0}, {}),
    ],
    ids=str,
)
def test_fine_tuning_of_a_machine_goes_on(options, own, path):
    dbm = grouped(DBM, (4, 3), **{"n_iter": 2} | options)
    clf = grouped(DBMClassifier, dbm, **NET | own)
    # Each epoch of the machine, those of its net, and the end.
    assert assert_goes_on(clf, path, X=FEW, y=OF_FEW) == dbm.n_iter + 3 + 1


def test_a_state_with_other_names_is_refused_by_name(path):
    """As earlier versions have stored it."""
    clf = grouped(DBMClassifier, DBM((4, 3), n_iter=1), **NET)
    with pytest.raises(Break):
        clone(clf).set_callbacks(Crash(path, 3)).fit(BITS, LABELS)
    kept = skdgm.load(path)
    kept._record["memory"]["optimiser"] = kept._record["memory"].pop("optimizer")
    skdgm.save(kept, path)
    with pytest.raises(OlderFileError, match="'optimizer'.*remove the file to start"):
        clone(clf).set_callbacks(Crash(path, 9)).fit(BITS, LABELS)


@pytest.mark.exhaustive
def test_a_net_of_a_machine_is_not_trained_again(path):
    clf, data = (
        grouped(DBMClassifier, DBM((4, 3), n_iter=2), **NET),
        {"X": BITS, "y": LABELS},
    )
    first = Nets(path)
    clone(clf).set_callbacks(first).fit(**data)
    assert first.seen == [(1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 3)]
    for n_writes in (3, 4, 5, 6):
        path.unlink()
        with pytest.raises(Break):
            clone(clf).set_callbacks(Crash(path, n_writes)).fit(**data)
        kept, again = skdgm.load(path), Nets(path)
        assert kept.predict(BITS).shape == LABELS.shape
        clone(clf).set_callbacks(again).fit(**data)
        # After the last write only the end of the fit is left to tell.
        assert again.seen == first.seen[min(n_writes, 5) :]
    with pytest.raises(ValueError, match="dropout="):
        resumed(clone(clf).set_params(dropout=0.1), path, **data)
    # What is kept more rarely ends complete, too.
    path.unlink()
    whole = clone(clf).set_callbacks(Checkpoint(path, n_epochs=4)).fit(**data)
    again = Nets(path)
    found = clone(clf).set_callbacks(again).fit(**data)
    assert again.seen == first.seen[-1:]
    assert_identical(whole.set_callbacks(), found.set_callbacks())


@pytest.mark.exhaustive
def test_a_net_of_a_machine_remembers_early_stopping_and_its_seed(path):
    tuned = {"early_stopping": True, "n_iter_no_change": 2, "tol": 0.01}
    clf = DBMClassifier(DBM((4, 3), n_iter=1), learning_rate=0.05, random_state=0)
    clf.set_params(n_iter=40, **tuned)
    whole = clone(clf).fit(BITS, LABELS)
    n_net = len(whole.net_loss_curve_)
    assert 3 < n_net < 40
    for n_writes in (3, n_net, n_net + 1, n_net + 2):
        path.unlink(missing_ok=True)
        with pytest.raises(Break):
            clone(clf).set_callbacks(Crash(path, n_writes)).fit(BITS, LABELS)
        assert_identical(whole, resumed(clf, path, BITS, y=LABELS))
    clf.set_params(random_state=None)
    path.unlink()
    with pytest.raises(Break):
        clone(clf).set_callbacks(Crash(path, 3)).fit(BITS, LABELS)
    kept, found = skdgm.load(path), resumed(clf, path, BITS, y=LABELS)
    assert found._seed == kept._seed
    assert found.net_loss_curve_[:2] == kept.net_loss_curve_


@pytest.mark.exhaustive
@pytest.mark.parametrize("stage", ["machine", "net"])
def test_a_machine_that_ctrl_c_ends_goes_on(stage, path):
    """Ctrl-C ends no stage: another fit completes it."""

    class Interrupt(Each):
        def write(self, estimator):
            super().write(estimator)
            reached = "net_coefs_" in vars(estimator) or stage == "machine"
            if reached and not getattr(self, "done", False):
                self.done = True
                raise KeyboardInterrupt

    clf = grouped(DBMClassifier, DBM((4, 3), n_iter=2), **NET)
    whole = clone(clf).fit(BITS, LABELS)
    with pytest.warns(InterruptedFitWarning):
        clone(clf).set_callbacks(Interrupt(path)).fit(BITS, LABELS)
    assert_identical(whole, resumed(clf, path, BITS, y=LABELS))


def test_a_seed_of_a_pre_trained_machine_that_nobody_gave_is_kept(path):
    dbm = DBM((4, 3), n_iter=2, pretrain=Pretraining(n_iter=2))
    with pytest.raises(Break):
        clone(dbm).set_callbacks(Crash(path, 3)).fit(BITS)
    kept = skdgm.load(path)
    found = resumed(dbm, path, BITS)
    assert found._seed == kept._seed
    assert found.pretrain_loss_curves_[0] == kept.pretrain_loss_curves_[0]
    assert found.pretrain_loss_curves_[1][:1] == kept.pretrain_loss_curves_[1]


class Layers(Each):
    """One that notes how far each layer, and then the whole net, is."""

    def write(self, estimator):
        epochs = [layer.n_iter_ for layer in estimator.dbn_.layers_]
        self.seen = [*getattr(self, "seen", []), (epochs, estimator.n_iter_)]
        super().write(estimator)


@pytest.mark.release
def test_nets_are_tuned_from_where_they_were(path):
    options = {"pretrain_iter": (2, 1), "n_iter": 2, "random_state": 0}
    net, data = grouped(DBNClassifier, (4, 3), **options), {"X": BITS, "y": LABELS}
    first = Layers(path)
    clone(net).set_callbacks(first).fit(**data)
    # A layer writes at its end, too, and so does a network.
    assert first.seen == [
        *[([1], 0), ([2], 0), ([2], 0), ([2, 1], 0), ([2, 1], 0), ([2, 1], 0)],
        *[([2, 1], 1), ([2, 1], 2), ([2, 1], 2)],
    ]
    assert assert_goes_on(net, path, **data) == len(first.seen)
    for n_writes, left in ((2, 7), (4, 5), (6, 3), (7, 2)):
        path.unlink()
        with pytest.raises(Break):
            clone(net).set_callbacks(Crash(path, n_writes)).fit(**data)
        kept, again = skdgm.load(path), Layers(path)
        assert kept.predict(BITS).shape == LABELS.shape
        clone(net).set_callbacks(again).fit(**data)
        assert again.seen[-left:] == first.seen[-left:]
        assert again.seen[0][0] != [1]
    y = LABELS.copy()
    y[:3] = 1 - y[:3]
    less = grouped(DBNClassifier, (4, 3), unlabeled=-1, **options)
    for number in (1, 7):
        path.unlink()
        with pytest.raises(Break):
            clone(net).set_callbacks(Crash(path, number)).fit(**data)
        for other, given, message in (
            (net, {"X": BITS, "y": y}, "other rows"),
            (clone(net).set_params(dropout=0.1), data, "dropout="),
            (assign(clone(net), pretrain_iter=4), data, "pretrain__n_iter="),
            (less, data, "unlabeled=None, not -1"),
            (DBN((4, 3)), {"X": BITS}, "no unfinished fit of DBN"),
        ):
            with pytest.raises(ValueError, match=message):
                resumed(other, path, **given)
    # Rows without a label are of the fit.
    path.unlink()
    y = np.where(np.arange(len(BITS)) % 2, LABELS, -1)
    assert assert_goes_on(less, path, X=BITS, y=y) == len(first.seen)
    other = BITS.copy()
    other[0] = 1 - other[0]
    with pytest.raises(ValueError, match="other"):
        resumed(less, path, other, y=y)


@pytest.mark.exhaustive
def test_a_tuned_net_remembers_early_stopping_and_its_seed(path):
    net = DBNRegressor(
        (4, 3),
        pretrain=Pretraining(n_iter=1),
        n_iter=30,
        learning_rate=0.05,
        early_stopping=True,
        n_iter_no_change=5,
        random_state=0,
    )
    whole = clone(net).fit(BITS, LABELS)
    assert 4 < whole.n_iter_ < 30
    for n_writes in (5, 5 + whole.n_iter_ - 1):
        path.unlink(missing_ok=True)
        with pytest.raises(Break):
            clone(net).set_callbacks(Crash(path, n_writes)).fit(BITS, LABELS)
        assert_identical(whole, resumed(net, path, BITS, y=LABELS))
    net.set_params(random_state=None)
    for n_writes in (1, 6):
        path.unlink()
        with pytest.raises(Break):
            clone(net).set_callbacks(Crash(path, n_writes)).fit(BITS, LABELS)
        kept, found = skdgm.load(path), resumed(net, path, BITS, y=LABELS)
        assert found._seed == kept._seed == found.dbn_.random_state
        layers = found.dbn_.layers_[0].loss_curve_, kept.dbn_.layers_[0].loss_curve_
        assert layers[0][:1] == layers[1][:1]


@pytest.mark.exhaustive
def test_a_tuned_net_that_is_fitted_further_goes_on(path):
    net = DBNClassifier(
        (4, 3), pretrain=Pretraining(n_iter=1), n_iter=2, random_state=0
    )
    state = pickle.dumps(net.set_params(warm_start=True).fit(BITS, LABELS))
    start = lambda _: pickle.loads(state)  # noqa: E731
    assert assert_goes_on(net, path, start, X=BITS, y=LABELS) == 3
    assert skdgm.load(path).n_iter_ == 4


def test_it_writes_as_often_as_it_is_told(path):
    def epochs(**options):
        path.unlink(missing_ok=True)
        callback = Written(path, **options)
        BernoulliRBM(2, n_iter=5).set_callbacks(callback).fit(BITS)
        return callback.epochs

    # The last time is the fitted model.
    assert epochs() == [5]
    assert epochs(n_epochs=1) == [1, 2, 3, 4, 5, 5]
    assert epochs(n_epochs=2) == [2, 4, 5]
    assert epochs(seconds=1000) == [5]
    assert epochs(seconds=0) == [1, 2, 3, 4, 5, 5]
    assert epochs(seconds=1000, n_epochs=3) == [3, 5]


def test_a_fit_of_something_else_is_refused(path):
    rbm = BernoulliRBM(4, n_iter=3, random_state=0)
    weight = np.ones(len(BITS))
    weight[0] = 2
    resumed(rbm, path, BITS)
    before = path.read_bytes()
    for X, weights, options, message in [
        (BITS[1:], None, {}, "other weights"),
        (1 - BITS, None, {}, "other rows"),
        (BITS, weight, {}, "other weights"),
        (BITS, None, {"n_iter": 4}, "n_iter=3, not 4"),
        (BITS, None, {"random_state": 1}, "random_state=0, not 1"),
        (BITS, None, {"learning_rate": 0.2}, "learning_rate=0.1, not 0.2"),
    ]:
        other = clone(rbm).set_params(**options)
        with pytest.raises(ValueError, match=message):
            resumed(other, path, X, sample_weight=weights)
    with pytest.raises(ValueError, match="no unfinished fit of NADE"):
        resumed(NADE(4, random_state=0), path, BITS)
    assert path.read_bytes() == before
    # The same rows in another order, and other messages, are the same fit.
    found = resumed(clone(rbm).set_params(verbose=True), path, BITS[::-1])
    assert found.n_iter_ == 3


def test_a_model_that_no_fit_left_is_refused(path):
    rbm = BernoulliRBM(4, n_iter=3, random_state=0).fit(BITS)
    skdgm.save(rbm, path)
    with pytest.raises(ValueError, match="no unfinished fit of BernoulliRBM"):
        resumed(rbm, path, BITS)
    path.write_bytes(b"nothing")
    with pytest.raises(CorruptFileError):
        resumed(rbm, path, BITS)


def test_estimators_that_cannot_be_kept(path):
    class Own(BernoulliRBM):
        """Of the user."""

    checkpoint = Checkpoint(path, n_epochs=1)
    with pytest.raises(UnsavableError, match="Own"):
        Own(2).set_callbacks(checkpoint).fit(BITS)
    with pytest.raises(ValueError, match="2 callbacks that keep"):
        BernoulliRBM(2).set_callbacks(checkpoint, checkpoint).fit(BITS)
    generator = np.random.RandomState(np.random.PCG64(0))
    with pytest.raises(UnsavableError, match="PCG64"):
        assert_refused_at_the_start(BernoulliRBM(2, random_state=generator), path)
    assert not path.exists()


def assert_refused_at_the_start(estimator, path):
    """Raise what a fit with a checkpoint does, before it has done anything."""
    before = dict(vars(estimator.set_callbacks(At(0), Checkpoint(path, n_epochs=1))))
    try:
        estimator.fit(BITS)
    finally:
        assert vars(estimator) == before


def test_what_cannot_be_written_is_refused_at_the_start(path, monkeypatch):
    rbm = BernoulliRBM(2)
    with pytest.raises(FileNotFoundError, match="no such folder.*nowhere"):
        assert_refused_at_the_start(rbm, path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError, match="a folder of that name"):
        assert_refused_at_the_start(rbm, path.parent)
    path.write_text("a file in place of a folder")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        assert_refused_at_the_start(rbm, path / "model")

    def denied(*_, **options):
        raise PermissionError(EACCES, "Permission denied", "some file")

    path.unlink()
    monkeypatch.setattr("skdgm.persistence.target.open", denied, raising=False)
    with pytest.raises(PermissionError, match=f"can be written in.*{path.parent}"):
        assert_refused_at_the_start(rbm, path)
    assert not list(path.parent.iterdir())


@pytest.mark.exhaustive(default=["BernoulliRBM"])
@pytest.mark.parametrize(
    "model",
    [
        BernoulliRBM(2, n_iter=5, random_state=0),
        DBN((4, 3), n_iter=3, refine=UpDown(n_iter=2), random_state=0),
        DBNClassifier((4, 3), pretrain=Pretraining(n_iter=2), n_iter=2, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_disk_that_is_full_for_a_while_costs_a_warning(model, path, monkeypatch):
    """The file is that of before, the fit goes on, and a later write keeps it."""
    X, y = FEW, {"y": OF_FEW}
    whole, before, real = clone(model).fit(X, **y), [], os.fsync

    def fsync(number):
        before.append(path.read_bytes() if path.exists() else None)
        if len(before) in (2, 3):
            raise OSError(ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.warns(CheckpointWarning, match=f"{path.name}.*No space.*continues"):
        assert_identical(whole, resumed(model, path, X, **y))
    assert len(before) > 3
    assert before[1] == before[2] == before[3] != path.read_bytes()
    assert os.listdir(path.parent) == [path.name]
    kept = skdgm.load(path)
    del kept._record
    assert_identical(whole, kept)


def test_a_disk_that_stays_full(path, monkeypatch):
    def fsync(_):
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    net = DBNClassifier(
        (4, 3), pretrain=Pretraining(n_iter=1), n_iter=2, random_state=0
    )
    whole = clone(net).fit(BITS, LABELS)
    with pytest.warns(CheckpointWarning):
        assert_identical(whole, resumed(net, path, BITS, y=LABELS))
    assert not list(path.parent.iterdir())


def test_only_unfinished_files_of_its_own_are_removed(tmp_path):
    """Those that a crash has left, of a name that is the beginning of others, or in
    which characters are patterns elsewhere."""
    names = "run", "run.2", "*", "run[12]", "run1", "r" * 240, "run.tmp"
    left = {}
    for name in names:
        with replaced(tmp_path / name) as file:
            left[name] = os.path.basename(file.name)
        (tmp_path / name).rename(tmp_path / left[name])
    for name in names:
        BernoulliRBM(2, n_iter=1).set_callbacks(Checkpoint(tmp_path / name)).fit(BITS)
        del left[name]
        assert {n for n in os.listdir(tmp_path) if n[:1] == "."} == {*left.values()}


def test_short_fits_are_written_at_the_end_and_long_ones_by_the_clock(
    path, monkeypatch
):
    clock, written = iter(range(10**6)), []
    rbm, write = BernoulliRBM(2, n_iter=12, random_state=0), Checkpoint.write
    monkeypatch.setattr(
        Checkpoint,
        "write",
        lambda self, new: (written.append(new.n_iter_), write(self, new)),
    )
    clone(rbm).set_callbacks(Checkpoint(path)).fit(BITS)
    assert written == [12]
    path.unlink()
    written.clear()
    # Of a second for each epoch.
    monkeypatch.setattr("skdgm.callbacks.time.monotonic", lambda: next(clock))
    clone(rbm).set_callbacks(Checkpoint(path)).fit(BITS)
    assert written[-1] == 12
    assert np.diff(written).max() <= 6
    assert len(written) in (3, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_epochs": 0}, "n_epochs must be a whole number"),
        ({"n_epochs": 1.5}, "n_epochs must be a whole number"),
        ({"n_epochs": True}, "n_epochs must be a whole number"),
        ({"seconds": -1}, "seconds must be a number"),
        ({"seconds": float("nan")}, "seconds must be a number"),
        ({"seconds": "1"}, "seconds must be a number"),
    ],
)
def test_numbers_that_are_none(path, options, message):
    with pytest.raises(ValueError, match=message):
        Checkpoint(path, **options)


def test_it_works_beside_others_and_inside_of_others(path):
    monitor = ScoringMonitor(scoring={"size": lambda e, X, y: len(X)})
    checkpoint = pickle.loads(pickle.dumps(Checkpoint(path, n_epochs=2)))
    rbm = RBMClassifier(3, n_iter=4, random_state=0).set_callbacks(monitor, checkpoint)
    make_pipeline(BernoulliBinarizer(), rbm).fit(BITS, LABELS)
    assert skdgm.load(path).n_iter_ == 4
    # Two fits of a search cannot have one file.
    search = GridSearchCV(
        rbm, {"penalty__alpha": [0.0, 0.1]}, cv=2, error_score="raise"
    )
    with pytest.raises(ValueError, match="give another path"):
        search.fit(BITS, LABELS)


def test_estimators_of_others_do_not_take_it(path):
    with pytest.raises((TypeError, AttributeError), match="set_callbacks|callback"):
        SGDClassifier().set_callbacks(Checkpoint(path, n_epochs=1))


# Fifty are python -m tests.kills 50.
@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fit_survives_kills(path):
    rbm = BernoulliRBM(16, n_iter=60, random_state=0)
    lost, found = survive(rbm, BITS, path, n_kills=3)
    assert lost == [0] * 3
    assert_identical(clone(rbm).fit(BITS), found)


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_stack_survives_kills(path):
    dbn = DBN((16, 12), n_iter=48, random_state=0)
    lost, found = survive(dbn, BITS, path, n_kills=3)
    assert lost == [0] * 3
    assert_identical(clone(dbn).fit(BITS), found)


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(
    ("model", "given"),
    [
        (DBM((8, 6), pretrain=Pretraining(n_iter=30), n_iter=30), {}),
        (
            DBNClassifier((8, 6), pretrain=Pretraining(n_iter=30), n_iter=30),
            {"y": LABELS},
        ),
        (DBN((8, 6), n_iter=12, refine=UpDown(n_iter=48)), {}),
        (DBMClassifier(DBM((8, 6), n_iter=12), n_iter=48), {"y": LABELS}),
    ],
    ids=["DBM", "DBNClassifier", "DBN", "DBMClassifier"],
)
def test_fits_of_several_stages_survive_kills(model, given, path):
    model.set_params(random_state=0)
    lost, found = survive(model, BITS, path, n_kills=3, **given)
    assert lost == [0] * 3
    assert_identical(clone(model).fit(BITS, **given), found)


def test_it_is_due_at_the_time_itself(path, monkeypatch):
    now = [10.0]
    monkeypatch.setattr("skdgm.callbacks.time.monotonic", lambda: now[0])
    checkpoint = Checkpoint(path, seconds=2)
    for seconds, due in (1.5, False), (2.0, True), (3.0, True):
        now[0] = 10 + seconds
        assert checkpoint.due() is due
    checkpoint = Checkpoint(path, n_epochs=2)
    now[0] = 1000.0
    assert [checkpoint.due() for _ in range(3)] == [False, True, True]
    # After a write, both begin again.
    checkpoint = Checkpoint(path, n_epochs=2, seconds=50)
    assert not checkpoint.due()
    checkpoint.write(BernoulliRBM(1, n_iter=0).fit(BITS))
    assert [checkpoint.due() for _ in range(2)] == [False, True]
