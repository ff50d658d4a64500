"""BiGAN: its part in the game, and that encoder and generator become inverse."""

from typing import Protocol

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from skdgm import BiGAN
from skdgm.adversarial._model_options import BiGANOptions
from skdgm.adversarial._nets.bigan_model import BiGANModel
from skdgm.base import Model
from skdgm.nets import layers
from skdgm.nets.branches import branch
from skdgm.optim import Clock
from skdgm.training import canonical
from skdgm.utils.rows import Rows
from skdgm.utils.tree import copy
from tests.numerical import assert_descends
from tests.options import grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
HOLED = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
# One plain step of size one: parameters move by the gradient.
PLAIN = {"solver": "sgd", "schedule": "constant", "learning_rate": 1.0, "alpha": 0.0}
PLAIN |= {"average": 0.0, "hidden_layer_sizes": (5,), "n_components": 2}
PLAIN |= {"activation": "tanh", "discriminator_activation": "tanh"}
CLOCK = Clock(0, None, 0, 2)
CASES = {
    "plain": {"gradient_penalty": 0.0},
    "non-saturating": {"gradient_penalty": 0.0, "loss": "non-saturating"},
    "least-squares": {"gradient_penalty": 0.0, "loss": "least-squares"},
    "wasserstein": {"gradient_penalty": 0.0, "loss": "wasserstein"},
    "penalty": {"gradient_penalty": 0.7},
    "dropout": {"gradient_penalty": 0.0, "dropout": 0.3},
    "missing": {"gradient_penalty": 0.0, "rows": HOLED},
    "rebuilt": {"gradient_penalty": 0.0, "reconstruction_weight": 0.8},
    "rebuilt, missing": {"gradient_penalty": 0.0, "reconstruction_weight": 0.8}
    | {"rows": HOLED},
    "deep": {"gradient_penalty": 0.0, "encoder_layer_sizes": (4, 3)},
}


class PlainOptions(BiGANOptions, Protocol):
    """Options without Fourier features."""

    n_frequencies: int | str = 0


class PlainModel(BiGANModel, Model[PlainOptions]):
    """Model without Fourier features."""


class Plain(BiGAN):
    """BiGAN without Fourier features."""

    _MODEL = PlainModel()


def game(rows=X, **options):
    how = {"column_types": "gaussian", "batch_size": 24, "random_state": 0}
    gan = grouped(Plain, **how, n_iter=0, **PLAIN | options).fit(rows)
    return gan._objective(canonical(Rows(rows, np.float64, complete=rows is X)), 0)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("of_makers", [False, True])
def test_steps_go_down_the_gradient(case, of_makers):
    players = game(**CASES[case])
    options, state = players.options, players.start()
    update = players.player_update(int(of_makers), players.read(np.arange(24)), CLOCK)
    known = 1 if update.known is None else update.known

    def value(params):
        (encoder, maker), statistics = state.generator[:2]
        net = state.discriminator.params
        if of_makers:
            encoder, maker = params
        else:
            net = params
        code = players.nets.encoder.apply(encoder, statistics[0], update.x)[0]
        fake = players.generator.draw((encoder, maker), statistics, update.z, None)[0]
        real = np.concatenate([update.x, code], axis=1)
        fake = np.concatenate([fake * known, update.z], axis=1)
        kept = state.discriminator.statistics

        def judged(rows):
            return players.discriminator.judge(net, kept, rows, update.dropout)[0][:, 0]

        r, f = np.split(judged(np.concatenate([real, fake])), 2)
        # Makers have the discriminator's loss with the sides exchanged.
        sides = (f, r) if of_makers else (r, f)
        total = players.loss.discriminator(*sides)[0].mean()
        if of_makers and options.reconstruction_weight:
            again = players.generator.draw((encoder, maker), statistics, code, None)[0]
            gap = ((update.x - again * known) ** 2).sum(axis=1).mean()
            total += options.reconstruction_weight * gap
        if players.penalty and not of_makers:
            rows, norm = np.concatenate([real, fake]), 0.0
            for move in 1e-4 * np.eye(rows.shape[1]):
                up, down = (judged(rows + s * move) for s in (1, -1))
                norm += ((up - down) / 2e-4) ** 2
            # That of both sides, once in two updates.
            total += players.penalty * norm.sum() / 24
        return total

    before = copy(state)
    which = 0 if of_makers else 1
    move = players.generate if of_makers else players.discriminate
    old, new = before[which].params, move(state, update)[which].params
    state = before
    assert_descends(value, old, new, RNG)


def test_tangents_of_branches_are_differences():
    net = branch(layers.serial(layers.dense(4, "tanh"), layers.dense(2)), 3)
    width, params, statistics = net.init(RNG, 5, np.float64)
    assert width == 4
    x, dx = RNG.normal(size=(2, 6, 5))
    y, dy = net.tangent(params, statistics, x, dx)
    up, down = (net.apply(params, statistics, x + s * dx)[0] for s in (1e-6, -1e-6))
    np.testing.assert_allclose(dy, (up - down) / 2e-6, atol=1e-8)
    np.testing.assert_array_equal(y, net.apply(params, statistics, x)[0])
    np.testing.assert_array_equal(y[:, 2:], x[:, 3:])


TOY = {"column_types": "gaussian", "n_components": 2, "hidden_layer_sizes": (32, 32)}
TOY |= {"batch_size": 50, "random_state": 0}


def test_codes_that_are_no_numbers_are_named():
    gan = BiGAN(n_components=2, n_iter=1, random_state=0).fit(X > 0)
    for odd in (10**400, "a", {}):
        with pytest.raises(ValueError, match="Z must be numbers"):
            gan.inverse_transform(np.array([[odd, 1]], object))


@pytest.mark.release
def test_rows_are_rebuilt():
    rows, found = load_digits().data / 16, {}
    for weight in 0.0, 0.1:
        gan = BiGAN(n_iter=20, reconstruction_weight=weight, random_state=0).fit(rows)
        gap = (gan.reconstruct(rows) - rows) ** 2
        found[weight] = gap.sum() / ((rows - rows.mean(axis=0)) ** 2).sum()
    assert found[0.1] < 0.4 < 0.7 * found[0.0]
    # Bits, categories and missing values.
    table = {"a": [0, 1] * 10, "b": list("xyzz") * 5, "c": [*range(19), np.nan]}
    table = pd.DataFrame(table)
    gan = BiGAN(column_types="mixed", n_iter=2, reconstruction_weight=1.0)
    assert gan.fit(table).reconstruct(table).notna().all(axis=None)


@pytest.mark.release
def test_encoder_and_generator_become_inverse():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 600)
    rows = 3.0 * np.eye(3)[y][:, :2] + rng.normal(0, 0.3, (600, 2))
    gan = grouped(BiGAN, **TOY, n_iter=60).fit(rows)
    again = gan.reconstruct(rows)
    gap = ((again - rows) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum()
    assert gap < 0.2
    np.testing.assert_array_equal(again, gan.inverse_transform(gan.transform(rows)))
    # Codes tell the clusters, and have about the distribution of latent units.
    Z = gan.transform(rows)
    assert KNeighborsClassifier(1).fit(Z[:300], y[:300]).score(Z[300:], y[300:]) > 0.95
    assert (abs(Z.mean(axis=0)) < 0.5).all()
    assert (abs(np.log(Z.std(axis=0))) < 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "minimax"}, "loss"),
        ({"prior": "bits"}, "prior"),
        ({"encoder_layer_sizes": (3, 0)}, "encoder_layer_sizes must be positive"),
        ({"architecture": "conv"}, "image_shape"),
    ],
)
def test_options_that_cannot_be_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(BiGAN, column_types="gaussian", n_iter=1, **options).fit(X)


def test_images():
    rows = RNG.random((40, 5 * 7 * 2)).astype(np.float32)
    gan = BiGAN(architecture="conv", image_shape=(5, 7, 2), n_iter=1, batch_size=20)
    gan.set_params(hidden_layer_sizes=(8, 4), batch_norm=True, n_components=3)
    with pytest.raises(ValueError, match="a number of maps"):
        gan.set_params(encoder_layer_sizes=()).fit(rows)
    gan.set_params(encoder_layer_sizes=(4,)).fit(rows)
    assert gan.sample(3, random_state=0).shape == (3, 70)
    assert gan.transform(rows).shape == (40, 3)
    assert gan.discriminator_score(rows).shape == (40,)


def test_reconstructions_of_a_frame_are_whole():
    frame = pd.DataFrame(HOLED[:, :2], columns=["a", "b"]).assign(c=list("xyz") * 8)
    gan = BiGAN(column_types="mixed", n_iter=1, hidden_layer_sizes=8).fit(frame)
    again = gan.reconstruct(frame[::-1])
    assert list(again.columns) == ["a", "b", "c"]
    assert (again.index == frame.index[::-1]).all()
    assert again.notna().all(axis=None)
    # Known entries are reconstructed, too; the largest may be met, at the range's end.
    inside = (again["a"] > frame["a"].min()) & (again["a"] < frame["a"].max())
    assert inside.any()
    assert (again["a"] != frame["a"][::-1])[inside].all()
    with pytest.raises(ValueError, match="Z has 3 columns"):
        gan.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="BiGAN depends on no classes"):
        gan.generate(np.zeros((2, 16)), y="a")


def test_nets_run_as_in_training_while_they_learn(monkeypatch):
    """With statistics of batches, for what is drawn and what is rebuilt."""
    players = game(reconstruction_weight=0.5, batch_norm=True)
    state, seen, kind = players.start(), [], type(players.generator)
    draw = kind.draw

    def noted(self, *given, train=False, **more):
        seen.append(train)
        return draw(self, *given, train=train, **more)

    monkeypatch.setattr(kind, "draw", noted)
    for which in 0, 1:
        update = players.player_update(which, players.read(np.arange(24)), CLOCK)
        (players.generate if which else players.discriminate)(state, update)
    assert seen
    assert all(seen)
