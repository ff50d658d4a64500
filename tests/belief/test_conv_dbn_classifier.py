import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skdgm import BernoulliRBM, ConvDBN, ConvDBNClassifier, ConvRBM, DBNClassifier
from skdgm.couplings import Conv
from skdgm.distributions import Pooled, Selected
from skdgm.nets import forward, vjp
from skdgm.nets.images.pooling import pooled_convolution
from skdgm.options import Filters, Pretraining
from skdgm.utils.windows import window
from tests.belief.tuning import FEW, FEW_Y, TEST, TRAIN, Y_TEST, Y_TRAIN
from tests.nets.recipes import assert_slopes, numbers
from tests.options import assign

SMALL = ConvDBNClassifier(
    (4, 5),
    filters=Filters(shape=(3, 2), pool_shape=2),
    hidden_layer_sizes=6,
    pretrain=Pretraining(n_iter=2),
    n_iter=3,
    random_state=0,
)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("holed", [False, True])
def test_the_net_begins_as_the_recognition_of_the_network(visible, holed):
    X = FEW.astype(np.float64)
    if holed:
        X[::3, ::5] = np.nan
    clf = clone(SMALL).set_params(column_types=visible, n_iter=0)
    assign(clf, pretrain_learning_rate=0.005).fit(X, FEW_Y)
    found, expected = clf.transform_layers(X), clf.dbn_.transform_layers(X)
    for H, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(H, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(clf.transform(X), found[-1])
    np.testing.assert_allclose(clf.predict_proba(X), 0.1)
    assert [W.shape for W in clf.coefs_] == [(9, 4), (16, 5), (5, 6), (6, 10)]
    assert len(clf.get_feature_names_out()) == 6
    assert clf.inverse_transform(clf.transform(X)).shape == X.shape


@pytest.mark.parametrize(
    "unit",
    [
        *(Pooled(4, 4, 3, *block) for block in [(1, 1), (2, 1), (2, 2)]),
        Selected(4, 4, 3, 1, 1, 2, 4, "max"),
        Selected(4, 4, 3, 1, 1, 2, 1, "mean"),
    ],
)
def test_slopes_of_a_layer_of_maps(unit):
    own, x = window((5, 6, 2), (2, 3), 1, "valid"), numbers(3, 60)
    W, b = numbers(12, 3, seed=1), numbers(3, seed=2)

    def layer(params):
        return pooled_convolution(*params, window=own, unit=unit)

    h = unit.mean(np.tile(b, 16) + Conv(own, 3).send(W, x, up=True))
    np.testing.assert_allclose(layer((x, W, b)), unit.pool(h))
    assert_slopes(layer, (x, W, b))


def test_slopes_of_the_whole_net():
    clf = clone(SMALL).fit(FEW.astype(np.float64), FEW_Y)
    x, own = FEW[:4].astype(np.float64), clf._activation
    assert_slopes(lambda p: forward(p, x, own), clf._state().params)
    _, grads = vjp(lambda p: forward(p, x, own), clf._state().params, np.ones_like)
    assert all(part.any() for layer in grads for part in layer)


def test_the_network_is_what_it_would_be_alone():
    clf = clone(SMALL).fit(FEW, FEW_Y)
    dbn = ConvDBN(
        (4, 5), filters=Filters(shape=(3, 2), pool_shape=2), hidden_layer_sizes=6
    )
    dbn.set_params(n_iter=2, random_state=clf.dbn_.random_state).fit(FEW)
    np.testing.assert_array_equal(dbn.transform(FEW)[:, -6:], clf.dbn_.transform(FEW))
    np.testing.assert_array_equal(
        dbn.sample(5, random_state=1), clf.sample(5, random_state=1)
    )
    assert clf.density_kind_ == dbn.density_kind_


def test_layers_without_pre_training_begin_as_a_net_does():
    clf = assign(clone(SMALL), pretrain_iter=(2, 0, 0), n_iter=0).fit(FEW, FEW_Y)
    np.testing.assert_array_equal(clf.coefs_[0], clf.dbn_.coefs_[0])
    assert clf.coefs_[2].std() > 3 * clf.dbn_.coefs_[2].std()


@pytest.mark.release
def test_digits():
    clf = ConvDBNClassifier(
        24, filters=Filters(shape=3), pretrain=Pretraining(n_iter=4), random_state=0
    )
    assert clf.fit(TRAIN, Y_TRAIN).score(TEST, Y_TEST) > 0.97
    few = clone(clf).set_params(n_iter=60).fit(TRAIN[:100], Y_TRAIN[:100])
    dense = DBNClassifier(
        (64, 64), pretrain=Pretraining(n_iter=4), n_iter=60, random_state=0
    )
    dense.fit(TRAIN[:100], Y_TRAIN[:100])
    assert few.score(TEST, Y_TEST) > dense.score(TEST, Y_TEST) - 0.02
    rows = sp.csr_array(TEST)
    np.testing.assert_array_equal(few.predict(rows), few.predict(TEST))


def test_layers_given_several_labels_and_passes():
    layers = [
        ("strokes", ConvRBM(5, filters=Filters(shape=3), n_iter=1)),
        ("whole", BernoulliRBM(7, n_iter=1)),
    ]
    y = np.stack([FEW_Y > 4, FEW_Y % 2], axis=1).astype(int)
    clf = ConvDBNClassifier(layers=layers, n_iter=2, max_norm=1.0, random_state=0)
    clf.fit(FEW, y)
    assert clf.predict(FEW).shape == (200, 2)
    norms = np.sqrt((clf.coefs_[0] ** 2).sum(axis=0))
    assert (norms <= 1 + 1e-5).all()
    parts = clone(SMALL).partial_fit(FEW, FEW_Y, classes=np.arange(10))
    assert parts.partial_fit(FEW, FEW_Y).n_iter_ == 2
    with pytest.raises(ValueError, match="pool_shape=3"):
        assign(clone(SMALL), pool_shape=3, filter_shape=2).fit(FEW, FEW_Y)
    with pytest.raises(ValueError, match="pretrain__n_steps must be one value"):
        assign(clone(SMALL), pretrain_steps=(1, 2)).fit(FEW, FEW_Y)
