"""The game of a classifier: its gradients, its rows with labels, what options do."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from skdgm import GANClassifier
from skdgm.adversarial._games.label_game import Sides
from skdgm.adversarial._games.label_losses import as_real, of_labels, sides
from skdgm.exceptions import DivergenceError
from skdgm.optim import Clock
from skdgm.options import Discriminator
from skdgm.training import canonical
from skdgm.utils.given import Given
from skdgm.utils.math import softplus
from skdgm.utils.rows import Rows
from skdgm.utils.tree import copy, leaves
from tests.numerical import assert_descends
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
LABELS = RNG.integers(0, 3, 24)
FEW = np.where(np.arange(24) < 6, LABELS, -1)
# One plain step of size one: parameters move by the gradient.
PLAIN = {"solver": "sgd", "schedule": "constant", "learning_rate": 1.0, "alpha": 0.0}
PLAIN |= {"average": 0.0, "hidden_layer_sizes": (5,), "n_components": 2}
PLAIN |= {"discriminator_layer_sizes": (6,), "momentum": 0.0, "batch_norm": False}
PLAIN |= {"activation": "tanh", "discriminator_activation": "tanh"}
CLOCK = Clock(0, None, 0, 2)


def game(labels, kind="gaussian", **options):
    options = {"column_types": kind, "batch_size": 24} | PLAIN | options
    clf = grouped(GANClassifier, **options, unlabeled=-1, n_iter=0, random_state=0)
    seen = X if kind == "gaussian" else np.float64(X > 0)
    clf.partial_fit(seen, labels, classes=[0, 1, 2])
    rows = Rows(X, np.float64, complete=True, given=Given(labels))
    return clf._objective(canonical(rows), 0)


def log_sum(out):
    return np.log(np.exp(out).sum(axis=1))


def objective_of(players, update, sides, of_generator):
    """The loss that a step of one player lowers, as a function of its parameters, with
    the random numbers of that step."""
    options, net = players.options, players.discriminator

    def value(state, params):
        generator, judge = state.generator, state.discriminator
        own = (params if of_generator else generator.params, generator.statistics)
        other = (judge.params if of_generator else params, judge.statistics)
        _, fake, _ = players.pair(*own, update)
        if of_generator:
            out, h, _ = net.judge(*other, fake, update.dropout)
            if options.feature_matching:
                real, _ = net.hidden(*other, X, update.dropout)
                return ((h.mean(axis=0) - real.mean(axis=0)) ** 2).sum()
            return softplus(-log_sum(out)).mean()
        apart = sides.known is not sides.rows
        seen = [X, X[sides.known], fake] if apart else [X, fake]
        out, _, _ = net.judge(*other, np.concatenate(seen), update.dropout)
        real, made = out[:24], out[-24:]
        own = out[24:-24] if apart else real
        total = softplus(-log_sum(real)).mean() + softplus(log_sum(made)).mean()
        codes = players.rows.accompanying(sides.known)
        missed = log_sum(own) - own[np.arange(len(own)), codes]
        return options.unlabeled_weight * total + missed.sum() / max(1, len(own))

    return value


CASES = {
    "all labels": {},
    "few labels": {"labels": FEW},
    "no labels": {"labels": np.full(24, -1)},
    "weight": {"labels": FEW, "unlabeled_weight": 1.7},
    "no weight": {"labels": FEW, "unlabeled_weight": 0.0},
    "without matching": {"labels": FEW, "feature_matching": False},
    "noise": {"labels": FEW, "discriminator_noise": (0.3, 0.2)},
    "dropout": {"labels": FEW, "dropout": 0.4},
    "batch norm": {"labels": FEW, "batch_norm": True},
    "maxout": {"labels": FEW, "discriminator_activation": "maxout"},
}


@pytest.mark.parametrize("case", CASES)
def test_steps_go_down_the_gradient(case):
    options = {"labels": LABELS, "discriminator_noise": 0.0} | CASES[case]
    players = game(**options)
    rows, known = np.arange(24), np.flatnonzero(options["labels"] >= 0)
    batch = Sides(rows, rows if len(known) == 24 else known)
    state = players.start()
    for of_generator in (False, True):
        update = players.player_update(int(of_generator), players.read(batch), CLOCK)
        before = copy(state)
        move = players.generate if of_generator else players.discriminate
        after = move(state, update)
        value = objective_of(players, update, batch, of_generator)
        which = 0 if of_generator else 1
        old, new = before[which].params, after[which].params
        assert_descends(partial(value, before), old, new, RNG)
        state = after


def test_losses_are_those_of_one_class_more():
    # A softmax of K + 1 logits, the last of which is zero.
    real, fake = RNG.normal(size=(2, 7, 3))
    codes = RNG.integers(0, 3, 7)

    def log_p(out):
        whole = np.column_stack([out, np.zeros(len(out))])
        return whole - log_sum(whole)[:, None]

    made = log_p(fake)[:, 3]
    as_some = np.log1p(-np.exp(log_p(real)[:, 3]))
    loss, _ = sides(real, fake, 0.5)
    np.testing.assert_allclose(loss, -0.5 * (as_some.mean() + made.mean()))
    np.testing.assert_allclose(as_real(real)[0], -as_some.mean())
    given_real = log_p(real)[np.arange(7), codes] - as_some
    np.testing.assert_allclose(of_labels(real, codes)[0], -given_real)


def test_losses_of_any_size_are_finite():
    out = np.array([[1e4, 0.0], [-1e4, -1e4]], np.float32)
    for found in (sides(out, out, 1.0), as_real(out), of_labels(out, np.array([1, 0]))):
        assert all(np.isfinite(part).all() for part in leaves(found))


def test_rows_with_labels_come_as_often_as_they_weigh():
    players = game(FEW, batch_size=4)
    weight = np.where(np.arange(24) == 2, 3.0, 1.0)
    table = canonical(players.rows, weight)
    batches = players.draw(table, 0)
    # Eight draws of rows with labels, four in each of the batches.
    assert len(batches) == 7
    assert {len(batch.known) for batch in batches} == {4}
    drawn = np.concatenate([batch.known for batch in batches])
    counts = np.bincount(drawn, minlength=24)
    assert counts[6:].sum() == 0
    assert counts[2] >= 9
    assert (counts[[0, 1, 3, 4, 5]] >= 3).all()
    # Others are drawn as ever.
    everything = np.concatenate([batch.rows for batch in batches])
    assert np.bincount(everything).tolist() == weight.astype(int).tolist()


def test_the_same_rows_serve_as_both_where_all_have_labels():
    players = game(LABELS, batch_size=7)
    for batch in players.draw(canonical(players.rows), 0):
        assert batch.known is batch.rows


def test_rows_without_labels_are_never_held_out():
    players = game(FEW, validation_fraction=0.5)
    table = canonical(players.rows)
    train, held_out = players.split(table)
    assert sorted([*train.index, *held_out.index]) == list(range(24))
    assert (FEW[held_out.index] >= 0).all()
    assert len(held_out.index) == 3


TOY = {"column_types": "gaussian", "n_components": 2, "hidden_layer_sizes": (16,)}
TOY |= {"discriminator_layer_sizes": (32, 32), "batch_size": 50, "random_state": 0}


@pytest.mark.release
def test_rows_without_labels_help():
    X, y = load_digits(return_X_y=True)
    X, y = X[:600] / 16, y[:600]
    marked = np.where(np.arange(600) < 40, y, -1)
    plain = GANClassifier(unlabeled=-1, n_iter=60, random_state=0)
    alone = GANClassifier(unlabeled=-1, n_iter=60, random_state=0, unlabeled_weight=0)
    gained = [clf.fit(X, marked).score(X, y) for clf in (plain, alone)]
    assert gained[0] > gained[1] + 0.01


def test_probabilities_are_those_of_the_averaged_nets():
    clf = grouped(GANClassifier, **TOY, n_iter=3).fit(X, LABELS)
    state = clf._training
    assert any(
        (a != b).any() for a, b in zip(leaves(state.learned), leaves(state.params))
    )
    net = clf.density_.nets.discriminator
    seen = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(float)
    out, _, _ = net.judge(state.learned[1], state.discriminator.statistics, seen)
    np.testing.assert_allclose(clf.predict_log_proba(X), out - log_sum(out)[:, None])
    last = grouped(GANClassifier, **TOY, n_iter=3, average=0.0).fit(X, LABELS)
    assert last._training.mean == last._training.discriminator_mean == ()


@pytest.mark.exhaustive
def test_columns_of_a_frame_and_missing_entries():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    frame = pd.DataFrame(
        {
            "name": np.where(y ^ (rng.random(200) < 0.1), "a", "b"),
            "size": np.where(
                rng.random(200) < 0.2, np.nan, y + rng.normal(0, 0.3, 200)
            ),
            "zero": rng.integers(0, 2, 200).astype(bool),
        }
    )
    labels = np.where(np.arange(200) % 2, np.array(["no", "yes"])[y], "?")
    clf = grouped(
        GANClassifier, **TOY | {"column_types": "mixed"}, unlabeled="?", n_iter=30
    )
    clf.set_params(n_draws=60)
    clf.fit(frame, labels)
    assert clf.score(frame, np.array(["no", "yes"])[y]) > 0.85
    assert list(clf.sample(5, random_state=0).columns) == list(frame.columns)
    assert clf.impute(frame).notna().all().all()
    assert clf.transform(frame).shape == (200, 32)


def test_images_of_any_shape():
    rows = RNG.random((40, 5 * 7 * 2)).astype(np.float32)
    clf = GANClassifier(architecture="conv", image_shape=(5, 7, 2), n_iter=1)
    clf.set_params(hidden_layer_sizes=(8, 4), batch_size=20, unlabeled=-1)
    clf.fit(rows, np.resize([0, 1, -1], 40))
    assert clf.sample(3, random_state=0).shape == (3, 70)
    assert clf.predict_proba(rows).shape == (40, 2)


def test_labels_may_come_later():
    clf = grouped(GANClassifier, **TOY, unlabeled=-1)
    clf.partial_fit(X, np.full(24, -1), classes=[0, 1, 2])
    np.testing.assert_array_equal(clf.loss_curve_, [0.0])
    clf.partial_fit(X, FEW).partial_fit(X, LABELS)
    assert clf.n_iter_ == 3
    assert clf.loss_curve_[2] > 0


@pytest.mark.parametrize("noise", [(0.1,), (0.1, -0.1), (0.1, "a"), (True, 0.1)])
def test_noise_that_is_none_is_named(noise):
    with pytest.raises(ValueError, match="discriminator__noise must be a number"):
        grouped(GANClassifier, **TOY, discriminator=Discriminator(noise=noise)).fit(
            X, LABELS
        )


def test_nets_that_changed_are_named():
    clf = grouped(GANClassifier, **TOY, n_iter=1, warm_start=True).fit(X, LABELS)
    assign(clf, discriminator_layer_sizes=(8,))
    with pytest.raises(ValueError, match="discriminator__layer_sizes changed"):
        clf.fit(X, LABELS)
    assign(clf, discriminator_layer_sizes=(32, 32), discriminator_noise=0.1)
    assert clf.fit(X, LABELS).n_iter_ == 2


def test_divergence_keeps_the_last_good_parameters():
    clf = grouped(GANClassifier, **TOY, n_iter=2).fit(X, LABELS)
    before = clf.predict_proba(X)
    clf.set_params(warm_start=True, learning_rate=1e300)
    with pytest.raises(DivergenceError, match="Training of GANClassifier diverged"):
        clf.fit(X, LABELS)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize("kind", ["gaussian", "bernoulli"])
def test_real_images_are_deformed(kind):
    game_of = game(FEW, kind, jitter=2.0, image_shape=(1, 3))
    rows, known = np.arange(24), np.flatnonzero(FEW >= 0)
    update = game_of.player_update(0, game_of.read(Sides(rows, known)), CLOCK)
    bits = kind == "bernoulli"
    generator = game_of.start().generator
    real, fake, _ = game_of.pair(generator.params, generator.statistics, update)
    plain, same, _ = game(FEW, kind).pair(
        generator.params, generator.statistics, update
    )
    assert real.shape == plain.shape == (30, 3)
    np.testing.assert_array_equal(fake, same)
    assert (real != plain).any(axis=1).mean() > 0.9
    assert np.isin(real, (0, 1)).all() == bits
    # Nothing is beyond what the pixels of an image were, or of any direction.
    if not bits:
        assert (real.max(axis=1) <= plain.max(axis=1)).all()
        assert abs((real - plain).mean()) < 0.2


@pytest.mark.release
def test_deformed_images_teach_classes():
    X, y = load_digits(return_X_y=True)
    X, marked = X / 16, np.where(np.arange(len(y)) < 60, y, -1)
    clf = GANClassifier(unlabeled=-1, jitter=0.7, n_iter=10, random_state=0)
    assert clf.fit(X, marked).score(X[60:], y[60:]) > 0.7
    with pytest.raises(ValueError, match=r"jitter=0.7 .* give image_shape"):
        clf.fit(X[:, 1:], marked)
    clf.set_params(architecture="conv", hidden_layer_sizes=(4, 3), n_iter=1)
    assert clf.fit(X[:100], marked[:100]).predict(X[:3]).shape == (3,)


@pytest.mark.parametrize("noise", [(0.0, 0.1), (0.1, 0.0), 0.0])
def test_there_may_be_no_noise(noise):
    clf = grouped(
        GANClassifier, **TOY | {"n_iter": 0}, discriminator=Discriminator(noise=noise)
    ).fit(X, LABELS)
    assert clf.n_iter_ == 0
