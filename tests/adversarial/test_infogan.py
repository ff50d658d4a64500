"""InfoGAN: codes, the bound on their information, and its part in the game."""

import pickle
from typing import Protocol

import numpy as np
import pytest
from scipy.special import entr, softmax
from scipy.stats import norm
from sklearn.base import clone

from skdgm import GANClassifier, InfoGAN
from skdgm.adversarial._games.infogan_game import InfoGANGame
from skdgm.adversarial._model_options import InfoGANOptions
from skdgm.adversarial._nets.codes import LatentCodes as CodeUnits
from skdgm.adversarial._nets.infogan_model import InfoGANModel
from skdgm.base import Model
from skdgm.optim import Clock
from skdgm.options import Information
from skdgm.training import canonical
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.tree import copy, leaves
from tests.numerical import assert_descends
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
KINDS = [
    CodeUnits((3,), 0),
    CodeUnits((2, 4), 2, 0.3),
    CodeUnits((), 2, "learned"),
    CodeUnits((3, 2), 1, "learned"),
]


@pytest.mark.parametrize("codes", KINDS)
def test_slopes_of_the_bound_are_differences(codes):
    out = RNG.normal(size=(6, codes.n_outputs))
    units = codes.draw(stream(0), 6, np.float64)
    found = codes.slope(out, units)
    for k in range(codes.n_outputs):
        move = 1e-6 * np.eye(codes.n_outputs)[k]
        up, down = (codes.information(out + s * move, units) for s in (1, -1))
        np.testing.assert_allclose(found[:, k], (down - up) / 2e-6, atol=1e-7)


def test_the_bound_is_its_definition_by_enumeration():
    # Rows that are the code's category with a probability, else any: p(c | x) is known,
    # and with it the bound is the mutual information itself.
    channel = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.0, 0.3, 0.7]])
    joint, codes = channel / 3, CodeUnits((3,), 0)
    c, x = np.divmod(np.arange(9), 3)
    marginal = joint.sum(axis=0)
    with np.errstate(divide="ignore"):
        out = np.log(joint / marginal).T[x]
    out = np.maximum(out, -700)
    units = codes.units(c[:, None].astype(float))
    bound = joint.ravel() @ codes.information(out, units)
    own = joint > 0
    information = (joint * np.log(np.where(own, joint, 1) * 3 / marginal)).sum()
    np.testing.assert_allclose(bound, information)
    # Any other distribution given a row has less.
    worse = joint.ravel() @ codes.information(RNG.normal(size=(3, 3))[x], units)
    assert worse < information


def test_information_of_continuous_codes():
    codes = CodeUnits((), 1, 0.3)
    out, c = RNG.normal(size=(5, 1)), RNG.uniform(-1, 1, (5, 1))
    expected = norm.logpdf(c, out, np.sqrt(0.3))[:, 0] + np.log(2)
    np.testing.assert_allclose(codes.information(out, c), expected)


def test_codes_have_their_distribution():
    codes = CodeUnits((2, 5), 1)
    for rng in stream(0), stream(0).rows(4000):
        drawn = codes.draw(rng, 4000, np.float32)
        assert drawn.dtype == np.float32
        assert drawn.shape == (4000, 8)
        share = drawn[:, :7].mean(axis=0)
        np.testing.assert_allclose(share, [0.5] * 2 + [0.2] * 5, atol=0.03)
        assert (drawn[:, :2].sum(axis=1) == 1).all()
        assert abs(drawn[:, 7]).max() <= 1
        assert abs(drawn[:, 7].var() - 1 / 3) < 0.03


def shared(codes, out, other):
    """Mutual information of the categories of two views, by entropies."""
    found = 0.0
    for own in codes.groups():
        p, q = (softmax(part[:, own], axis=1) for part in (out, other))
        joint = (p.T @ q + q.T @ p) / (2 * len(p))
        found += 2 * entr(joint.sum(axis=1)).sum() - entr(joint).sum()
    return found


def test_information_that_views_share():
    codes = CodeUnits((3, 2), 1)
    views = RNG.normal(0, 2, (2, 6, 6))
    found, slopes = codes.shared(*views)
    np.testing.assert_allclose(found, shared(codes, *views))
    for side in range(2):
        for k in range(6):
            move = np.zeros_like(views)
            move[side, :, k] = 1e-6
            up, down = (codes.shared(*(views + s * move))[0] for s in (1, -1))
            slope = (up - down) / 2e-6
            np.testing.assert_allclose(slopes[side][:, k].sum(), slope, atol=1e-8)
    # Views that tell the same category of each row have all of its information, and
    # views that tell nothing have none.
    sure = np.zeros((6, 6))
    sure[np.arange(6), np.arange(6) % 3] = 1000
    np.testing.assert_allclose(CodeUnits((3,), 0).shared(sure, sure)[0], np.log(3))
    assert abs(codes.shared(0 * sure, 0 * sure)[0]) < 1e-12


# One plain step of size one: parameters move by the gradient.
PLAIN = {"solver": "sgd", "schedule": "constant", "learning_rate": 1.0, "alpha": 0.0}
PLAIN |= {"average": 0.0, "hidden_layer_sizes": (5,), "n_components": 2}
PLAIN |= {"n_codes": 2, "code_variance": 0.3}
PLAIN |= {"activation": "tanh", "discriminator_activation": "tanh"}
CLOCK = Clock(0, None, 0, 2)


class PlainOptions(InfoGANOptions, Protocol):
    """Options without Fourier features."""

    n_frequencies: int | str = 0


class PlainModel(InfoGANModel, Model[PlainOptions]):
    """Model without Fourier features."""


class Plain(InfoGAN):
    """InfoGAN without Fourier features."""

    _MODEL = PlainModel()


def game(**options):
    how = {"column_types": "gaussian", "batch_size": 24, "random_state": 0}
    gan = grouped(Plain, **how, n_iter=0, **PLAIN | options).fit(X)
    return gan._objective(canonical(Rows(X, np.float64, complete=True)), 0)


CASES = {
    "plain": {"gradient_penalty": 0.0},
    "penalty": {"gradient_penalty": 0.7},
    "learned": {"code_variance": "learned", "gradient_penalty": 0.0},
    "paired": {"loss": "relativistic", "n_categories": (2, 3), "gradient_penalty": 0.0},
    "real": {"n_codes": 3, "n_categories": None, "loss": "least-squares"},
    "dropout": {"dropout": 0.4, "information_weight": 3.0, "gradient_penalty": 0.0},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("of_generator", [False, True])
def test_steps_go_down_the_gradient(case, of_generator):
    players = game(**{"loss": "non-saturating"} | CASES[case])
    options, state = players.options, players.start()
    update = players.player_update(
        int(of_generator), players.read(np.arange(24)), CLOCK
    )
    codes, judge = players.generator.codes, players.discriminator.judge
    units = update.z[:, -codes.width :]

    def value(params):
        own = params if of_generator else state.generator.params
        net = state.discriminator.params if of_generator else params
        real, fake, _ = players.pair(own, state.generator.statistics, update)

        def judged(rows):
            return judge(net, state.discriminator.statistics, rows, update.dropout)[0]

        r, f = judged(real), judged(fake)
        if not of_generator:
            both = judged(np.concatenate([real, fake]))
            r, f = both[: len(real)], both[len(real) :]
        loss = players.loss.generator(r[:, 0], f[:, 0])
        if not of_generator:
            loss = players.loss.discriminator(r[:, 0], f[:, 0])
        bound = codes.information(f[:, 1:], units).mean()
        total = loss[0].mean() - options.information_weight * bound
        # The decay of a batch's weights counts once for its rows.
        decayed = sum((leaf**2).sum() for leaf in leaves(params) if leaf.ndim == 2)
        total += 0.5 * options.alpha / 24 * decayed
        if players.penalty and not of_generator:
            rows, norm = np.concatenate([real, fake]), 0.0
            for move in 1e-4 * np.eye(rows.shape[1]):
                up, down = (judged(rows + s * move)[:, 0] for s in (1, -1))
                norm += ((up - down) / 2e-4) ** 2
            # That of both sides, once in two updates.
            total += players.penalty * norm.sum() / 24
        return total

    before = copy(state)
    which = 0 if of_generator else 1
    move = players.generate if of_generator else players.discriminate
    old, new = before[which].params, move(state, update)[which].params
    state = before
    assert_descends(value, old, new, RNG)


TOY = {"column_types": "gaussian", "n_components": 2, "hidden_layer_sizes": (32, 32)}
TOY |= {"batch_size": 50, "random_state": 0}


@pytest.fixture(scope="module")
def clusters():
    """Rows of three clusters, what they are, and a model of them."""
    y = np.random.default_rng(1).integers(0, 3, 600)
    rows = 4.0 * np.eye(3)[y][:, :2] + np.random.default_rng(2).normal(0, 0.3, (600, 2))
    gan = grouped(InfoGAN, **TOY, n_categories=3, n_codes=0, n_iter=40).fit(rows)
    return rows, y, gan


@pytest.mark.exhaustive
def test_categories_are_the_clusters(clusters):
    rows, y, gan = clusters
    found = gan.predict(rows)
    counts = np.zeros((3, 3))
    np.add.at(counts, (found, y), 1)
    assert counts.max(axis=1).sum() > 0.95 * len(rows)
    assert sorted(counts.argmax(axis=1)) == [0, 1, 2]
    np.testing.assert_array_equal(gan.transform(rows).argmax(axis=1), found)
    np.testing.assert_allclose(gan.transform(rows).sum(axis=1), 1)
    # The bound is near the entropy of the codes, which it cannot exceed.
    assert len(gan.information_curve_) == gan.n_iter_
    assert np.log(3) - 0.15 < gan.information_curve_[-1] <= np.log(3)


@pytest.mark.exhaustive
def test_draws_of_a_code_are_of_its_cluster(clusters):
    gan = clusters[-1]
    for category in range(3):
        drawn = gan.sample(50, random_state=0, codes=[category])
        assert (gan.predict(drawn) == category).mean() > 0.9
    one = gan.sample(3, random_state=0, codes=[[0], [1], [2]])
    np.testing.assert_array_equal(gan.predict(one), [0, 1, 2])
    free = gan.sample(5, random_state=0, codes=[np.nan])
    np.testing.assert_array_equal(free, gan.sample(5, random_state=0))
    np.testing.assert_array_equal(
        gan.predict(gan.inverse_transform(np.eye(3))), [0, 1, 2]
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([3], "codes has 3 in column 0, but its categories are 0 to 2"),
        ([0.5], "codes has 0.5 in column 0"),
        ([0, 1], "a number for each of the 1 codes"),
        ([[0], [1]], "of all rows or of each of 5"),
        ([np.inf], "infinity"),
        (["a"], "convert|numeric"),
    ],
)
def test_codes_that_there_are_not_are_named(clusters, codes, message):
    with pytest.raises(ValueError, match=message):
        clusters[2].sample(5, codes=codes)


@pytest.mark.exhaustive
def test_columns_of_codes_are_counted(clusters):
    with pytest.raises(ValueError, match="H has 2 columns, but InfoGAN"):
        clusters[2].inverse_transform(np.eye(2))
    with pytest.raises(ValueError, match="InfoGAN depends on no classes"):
        clusters[2].generate(np.zeros((1, 5)), y=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_categories": (3, 1)}, "n_categories must be at least 2"),
        ({"n_categories": (3, 0)}, "n_categories must be positive integers"),
        ({"n_categories": None, "n_codes": 0}, "There must be a code"),
        ({"n_categories": (), "n_codes": 0}, "There must be a code"),
        ({"n_categories": 1}, "n_categories"),
        ({"code_variance": 0.0}, "code_variance"),
        ({"code_variance": "free"}, "code_variance"),
    ],
)
def test_options_that_cannot_be_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(InfoGAN, column_types="gaussian", n_iter=1, **options).fit(X)


def test_a_code_of_each_kind():
    gan = grouped(
        InfoGAN,
        **TOY,
        n_categories=(2, 3),
        n_codes=2,
        information=Information(code_variance="learned"),
    )
    gan.set_params(n_iter=1).fit(X)
    H = gan.transform(X)
    assert H.shape == (24, 7)
    assert gan.get_feature_names_out().shape == (7,)
    np.testing.assert_allclose(H[:, :2].sum(axis=1), 1)
    np.testing.assert_allclose(H[:, 2:5].sum(axis=1), 1)
    assert gan.predict(X).shape == (24, 2)
    assert gan.inverse_transform(H).shape == X.shape
    drawn = gan.sample(4, random_state=0, codes=[1, 2, -0.5, np.nan])
    assert drawn.shape == (4, 3)
    with pytest.raises(ValueError, match="code_variance changed"):
        assign(gan, code_variance=0.5, warm_start=True).fit(X)
    plain = InfoGAN(n_categories=None)
    assert not hasattr(plain, "predict")
    # A number may change.
    gan = grouped(InfoGAN, **TOY, n_iter=1, warm_start=True).fit(X)
    assert assign(gan, code_variance=0.5).fit(X).n_iter_ == 2
    assert len(gan.information_curve_) == 2


def test_images():
    rows = RNG.random((40, 36)).astype(np.float32)
    gan = InfoGAN(architecture="conv", hidden_layer_sizes=(4, 3), n_codes=2, n_iter=1)
    gan.fit(rows)
    assert gan.sample(2, random_state=0, codes=[9, 0, 0]).shape == (2, 36)
    assert gan.transform(rows).shape == (40, 12)


def test_images_to_deform_have_a_shape():
    with pytest.raises(ValueError, match=r"jitter=1 .* give image_shape"):
        InfoGAN(information=Information(jitter=1.0), n_iter=1).fit(np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"jitter=0.5 is for pixels"):
        InfoGAN(
            information=Information(jitter=0.5), column_types="categorical", n_iter=1
        ).fit(np.eye(4))
    for jitter in -1, 6.0, np.nan:
        with pytest.raises(ValueError, match="jitter"):
            InfoGAN(information=Information(jitter=jitter)).fit(X)
    # With missing pixels, and as the number of rows of an update may be.
    rows = np.where(RNG.random((21, 6)) < 0.2, np.nan, RNG.random((21, 6)))
    gan = InfoGAN(
        information=Information(jitter=1.0), image_shape=(2, 3), batch_size=20, n_iter=2
    )
    gan.set_params(column_types="bernoulli")
    assert np.isfinite(gan.fit(rows).transform(rows)).all()


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", [InfoGAN, GANClassifier])
def test_fits_with_deformed_images_are_like_any_others(kind):
    rows, y = RNG.random((20, 6)), np.arange(20) % 3
    model = grouped(kind, jitter=1.0, image_shape=(3, 2), n_iter=2, batch_size=10)
    model.set_params(column_types="bernoulli", random_state=0, n_draws=20)
    found = clone(model).fit(rows, y).transform(rows)
    # Again, with weights instead of repeated rows, and with what was kept.
    np.testing.assert_array_equal(clone(model).fit(rows, y).transform(rows), found)
    twice = clone(model).fit(np.tile(rows, (2, 1)), np.tile(y, 2))
    weighted = clone(model).fit(rows, y, sample_weight=np.full(20, 2.0))
    np.testing.assert_array_equal(weighted.transform(rows), twice.transform(rows))
    again = pickle.loads(pickle.dumps(weighted))
    again, weighted = (own.partial_fit(rows, y) for own in (again, weighted))
    np.testing.assert_array_equal(again.transform(rows), weighted.transform(rows))
    plain = assign(clone(model), jitter=0.0).fit(rows, y)
    assert (found != plain.transform(rows)).any()


def test_information_of_an_undone_epoch_is_that_of_the_best_state(monkeypatch):
    step = InfoGANGame.step

    def breaking(self, state, batch, clock):
        state = step(self, state, batch, clock)
        if clock.epoch == 2:
            leaves(state.generator.params)[0][:] = np.inf
        return state

    monkeypatch.setattr(InfoGANGame, "step", breaking)
    gan = InfoGAN(n_iter=4, early_stopping=True, random_state=0).fit(X)
    assert len(gan.loss_curve_) == 4
    best = np.argmin(gan.validation_curve_[:2])
    information = gan.information_curve_
    assert information[2] == information[best]
    assert np.isfinite(information).all()
    assert len(information) == 4
