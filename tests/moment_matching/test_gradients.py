"""Slopes of what generators and autoencoders minimize are central differences."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from skdgm import GMMN
from skdgm.data import tabulate
from skdgm.moment_matching import _matching
from skdgm.nets import layers_of, vjp
from skdgm.optim import Clock
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves, tree_map
from tests.numerical import assert_trees, numerical_gradient
from tests.options import grouped

RNG = np.random.default_rng(0)
GRAY = {"column_types": "bernoulli"}
WAYS = {
    "gray": GRAY,
    "square": {**GRAY, "square_root": False},
    "real": {"column_types": "gaussian"},
    "given": {**GRAY, "bandwidths": (0.3, 2.0)},
    "classes": {**GRAY, "class_conditional": True},
    "norm": {**GRAY, "batch_norm": True},
    "codes": {**GRAY, "autoencoder_layer_sizes": (4, 2)},
    "code-classes": {**GRAY, "autoencoder_layer_sizes": 2, "class_conditional": True},
}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_slopes_are_differences(way, missing):
    X, y = RNG.random((9, 3)), np.arange(9) % 2
    if missing:
        X[0, 1] = X[2, 0] = np.nan
        X[3] = np.nan
    options = {"n_components": 2, "hidden_layer_sizes": 3, "activation": "tanh"}
    gmmn = grouped(GMMN, **options, **WAYS[way], n_iter=1, random_state=0).fit(X, y)
    rows, _ = gmmn._label(gmmn._rows(X), y, False, None)
    objective = gmmn._objective(tabulate(rows, None), 0)
    state = objective.resume(gmmn._training)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    codes = y if gmmn.class_conditional else None
    given = objective.prepare(state, x, known, codes, stream(3))
    part = state.matched

    def loss(params):
        fake, _ = objective.generated(params, part.statistics, given)
        return objective.loss(fake, given)[0]

    _, found = vjp(
        lambda p: objective.generated(p, part.statistics, given)[0],
        part.params,
        lambda fake: objective.loss(fake, given)[1],
    )
    expected = numerical_gradient(loss, part.params)
    assert_trees(found, expected, atol=1e-8, rtol=1e-5)


def _objective(rows, y=None, **options):
    options = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "n_iter": 1} | options
    options |= {"schedule": "constant", "activation": "tanh", "random_state": 0}
    gmmn = grouped(GMMN, n_components=2, hidden_layer_sizes=3, **GRAY | options).fit(
        rows, y
    )
    table = tabulate(gmmn._label(gmmn._rows(rows), y, False, None)[0], None)
    objective = gmmn._objective(table, 0)
    return objective, objective.resume(gmmn._training)


@pytest.mark.parametrize("sizes", [None, (4, 2)])
def test_updates_descend(sizes):
    """A step of plain descent is the learning rate times the negative slope: of the
    generator's discrepancy, and of the mean error of what an autoencoder rebuilds."""
    X = RNG.random((9, 3))
    X[0, 1] = np.nan
    objective, state = _objective(X, autoencoder_layer_sizes=sizes)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    rng, clock = stream(3), Clock(0, 1)
    given, part = objective.prepare(state, x, known, None, rng), copy(state.matched)

    def unlike(params):
        fake, _ = objective.generated(params, part.statistics, given)
        return objective.loss(fake, given)[0]

    steps = [(part.params, numerical_gradient(unlike, part.params))]
    kept = copy(state)
    after = [objective._match(copy(state), x, known, None, rng, clock).matched]
    if sizes:
        nets, coder = objective.nets, kept.autoencoder
        seen = nets.inferred(coder, x, known)

        def error(params):
            moved = coder._replace(params=params)
            code = nets.encoder.apply(params[0], coder.statistics[0], seen)[0]
            out = nets.decoder.apply(moved.params[1], coder.statistics[1], code)[0]
            gray = np.logaddexp(0, out) - x * out
            return (gray * known).sum() / len(x)

        steps.append((copy(coder.params), numerical_gradient(error, coder.params)))
        rest = x, known, rng, clock
        after.append(objective._code(copy(kept), *rest).autoencoder)
    rate = objective.options.learning_rate
    for (before, slope), moved in zip(steps, after, strict=True):
        expected = tree_map(lambda p, g: p - rate * g, before, slope)
        assert_trees(moved.params, expected, atol=1e-7 * rate, rtol=1e-6)


def test_missing_entries_do_not_count():
    X = RNG.random((9, 3))
    X[0, 1] = X[2, 0] = np.nan
    objective, state = _objective(X)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    given = objective.prepare(state, x, known, None, stream(3))
    fake, _ = objective.generated(state.matched.params, state.matched.statistics, given)
    np.testing.assert_array_equal(fake == 0, np.isnan(X))
    np.testing.assert_array_equal(given.real, np.nan_to_num(X))


def test_bandwidths_follow_the_median_distance():
    X = RNG.random((9, 3))
    objective, state = _objective(X)
    factors = np.array([0.125, 0.25, 0.5, 1, 2])
    state = state._replace(width=np.zeros(1), t=np.zeros(1))
    first, second = (np.median(pdist(part) ** 2) ** 0.5 for part in (X, X[:4]))
    np.testing.assert_allclose(objective._sigmas(state, X), first * factors)
    state.t[0] += 1
    found = objective._sigmas(state, X[:4])
    np.testing.assert_allclose(found, (first + second) / 2 * factors)
    state.t[0] = 1e6
    found = objective._sigmas(state, X)
    mean = (first + second) / 2
    np.testing.assert_allclose(found, (mean + (first - mean) / 100) * factors)


def test_classes_are_two_bandwidths_apart():
    X, y = RNG.random((9, 3)), np.arange(9) % 2
    objective, state = _objective(X, y, class_conditional=True)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    given = objective.prepare(state, x, known, y, stream(3))
    np.testing.assert_allclose(given.classes, np.eye(2)[y] * 2 * max(given.sigmas))


def test_nets_have_the_layers_asked_for():
    _, state = _objective(
        RNG.random((9, 3)), autoencoder_layer_sizes=(5, 4, 2), batch_norm=True
    )
    encoder, decoder = state.autoencoder.params

    def shapes(params):
        return [leaf.W.shape for leaf in layers_of(params)]

    assert shapes(encoder) == [(3, 5), (5, 4), (4, 2)]
    assert shapes(decoder) == [(2, 4), (4, 5), (5, 3)]
    assert shapes(state.matched.params) == [(2, 3), (3, 2)]
    # Each hidden layer is normalized: a gain and a shift a unit.
    sizes = sorted(leaf.size for leaf in leaves(decoder) if leaf.ndim == 1)
    assert sizes == sorted([4, 5, 3, 4, 4, 5, 5])


def test_codes_are_those_of_the_encoder_and_are_decoded():
    X, sizes = RNG.random((9, 3)), (4, 2)
    gmmn = grouped(
        GMMN, **GRAY, autoencoder_layer_sizes=sizes, batch_norm=True, n_iter=3
    )
    gmmn.set_params(n_components=3, hidden_layer_sizes=3, random_state=0).fit(X)
    nets, part = gmmn.density_.nets, gmmn.density_.state.autoencoder
    (encoder, decoder), (kept, more) = part.params, part.statistics
    codes = nets.encoder.apply(encoder, kept, X)[0]
    np.testing.assert_allclose(gmmn.transform(X), codes)
    out = nets.decoder.apply(decoder, more, codes)[0]
    np.testing.assert_allclose(gmmn.inverse_transform(codes), 1 / (1 + np.exp(-out)))
    plain = grouped(GMMN, n_components=3, hidden_layer_sizes=3, n_iter=1, **GRAY).fit(X)
    assert plain.transform(X).shape == (9, 3)


def test_units_of_the_encoder_drop_out_in_training():
    objective, state = _objective(
        RNG.random((9, 3)), autoencoder_layer_sizes=(4, 2), dropout=0.5
    )
    assert state.width.shape == state.t.shape == (1,)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    moved = [
        objective._code(copy(state), x, known, stream(seed), Clock(0, 1)).autoencoder
        for seed in (0, 1)
    ]
    one, two = (next(iter(leaves(part.params))) for part in moved)
    assert (one != two).any()


@pytest.mark.parametrize("square_root", [True, False])
def test_the_loss_is_the_discrepancy_or_its_square(square_root):
    """The definition, with kernels one after another."""
    X, sigmas = RNG.random((7, 3)), (0.3, 2.0)
    options = {"bandwidths": sigmas, "square_root": square_root, "n_iter": 1}
    gmmn = grouped(GMMN, 2, hidden_layer_sizes=3, random_state=0, **GRAY | options).fit(
        X
    )
    objective = gmmn._objective(tabulate(gmmn._rows(X), None), 0)
    state = objective.resume(gmmn._training)
    given = objective.prepare(state, X, None, None, stream(3))
    fake, _ = objective.generated(state.matched.params, state.matched.statistics, given)

    def kernel(a, b):
        D = cdist(a, b, "sqeuclidean")
        return np.mean([np.exp(-D / (2 * s**2)) for s in sigmas])

    expected = kernel(fake, fake) - 2 * kernel(fake, X) + kernel(X, X)
    expected = np.sqrt(expected) if square_root else expected
    assert objective.loss(fake, given)[0] == pytest.approx(expected, rel=1e-5)


def test_pieces_of_a_batch_learn_from_their_own_known_entries(monkeypatch):
    """A batch in pieces is as many updates of the autoencoder, one for each piece."""
    X = RNG.random((9, 3))
    X[0, 1] = X[5, 2] = X[7] = np.nan
    objective, state = _objective(X, autoencoder_layer_sizes=(4, 2), batch_size=9)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    rng, clock = stream(4), Clock(0, None, 0, 1)

    def coded(state, rows, piece):
        monkeypatch.setattr(_matching, "_PIECE", piece)
        return objective._code(state, x[rows], known[rows], rng, clock).autoencoder

    in_pieces = coded(state, slice(None), 4)
    one_by_one = state
    for start in range(0, 9, 4):
        part = coded(one_by_one, slice(start, start + 4), 9)
        one_by_one = one_by_one._replace(autoencoder=part)
    assert_trees(in_pieces.params, one_by_one.autoencoder.params, rtol=1e-12)
