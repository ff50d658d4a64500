"""Views of rows in InfoGAN: heads, near rows, and the steps of a net of its own."""

import pickle

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from skdgm import InfoGAN
from skdgm.adversarial._games.neighbors import near_rows
from skdgm.adversarial._nets.codes import LatentCodes as CodeUnits
from skdgm.adversarial._nets.heads import Heads
from skdgm.nets.images.deform import Deformation
from skdgm.nets.stochastic.emission import Emission
from skdgm.optim import Clock
from skdgm.options import Information
from skdgm.training.batches import canonical
from skdgm.utils.blocks import Blocks
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.parallel import limit
from skdgm.utils.tree import copy, leaves
from tests.adversarial.test_infogan import Plain
from tests.numerical import assert_descends
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))


def test_each_head_has_its_categories_and_all_share_continuous_codes():
    heads = Heads(CodeUnits((2, 3), 1, "learned"), 3)
    assert heads.n_outputs == 3 * 5 + 2
    found = [heads.columns(k).tolist() for k in range(3)]
    assert found == [[*range(5 * k, 5 * k + 5), 15, 16] for k in range(3)]
    assert Heads(CodeUnits((4,), 0), 1).columns(0).tolist() == [0, 1, 2, 3]


def test_heads_learn_what_each_says_of_both_views():
    heads, views = Heads(CodeUnits((3, 2), 1, 0.3), 2), RNG.normal(0, 2, (2, 6, 11))

    def value(views):
        parts = (views[:, :, heads.columns(k)] for k in range(2))
        return sum(heads.codes.shared(*part)[0] for part in parts)

    slopes = heads.shared(*views, heads.start())
    for side, i, k in np.ndindex(views.shape):
        move = np.zeros_like(views)
        move[side, i, k] = 1e-6
        slope = (value(views + move) - value(views - move)) / 2e-6
        np.testing.assert_allclose(slopes[side][i, k], slope, atol=1e-8)


def test_the_head_with_most_information_is_asked():
    heads = Heads(CodeUnits((2,), 0), 3)
    information, out = heads.start(), np.zeros((8, 6))
    assert heads.chosen(out, information)[0] == 0
    # The last tells rows apart in the same way by both views.
    out[:, 4] = out[::2, 5] = 5.0
    out[::2, 4] = 0
    # One update among many says little, and training that is half done changes nothing.
    heads.shared(out, out, information)
    assert heads.chosen(out, information)[0] == 0
    for _ in range(100):
        heads.shared(out, out, information, stays=True)
    assert heads.chosen(out, information)[0] == 0
    heads.shared(out, out, information)
    head, own = heads.chosen(out, information)
    assert head == 2
    np.testing.assert_array_equal(own, out[:, 4:])
    np.testing.assert_allclose(information[0, :2], 0, atol=1e-12)
    most, _ = heads.codes.shared(own, own)
    np.testing.assert_allclose(information[0, 2], most * (1 - 0.995**102))


def table(rows, **how):
    """Distinct rows as training has them."""
    return canonical(Rows(rows, rows.dtype.type, complete=True), **how)


def test_near_rows_are_the_nearest():
    rows = RNG.normal(size=(50, 4))
    weight = np.ones(50)
    weight[[3, 8]] = 0
    near = near_rows(
        table(rows, sample_weight=weight), Emission(["gaussian"] * 4, 4 * [1]), 5
    )
    D = cdist(rows, rows)
    np.fill_diagonal(D, np.inf)
    D[:, [3, 8]] = np.inf
    own = np.setdiff1d(np.arange(50), [3, 8])
    np.testing.assert_array_equal(near[own], D.argsort(axis=1)[own, :5])
    # Rows that are not learned from are near to none.
    assert (near[[3, 8]] == -1).all()


def test_near_rows_of_few_rows_and_of_incomplete_ones():
    reals = Emission(["gaussian"] * 2, [1, 1])
    assert near_rows(table(np.array([[1.0, 2.0]])), reals, 3).tolist() == [[0]]
    pair = near_rows(table(np.array([[1.0, 2.0], [3.0, 4.0]])), reals, 3)
    assert pair.tolist() == [[1], [0]]
    # Known entries count: the first row is like the third.
    rows = np.array([[5.0, np.nan], [0.0, 0.0], [5.0, 9.0], [1.0, 9.0]])
    given = Rows(rows, np.float64, complete=False)
    assert near_rows(canonical(given), reals, 1)[0].tolist() == [2]
    # Another category is further than a bit of another number.
    mixed = Emission(["categorical", "gaussian"], [3, 1])
    rows = np.array([[0, 0.0], [1, 0.1], [0, 1.0], [2, 0.5]])
    assert near_rows(table(rows), mixed, 1)[0].tolist() == [2]


@pytest.mark.parametrize("n_rows", [300, 1300, 2100])
def test_near_rows_are_the_same_for_any_number_of_threads(n_rows):
    bits = np.random.default_rng(0).integers(0, 2, (n_rows, 20)).astype(np.float32)
    reals, found = Emission(["bernoulli"] * 20, [1] * 20), []
    for n in 1, 2, 3:
        with threadpool_limits(n), limit(n):
            found.append(near_rows(table(bits), reals, 7))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


PLAIN = {"solver": "sgd", "schedule": "constant", "learning_rate": 1.0}
PLAIN |= {"average": 0.0, "hidden_layer_sizes": (5,), "n_components": 2}
PLAIN |= {"activation": "tanh", "discriminator_activation": "tanh", "n_heads": 2}
PLAIN |= {"image_shape": (1, 3), "n_categories": (2, 3)}
PLAIN |= {"gradient_penalty": 0.7, "n_codes": 2, "code_variance": 0.3}
CLOCK = Clock(0, None, 0, 2)
GAPS = np.where(RNG.random((24, 3)) < 0.2, np.nan, X)
CASES = {
    "jitter": {"jitter": 2.0},
    "near": {"n_neighbors": 4, "information_weight": 3.0},
    "both": {"jitter": 2.0, "n_neighbors": 4, "loss": "non-saturating"},
    "decay": {"n_neighbors": 4, "alpha": 0.4, "n_codes": 0},
    "dropout": {"jitter": 1.0, "n_neighbors": 2, "dropout": 0.4},
    "learned": {"jitter": 2.0, "code_variance": "learned"},
    "real": {"jitter": 2.0, "n_categories": None},
}


def game(rows, **options):
    how = {"column_types": "gaussian", "batch_size": 24, "random_state": 0}
    gan = grouped(Plain, **how, n_iter=0, **PLAIN | options).fit(rows)
    rows = Rows(rows, np.float64, complete=not np.isnan(rows).any())
    players = gan._objective(canonical(rows), 0)
    players.draw(canonical(rows), 0)
    return players


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("of_generator", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_steps_go_down_the_gradient(case, of_generator, gaps):
    players = game(GAPS if gaps else X, **CASES[case])
    options, state, heads = players.options, players.start(), players.nets.heads
    # The second head is asked.
    state.head_information[:] = np.eye(2)
    update = players.player_update(
        int(of_generator), players.read(np.arange(24)), CLOCK
    )
    units = update.z[:, -heads.codes.width :]

    def tell(params, rows):
        how = {"rng": update.rng.fold(22), "train": True}
        return players.nets.reader.apply(params, state.reader.statistics, rows, **how)[
            0
        ]

    def value(params):
        own = params if of_generator else state.generator.params
        reader = state.reader.params if of_generator else params
        real, fake, _ = players.pair(own, state.generator.statistics, update)
        views = [] if of_generator else players.views(update)
        rows = [players.moved(fake, update), *views]
        information, *sides = np.split(tell(reader, np.concatenate(rows)), len(rows))
        bound = heads.codes.information(information[:, heads.columns(1)], units).mean()
        if sides:
            parts = [[side[:, heads.columns(k)] for side in sides] for k in range(2)]
            bound += sum(heads.codes.shared(*part)[0] for part in parts)
        total = -options.information_weight * bound
        if of_generator:
            net = state.discriminator
            r, f = (
                players.discriminator.judge(
                    net.params, net.statistics, x, update.dropout
                )[0]
                for x in (real, fake)
            )
            total += players.loss.generator(r[:, 0], f[:, 0])[0].mean()
        decayed = sum((leaf**2).sum() for leaf in leaves(params) if leaf.ndim == 2)
        return total + 0.5 * options.alpha / 24 * decayed

    before = copy(state)
    move = players.generate if of_generator else players.discriminate
    part = "generator" if of_generator else "reader"
    old, new = getattr(before, part).params, getattr(move(state, update), part).params
    state = before
    assert_descends(value, old, new, RNG)


def test_the_discriminator_learns_as_without_views():
    viewed, plain = game(X, n_neighbors=2), game(X, n_neighbors=2, n_heads=4)
    found = []
    for players in viewed, plain:
        state = players.start()
        update = players.player_update(0, players.read(np.arange(24)), CLOCK)
        found.append(leaves(players.discriminate(state, update).discriminator.params))
    for own, other in zip(*found):
        np.testing.assert_array_equal(own, other)


@pytest.mark.release
def test_near_rows_have_the_same_category():
    digits, y = load_digits(return_X_y=True)
    digits = digits[y < 3] / 16
    _, *near = cdist(digits, digits).argsort(axis=1)[:, :5].T
    found = {}
    for n in 0, 5:
        gan = InfoGAN(
            n_categories=3,
            information=Information(n_neighbors=n),
            n_iter=80,
            random_state=0,
        )
        p = gan.fit(digits).predict(digits)
        found[n] = np.mean([p[own] == p for own in near])
    assert found[0] + 0.05 < found[5]
    assert found[5] > 0.98


@pytest.mark.release
def test_categories_are_the_same_of_deformed_images():
    digits, y = load_digits(return_X_y=True)
    digits = digits[y < 3] / 16
    deform, found = Deformation((8, 8, 1), 1.0), {}
    for jitter in 0.0, 1.0:
        gan = InfoGAN(
            n_categories=3,
            information=Information(jitter=jitter),
            n_iter=40,
            random_state=0,
        )
        p = gan.fit(digits).transform(digits)
        views = [gan.transform(deform(digits, stream(k))) for k in range(5)]
        found[jitter] = np.mean([view.argmax(1) == p.argmax(1) for view in views])
    assert found[0.0] + 0.1 < found[1.0]
    assert found[1.0] > 0.9


def test_what_views_cannot_be_of_is_named():
    rows = RNG.random((24, 3))
    blocks = Blocks([rows[:12], rows[12:]].__getitem__, [12, 12], 3, rows.dtype)
    with pytest.raises(ValueError, match=r"n_neighbors=2 .* in memory"):
        InfoGAN(information=Information(n_neighbors=2), n_iter=1).fit(blocks)
    for name in "n_neighbors", "n_heads":
        with pytest.raises(ValueError, match=name):
            grouped(InfoGAN, **{name: -1}).fit(X)
    with pytest.raises(ValueError, match="n_heads"):
        InfoGAN(information=Information(n_heads=0)).fit(X)
    gan = InfoGAN(column_types="gaussian", n_iter=1, warm_start=True).fit(X)
    with pytest.raises(
        ValueError, match="information__jitter, information__n_neighbors changed"
    ):
        assign(gan, n_neighbors=2).fit(X)
    with pytest.raises(ValueError, match="n_neighbors=2 is for categories"):
        InfoGAN(
            information=Information(n_neighbors=2), n_categories=None, n_codes=1
        ).fit(X)


def test_categories_keep_their_numbers_after_half_a_fit():
    players = game(X, n_neighbors=2)
    state = players.start()
    assert not players.head_stays(state, Clock(4, 10))
    assert players.head_stays(state, Clock(6, 10))
    assert not players.head_stays(state, Clock(6, None))
    state.t[0] = 1000
    assert players.head_stays(state, Clock(6, None))
    players.epochs_before = 1
    assert players.head_stays(players.start(), Clock(0, 10))


@pytest.mark.exhaustive
def test_fits_with_near_rows_are_like_any_others():
    rows = RNG.random((20, 6)).round(1)
    gan = InfoGAN(
        information=Information(n_neighbors=3),
        n_iter=2,
        batch_size=10,
        random_state=0,
        n_draws=20,
    )
    found = clone(gan).fit(rows).transform(rows)
    order = RNG.permutation(20)
    other = clone(gan).fit(rows[order])
    np.testing.assert_array_equal(other.transform(rows), found)
    twice = clone(gan).fit(np.tile(rows, (2, 1)))
    weighted = clone(gan).fit(rows, sample_weight=np.full(20, 2.0))
    np.testing.assert_array_equal(weighted.transform(rows), twice.transform(rows))
    again = pickle.loads(pickle.dumps(weighted))
    again, weighted = (own.partial_fit(rows) for own in (again, weighted))
    np.testing.assert_array_equal(again.transform(rows), weighted.transform(rows))
    # With missing values, held-out rows, fewer rows than neighbors, and one row.
    gaps = np.where(RNG.random((20, 6)) < 0.2, np.nan, rows)
    assert np.isfinite(clone(gan).fit(gaps).transform(gaps)).all()
    early = clone(gan).set_params(early_stopping=True).fit(rows)
    assert np.isfinite(early.transform(rows)).all()
    for n in 3, 1:
        assert np.isfinite(clone(gan).fit(rows[:n]).transform(rows)).all()


def test_views_are_a_row_and_a_near_one_both_deformed():
    players = game(GAPS, n_neighbors=2)
    update = players.player_update(0, players.read(np.arange(24)), CLOCK)
    first, second = players.views(update)
    np.testing.assert_array_equal(first, update.x)
    near, known = update.near
    np.testing.assert_array_equal(second, np.where(known > 0, near, 0))
    assert (known == 0).any()
    # The same row is seen in two ways.
    players = game(X, jitter=2.0)
    update = players.player_update(0, players.read(np.arange(24)), CLOCK)
    first, second = players.views(update)
    assert (first != second).any()
    assert (first != update.x).any()
