"""Rows given attributes: exact densities, attributes of any kind, images."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import check_requires_y_none

from skdgm import GeneratorNet
from skdgm.data.attributes import Known
from skdgm.distributions import BernoulliOutput, CategoricalOutput, NormalOutput
from skdgm.nets import layers, vjp
from skdgm.nets.images import maps
from skdgm.supervised._likelihood import net_of
from skdgm.training import Table
from skdgm.utils.given import Given
from skdgm.utils.rows import Rows
from tests.numerical import assert_trees, numerical_gradient
from tests.options import grouped

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, 60)
ANGLES = RNG.normal(size=60)
BITS = (RNG.random((60, 4)) < 1 / (1 + np.exp(-CODES[:, None] + 1))).astype(float)
REAL = np.column_stack([CODES + 0.1 * ANGLES, ANGLES, CODES * ANGLES])
REAL = 100 * (REAL + 0.1 * RNG.normal(size=REAL.shape))
TABLE = pd.DataFrame({"style": np.array(["old", "new", "odd"])[CODES], "turn": ANGLES})
SHORT = {"hidden_layer_sizes": (8,), "batch_size": 20, "n_iter": 5, "random_state": 0}


def net(**options):
    return grouped(GeneratorNet, **SHORT | options)


WAYS = {
    "dense": {},
    "unpool": {"architecture": "conv", "upsampling": "unpool"},
    "nearest": {"architecture": "conv", "upsampling": "nearest"},
}
OUTPUTS = {
    "bits": (BernoulliOutput, {}, RNG.integers(0, 2, (5, 15))),
    "real": (NormalOutput, {"variance": "feature"}, RNG.normal(size=(5, 15))),
    "codes": (CategoricalOutput, {}, RNG.integers(0, 3, (5, 15))),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", OUTPUTS)
def test_slopes_are_differences(way, kind):
    given, options, v = OUTPUTS[kind]
    output = given(np.full(15, 3 if kind == "codes" else 1), **options)
    maps_of = {"conv_layer_sizes": (2, 2), "image_shape": (3, 5)}
    model = net(activation="tanh", **maps_of, **WAYS[way])
    fitted = net_of(model._facts().structure, output, 0.0, "glorot_uniform")
    _, params, kept = fitted.init(np.random.default_rng(0), 4, float)
    a, v, own = (
        RNG.normal(size=(5, 4)),
        v.astype(float),
        output.initial_parameters(float),
    )
    v[1, 2] = np.nan

    def losses(params):
        return output.nll(fitted.apply(params, kept, a)[0], v, own)

    def outputs(params):
        return fitted.apply(params, kept, a)[0]

    def slopes(out):
        return output.nll_grad(out, v, np.ones(5), own)[0]

    _, found = vjp(outputs, params, slopes)
    expected = numerical_gradient(lambda p: losses(p).sum(), params)
    assert_trees(found, expected, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("way", ["unpool", "nearest"])
@pytest.mark.parametrize(
    "shape, half, low",
    [((3, 5), (2, 3), (1, 2)), ((5, 3), (3, 2), (2, 1)), ((3, 5, 3), (2, 3), (1, 2))],
)
def test_an_image_grows_from_maps_of_low_resolution(way, shape, half, low):
    n_channels = shape[2] if len(shape) == 3 else 1
    output = BernoulliOutput(np.full(15 * n_channels, 1))
    own = {"conv_layer_sizes": (2, 3), "image_shape": shape}
    structure = net(activation="tanh", **own, **WAYS[way])._facts().structure
    grow = maps.unpool if way == "unpool" else maps.upsample
    filters = {"stride": 1, "init": "glorot_uniform"}
    grown = [grow(), maps.crop(half), maps.conv(3, activation="tanh", **filters)]
    grown += [grow(), maps.crop(shape[:2]), maps.conv(n_channels, **filters)]
    start = layers.dense(8, "tanh", "glorot_uniform"), layers.dropout(0.0)
    start += (layers.dense(1 * 2 * 2, "tanh", "glorot_uniform"),)
    expected = layers.serial(*start, maps.images((*low, 2), *grown))
    a = RNG.normal(size=(5, 4))
    found = [
        one.apply(*one.init(np.random.default_rng(0), 4, float)[1:], a)[0]
        for one in (net_of(structure, output, 0.0, "glorot_uniform"), expected)
    ]
    np.testing.assert_array_equal(*found)


def test_likelihoods_given_attributes_are_those_of_the_generated_rows():
    model = net(column_types="gaussian", variance=0.25).fit(REAL, TABLE)
    mean, scale = model.generate(TABLE), REAL.std(axis=0)
    gap = (REAL - mean) / (0.5 * scale)
    expected = -0.5 * (gap**2 + np.log(2 * np.pi * 0.25 * scale**2)).sum(axis=1)
    np.testing.assert_allclose(model.score_samples(REAL, TABLE), expected, rtol=1e-9)
    assert model.density_kind_ == "exact"
    assert model.score(REAL, TABLE) == pytest.approx(expected.mean())


def test_without_attributes_the_density_is_that_of_a_mixture():
    model = net().fit(BITS, CODES)
    every = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(float)
    classes, counts = np.unique(CODES, return_counts=True)
    given = np.stack([model.score_samples(every, np.full(16, k)) for k in classes])
    joint = given + np.log(counts / 60)[:, None]
    found = model.score_samples(every)
    np.testing.assert_allclose(found, logsumexp(joint, axis=0), rtol=1e-9)
    assert logsumexp(found) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(logsumexp(given, axis=1), 0, atol=1e-9)
    posterior = np.exp(joint - found).T
    np.testing.assert_allclose(model.transform(every), posterior, rtol=1e-6)
    drawn = model.sample(4000, random_state=0) @ (1 << np.arange(4))
    shares = np.bincount(drawn.astype(int), minlength=16) / 4000
    p = np.exp(found)
    assert (abs(shares - p) < 4 * np.sqrt(p * (1 - p) / 4000)).all()


def test_the_mixture_of_real_columns_is_in_their_units():
    model = net(column_types="gaussian").fit(REAL, CODES)
    classes, counts = np.unique(CODES, return_counts=True)
    given = [model.score_samples(REAL, np.full(60, k)) for k in classes]
    expected = logsumexp(given + np.log(counts / 60)[:, None], axis=0)
    np.testing.assert_allclose(model.score_samples(REAL), expected, rtol=1e-9)


def test_missing_entries_are_filled_by_the_posterior_of_attributes():
    model = net().fit(BITS, CODES)
    row = np.array([[1.0, np.nan, 1.0, 0.0]])
    whole = np.repeat(row, 2, axis=0)
    whole[:, 1] = 0, 1
    p = np.exp(model.score_samples(whole) - model.score_samples(row))
    assert p.sum() == pytest.approx(1)
    assert model.impute(row)[0, 1] == pytest.approx(p[1], rel=1e-6)


def test_missing_entries_are_drawn_from_the_posterior_of_attributes():
    # One attribute of half of the rows, and of each of the others another one.
    y = np.r_[np.zeros(56, int), 1:45]
    X = np.column_stack([y == 0, np.arange(100) % 2, y % 3 == 0]).astype(float)
    model = net(n_iter=200, learning_rate=0.05).fit(X, y)
    rows = np.tile([np.nan, 1.0, np.nan], (4000, 1))
    whole = np.array([[0.0, 1, 0], [0, 1, 1], [1, 1, 0], [1, 1, 1]])
    p = np.exp(model.score_samples(whole) - model.score_samples(rows[:1]))
    drawn = model.impute(rows, method="sample", random_state=0)[:, [0, 2]] @ [2, 1]
    shares = np.bincount(drawn.astype(int), minlength=4) / 4000
    assert (abs(shares - p) < 4 * np.sqrt(p * (1 - p) / 4000)).all()


def test_the_loss_is_that_of_rows_given_attributes():
    model = net().fit(BITS, CODES)
    assert model.loss_curve_[-1] == pytest.approx(-model.score(BITS, CODES))


@pytest.mark.exhaustive
def test_draws_have_the_attributes_asked_for():
    X, y = load_digits(return_X_y=True)
    model = GeneratorNet((64,), n_iter=40, random_state=0).fit(X / 16, y)
    means = np.stack([X[y == k].mean(axis=0) / 16 for k in range(10)])
    assert abs(model.generate(np.arange(10)) - means).max() < 0.1
    asked = np.repeat(np.arange(10), 20)
    drawn = model.sample(200, random_state=0, y=asked)
    assert (model.transform(drawn).argmax(axis=1) == asked).mean() > 0.9


@pytest.mark.exhaustive
def test_attributes_that_were_never_seen_together_are_generated():
    # Rows are functions of kind and turn; one of six kinds is not seen with turns
    # above 1.
    rng = np.random.default_rng(0)
    kind, turn = rng.integers(0, 6, 1500), rng.uniform(-2, 2, 1500)
    X = np.column_stack([kind + turn, turn, kind % 2, turn**2])
    unseen = (kind == 5) & (turn > 1)
    table = pd.DataFrame({"kind": kind.astype(str), "turn": turn})
    model = GeneratorNet((64, 64), column_types="gaussian", n_iter=40, random_state=0)
    model.fit(X[~unseen], table[~unseen])
    gap = (model.generate(table[unseen]) - X[unseen]) / X.std(axis=0)
    assert np.sqrt((gap**2).mean()) < 0.2


def test_mixtures_of_classes_are_between_them():
    model = net(column_types="gaussian", n_iter=60).fit(REAL, CODES)
    Z = model.encode([0, 2])
    np.testing.assert_array_equal(Z, [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(model.inverse_transform(Z), model.generate([0, 2]))
    low, middle, high = model.inverse_transform([Z[0], Z.mean(axis=0), Z[1]])[:, 0]
    assert low < middle < high
    with pytest.raises(ValueError, match="H has 2 columns, but GeneratorNet has 3"):
        model.inverse_transform(Z[:, :2])


@pytest.mark.parametrize("convert", [np.asarray, list, pd.Series, pd.Categorical])
def test_classes_in_any_container_are_the_same(convert):
    names = TABLE["style"].to_numpy()
    model = net().fit(BITS, convert(names))
    expected = net().fit(BITS, np.searchsorted(["new", "odd", "old"], names))
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])
    assert model.attribute_types_[0].values == ["new", "odd", "old"]


def test_attributes_have_kinds():
    def kinds(y, asked="auto"):
        model = net(n_iter=0, attribute_types=asked).fit(BITS, y)
        return {k: t.kind for k, t in model.attribute_types_.items()}

    real, codes = "gaussian", "categorical"
    assert kinds(CODES) == kinds(CODES.astype(float)) == {0: codes}
    assert kinds(CODES[:, None]) == kinds(CODES.astype("<U1")) == {0: codes}
    assert kinds(pd.DataFrame({"turn": CODES})) == {"turn": codes}
    assert kinds(ANGLES) == {0: real}
    assert kinds(TABLE) == {"style": codes, "turn": real}
    both = np.column_stack([CODES, ANGLES])
    assert kinds(both) == {0: real, 1: real}
    assert kinds(both, (codes, real)) == kinds(both, {0: codes}) == {0: codes, 1: real}
    assert kinds(TABLE.to_numpy()) == {0: codes, 1: real}
    assert kinds(TABLE.astype({"style": "category"})) == {"style": codes, "turn": real}
    for asked, message in [
        ((codes,), "attribute_types has 1 entries, but y has 2"),
        ({"form": codes}, "attribute_types names 'form'"),
        (("ordinal", real), "attribute_types must be of"),
    ]:
        with pytest.raises(ValueError, match=message):
            kinds(TABLE, asked)


def test_a_column_of_a_frame_is_the_same_as_an_array():
    model = net(n_iter=1).fit(BITS, pd.DataFrame({"style": CODES}))
    found = model.score_samples(BITS, CODES[:, None])
    np.testing.assert_array_equal(model.score_samples(BITS, CODES), found)


def test_a_single_row_of_attributes_is_for_all_rows():
    model = net().fit(BITS, TABLE)
    rows = model.sample(3, random_state=0, y={"style": "old", "turn": 0.5})
    whole = pd.DataFrame({"style": ["old"] * 3, "turn": 0.5})
    np.testing.assert_array_equal(rows, model.sample(3, random_state=0, y=whole))
    np.testing.assert_array_equal(rows, model.sample(3, random_state=0, y=["old", 0.5]))


@pytest.mark.parametrize(
    "y, message",
    [
        (CODES[:-1], "y has 59 rows, but X has 60"),
        (np.full(60, np.nan), "missing values"),
        (np.zeros((60, 2, 2)), r"y should be an array of shape"),
        (TABLE.assign(turn=np.nan), "Attribute 'turn' has missing values"),
    ],
)
def test_bad_attributes_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        net().fit(BITS, y)


def test_other_attributes_than_learned_are_named():
    model = net().fit(BITS, TABLE)
    for y, message in [
        (CODES, "y has 60 values of one attribute, but GeneratorNet has"),
        (TABLE[["turn", "style"]], "y has the columns"),
        (TABLE.assign(style="none"), "not among the classes"),
        ({"style": "old"}, "y has no attribute 'turn'"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.generate(y)
    with pytest.raises(ValueError, match="y has 60 rows, but X has 3"):
        model.sample(3, y=TABLE)
    with pytest.raises(ValueError, match="all must be in the first"):
        model.partial_fit(BITS, TABLE.assign(style="none"))


def test_images_are_asked_for():
    model = net(architecture="conv")
    for X, options, message in [
        (BITS[:, :3], {}, "cannot tell the shape of images of 3 pixels"),
        (BITS, {"image_shape": (3, 1)}, "must be"),
        (BITS, {"conv_layer_sizes": ()}, "must have a number of maps"),
        (REAL, {"column_types": "mixed", "image_shape": (1, 3)}, None),
        (
            REAL,
            {"column_types": "gaussian", "variance": "sample", "image_shape": (3, 1)},
            "equally many outputs for each pixel",
        ),
    ]:
        case = net(architecture="conv", **options)
        if message is None:
            assert case.fit(X, CODES).sample(2).shape == (2, 3)
            continue
        with pytest.raises(ValueError, match=message):
            case.fit(X, CODES)
    assert model.fit(BITS, CODES).generate([0]).shape == (1, 4)


def test_many_attributes_are_kept_by_their_weights():
    numbers, weight = np.arange(5000.0)[:, None], np.ones(5000)
    weight[0] = 5000
    rows = Rows(np.zeros((5000, 1)), np.float64, given=Given(numbers))
    table = Table(rows, np.arange(5000), None, weight)
    found = Known.of(table)
    assert len(found.numbers) <= 1000
    assert found.weight.sum() == pytest.approx(weight.sum())
    assert found.weight[0] / found.weight.sum() == pytest.approx(0.5, abs=0.01)
    again = Known.of(table, found)
    assert again.weight.sum() == pytest.approx(2 * weight.sum())


def test_y_is_asked_for_as_scikit_learn_does():
    check_requires_y_none("GeneratorNet", net())
