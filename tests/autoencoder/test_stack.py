import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from skdgm import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    StackedAutoencoder,
    StackedAutoencoderClassifier,
    StackedAutoencoderRegressor,
)
from skdgm.exceptions import DivergenceError
from skdgm.options import Pretraining
from tests.options import assign

X, Y = load_digits(return_X_y=True)
X = X / 16
FEW, OF_FEW = X[:200], Y[:200]
SMALL = StackedAutoencoder((12, 9), n_iter=3, random_state=0)
NET = StackedAutoencoderClassifier(
    (12, 9), pretrain=Pretraining(n_iter=2), n_iter=3, random_state=0
)


def holed(X):
    """Rows with missing entries."""
    X = X.copy()
    X[::3, ::5] = np.nan
    return X


@pytest.mark.parametrize(
    "layer, kind",
    [
        ("denoising", DenoisingAutoencoder(corruption_level=0.3)),
        ("contractive", ContractiveAutoencoder()),
        ("plain", Autoencoder()),
    ],
)
def test_layers_are_autoencoders_of_the_codes_below(layer, kind):
    stack = clone(SMALL).set_params(layer_type=layer).fit(FEW)
    bottom, top = stack.layers_
    one = clone(kind).set_params(hidden_layer_sizes=(), code_activation="logistic")
    one.set_params(n_components=12, tied=True, n_iter=3)
    one.set_params(random_state=bottom.random_state).fit(FEW)
    np.testing.assert_array_equal(one.coefs_[0], bottom.coefs_[0])
    below, above = stack.transform_layers(FEW)
    np.testing.assert_allclose(bottom.transform(FEW), below)
    np.testing.assert_allclose(top.transform(below), above)
    first = clone(top).set_params(column_types="bernoulli", n_iter=0).fit(below)
    assert top.score(below) > first.score(below)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_reconstructions_go_through_all_layers(activation):
    stack = clone(SMALL).set_params(activation=activation, feature_layer=-1).fit(FEW)
    bottom, top = stack.layers_
    h = bottom.transform(FEW)
    middle = top.inverse_transform(top.transform(h))
    np.testing.assert_allclose(stack.transform(FEW), top.transform(h))
    expected = bottom.inverse_transform(middle)
    np.testing.assert_allclose(stack.inverse_transform(top.transform(h)), expected)
    gaps = stack.reconstruction_error(FEW, by="column", loss="squared")
    np.testing.assert_allclose(gaps, (FEW - expected) ** 2, atol=1e-12)
    # Of several layers of features the lowest is decoded.
    stack.set_params(feature_layer=(1, 0))
    found = stack.inverse_transform(stack.transform(FEW))
    np.testing.assert_allclose(found, bottom.inverse_transform(h))


@pytest.mark.parametrize("kinds", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_a_net_begins_as_the_stack(kinds, activation):
    net = clone(NET).set_params(n_iter=0, activation=activation, column_types=kinds)
    rows = holed(FEW)
    found = net.fit(rows, OF_FEW).transform_layers(rows)
    for H, other in zip(found, net.stack_.transform_layers(rows), strict=True):
        np.testing.assert_allclose(H, other, atol=1e-9)
    np.testing.assert_allclose(net.predict_proba(rows), 0.1)
    np.testing.assert_allclose(net.score_samples(rows), net.stack_.score_samples(rows))


def test_a_net_is_that_of_its_weights():
    net = clone(NET).fit(FEW, OF_FEW)
    h = FEW
    for W, b in zip(net.coefs_[:-1], net.intercepts_[:-1]):
        h = expit(h @ W + b)
    z = h @ net.coefs_[-1] + net.intercepts_[-1]
    np.testing.assert_array_equal(net.predict(FEW), z.argmax(axis=1))
    assert abs(net.transform(FEW) - net.stack_.transform(FEW)).max() > 1e-3


def test_pre_training_sees_no_label():
    given = clone(NET).set_params(unlabeled=-1)
    one = clone(given).fit(FEW, OF_FEW)
    hidden = np.where(np.arange(200) % 2, OF_FEW, -1)
    other = clone(given).fit(FEW, hidden)
    alone = clone(SMALL).set_params(n_iter=2, random_state=one.stack_.random_state)
    for own in (one.stack_, other.stack_):
        for W, expected in zip(own.coefs_, alone.fit(FEW).coefs_, strict=True):
            np.testing.assert_array_equal(W, expected)


@pytest.mark.exhaustive
def test_rows_without_a_label_help():
    y = np.where(np.arange(1000) < 50, Y[:1000], -1)
    net = StackedAutoencoderClassifier((64, 64), unlabeled=-1, random_state=0)
    assign(net, pretrain_iter=20, pretrain_learning_rate=0.01, n_iter=100)
    from_all = clone(net).fit(X[:1000], y).score(X[1000:], Y[1000:])
    alone = assign(net, pretrain_iter=0).fit(X[:1000], y)
    assert from_all > alone.score(X[1000:], Y[1000:])


@pytest.mark.exhaustive
def test_numbers():
    D, t = load_diabetes(return_X_y=True)
    net = StackedAutoencoderRegressor((32, 32), n_iter=30, random_state=0)
    assert net.fit(D[:300], t[:300]).score(D[300:], t[300:]) > 0.4


def test_anomalies_are_reconstructed_badly():
    stack = StackedAutoencoder((32, 16), n_iter=20, random_state=0)
    stack.fit(X[Y != 8][:1000])
    noise = np.random.default_rng(0).permuted(X[:300], axis=1)
    errors = stack.reconstruction_error(np.concatenate([X[1000:1300], noise]))
    assert roc_auc_score(np.arange(600) >= 300, errors) > 0.95


def test_known_entries_stay_and_rows_are_drawn():
    stack, rows = clone(SMALL).fit(FEW), holed(FEW)[:20]
    full = stack.impute(rows)
    known = ~np.isnan(rows)
    np.testing.assert_array_equal(full[known], rows[known])
    assert ((full >= 0) & (full <= 1)).all()
    drawn = stack.sample(6, random_state=0, init=FEW, n_steps=4, thin=2)
    assert drawn.shape == (6, 64)
    assert set(np.unique(drawn)) == {0.0, 1.0}


def test_layers_are_trained_one_by_one():
    stack = clone(SMALL).partial_fit(FEW, layer=0)
    assert len(stack.layers_) == 1
    stack.partial_fit(FEW, layer=1).partial_fit(FEW)
    assert [layer.n_iter_ for layer in stack.layers_] == [2, 2]
    with pytest.raises(ValueError, match="layer"):
        stack.partial_fit(FEW, layer=2)


def test_a_search_over_names_of_layers():
    net = StackedAutoencoderClassifier(
        layers=[
            ("low", ContractiveAutoencoder(8, n_iter=1)),
            ("high", DenoisingAutoencoder(6, n_iter=1)),
        ],
        n_iter=2,
    )
    search = GridSearchCV(net, {"low__contraction": [0.0, 1.0]}, cv=2)
    best = search.fit(FEW, OF_FEW).best_estimator_
    assert best.stack_.layers_[0].contraction == search.best_params_["low__contraction"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes"),
        ({"corruption_level": (0.1, 0.2, 0.3)}, "layer_type__corruption_level must be"),
        ({"corruption_level": (0.1, -1.0)}, "layer 1.*corruption_level"),
        (
            {"pretrain_learning_rate": (1.0, -1.0)},
            "'learning_rate' parameter of Pretraining .* layer 1",
        ),
        ({"layers": [("a", Autoencoder(5))]}, r"must have hidden_layer_sizes=\(\)"),
        ({"layers": [("a", LogisticRegression())]}, "must be a Denoising"),
        (
            {
                "layers": [
                    ("a", Autoencoder(5, ())),
                    ("b", ContractiveAutoencoder(4, column_types="bernoulli")),
                ]
            },
            "'b' must have column_types='gaussian'",
        ),
        (
            {
                "layers": [
                    ("a", ContractiveAutoencoder(5)),
                    ("b", ContractiveAutoencoder(4, column_types="mixed")),
                ]
            },
            "'b', above another layer",
        ),
        ({"layers": [("a", Autoencoder(5, (), n_active=2))]}, "n_active=None"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        assign(clone(NET), **options).fit(FEW, OF_FEW)


def test_divergence_of_pre_training_is_named():
    net = assign(clone(NET), column_types="gaussian", pretrain_learning_rate=1e8)
    with pytest.raises(DivergenceError, match="Lower pretrain__learning_rate"):
        net.fit(1000 * FEW, OF_FEW)
