"""The game: its gradients, its remedies, and what each option does."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from skdgm import GAN, GANClassifier
from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.adversarial._games.penalty import _BETWEEN
from skdgm.adversarial._games.view import blurred
from skdgm.exceptions import CollapseWarning, DataRangeWarning, DivergenceError
from skdgm.implicit.kernels import noisy
from skdgm.nets.stochastic.emission import Emission
from skdgm.optim import Clock
from skdgm.options import Discriminator, GameLoss
from skdgm.training import canonical
from skdgm.utils.given import Given
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.tree import copy
from tests.numerical import assert_descends
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
LABELS = RNG.integers(0, 2, 24)
# One plain step of size one: parameters move by the gradient.
PLAIN = {"solver": "sgd", "schedule": "constant", "learning_rate": 1.0, "alpha": 0.0}
PLAIN |= {"average": 0.0, "hidden_layer_sizes": (5,), "n_components": 2}
PLAIN |= {"activation": "tanh", "discriminator_activation": "tanh"}


def game(labels=None, **options):
    how = {"column_types": "gaussian", "class_conditional": labels is not None}
    gan = grouped(
        GAN, **how, batch_size=24, n_iter=0, random_state=0, **PLAIN | options
    )
    given = None if labels is None else Given(labels)
    rows = Rows(X, np.float64, complete=True, given=given)
    return gan.fit(X, labels)._objective(canonical(rows), 0)


CLOCK = Clock(0, None, 0, 2)


def objective_of(players, of_generator):
    """The loss that a step of one player lowers, as a function of its parameters, with
    the random numbers of that step."""
    options, batch = players.options, np.arange(24)
    update = players.player_update(int(of_generator), players.read(batch), CLOCK)
    codes = update.given.classes

    def judged(net, rows, how=update.dropout):
        out, hidden, _ = players.discriminator.judge(*net, rows, how)
        if codes is None:
            return out[:, 0], hidden
        net = players.discriminator
        mask = net.packed(np.eye(2)[codes]) / net.packing
        mask = np.tile(mask, (len(out) // len(real), 1))
        return (out * mask).sum(axis=1), hidden

    real = players.seen(update.x, update)

    def value(state, params):
        generator = state.generator, state.discriminator
        own = (params, generator[0].statistics)
        other = (params, generator[1].statistics)
        own = own if of_generator else generator[0][:2]
        other = generator[1][:2] if of_generator else other
        _, fake, _ = players.pair(*own, update)
        if of_generator or options.minibatch_kernels:
            how = update.dropout if of_generator else update.dropout_generated
            (r, h), (f, k) = judged(other, real), judged(other, fake, how)
        else:
            r, f = np.split(judged(other, np.concatenate([real, fake]))[0], 2)
        if of_generator and options.feature_matching:
            alike = np.ones((len(h), 1))
            if codes is not None:
                net = players.discriminator
                alike = net.packed(np.eye(2)[codes]) / net.packing
            return ((alike.T @ (h - k) / len(h)) ** 2).sum()
        if of_generator:
            return players.loss.generator(r, f)[0].mean()
        total = players.loss.discriminator(r, f, options.label_smoothing)[0].mean()
        if players.penalty and options.penalty == "zero-centered":
            moves = 1e-4 * np.eye(real.shape[1])
            for rows in real, fake:
                slopes = [
                    (judged(other, rows + m)[0] - judged(other, rows - m)[0]) / 2e-4
                    for m in moves
                ]
                norm = np.square(slopes).sum(axis=0).mean()
                total += 0.5 * players.penalty * norm
        if players.penalty and options.penalty == "one-centered":
            share = update.rng.fold(_BETWEEN).generator().random((len(real), 1))
            points = share * real + (1 - share) * fake
            slopes = [
                (judged(other, points + m)[0] - judged(other, points - m)[0]) / 2e-4
                for m in 1e-4 * np.eye(real.shape[1])
            ]
            norm = np.sqrt(np.square(slopes).sum(axis=0))
            total += players.penalty * np.square(norm - 1).mean()
        return total

    return value


CASES = {
    **{name: {"loss": name, "gradient_penalty": 0.0} for name in LOSSES},
    "penalty": {"gradient_penalty": 0.7, "penalty_interval": 1},
    "one-centered": {
        **{"penalty": "one-centered", "gradient_penalty": 0.7, "penalty_interval": 1}
    },
    "packing": {"packing": 2, "gradient_penalty": 0.3, "penalty_interval": 1},
    "features": {"feature_matching": True, "gradient_penalty": 0.0},
    "smoothing": {"loss": "minimax", "label_smoothing": 0.2, "gradient_penalty": 0.0},
    "noise": {"instance_noise": 0.3, "output_noise": 0.2, "gradient_penalty": 0.0},
    "minibatch": {"minibatch_kernels": 3, "gradient_penalty": 0.0},
    "minibatch, dropout": {
        "minibatch_kernels": 3,
        "dropout": 0.4,
        "gradient_penalty": 0.0,
    },
    "waves": {"n_frequencies": 2, "gradient_penalty": 0.3, "penalty_interval": 1},
    "dropout": {"dropout": 0.4, "gradient_penalty": 0.0},
    "classes": {"labels": LABELS, "gradient_penalty": 0.3, "penalty_interval": 1},
    "classes in packs": {"labels": LABELS, "packing": 3, "gradient_penalty": 0.0},
    "features of classes": {
        "labels": LABELS,
        "feature_matching": True,
        "packing": 2,
        "gradient_penalty": 0.0,
    },
}


@pytest.mark.parametrize("case", CASES)
def test_steps_go_down_the_gradient(case):
    players = game(**{"n_frequencies": 0} | CASES[case])
    state = players.start()
    step = Clock(0, None, 0, 2)
    for of_generator in (False, True):
        update = players.player_update(
            int(of_generator), players.read(np.arange(24)), step
        )
        before = copy(state)
        move = players.generate if of_generator else players.discriminate
        after = move(state, update)
        value = objective_of(players, of_generator)
        which = 0 if of_generator else 1
        old, new = before[which].params, after[which].params
        assert_descends(partial(value, before), old, new, RNG)
        state = after


def test_other_units_drop_out_of_generated_rows():
    players = game(dropout=0.5, minibatch_kernels=3, gradient_penalty=0.0)
    state = players.start()
    update = players.player_update(0, players.read(np.arange(24)), CLOCK)
    net, rows = state.discriminator[:2], players.seen(update.x, update)
    of_real, of_generated = (
        players.discriminator.hidden(*net, rows, how)[0][:, :5] == 0
        for how in (update.dropout, update.dropout_generated)
    )
    # Two fair and independent masks agree in half of the 120 places, give or take.
    agree = (of_real == of_generated).mean()
    assert abs(agree - 0.5) < 4 * 0.5 / np.sqrt(120), agree


def circling(remedy, n_steps=4000, rate=0.05):
    """Distance from the solution of the game v(a, b) = ab, relative to the start, after
    plain simultaneous gradient steps, with a penalty on the slope of the second player
    (which is b here: D(x) = b x, at x = a and at 0)."""
    a, b = 1.0, 0.0
    for _ in range(n_steps):
        a, b = a - rate * b, b + rate * (a - remedy * b)
    return np.hypot(a, b)


def test_plain_steps_circle_and_penalties_do_not():
    assert circling(0.0) > 1
    assert circling(1.0) < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"label_smoothing": 0.1},
            "label_smoothing=0.1 is not for loss='relativistic'",
        ),
        ({"minibatch_kernels": 3}, "set loss__gradient_penalty=0"),
        ({"packing": 7, "batch_size": 5}, "packing=7"),
        ({"batch_norm": True, "batch_size": 1}, "set batch_size to 2"),
        (
            {
                "minibatch_kernels": 3,
                "gradient_penalty": 0,
                "packing": 2,
                "batch_size": 3,
            },
            "set batch_size to 4",
        ),
        ({"architecture": "conv"}, "image_shape"),
        ({"architecture": "conv", "n_frequencies": 2}, "n_frequencies=2 is for dense"),
        ({"architecture": "conv", "image_shape": (2, 2)}, "image_shape"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes"),
        ({"class_conditional": True}, "conditional: fit needs y"),
    ],
)
def test_options_that_cannot_be_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(GAN, column_types="gaussian", n_iter=1, **options).fit(X)


def test_classes_are_asked_for_by_name():
    y = np.array(["a", "b"])[LABELS]
    gan = GAN(column_types="gaussian", class_conditional=True, n_iter=1, batch_size=12)
    gan.fit(X, y)
    assert gan.sample(3, y="b").shape == (3, 3)
    assert gan.generate(np.zeros((2, 16)), ["a", "b"]).shape == (2, 3)
    with pytest.raises(ValueError, match="'c'"):
        gan.sample(2, y="c")
    with pytest.raises(ValueError, match="2 classes for 3 rows"):
        gan.sample(3, y=["a", "b"])
    with pytest.raises(ValueError, match="generate needs y"):
        gan.generate(np.zeros((2, 16)))
    with pytest.raises(ValueError, match="'c'"):
        gan.partial_fit(X, np.where(y == "a", "a", "c"))
    with pytest.raises(ValueError, match="not conditional"):
        GAN(column_types="gaussian", n_iter=1).fit(X).sample(2, y="a")
    # Nor is one that was learned again without classes.
    gan.set_params(class_conditional=False).fit(X)
    assert not hasattr(gan, "classes_")
    with pytest.raises(ValueError, match="not conditional"):
        gan.sample(2, y="a")


TOY = {"column_types": "gaussian", "n_components": 4, "hidden_layer_sizes": (32, 32)}
TOY |= {"batch_size": 50, "random_state": 0}


@pytest.mark.release
@pytest.mark.parametrize("how", [{}, {"feature_matching": True}, {"packing": 2}])
def test_draws_by_class_have_their_class(how):
    y = RNG.integers(0, 3, 600)
    rows = np.column_stack([3.0 * y, -y]) + RNG.normal(0, 0.2, (600, 2))
    gan = grouped(GAN, **TOY, class_conditional=True, n_iter=40, **how).fit(rows, y)
    asked = np.repeat([0, 1, 2], 100)
    drawn = gan.sample(300, random_state=0, y=asked)
    found = np.rint(drawn[:, 0] / 3).astype(int)
    assert (found == asked).mean() > 0.97
    # Without classes asked for, by their frequencies.
    share = (np.rint(gan.sample(600, random_state=1)[:, 0] / 3) == 1).mean()
    assert abs(share - (y == 1).mean()) < 4 * 0.5 / np.sqrt(600) + 0.02


@pytest.mark.release
def test_moments_of_a_normal_distribution():
    rows = RNG.normal([1, -2], [1, 0.5], (1000, 2))
    rows[:, 1] += rows[:, 0]
    gan = grouped(GAN, **TOY, n_iter=80, prior="normal").fit(rows)
    drawn = gan.sample(4000, random_state=0)
    np.testing.assert_allclose(drawn.mean(axis=0), rows.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(rows.T), atol=0.3)


@pytest.mark.exhaustive
def test_a_collapse_is_warned_of():
    rows = np.concatenate([RNG.normal(c, 0.1, (200, 2)) for c in (-4, 0, 4)])
    # A generator that ignores its latent units, judged row by row.
    gan = grouped(
        GAN,
        **TOY,
        loss=GameLoss("minimax", gradient_penalty=0.0),
        average=0.0,
        n_iter=90,
    )
    assign(gan, learning_rate=1e-3, solver="sgd", discriminator_learning_rate=1e-5)
    assign(gan, init_weights="glorot_normal", schedule="constant")
    with pytest.warns(CollapseWarning, match="GAN collapsed.*relativistic"):
        gan.fit(rows)


def test_a_generator_that_was_never_updated_is_warned_of():
    gan = grouped(GAN, **TOY, n_iter=0, discriminator=Discriminator(n_steps=2)).fit(X)
    with pytest.warns(ConvergenceWarning, match="GAN has not learned yet"):
        gan.partial_fit(X)
    assert gan.n_updates_ == 0
    gan.partial_fit(X)
    assert gan.n_updates_ == 1


@pytest.mark.parametrize("kind", [GAN, GANClassifier])
def test_gray_rows_after_bits_are_warned_of(kind):
    bits = (X > 0).astype(float)
    gray, n = np.where(bits == 1, 0.7, bits), len(X)
    gan = kind(hidden_layer_sizes=(8,), batch_size=24, random_state=0)
    gan.set_params(column_types="bernoulli")
    given = {"y": LABELS, "classes": [0, 1]} if kind is GANClassifier else {}
    gan.partial_fit(bits, **given)
    with pytest.warns(DataRangeWarning, match=f"{kind.__name__} got gray rows"):
        gan.partial_fit(gray, **given)
    assert set(gan.sample(n, random_state=0).ravel()) <= {0, 1}
    # Bits after gray rows are gray rows, too.
    gan = clone(gan).partial_fit(gray, **given).partial_fit(bits, **given)


@pytest.mark.exhaustive
def test_latent_units_of_generated_rows_are_found():
    rows = RNG.normal(0, 1, (400, 5)) @ RNG.normal(size=(5, 5))
    gan = grouped(GAN, **TOY, features="latent", prior="normal", n_iter=20).fit(rows)
    Z = np.random.default_rng(1).normal(size=(10, 4))
    X = gan.generate(Z)
    again = gan.inverse_transform(gan.transform(X))
    gap = ((again - X) ** 2).sum() / ((X - X.mean(axis=0)) ** 2).sum()
    assert gap < 0.1
    with pytest.raises(ValueError, match="Z has 3 columns"):
        gan.generate(Z[:, :3])
    # A fitted model does what it learned to do.
    gan.set_params(features="hidden")
    np.testing.assert_array_equal(gan.inverse_transform(gan.transform(X)), again)


@pytest.mark.exhaustive
def test_images_of_any_shape():
    rows = RNG.random((40, 5 * 7 * 2)).astype(np.float32)
    gan = GAN(architecture="conv", image_shape=(5, 7, 2), n_iter=1, batch_size=20)
    assign(gan, hidden_layer_sizes=(8, 4), packing=2, batch_norm=True)
    gan.fit(rows)
    assert gan.sample(3, random_state=0).shape == (3, 70)
    assert gan.transform(rows).shape == (40, gan.get_feature_names_out().size)


def test_continuing_with_other_nets_is_refused():
    gan = grouped(GAN, **TOY, n_iter=1).fit(X)
    with pytest.raises(ValueError, match="packing changed"):
        assign(gan, packing=2, warm_start=True).fit(X)
    assert isinstance(clone(gan), GAN)


def test_divergence_keeps_the_last_good_parameters():
    gan = grouped(GAN, **TOY, n_iter=2).fit(X)
    before = gan.sample(5, random_state=0)
    gan.set_params(warm_start=True, learning_rate=1e300)
    with pytest.raises(DivergenceError, match="Training of GAN diverged"):
        gan.fit(X)
    np.testing.assert_array_equal(gan.sample(5, random_state=0), before)


def test_output_noise_is_part_of_the_model():
    plain, noisy = (
        grouped(
            GAN, **TOY, n_iter=1, loss=GameLoss("relativistic", output_noise=s)
        ).fit(X)
        for s in (0.0, 0.5)
    )
    assert noisy.density_.kernels().width == 0.5
    drawn = noisy.sample(2000, random_state=0)
    still = noisy.density_.presented(
        noisy.density_.drawn(stream(1).rows(2000), 2000).astype(float)
    )
    # In units of the data, the noise adds its variance to that of the generator.
    added = drawn.var(axis=0) - still.var(axis=0)
    np.testing.assert_allclose(added, (0.5 * X.std(axis=0)) ** 2, rtol=0.3)
    assert plain.density_.noise == 0


@pytest.mark.parametrize("rates", [(0.0, 0.3), (0.3, 0.0)])
def test_dropout_may_change_while_training_continues(rates):
    gan = grouped(
        GAN,
        **TOY,
        n_iter=1,
        discriminator=Discriminator(dropout=rates[0]),
        warm_start=True,
    ).fit(X)
    gan.set_params(discriminator__dropout=rates[1]).fit(X)
    assert gan.n_iter_ == 2


def test_minibatch_features_of_other_rows_do_not_count_after_training():
    gan = grouped(
        GAN,
        **TOY,
        n_iter=1,
        discriminator=Discriminator(minibatch_kernels=3),
        loss=GameLoss("relativistic", gradient_penalty=0.0),
    ).fit(X)
    for found in gan.transform, gan.discriminator_score:
        one = np.concatenate([found(row[None]) for row in X[:3]])
        np.testing.assert_allclose(found(X)[:3], one, rtol=1e-6)


def test_output_noise_is_not_added_to_atoms():
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((60, 1)) < 0.5, 0.0, rng.gamma(2.0, size=(60, 1)))
    frame = pd.DataFrame(rows, columns=["a"])
    gan = GAN(
        column_types="mixed", n_iter=1, loss=GameLoss("relativistic", output_noise=0.5)
    ).fit(frame)
    own, clock = gan._objective(canonical(gan._rows(frame)), 0), CLOCK
    (score,), (none,) = own.emission.scores, own.emission.none
    x = np.zeros((4, own.emission.n_inputs))
    x[:2, none] = 1
    seen = blurred(x, own.options, own.emission, stream(0), clock, of_output=True)
    assert (seen[:2, score] != 0).all()
    np.testing.assert_array_equal(seen[2:, score], 0)


def test_held_out_rows_count_by_their_weights():
    rows = Rows(np.repeat(X[:2], [30, 10], axis=0), np.float64, complete=True)
    table, own = canonical(rows), game()
    own.rows = rows
    watch = own.watch(table, table, own.start())
    seen, counts = np.unique(rows.take(watch.unseen)[:, 0], return_counts=True)
    assert dict(zip(seen, counts)) == {X[0, 0]: 30, X[1, 0]: 10}
    assert np.isfinite(watch(own.start())[1])


def test_missing_classes_are_to_be_left_out():
    with pytest.raises(ValueError, match="y of GAN has 1 missing .*: leave them out"):
        grouped(GAN, **TOY, class_conditional=True).fit(X[:2], [0.0, np.nan])


@pytest.mark.parametrize(("kinds", "penalty"), [("gaussian", 0.05), ("bernoulli", 0.2)])
def test_an_automatic_penalty_depends_on_the_columns(kinds, penalty):
    how = {"column_types": kinds, "hidden_layer_sizes": (5,), "n_iter": 3}
    X = np.random.default_rng(0).random((40, 6))
    draws = [
        grouped(
            GAN,
            2,
            loss=GameLoss("relativistic", gradient_penalty=asked),
            random_state=0,
            **how,
        )
        .fit(X)
        .sample(9, random_state=0)
        for asked in ("auto", penalty)
    ]
    np.testing.assert_array_equal(*draws)


@pytest.mark.exhaustive
def test_rows_of_known_classes_are_inverted_as_such():
    y = RNG.integers(0, 3, 300)
    rows = np.column_stack([3.0 * y, -y]) + RNG.normal(0, 0.2, (300, 2))
    gan = grouped(GAN, **TOY, class_conditional=True, n_iter=30).fit(rows, y)
    again = gan.generate(gan.invert(rows, y), y)
    assert np.abs(again - rows).mean() < 0.1
    # One for all, in any order of the rows; and those of the nearest draws.
    one, all_ = gan.invert(rows[:7], 2), gan.invert(rows[:7], [2] * 7)
    np.testing.assert_array_equal(one, all_)
    backwards = gan.invert(rows[:9:-1], y[:9:-1])[::-1]
    np.testing.assert_allclose(backwards, gan.invert(rows, y)[10:], rtol=1e-6)
    assert gan.invert(rows[:7]).shape == one.shape
    with pytest.raises(ValueError, match="2 classes for 3 rows"):
        gan.invert(rows[:3], [0, 1])


def test_training_sees_the_noise_that_samples_have():
    emission = Emission(["gray", "gaussian"], [1, 1])
    options = SimpleNamespace(
        instance_noise=0.0, output_noise=0.4, schedule="constant", power_t=0.5
    )
    x, given = np.tile([0.1, -3.0], (4000, 1)), (options, emission, stream(0, 1), CLOCK)
    seen = blurred(x, *given, of_output=True)
    drawn = noisy(x, emission, 0.4, stream(1, 1).rows(len(x)))
    assert seen[:, 0].min() >= 0
    assert seen[:, 0].max() <= 1
    se = np.sqrt(2 * drawn.var(axis=0) / len(x))
    assert (abs(seen.mean(axis=0) - drawn.mean(axis=0)) < 4 * se).all()
    np.testing.assert_array_equal(blurred(x, *given), x)


def test_collapse_is_told_where_little_is_covered():
    own = game()
    watch = own.watch(canonical(own.rows), None, own.start())
    for made, told in [
        (watch.x, ""),
        (watch.x.mean(axis=0) + np.zeros_like(watch.x), "have 0% of the variance"),
        (watch.x + 100, "cover 0%"),
    ]:
        watch.drawn = lambda *_, made=made: made
        covered, fault = watch.collapse(None)
        assert told in fault
        assert bool(told) == bool(fault)
        assert (covered == 1) == (not told)


@pytest.mark.release
def test_few_rows_keep_a_group_far_from_the_others():
    gan = GAN(column_types="gaussian", random_state=3).fit(load_iris().data)
    setosas = (gan.sample(2000, random_state=0)[:, 2] < 2.5).mean()
    assert 0.1 < setosas < 0.5
    assert gan.coverage_ > 0.8
