import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skdgm import (
    DBN,
    BernoulliRBM,
    GaussianRBM,
    GenerativeDBNClassifier,
    RBMClassifier,
)
from skdgm.boltzmann.learning.state import InitialData
from skdgm.training import Batch, Run
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from tests.belief.enumeration import Listed, bits, random_dbn
from tests.belief.tuning import FEW, FEW_Y, TEST, TRAIN, Y_TEST, Y_TRAIN
from tests.numerical import assert_means
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
SMALL = GenerativeDBNClassifier((12, 9), n_iter=2, random_state=0)
# Rows of two halves, each one of four patterns: the halves are alike, and so is the
# label.
HALVES = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1.0]])
WHICH = RNG.integers(0, 4, 300)
TOY = np.hstack([HALVES[WHICH], HALVES[WHICH]])
TOY, TOY_Y = abs(TOY - (RNG.random(TOY.shape) < 0.05)), WHICH


def stack(*machines, **options):
    layers = [(f"m{n}", machine) for n, machine in enumerate(machines)]
    return grouped(GenerativeDBNClassifier, layers=layers, **options)


def generative(n_components=5, **options):
    return grouped(RBMClassifier, n_components, objective="generative", **options)


NETWORKS = {
    "one": (5, (4,), False),
    "two": (4, (3, 2), False),
    "untied": (4, (3, 3), True),
    "deep": (3, (2, 3, 2), True),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    n_features, sizes, untied = NETWORKS[request.param]
    return random_dbn(n_features, sizes, untied=untied, n_labels=3)


def test_labels_have_their_exact_distribution_given_means(network):
    v, top = bits(network.n_features_in_), network.layers_[-1]
    below = v
    for W, c in zip(network.coefs_[:-1], network.intercepts_[:-1]):
        below = 1 / (1 + np.exp(-c - below @ W))
    states = bits(len(top.components_))
    bias = below @ top.intercept_visible_
    energies = (below @ top.components_.T + top.intercept_hidden_) @ states.T
    log_joint = [
        d + bias + logsumexp(energies + states @ u, axis=1)
        for d, u in zip(top.intercept_label_, top.label_components_.T)
    ]
    expected = log_softmax(np.transpose(log_joint), axis=1)
    np.testing.assert_allclose(network.predict_log_proba(v), expected)
    np.testing.assert_allclose(network.predict_proba(v), np.exp(expected))
    np.testing.assert_array_equal(network.predict(v), expected.argmax(axis=1))


def test_what_is_missing_is_found_by_mean_field():
    network = random_dbn(4, (3, 2), n_labels=3)
    holed = np.where(RNG.random((6, 4)) < 0.4, np.nan, bits(4)[::3][:6])
    H = network.transform_layers(holed)[0]
    expected = network.layers_[1].predict_log_proba(H)
    np.testing.assert_allclose(network.predict_log_proba(holed), expected)


@pytest.mark.exhaustive(default=["chains-True", "noise-False"])
@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("init", ["noise", "chains", bits(4)])
def test_samples_of_a_label_have_its_moments(untied, init):
    network, rows = random_dbn(4, (3, 2), untied=untied, n_labels=3), bits(4)
    listed, n = Listed(network), 5000
    y = np.repeat([2, 0], n)
    both = network.sample(2 * n, random_state=0, y=y, init=init, n_steps=60)
    one = network.sample(n, random_state=1, y=2, init=init, n_steps=60)
    for code, x in ((2, both[:n]), (0, both[n:]), (2, one)):
        held = listed.given_label(code)
        p = np.exp([held.log_prob(v) for v in rows])
        p /= p.sum()
        assert_means(x, p @ rows)
        pairs = np.einsum("n,ni,nj->ij", p, rows, rows)
        assert_means(x[:, :, None] * x[:, None, :], pairs)


def test_samples_without_a_label_are_of_all():
    network, rows = random_dbn(4, (3, 2), untied=True, n_labels=3), bits(4)
    p = np.exp([Listed(network).log_prob(v) for v in rows])
    assert p.sum() == pytest.approx(1)
    assert_means(network.sample(20_000, random_state=0, n_steps=60), p @ rows)


def test_filling_is_exact_where_recognition_is():
    # Upside down, and with a label that knows nothing, Q is the posterior.
    X = RNG.integers(0, 2, (60, 5)).astype(float)
    X[:, 1] = X[:, 0]
    clf = GenerativeDBNClassifier((4, 5), n_iter=(20, 0), random_state=0)
    clf.fit(X, np.arange(60) % 3)
    clf.layers_[1].label_components_[:] = 0
    listed = Listed(clf)
    holed = np.where(np.arange(5) % 2, np.nan, bits(5)[::4])
    expected = [np.where(np.isnan(v), listed.mean(v), v) for v in holed]
    found = clf.impute(np.tile(holed, (40, 1)), n_steps=50).reshape(40, 8, 5)
    np.testing.assert_allclose(found.mean(axis=0), expected, atol=0.03)


@pytest.mark.exhaustive
def test_a_single_layer_is_a_machine():
    clf = GenerativeDBNClassifier((4,), n_iter=3, random_state=0).fit(FEW, FEW_Y)
    machine = clf.layers_[0]
    options = {"n_iter": 3, "solver": "sgd", "learning_rate": 0.1, "momentum": 0.0}
    alone = generative(4, resample=True, **options)
    alone.set_params(random_state=machine.random_state).fit(FEW, FEW_Y)
    np.testing.assert_array_equal(machine.components_, alone.components_)
    np.testing.assert_array_equal(machine.label_components_, alone.label_components_)
    for X in (FEW, np.where(RNG.random(FEW.shape) < 0.2, np.nan, FEW)):
        for method in ("predict_log_proba", "score_samples", "transform"):
            found, expected = (getattr(each, method)(X) for each in (clf, machine))
            np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert clf.density_kind_ == "exact"
    found, expected = (each.sample(5, 0, y=7) for each in (clf, machine))
    assert found.shape == expected.shape


@pytest.mark.exhaustive
def test_a_single_layer_of_real_columns():
    clf = GenerativeDBNClassifier(
        (50,), column_types="gaussian", n_iter=40, random_state=0
    )
    (machine,) = clf.fit(100 * FEW, FEW_Y).layers_
    assert (machine.centering, machine.penalty.max_norm) == ("data", 4.0)
    assert clf.score(100 * FEW, FEW_Y) > 0.8
    made = stack(generative(5, column_types="gaussian", n_iter=1), random_state=0)
    made.fit(100 * FEW - 7, FEW_Y)
    assert made.sample(2).shape == (2, 64)


def test_features_do_not_know_the_label():
    clf = clone(SMALL).fit(FEW, FEW_Y)
    below, above = clf.transform_layers(FEW)
    top = clf.layers_[1]
    np.testing.assert_allclose(above, top.transform(below), rtol=1e-6)
    np.testing.assert_array_equal(clf.transform(FEW), np.hstack([below, above]))
    assert [W.shape for W in clf.coefs_] == [(64, 12), (12, 9)]
    assert [W.shape for W in clf.generative_coefs_] == [(12, 64), (9, 12)]
    clf.set_params(feature_layer=-1)
    expected = clf.layers_[0].inverse_transform(top.inverse_transform(above))
    np.testing.assert_allclose(clf.inverse_transform(above), expected, rtol=1e-5)


def test_the_top_begins_as_the_layer_below_and_its_label_as_labels_are_frequent():
    y = np.where(FEW_Y > 2, 3, FEW_Y)
    clf = GenerativeDBNClassifier((12, 64), n_iter=(5, 0), random_state=0).fit(FEW, y)
    bottom, top = clf.layers_
    np.testing.assert_array_equal(top.components_, bottom.components_.T)
    np.testing.assert_array_equal(top.intercept_visible_, bottom.intercept_hidden_)
    np.testing.assert_array_equal(top.intercept_hidden_, bottom.intercept_visible_)
    spread = top.label_components_.std()
    assert 0.005 < spread < 0.02
    frequencies = (np.bincount(y) + 1) / (len(y) + 4)
    np.testing.assert_allclose(top.intercept_label_, np.log(frequencies), rtol=1e-5)
    # Of the data it knows what the layer below did.
    top.label_components_[:] = 0
    before = bottom.score_samples(FEW)
    found = clf.importance_likelihood(FEW)
    np.testing.assert_allclose(found, before, atol=1e-3)
    np.testing.assert_allclose(
        clf.predict_proba(FEW), np.tile(frequencies, (200, 1)), rtol=1e-5
    )
    random = clone(clf).set_params(init_layers="random").fit(FEW, y)
    assert abs(random.layers_[1].components_).max() < 0.1


def joint_bound(clf):
    """The bound on the log probability of the toy's rows and labels, by listing."""
    listed = [Listed(clf).given_label(code) for code in range(4)]
    return np.mean([listed[code].bound(v) for v, code in zip(TOY, TOY_Y)])


@pytest.mark.release
@pytest.mark.parametrize("sizes", [(5, 4), (5, 4, 3)])
def test_refining_raises_the_bound_on_data_and_labels(sizes):
    greedy = GenerativeDBNClassifier(sizes, n_iter=30, random_state=0)
    refined = assign(clone(greedy), refine="up-down", refine_iter=30)
    assign(refined, refine_learning_rate=0.1).fit(TOY, TOY_Y)
    assert joint_bound(refined) > joint_bound(greedy.fit(TOY, TOY_Y)) + 0.5
    assert len(refined.loss_curves_[-1]) == 30
    assert (refined.coefs_[0] != refined.generative_coefs_[0].T).any()


@pytest.mark.release
def test_refining_teaches_the_top_the_labels_of_rows():
    clf = GenerativeDBNClassifier((5, 4), n_iter=20, random_state=0)
    assign(clf, refine="up-down", refine_iter=1).fit(TOY, TOY_Y)
    assign(clf, warm_start=True, refine_iter=40, refine_learning_rate=0.2)
    clf.fit(TOY, 3 - TOY_Y)
    assert clf.score(TOY, 3 - TOY_Y) > 0.9


def test_what_is_watched_of_the_top_is_of_units_and_of_labels_that_are_known():
    top, h = random_dbn(4, (3, 2), n_labels=3).layers_[1], bits(3)
    weights = Listed.label_weights(top, h)
    # Turning a bit of a state leads to another one.
    turned = np.arange(8) ^ np.array([4, 2, 1])[:, None]
    of_units = -np.logaddexp(0, weights[turned] - weights).sum(axis=0)
    energy, rows = top.density_.energy, Rows(h, np.float64, binary=True, complete=True)
    moments = top.density_.moments
    initial_data = InitialData(
        missing_values=np.full(3, 0.5), moments=moments, nonzero_share=1.0
    )
    run, rng = Run(top._options, rows, 0), stream(0)
    trainer = top._MODEL.objective_class(run, energy=energy, initial_data=initial_data)
    y = np.arange(8) % 3
    found = trainer.pseudo_likelihood(rng, top.density_.params, Batch(h, y))
    of_labels = weights - logsumexp(weights, axis=1, keepdims=True)
    expected = (of_units + of_labels)[np.arange(8), y]
    np.testing.assert_allclose(found, expected)
    unknown = np.where(y, y, -1)
    found = trainer.pseudo_likelihood(rng, top.density_.params, Batch(h, unknown))
    np.testing.assert_allclose(found[y > 0], expected[y > 0])
    assert np.isclose(found[:, None], of_units)[y == 0].any(axis=1).all()


def test_rows_without_a_label_are_learned_of_everywhere():
    y = np.where(np.arange(200) % 2, FEW_Y, -1)
    clf = clone(SMALL).set_params(unlabeled=-1, n_iter=(0, 2))
    with_them, without = (
        clone(clf).fit(FEW[known], y[known]) for known in (slice(None), y >= 0)
    )
    np.testing.assert_array_equal(with_them.classes_, np.unique(FEW_Y))
    ours, theirs = (each.layers_[1].components_ for each in (with_them, without))
    assert (ours != theirs).any()
    lower = clf.set_params(n_iter=(2, 0), refine=None)
    ours, theirs = (
        clone(lower).fit(FEW[known], y[known]).coefs_[0]
        for known in (slice(None), y >= 0)
    )
    assert (ours != theirs).any()
    # There may be passes over such rows only.
    with_them.partial_fit(FEW[:20], np.full(20, -1))
    refined = assign(clf, refine="up-down", refine_iter=2).fit(FEW, y)
    refined.partial_fit(FEW[:20], np.full(20, -1))
    assert np.isfinite(refined.loss_curves_[-1]).all()


@pytest.mark.release
def test_digits():
    y, shares = np.repeat(np.arange(10), 100), []
    # A judge that was told nothing by the model.
    judge = LogisticRegression(max_iter=300).fit(TRAIN, Y_TRAIN)
    for seed in range(3):
        clf = GenerativeDBNClassifier((128, 128), n_iter=60, random_state=seed)
        clf.fit(TRAIN, Y_TRAIN)
        assert clf.score(TEST, Y_TEST) > 0.9
        assert clf.loss_curves_[-1][-1] < 0.5 < clf.loss_curves_[-1][0]
        x = clf.sample(len(y), random_state=seed, y=y, n_steps=200)
        shares.append((judge.score(x, y), clf.score(x, y)))
    # Draws for a label look like it to the judge, .1 by chance, and nearly as often as
    # to the model, whose classes overlap.
    of_judge, own = np.mean(shares, axis=0)
    assert of_judge > 0.6
    assert own > of_judge > own - 0.1


def test_labels_of_any_kind():
    y = np.array(["even", "odd"], dtype=object)[FEW_Y % 2]
    clf = clone(SMALL).fit(FEW, y)
    assert list(clf.classes_) == ["even", "odd"]
    assert set(clf.predict(FEW)) <= {"even", "odd"}
    assert clf.sample(2, y=["odd", "even"]).shape == (2, 64)


def test_layers_learn_one_at_a_time():
    clf = clone(SMALL).partial_fit(FEW[:50], FEW_Y[:50], classes=range(10), layer=0)
    assert clf.sample(2).shape == (2, 64)
    assert clf.transform(FEW).shape == (200, 12)
    # Nothing is known of labels but how frequent they are.
    frequencies = (np.bincount(FEW_Y[:50], minlength=10) + 1) / 60
    expected = np.tile(frequencies, (200, 1))
    np.testing.assert_allclose(clf.predict_proba(FEW), expected)
    with pytest.raises(NotFittedError, match="top layer"):
        clf.sample(y=3)
    clf.partial_fit(FEW, FEW_Y, layer=1)
    assert clf.predict_proba(FEW).shape == (200, 10)
    assert [layer.n_iter_ for layer in clf.layers_] == [1, 1]
    with pytest.raises(ValueError, match="11"):
        clf.partial_fit(FEW, FEW_Y + 11)


def test_a_stack_made_by_hand():
    bottom, top = BernoulliRBM(6, n_iter=2), generative(4, n_iter=3)
    clf = stack(bottom, top, random_state=0).fit(FEW, FEW_Y)
    assert [layer.n_iter_ for layer in clf.layers_] == [2, 3]
    assert clf.get_params()["m1__objective"] == "generative"
    assert not hasattr(top, "classes_")
    clf = stack(GaussianRBM(6, n_iter=2), top).fit(100 * FEW, FEW_Y)
    assert clf.predict(100 * FEW).shape == (200,)


WRONG = [
    ([BernoulliRBM(5)], "'m0', on top, must be a RBMClassifier"),
    ([RBMClassifier(5)], "'m0', on top, must have objective='generative'"),
    ([BernoulliRBM(5), BernoulliRBM(5)], "'m1', on top, must be a RBMClassifier"),
    ([generative(), generative()], "'m0', at the bottom, must be a BernoulliRBM"),
    (
        [BernoulliRBM(5), generative(column_types="gaussian")],
        "'m1', above binary units, must have column_types='bernoulli'",
    ),
    ([BernoulliRBM(5), generative(n_iter=-1)], "layer 1.*n_iter"),
]


@pytest.mark.parametrize("machines, message", WRONG, ids=lambda part: str(part)[:30])
def test_wrong_stacks_are_named(machines, message):
    with pytest.raises(ValueError, match=message):
        stack(*machines).fit(FEW, FEW_Y)


def test_a_plain_stack_takes_no_machine_with_a_label():
    layers = [("bottom", BernoulliRBM(5)), ("top", generative())]
    with pytest.raises(ValueError, match="'top', above the bottom"):
        DBN(layers=layers).fit(FEW)


@pytest.mark.parametrize(
    "y, message",
    [
        (None, "requires y"),
        (np.zeros(200), "one class only"),
        (FEW_Y[:-1], "inconsistent"),
        (FEW_Y + 0.5, "continuous"),
    ],
)
def test_wrong_labels_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        clone(SMALL).fit(FEW, y)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"y": 11}, "11"),
        ({"y": [1, 2]}, "y has 2 labels, but n_samples=3"),
        ({"y": [1, 2, 3], "thin": 2}, "thin"),
        ({"y": 1, "init": "nonsense"}, "init"),
    ],
)
def test_wrong_samples_are_named(options, message):
    clf = clone(SMALL).fit(FEW, FEW_Y)
    with pytest.raises(ValueError, match=message):
        clf.sample(3, **options)
