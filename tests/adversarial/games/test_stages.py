"""Models of images at several resolutions: their games, and what they draw."""

from typing import Protocol

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdgm import GAN, LAPGAN, StackGAN
from skdgm.adversarial._model_options import PyramidOptions
from skdgm.adversarial._nets.pyramid_model import PyramidModel
from skdgm.base import Model
from skdgm.optim import Clock
from skdgm.training import canonical
from skdgm.utils.given import Given
from skdgm.utils.random import stream
from skdgm.utils.tree import copy
from tests.numerical import assert_gradient
from tests.options import grouped

RNG = np.random.default_rng(0)
MODELS = LAPGAN, StackGAN
CODES = np.arange(24) % 2
GRAY = RNG.random((24, 12)) * (0.5 + 0.5 * CODES[:, None])
# One plain step of size one: parameters move by the gradient.
PLAIN = {"solver": "sgd", "schedule": "constant", "learning_rate": 1.0, "alpha": 0.0}
PLAIN |= {"average": 0.0, "hidden_layer_sizes": (4,), "n_components": 2}
PLAIN |= {"activation": "tanh", "gradient_penalty": 0.0, "batch_size": 24}
SHORT = {"hidden_layer_sizes": (8,), "n_iter": 2, "n_draws": 50, "random_state": 0}
CLOCK = Clock(0, None, 0, 2)


class SmoothOptions(PyramidOptions, Protocol):
    """Options of a smooth discriminator."""

    discriminator_activation: str = "tanh"


class SmoothModel(PyramidModel, Model[SmoothOptions]):
    """Model with a smooth discriminator."""


def games(cls, X, labels=None, **options):
    """The objective of a model whose nets are smooth, and its state."""
    smooth = SmoothModel(of_data=cls is LAPGAN)
    model = grouped(
        type(cls.__name__, (cls,), {"_MODEL": smooth}),
        **PLAIN | options | {"n_iter": 1, "class_conditional": labels is not None},
    )
    model.fit(X, labels)
    rows = model._rows(X)
    if labels is not None:
        rows = rows._replace(given=Given(labels))
    objective = model._objective(canonical(rows), 0)
    return objective, objective.resume(copy(model._training))


def losses(stage, update, generator, discriminator):
    """Losses of both players of a stage, by their parameters."""
    real, fake, _ = stage.pair(*generator, update)
    outputs = [stage.discriminator.judge(*discriminator, x)[0] for x in (real, fake)]
    mask = stage.verdict(update).weights(len(real))
    r, f = (out[:, 0] if mask is None else (out * mask).sum(axis=1) for out in outputs)
    return stage.loss.discriminator(r, f)[0].mean(), stage.loss.generator(r, f)[
        0
    ].mean()


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"labels": CODES},
        {"column_types": "gaussian"},
        {"architecture": "conv", "hidden_layer_sizes": (2, 2), "image_shape": (3, 4)},
    ],
    ids=["gray", "classes", "real", "conv"],
)
def test_steps_of_each_stage_go_down_the_gradient(cls, options):
    objective, state = games(cls, GRAY, **{"n_levels": 2} | options)
    for level, stage in enumerate(objective.stages):
        stage.below = list(state.stages[:level])
        own, rows = state.stages[level], stage.read(np.arange(24))
        updates = [stage.player_update(which, rows, CLOCK) for which in range(2)]
        nets = [part[:2] for part in own[:2]]

        def of_discriminator(params, stage=stage, updates=updates, nets=nets):
            other = params, nets[1][1]
            return losses(stage, updates[0], nets[0], other)[0]

        before, params = copy(own), own.discriminator.params
        after = stage.discriminate(copy(own), updates[0])
        found = _differences(before.discriminator.params, after.discriminator.params)
        assert_gradient(of_discriminator, params, found, atol=1e-6, rtol=1e-4)

        def of_generator(params, stage=stage, updates=updates, nets=nets):
            return losses(stage, updates[1], (params, nets[0][1]), nets[1])[1]

        after = stage.generate(copy(own), updates[1])
        found = _differences(before.generator.params, after.generator.params)
        assert_gradient(of_generator, own.generator.params, found, atol=1e-6, rtol=1e-4)


def _differences(before, after):
    if isinstance(before, tuple):
        parts = [_differences(a, b) for a, b in zip(before, after, strict=True)]
        return type(before)(*parts) if hasattr(before, "_fields") else tuple(parts)
    return before - after


@pytest.mark.parametrize("column_types", ["bernoulli", "gaussian"])
def test_details_are_those_of_the_images_of_the_data(column_types):
    objective, _ = games(LAPGAN, GRAY, column_types=column_types, n_levels=3)
    pyramid = objective.generator.pyramid
    assert pyramid.shapes == [(1, 3, 1), (1, 6, 1), (1, 12, 1)]
    v = objective.rows.take(np.arange(24))
    levels = pyramid.levels(v)
    for level, stage in enumerate(objective.stages):
        x, known, given = stage.read(np.arange(24))
        assert known is None
        np.testing.assert_allclose(x, levels[level])
        if level:
            expected = pyramid.up(level, levels[level - 1])
            np.testing.assert_allclose(given.columns, expected)
            assert stage.n_seen == 2 * x.shape[1]


def test_without_details_images_are_those_below_made_larger():
    objective, state = games(LAPGAN, GRAY, n_levels=2)
    pyramid_generator = objective.generator
    params = copy(state.stages[1].generator.params)
    params[-1].W[:], params[-1].b[:] = 0, 0
    learned = state.stages[0].learned[0], params
    z = pyramid_generator.latent(stream(0).rows(5), 5, float)
    noise = pyramid_generator.emission.silence(5, float)
    x, _ = pyramid_generator.draw(learned, state.generator.statistics, z, noise)
    low = pyramid_generator._replace(generators=pyramid_generator.generators[:1])
    first = low.draw(learned[:1], state.generator.statistics[:1], z[:, :2], noise)[0]
    expected = pyramid_generator.pyramid.up(1, first.clip(0.01, 0.99))
    np.testing.assert_allclose(x, expected, rtol=1e-6)


def test_stages_of_a_stack_see_what_the_one_below_drew():
    objective, state = games(StackGAN, GRAY, n_levels=2)
    stage = objective.stages[1]
    stage.below = [state.stages[0]]
    update = stage.player_update(0, stage.read(np.arange(24)), CLOCK)
    assert stage.n_seen == 12
    pairs = update.given.columns.reshape(24, 6, 2)
    np.testing.assert_array_equal(pairs[..., 0], pairs[..., 1])
    real, fake, _ = stage.pair(*state.stages[1].generator[:2], update)
    assert real.shape == fake.shape == (24, 12)
    # What is drawn depends on what is given.
    given = update.given._replace(columns=1 - update.given.columns)
    other = update._replace(given=given)
    moved = stage.pair(*state.stages[1].generator[:2], other)[1]
    assert abs(moved - fake).max() > 1e-3


def test_missing_pixels_are_missing_in_generated_rows():
    X = GRAY.copy()
    X[0, :4] = X[1, 0] = np.nan
    objective, _ = games(LAPGAN, X, n_levels=2)
    stage = objective.stages[1]
    rows = stage.rows.X
    first = int(np.flatnonzero(np.isnan(rows).sum(axis=1) == 4)[0])
    _, known, given = stage.read(np.array([first]))
    np.testing.assert_array_equal(known[0, :4], 0)
    np.testing.assert_array_equal(given.columns[0, :4], 0.5)
    low, known, _ = objective.stages[0].read(np.array([first]))
    np.testing.assert_array_equal(known[0, :2], 0)
    assert np.isfinite(low).all()


def test_features_of_rows_with_gaps_are_of_means_of_known_pixels():
    X = GRAY.copy()
    X[:, 1] = X[:, 0]
    holed = X.copy()
    holed[:, 0] = np.nan
    model = grouped(LAPGAN, **SHORT, n_levels=2).fit(X)
    nets = model.density_.nets
    pyramid, emission = nets.generator.pyramid, nets.generator.emission
    x, known = emission.inputs(holed)
    np.testing.assert_array_equal(known[:, 0], 0)
    # The mean of the first two pixels is that of either.
    given = pyramid.up(1, pyramid.levels(X)[0])
    own = model._training.stages[1].discriminator
    seen = np.concatenate([x, given], axis=1)
    judge = nets.levels[1].discriminator
    expected = judge.hidden(own.params, own.statistics, seen)[0]
    np.testing.assert_allclose(model.transform(holed), expected)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.mark.release
@pytest.mark.parametrize("cls", MODELS)
def test_draws_have_the_class_asked_for(cls, digits):
    X, y = digits
    few = y < 3
    options = {"hidden_layer_sizes": (48,), "class_conditional": True}
    model = grouped(cls, **options, batch_size=50, n_iter=20, random_state=0)
    model.fit(X[few], y[few])
    asked = np.arange(90) % 3
    rows = model.sample(90, random_state=0, y=asked)
    gaps = ((rows[:, None] - X[few]) ** 2).sum(axis=2)
    assert (y[few][gaps.argmin(axis=1)] == asked).mean() > 0.9
    with pytest.raises(ValueError, match="not among the classes"):
        model.sample(2, y=7)


@pytest.mark.exhaustive
@pytest.mark.parametrize("cls", MODELS)
def test_latent_units_are_those_of_all_generators(cls, digits):
    X, _ = digits
    model = grouped(
        cls, **SHORT | {"n_iter": 10}, n_components=3, features="latent"
    ).fit(X[:200] ** 0.9)
    n = 3 * len(model.pyramid_shapes_)
    Z = RNG.normal(size=(4, n))
    rows = model.inverse_transform(Z)
    assert rows.shape == (4, 64)
    assert len(model.get_feature_names_out()) == n
    # Those of the lowest images change all of a row, those of the last one the rest.
    assert model.transform(X[:5]).shape == (5, n)
    again = model.inverse_transform(model.invert(rows))
    assert ((again - rows) ** 2).mean() < 0.5 * rows.var(axis=0).mean()
    with pytest.raises(ValueError, match="Z has 2 columns"):
        model.generate(Z[:, :2])


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize(
    "X, options, shapes",
    [
        (GRAY[:, :9], {}, [(1, 1, 1), (2, 2, 1), (3, 3, 1)]),
        (GRAY[:, :5], {}, [(1, 2, 1), (1, 3, 1), (1, 5, 1)]),
        (GRAY, {"image_shape": (2, 2, 3)}, [(1, 1, 3), (2, 2, 3)]),
        (GRAY, {"image_shape": (3, 4), "architecture": "conv"}, None),
        (GRAY[:, :1], {}, [(1, 1, 1)]),
        ((GRAY > 0.5) * 1.0, {"image_shape": (4, 3)}, None),
    ],
    ids=range(6),
)
def test_images_of_any_shape(cls, X, options, shapes):
    if "architecture" in options:
        options = options | {"hidden_layer_sizes": (3, 2)}
    model = grouped(cls, **SHORT | options, n_levels=3).fit(X)
    if shapes is not None:
        assert model.pyramid_shapes_ == shapes
    rows = model.sample(3, random_state=0)
    assert rows.shape == (3, X.shape[1])
    assert ((rows >= 0) & (rows <= 1)).all()
    if set(np.unique(X)) == {0, 1}:
        assert set(np.unique(rows)) <= {0, 1}
    assert np.isfinite(model.score_samples(X)).all()


@pytest.mark.parametrize("cls", MODELS)
def test_rows_that_are_no_images_are_named(cls):
    with pytest.raises(ValueError, match=r"image_shape=\(5, 2\) of .* must be"):
        grouped(cls, **SHORT, image_shape=(5, 2)).fit(GRAY)
    with pytest.raises(ValueError, match="is conditional: fit needs y"):
        grouped(cls, **SHORT, class_conditional=True).fit(GRAY)


@pytest.mark.parametrize("cls", MODELS)
def test_one_level_is_a_plain_game(cls):
    options = SHORT | {"n_levels": 1}
    model = grouped(cls, **options).fit(GRAY)
    del options["n_levels"]
    plain = grouped(GAN, **options, column_types="bernoulli", n_frequencies=0).fit(GRAY)
    assert len(model.coefs_) == len(plain.coefs_)
    for own, other in zip(model.coefs_, plain.coefs_):
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cls", MODELS)
def test_continuing_with_other_levels_is_refused(cls):
    model = grouped(cls, **SHORT, warm_start=True).fit(GRAY)
    with pytest.raises(ValueError, match="n_levels changed"):
        model.set_params(n_levels=4).fit(GRAY)


@pytest.mark.parametrize("n_levels", [1, 2])
@pytest.mark.parametrize("cls", [LAPGAN, StackGAN])
def test_features_are_those_of_the_last_discriminator(cls, n_levels):
    """Which sees details beside what is below them, and whole images alone."""
    model = grouped(cls, **SHORT, n_levels=n_levels).fit(GRAY)
    nets, level = model.density_.nets, n_levels - 1
    seen = nets.generator.emission.inputs(GRAY)[0]
    pyramid = nets.generator.pyramid
    if cls is LAPGAN and level:
        seen = np.concatenate([seen, pyramid.up(1, pyramid.levels(GRAY)[0])], axis=1)
    own = model._training.stages[level].discriminator
    judge = nets.levels[level].discriminator
    expected = judge.hidden(own.params, own.statistics, seen)[0]
    np.testing.assert_allclose(model.transform(GRAY), expected, rtol=1e-6)
