"""Deep convolutional machines: every state of small images is listed."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdgm import DBM, ConvDBM, ConvRBM
from skdgm.boltzmann.learning.state import InitialData
from skdgm.boltzmann.structure.convolved_deep import geometries
from skdgm.boltzmann.structure.deep import options_of_pairs
from skdgm.energies import contrast
from skdgm.options import Filters, Pretraining
from skdgm.partition import exact
from skdgm.training import canonical
from skdgm.utils.rows import Rows
from tests.boltzmann.pairs import pretrained
from tests.numerical import assert_means, numerical_gradient
from tests.options import asked_value, assign, grouped

RNG = np.random.default_rng(0)
SMALL = [
    # 3 x 3 pixels, 2 x 2 positions in one block, and one unit above each pooled one.
    {"image_shape": (3, 3), "filter_shape": (2, 1), "pool_shape": (2, 1)},
    # Blocks of two, of which the next layer sees three and pools the results.
    {"image_shape": (2, 4), "filter_shape": (2, (1, 2)), "pool_shape": (1, (1, 2))},
    {"image_shape": (2, 2, 2), "filter_shape": 2, "padding": "same", "pool_shape": 1},
    {
        "image_shape": (2, 4),
        "filter_shape": (2, (1, 2)),
        "stride": ((1, 2), 1),
        "pool_shape": 1,
    },
]
DEEP = {
    "conv_layer_sizes": (2, 2, 2),
    "image_shape": (1, 6),
    "filter_shape": (3, 1, 2),
    "pool_shape": (2, 1, 1),
}
CASES = [*SMALL, DEEP]


def fitted(scale=1.0, seed=3, **options):
    """A machine of known parameters."""
    options = {"conv_layer_sizes": (2, 2), "inference_tol": 1e-9, **options}
    model = grouped(ConvDBM, n_iter=0, random_state=0, inference_steps=1000, **options)
    size, rng = int(np.prod(options["image_shape"])), np.random.default_rng(seed)
    model.fit(rng.random((20, size)).round())
    model.coefs_ = [rng.normal(0, scale, W.shape) for W in model.coefs_]
    model.intercepts_ = [rng.normal(size=b.shape) - 0.2 for b in model.intercepts_]
    return model


def correlated(images, W, shape, stride, same):
    """Correlation with filters, place by place, (n, high, wide, n_maps)."""
    n, height, width, channels = images.shape
    (rows, columns), (down, right) = shape, stride
    W, top, left = W.reshape(rows, columns, channels, -1), 0, 0
    high, wide = (height - rows) // down + 1, (width - columns) // right + 1
    if same:
        top, left, high, wide = (rows - 1) // 2, (columns - 1) // 2, height, width
    out = np.zeros((n, high, wide, W.shape[-1]))
    for i, j, a, b in product(*map(range, (high, wide, rows, columns))):
        y, x = down * i + a - top, right * j + b - left
        if 0 <= y < height and 0 <= x < width:
            out[:, i, j] += images[:, y, x] @ W[a, b]
    return out


def layer_states(shape, pool):
    """States of maps of which no block has two units on: images, and pooled ones."""
    h = np.array(list(product([0.0, 1.0], repeat=int(np.prod(shape)))))
    h = h.reshape(-1, *shape)
    (high, wide, maps), (rows, columns) = shape, pool
    blocks = h.reshape(len(h), high // rows, rows, wide // columns, columns, maps)
    sums = blocks.sum(axis=(2, 4))
    good = (sums <= 1).all(axis=(1, 2, 3))
    return h[good], sums[good]


class Listed:
    """All joint states of a machine, with the correlation written out once more."""

    def __init__(self, model):
        same, n = asked_value(model, "padding") == "same", model.n_features_in_
        v = np.array(list(product([0.0, 1.0], repeat=n)))
        self.states, self.tops = [v], [v.reshape(-1, *model.image_shape_)]
        for (high, wide), pool, W in zip(
            model.map_shapes_, model.pool_shapes_, model.coefs_, strict=True
        ):
            h, tops = layer_states((high, wide, W.shape[1]), pool)
            self.states.append(h.reshape(len(h), -1))
            self.tops.append(tops)
        depth = len(self.states)
        self.log_w = (v @ model.intercepts_[0]).reshape(-1, *[1] * (depth - 1))
        for number in range(1, depth):
            h = self.states[number]
            eta = correlated(
                self.tops[number - 1],
                model.coefs_[number - 1],
                model.filter_shapes_[number - 1],
                model.strides_[number - 1],
                same,
            )
            eta = (eta + model.intercepts_[number]).reshape(len(eta), -1) @ h.T
            own = [1] * depth
            own[number - 1 : number + 1] = eta.shape
            self.log_w = self.log_w + eta.reshape(own)
        self.log_Z = logsumexp(self.log_w)
        above = tuple(range(1, depth))
        self.log_p = logsumexp(self.log_w, axis=above) - self.log_Z

    def mean(self, block, given=None):
        """Means of a block's units, of rows that agree with what is given of v."""
        log_w = self.log_w if given is None else self.log_w[self.agree(given)]
        others = tuple(b for b in range(log_w.ndim) if b != block)
        log_p = logsumexp(log_w, axis=others) - logsumexp(log_w)
        x = self.states[block]
        x = x[self.agree(given)] if given is not None and block == 0 else x
        return np.exp(log_p) @ x

    def agree(self, row):
        return (np.isnan(row) | (self.states[0] == row)).all(axis=1)


def holed(rows):
    return np.where(RNG.random(rows.shape) < 0.4, np.nan, rows)


@pytest.mark.exhaustive(default=["'stride'"])
@pytest.mark.parametrize("options", CASES, ids=str)
def test_scores_are_below_the_likelihood(options):
    model = fitted(**options)
    truth = Listed(model)
    v = truth.states[0]
    assert model.density_kind_ == "lower bound"
    assert model.log_Z_ == pytest.approx(truth.log_Z)
    assert (model.score_samples(v) <= truth.log_p + 1e-9).all()
    rows = holed(v[::17])
    exactly = [logsumexp(truth.log_p[truth.agree(row)]) for row in rows]
    assert (model.score_samples(rows) <= np.array(exactly) + 1e-9).all()
    some = v[:: max(1, len(v) // 30)]
    found, se = model.importance_likelihood(some, n_draws=1000, return_se=True)
    expected = truth.log_p[:: max(1, len(v) // 30)]
    assert (abs(found - expected) <= 4.5 * se + 1e-9).all()
    assert se.max() < 0.1
    # Without the upper layers the posterior factorizes.
    model.coefs_ = [model.coefs_[0], *(0 * W for W in model.coefs_[1:])]
    model._forget()
    np.testing.assert_allclose(model.score_samples(v), Listed(model).log_p)


@pytest.mark.parametrize("options", [SMALL[1], SMALL[2]], ids=str)
def test_it_is_the_dense_machine_of_the_unrolled_filters(options):
    options = options | {"pool_shape": 1}
    model = fitted(**options)
    energy, params = model.density_.energy, model.density_.params
    v = RNG.random((9, model.n_features_in_)).round()
    sizes = [unit.size for unit in energy.units[1:]]
    dense = DBM(sizes, n_iter=0, inference_tol=1e-9, inference_steps=1000).fit(v)
    pairs = zip(energy.couplings, params.couplings, strict=True)
    dense.coefs_ = [coupling.matrix(W) for coupling, W in pairs]
    own = zip(energy.units[1:], params.units[1:])
    biases = [unit.field(bias) for unit, bias in own]
    dense.intercepts_ = [params.units[0], *biases]
    rows = np.concatenate([v, holed(v)])
    assert model.log_Z_ == pytest.approx(dense.log_Z_)
    for name in ("transform", "score_samples", "free_energy"):
        np.testing.assert_allclose(
            getattr(model, name)(rows), getattr(dense, name)(rows), atol=1e-8
        )


@pytest.mark.parametrize("options", [SMALL[0], DEEP], ids=str)
def test_features_are_a_fixed_point(options):
    model = fitted(features="detection", **options)
    v, energy, params = (
        Listed(model).states[0],
        model.density_.energy,
        model.density_.params,
    )
    means = model.transform(v)
    units = energy.units[1:]
    edges = np.cumsum([unit.size for unit in units])
    x = [v, *np.split(means, edges[:-1], axis=1)]
    for block in range(1, len(x)):
        matrices = [c.matrix(W) for c, W in zip(energy.couplings, params.couplings)]
        eta = x[block - 1] @ matrices[block - 1]
        if block + 1 < len(x):
            eta = eta + x[block + 1] @ matrices[block].T
        unit = energy.units[block]
        eta = unit.blocks(eta + np.tile(params.units[block], unit.height * unit.width))
        top = np.exp(eta)
        expected = top / (1 + top.sum(axis=-1, keepdims=True))
        np.testing.assert_allclose(unit.blocks(x[block]), expected, atol=1e-6)
    pooled = fitted(**options)
    parts = [unit.pool(mean) for unit, mean in zip(units, x[1:])]
    np.testing.assert_allclose(pooled.transform(v), np.hstack(parts), atol=1e-12)
    for part, maps, unit in zip(parts, pooled.transform_maps(v), units):
        np.testing.assert_allclose(maps.reshape(part.shape), part, atol=1e-12)
        assert maps.shape[1:] == unit.tops[:3]
    pooled.set_params(feature_layer=-1)
    np.testing.assert_allclose(pooled.transform(v), parts[-1], atol=1e-12)
    for one, H in ((model, means), (pooled, parts[-1])):
        back = one.inverse_transform(H)
        assert back.shape == v.shape
        assert ((back > 0) & (back < 1)).all()
    # The pixels depend on the first layer alone.
    eta = params.units[0] + x[1] @ energy.couplings[0].matrix(params.couplings[0]).T
    np.testing.assert_allclose(model.inverse_transform(means), 1 / (1 + np.exp(-eta)))


@pytest.mark.parametrize("options", [SMALL[0], DEEP], ids=str)
def test_samples_follow_the_model(options):
    model = fitted(0.7, **options)
    truth = Listed(model)
    x = model.sample(6000, random_state=0, init=truth.states[0][-1:], n_steps=60)
    assert_means(x, truth.mean(0))
    p = np.exp(truth.log_p)
    pairs = x[:, :3] * x[:, 3:6]
    v = truth.states[0]
    assert_means(pairs, p @ (v[:, :3] * v[:, 3:6]))


def test_imputed_means_are_conditional_means():
    model = fitted(0.7, **SMALL[0])
    truth = Listed(model)
    rows = holed(truth.states[0][::40])
    expected = np.array([truth.mean(0, row) for row in rows])
    filled = model.impute(rows, n_steps=4000)
    np.testing.assert_allclose(filled, expected, atol=0.06)
    np.testing.assert_array_equal(filled[~np.isnan(rows)], rows[~np.isnan(rows)])


@pytest.mark.parametrize("options", CASES, ids=str)
def test_the_gradient_is_that_of_the_energy(options):
    model = fitted(**options)
    energy, params, n = model.density_.energy, model.density_.params, 5
    rng = np.random.default_rng(1)
    x = [rng.random((n, unit.size)) for unit in energy.units]
    numeric = numerical_gradient(lambda own: -energy.energy(own, x).mean(), params)
    grad = contrast(energy, params, x, [0 * part for part in x])
    for a, b in zip(grad.couplings, numeric.couplings, strict=True):
        np.testing.assert_allclose(np.asarray(a), b, atol=1e-7)
    for a, b in zip(grad.units, numeric.units, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


@pytest.mark.filterwarnings("ignore:.*means of the data")  # Weights by hand.
@pytest.mark.parametrize("options", [SMALL[0], DEEP], ids=str)
def test_estimated_log_Z_is_within_its_error(options, monkeypatch):
    model = fitted(0.7, **options)
    true = Listed(model).log_Z
    monkeypatch.setattr(exact, "MAX_BITS", 1)
    model._forget()
    assert model.density_kind_ == "estimate"
    assert 0 < model.log_Z_se_ < 0.2
    assert abs(model.log_Z_ - true) < 4.5 * model.log_Z_se_


def test_pairs_are_put_into_their_places():
    """A unit between two layers hears half of what it heard in each of its pairs."""
    model = fitted(**DEEP, pretrain=Pretraining(n_iter=1))
    energy = model.density_.energy
    X = np.random.default_rng(0).random((12, 6)).round()
    table = canonical(Rows(X, np.float64, complete=True))
    recipes = options_of_pairs(model._options, 3, solver="adam", momentum=0.9)
    moments = np.full(6, 0.5), None, None, None
    initial_data = InitialData(
        missing_values=np.full(6, 0.5), moments=moments, nonzero_share=1.0
    )
    params, seen, losses = pretrained(energy, recipes, table, 0, initial_data)
    assert [len(curve) for curve in losses] == [1, 1, 1]
    x = [RNG.random((4, unit.size)) for unit in energy.units]
    for block in (1, 2):
        below, above = seen[block - 1], seen[block]
        down, up = energy.couplings[block - 1 : block + 1]
        unit, own = energy.units[block], x[block - 1]
        part = down.send(below.couplings[0], own, up=True)
        lower = np.tile(below.units[1], unit.height * unit.width) + 2 * part
        part = up.send(above.couplings[0], x[block + 1], up=False)
        shift = np.log(unit.rows * unit.columns)
        upper = np.tile(above.units[0], unit.height * unit.width) - shift + 2 * part
        eta = energy.field(params, block, energy.received(params, x, block))
        np.testing.assert_allclose(eta, (lower + upper) / 2)
    np.testing.assert_array_equal(params.units[0], seen[0].units[0])
    np.testing.assert_array_equal(params.units[-1], seen[-1].units[1])


@pytest.mark.release
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"centering": None, "pretrain": "layerwise", "pretrain_iter": 3},
        {"column_types": "gaussian"},
        {"solver": "sgd", "learning_rate": 0.1, "momentum": 0.5, "negative": "means"},
        {"gradient": "tempering", "n_temperatures": 3},
        {"init_biases": "zeros", "padding": "same", "learning_rate": 0.03},
    ],
    ids=str,
)
def test_it_learns_bars(options):
    rng, X = np.random.default_rng(0), np.zeros((200, 8, 8), np.float32)
    for image in X:
        i, j = rng.integers(0, 6, 2)
        if rng.random() < 0.5:
            image[i : i + 3, j] = 1
        else:
            image[i, j : j + 3] = 1
    X = X.reshape(200, 64)
    if "column_types" in options:
        X = X + rng.normal(0, 0.1, X.shape).astype(np.float32)
    given = {"filter_shape": 3, "n_iter": 15, "learning_rate": 0.02, "random_state": 0}
    model = grouped(ConvDBM, (4, 3), **(given | {"pool_shape": (2, 1)} | options)).fit(
        X
    )
    assert model.loss_curve_[-1] < 0.9 * model.loss_curve_[0]
    part, holes = X[:60], X[:60].copy()
    holes[:, 20:28] = np.nan
    filled = model.impute(holes)
    np.testing.assert_array_equal(filled[:, :20], part[:, :20])
    blank = np.where(np.isnan(holes), X.mean(axis=0), holes)
    assert ((filled - part) ** 2).mean() < ((blank - part) ** 2).mean()
    # Other pixels of each image.
    some = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    again = clone(model).set_params(n_iter=3).fit(some)
    assert all(np.isfinite(W).all() for W in again.coefs_)
    assert again.loss_curve_[-1] < again.loss_curve_[0]


@pytest.mark.release
def test_pretraining_is_of_use():
    X = load_digits().data[:300] / 16
    bits = (RNG.random(X.shape) < X).astype(np.float32)
    given = {"filter_shape": (3, 2), "n_iter": 0, "random_state": 0}
    scores = [
        grouped(ConvDBM, (8, 8), pretrain=pretrain, **given)
        .fit(X)
        .importance_likelihood(bits[:100], n_draws=20)
        .mean()
        for pretrain in (None, "layerwise")
    ]
    assert scores[1] > scores[0] + 0.8


def test_a_single_layer_is_a_convolutional_machine():
    X = (load_digits().data[:60] > 7).astype(float)
    given = {"filter_shape": 5, "random_state": 0, "n_iter": 0}
    deep, flat = (
        grouped(ConvDBM, 3, **given).fit(X),
        grouped(ConvRBM, 3, **given).fit(X),
    )
    flat.components_ = deep.coefs_[0].T
    flat.intercept_visible_, flat.intercept_hidden_ = deep.intercepts_
    np.testing.assert_allclose(deep.transform(X), flat.transform(X))
    np.testing.assert_allclose(deep.free_energy(X), flat.free_energy(X))


@pytest.mark.exhaustive
def test_csr_shapes_and_continuing():
    X = (load_digits().data[:200] > 7).astype(np.float32)
    given = {"filter_shape": (3, 2), "n_iter": 2, "random_state": 0, "pool_shape": 2}
    model = grouped(ConvDBM, (4, 5), **given).fit(sp.csr_array(X))
    other = grouped(ConvDBM, (4, 5), **given).fit(X)
    for a, b in zip(model.coefs_, other.coefs_):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.transform(sp.csr_array(X)), model.transform(X))
    assert model.image_shape_ == (8, 8, 1)
    assert model.filter_shapes_ == [(3, 3), (2, 2)]
    assert (model.map_shapes_, model.pool_shapes_) == ([(6, 6), (2, 2)], [(2, 2)] * 2)
    assert len(model.get_feature_names_out()) == 9 * 4 + 5
    before = model.coefs_[0].copy()
    model.partial_fit(X)
    assert (model.coefs_[0] != before).any()
    assign(model, filter_shape=((3, 3), (2, 1)), pool_shape=(2, (2, 1)))
    with pytest.raises(ValueError, match="filters__shape"):
        model.partial_fit(X)
    assign(model, filter_shape=(3, 2), pool_shape=2, conv_layer_sizes=(4, 6))
    with pytest.raises(ValueError, match="conv_layer_sizes"):
        model.partial_fit(X)


def test_a_learned_stride_is_kept():
    X = (load_digits().data[:50] > 7).astype(np.float32)
    given = {"filter_shape": 1, "padding": "same", "pool_shape": 1, "n_iter": 1}
    model = grouped(
        ConvDBM, (2, 2), filters=Filters(stride=(2, 1)), random_state=0, **given
    ).fit(X)
    assert model.strides_ == [(2, 2), (1, 1)]
    with pytest.raises(ValueError, match="filters__stride"):
        assign(model, stride=1).partial_fit(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter_shape": (9, 1)}, "larger than images"),
        ({"filter_shape": (5, 5)}, "larger than images"),
        (
            {"filter_shape": 5, "pool_shape": (3, 1)},
            "hidden layer 1 of ConvDBM.*divide",
        ),
        ({"filter_shape": (3, 2), "pool_shape": (1, 2)}, "hidden layer 2 .* divide"),
        ({"pool_shape": (1, 0)}, "pool_shape of hidden layer 2 of ConvDBM"),
        ({"filter_shape": (2, 2, 2)}, "filters__shape must be one value, or a tuple"),
        ({"image_shape": (8, 9)}, "image_shape=.*64"),
        ({"conv_layer_sizes": ()}, "conv_layer_sizes must be"),
    ],
)
def test_shapes_that_do_not_fit(options, message):
    X = load_digits().data[:20] / 16
    model = ConvDBM((3, 2), n_iter=0, random_state=0).fit(X)
    assert len(geometries(model._options, 64)) == 2
    before = model.coefs_
    with pytest.raises(ValueError, match=message):
        assign(model, **options).fit(X)
    assert model.coefs_ is before
