"""DBMClassifier: what it computes is what enumeration says, and it classifies."""

import pickle
from itertools import product

import numpy as np
import pytest
from scipy.special import expit, log_softmax, logsumexp, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.preprocessing import minmax_scale
from sklearn.utils import get_tags

from skdgm import DBM, BernoulliRBM, DBMClassifier
from skdgm.boltzmann.learning.state import InitialData
from skdgm.boltzmann.structure.deep import options_of_pairs
from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import Params, layered
from skdgm.exceptions import DivergenceError
from skdgm.options import Adam, Pretraining
from skdgm.partition import exact
from skdgm.training import canonical
from skdgm.utils.given import Given
from skdgm.utils.rows import Rows
from tests.boltzmann.pairs import pretrained
from tests.boltzmann.test_rbm_classifier import NAMES, assert_moments, blocks
from tests.options import assign
from tests.reference import Enumeration

# The label falls among the even layers, and among the odd ones.
SHAPES = [(3,), (3, 2), (2, 3, 2)]
STATES = np.array(list(product([0.0, 1.0], repeat=4)))
LABELS = np.eye(3)
RNG = np.random.default_rng(0)
HOLED = np.where(RNG.random(STATES.shape) < 0.4, np.nan, STATES)


def random_classifier(sizes, scale=1.0, seed=0, **options):
    """An estimator with random parameters, and all states of its model."""
    rng = np.random.default_rng(seed)
    dbm = DBM(sizes, learning_rate=0.05, n_iter=0)
    clf = assign(DBMClassifier(dbm, fine_tune=None, random_state=0), **options)
    clf.fit((rng.random((40, 4)) < 0.5).astype(float), NAMES[np.arange(40) % 3])
    clf.coefs_ = [scale * rng.normal(size=W.shape) for W in clf.coefs_]
    clf.intercepts_ = [rng.normal(size=b.shape) for b in clf.intercepts_]
    clf.label_components_ = scale * rng.normal(size=clf.label_components_.shape)
    clf.intercept_label_ = rng.normal(size=3)
    return clf, enumerated(clf)


def enumerated(clf):
    layers = [*([len(bias)] for bias in clf.intercepts_), [Softmax(3)]]
    units = *clf.intercepts_, clf.intercept_label_
    return Enumeration(layers, Params(units, (*clf.coefs_, clf.label_components_)))


def label_of(truth):
    return len(truth.units) - 1


@pytest.fixture(params=SHAPES, ids=str)
def machine(request):
    return random_classifier(request.param)


def exact_scores(truth, rows=STATES):
    return np.array([truth.log_prob({0: v}) for v in rows])


def exact_probabilities(truth, rows=STATES):
    return np.array([truth.mean(label_of(truth), {0: v}) for v in rows])


def small(sizes=(8, 6), **options):
    """What learns quickly from few rows."""
    dbm = DBM(sizes, n_iter=15, solver=Adam(beta_1=0.9), learning_rate=0.02)
    dbm.set_params(inference_steps=1000)
    clf = DBMClassifier(dbm, n_iter=10, learning_rate=0.01, batch_size=10)
    return assign(clf, random_state=0, **options)


@pytest.mark.parametrize("rows", [STATES, HOLED], ids=["whole", "holed"])
def test_with_one_hidden_layer_each_label_is_exact(rows):
    clf, truth = random_classifier((3,), scale=1.5)
    found, expected = clf.predict_proba(rows), exact_probabilities(truth, rows)
    whole = ~np.isnan(rows).any(axis=1)
    np.testing.assert_allclose(found[whole], expected[whole])
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.parametrize("sizes", SHAPES[1:], ids=str)
def test_where_the_posterior_factorizes_labels_are_exact(sizes):
    clf, _ = random_classifier(sizes)
    for number in range(1, len(clf.coefs_)):
        clf.coefs_[number] = 0 * clf.coefs_[number]
    truth = enumerated(clf)
    np.testing.assert_allclose(clf.predict_proba(STATES), exact_probabilities(truth))


def test_labels_have_the_probabilities_of_their_bounds(machine):
    clf, truth = machine
    clf.dbm.set_params(inference_steps=1000, inference_tol=1e-10)
    for rows in (STATES, HOLED):
        joint = clf.density_.log_joint_of(clf._rows(rows))
        for code in range(3):
            given = {label_of(truth): LABELS[code]}
            expected = [truth.log_prob({0: v} | given) + truth.log_Z for v in rows]
            assert (joint[:, code] <= np.array(expected) + 1e-9).all()
        found = clf.predict_log_proba(rows)
        np.testing.assert_allclose(found, log_softmax(joint, axis=1))
        np.testing.assert_allclose(clf.predict_proba(rows), np.exp(found))
        np.testing.assert_array_equal(clf.predict(rows), NAMES[found.argmax(axis=1)])
        # To know no label is worth less than to try each.
        assert (logsumexp(joint, axis=1) >= -clf.free_energy(rows) - 1e-9).all()
    near = abs(clf.predict_proba(STATES) - exact_probabilities(truth))
    assert near.mean() < 0.05


def test_scores_are_below_the_likelihood(machine):
    clf, truth = machine
    assert clf.density_kind_ == "lower bound"
    assert clf.log_Z_ == pytest.approx(truth.log_Z)
    for rows in (STATES, HOLED):
        scores, expected = clf.score_samples(rows), exact_scores(truth, rows)
        assert (scores <= expected + 1e-9).all()
        assert (scores > expected - 0.7).all()
    clf.label_components_ = 0 * clf.label_components_
    for number in range(1, len(clf.coefs_)):
        clf.coefs_[number] = 0 * clf.coefs_[number]
    clf._forget()
    np.testing.assert_allclose(clf.score_samples(STATES), exact_scores(enumerated(clf)))


def test_importance_sampling_closes_the_gap(machine):
    clf, truth = machine
    found, se = clf.importance_likelihood(STATES, n_draws=1500, return_se=True)
    assert (abs(found - exact_scores(truth)) <= 4.5 * se + 1e-9).all()
    assert se.max() < 0.05


@pytest.mark.exhaustive(default=["(3, 2)"])
@pytest.mark.filterwarnings("ignore:.*means of the data")  # Weights by hand.
def test_estimated_log_Z_is_within_its_error(machine, monkeypatch):
    clf, truth = machine
    monkeypatch.setattr(exact, "MAX_BITS", 1)
    assert clf.density_kind_ == "estimate"
    assert 0 < clf.log_Z_se_ < 0.2
    assert abs(clf.log_Z_ - truth.log_Z) < 4 * clf.log_Z_se_


def moments(truth, codes=(0, 1, 2)):
    """Means and mean products of v, given that y is one of some labels."""
    p = truth.p * truth.x[-1][:, list(codes)].any(axis=1)
    p = p / p.sum()
    return p @ truth.x[0], truth.x[0].T @ (p[:, None] * truth.x[0])


@pytest.mark.exhaustive(
    default=["(3, 2)-None-noise", "(2, 3, 2)-cat-chains", "(3,)-cat-noise"]
)
@pytest.mark.parametrize("init", ["chains", "noise", STATES[:3]], ids=str)
@pytest.mark.parametrize("label", [None, "cat"])
def test_samples_follow_the_model(machine, label, init):
    clf, truth = machine
    codes = (0, 1, 2) if label is None else (2,)
    sample = clf.sample(4000, random_state=1, y=label, init=init, n_steps=60)
    assert_moments(sample, moments(truth, codes))


def test_samples_with_a_label_each(machine):
    clf, truth = machine
    labels = NAMES[np.arange(8000) % 2 * 2]
    sample = clf.sample(8000, random_state=1, y=labels, n_steps=60)
    assert_moments(sample[::2], moments(truth, [0]))
    assert_moments(sample[1::2], moments(truth, [2]))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"y": "dog"}, "'dog'.*not among the classes.*'ant', 'bee', 'cat'"),
        ({"y": ["ant", "bee"], "n_samples": 3}, "2 labels, but n_samples=3"),
        ({"y": ["ant", "bee"], "n_samples": 2, "thin": 5}, "thin"),
    ],
)
def test_invalid_sampling(machine, options, message):
    with pytest.raises(ValueError, match=message):
        machine[0].sample(**options)


@pytest.mark.exhaustive(default=["(3, 2)"])
def test_imputed_means_are_conditional_means(machine):
    clf, truth = machine
    expected = np.array([truth.mean(0, {0: v}) for v in HOLED])
    np.testing.assert_allclose(clf.impute(HOLED, n_steps=2500), expected, atol=0.06)


def test_features_are_a_fixed_point(machine):
    clf, _ = machine
    clf.dbm.set_params(inference_steps=1000, inference_tol=1e-10)
    sizes = [len(bias) for bias in clf.intercepts_[1:]]
    means = clf.transform(STATES)
    assert means.shape == (16, sum(sizes))
    layers = [STATES, *np.split(means, np.cumsum(sizes)[:-1], axis=1)]
    y = softmax(clf.intercept_label_ + layers[-1] @ clf.label_components_, axis=1)
    coefs = [*clf.coefs_, clf.label_components_]
    layers.append(y)
    for number in range(1, len(layers) - 1):
        field = clf.intercepts_[number] + layers[number - 1] @ coefs[number - 1]
        field = field + layers[number + 1] @ coefs[number].T
        np.testing.assert_allclose(layers[number], expit(field), atol=1e-8)
    assert clf.inverse_transform(means).shape == STATES.shape


def without_label(clf, rows):
    """Fixed point of the hidden layers' means, the label being taken away."""
    means = [np.full((len(rows), len(b)), 0.5) for b in clf.intercepts_[1:]]
    layers = [rows, *means]
    for _ in range(2000):
        for number in range(1, len(layers)):
            field = (
                clf.intercepts_[number] + layers[number - 1] @ clf.coefs_[number - 1]
            )
            if number + 1 < len(layers):
                field = field + layers[number + 1] @ clf.coefs_[number].T
            layers[number] = expit(field)
    return layers


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_the_net_begins_as_a_sweep_of_mean_field(sizes):
    clf, _ = random_classifier(sizes, scale=0.5)
    clf.set_params(fine_tune="backprop", n_iter=0, warm_start=True)
    clf.dbm.set_params(inference_steps=1000, inference_tol=1e-10)
    kept = [W.copy() for W in clf.coefs_]
    clf.fit(STATES, NAMES[np.arange(16) % 3])
    for before, after in zip(kept, clf.coefs_):
        np.testing.assert_array_equal(before, after)
    layers = without_label(clf, STATES)
    field = clf.intercepts_[1] + STATES @ clf.coefs_[0]
    if len(sizes) > 1:
        field = field + layers[2] @ clf.coefs_[1].T
    h = expit(field)
    for bias, W in zip(clf.intercepts_[2:], clf.coefs_[1:]):
        h = expit(bias + h @ W)
    expected = log_softmax(clf.intercept_label_ + h @ clf.label_components_, axis=1)
    np.testing.assert_allclose(clf.predict_log_proba(STATES), expected, atol=1e-7)
    assert clf.net_loss_curve_ == []


def test_the_net_of_real_columns_sees_them_standardized():
    X, y = blocks(60)
    X = 100 * (X + RNG.normal(0, 0.3, X.shape)) - 7
    clf = small(dbm__column_types="gaussian", n_iter=0).fit(X, y)
    v = (X - clf.mean_) / clf.scale_
    weights = (clf.precision_ * clf.scale_**2)[:, None] * clf.coefs_[0]
    W, c = clf.net_coefs_[0], clf.net_intercepts_[0]
    np.testing.assert_allclose(W, np.concatenate([weights, clf.coefs_[1].T]))
    np.testing.assert_array_equal(c, clf.intercepts_[1])
    q = without_label_real(clf, v @ weights)
    h = expit(clf.intercepts_[2] + expit(c + np.hstack([v, q]) @ W) @ clf.coefs_[1])
    z = clf.intercept_label_ + h @ clf.label_components_
    expected = log_softmax(z, axis=1)
    np.testing.assert_allclose(clf.predict_log_proba(X), expected, atol=1e-3)


def without_label_real(clf, received):
    q = np.full((len(received), len(clf.intercepts_[2])), 0.5)
    for _ in range(1000):
        h = expit(clf.intercepts_[1] + received + q @ clf.coefs_[1].T)
        q = expit(clf.intercepts_[2] + h @ clf.coefs_[1])
    return q


@pytest.mark.release
@pytest.mark.parametrize("sizes", [(8,), (8, 6, 5)], ids=str)
def test_fine_tuning_helps_and_leaves_the_machine_alone(sizes):
    X, y = blocks(200)
    X[::3, 2] = np.nan
    test, labels = blocks(1000, seed=1)
    options = {"dbm__n_iter": 40, "n_iter": 60}
    plain = small(sizes, fine_tune=None, **options).fit(X, y)
    clf = small(sizes, **options).fit(X, y)
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(plain, name), getattr(clf, name), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(plain.score_samples(X), clf.score_samples(X))
    np.testing.assert_array_equal(
        plain.sample(5, random_state=0, y="bee"), clf.sample(5, random_state=0, y="bee")
    )
    codes = np.searchsorted(NAMES, y)
    found = [c.predict_log_proba(X)[range(200), codes].mean() for c in (plain, clf)]
    assert found[1] > found[0]
    assert clf.score(test, labels) > 0.9
    assert clf.net_loss_curve_[-1] < clf.net_loss_curve_[0]
    assert not hasattr(plain, "net_coefs_")


def test_a_net_belongs_to_its_machine():
    X, y = blocks(60)
    clf = small().fit(X, y)
    net = clf.predict_log_proba(X)
    clf.partial_fit(X, y)
    assert not hasattr(clf, "net_coefs_")
    assert not hasattr(clf, "net_loss_curve_")
    # A net for what there is, without another epoch of the machine.
    before = clf.coefs_[0]
    clf.set_params(warm_start=True, dbm__n_iter=0).fit(X, y)
    np.testing.assert_array_equal(clf.coefs_[0], before)
    assert (clf.predict_log_proba(X) != net).any()
    assert len(clf.net_loss_curve_) == clf.n_iter


@pytest.mark.exhaustive
def test_dropout_and_early_stopping_of_the_net():
    X, y = blocks(60)
    given = {"dbm__n_iter": 3}
    clf = small(early_stopping=True, n_iter=200, n_iter_no_change=4, **given).fit(X, y)
    assert len(clf.net_validation_curve_) == len(clf.net_loss_curve_) < 200
    given["n_iter"] = 3
    plain = small(**given).fit(X, y).predict_log_proba(X)
    for options in (
        {"dropout": 0.3},
        {"dropout": (0.2, 0.3)},
        {"solver": "sgd"},
        {"batch_size": 7},
        {"momentum": 0.5},
        {"max_norm": 0.5},
        {"alpha": 0.01},
        {"learning_rate": 1e-4},
        {"schedule": "constant"},
    ):
        other = small(**given, **options).fit(X, y)
        assert (other.predict_log_proba(X) != plain).any()


@pytest.mark.exhaustive
def test_each_early_stopping_has_its_own_rows_and_patience():
    X, y = blocks(60)
    given = {"dbm__n_iter": 40, "n_iter": 40}
    stopping = {"early_stopping": True, "n_iter_no_change": 2, "tol": 0.05}
    machine = small(**given, **{f"dbm__{k}": v for k, v in stopping.items()}).fit(X, y)
    net = small(**given, **stopping).fit(X, y)
    assert machine.n_iter_ < 40 == len(machine.net_loss_curve_)
    assert len(net.net_loss_curve_) < 40 == net.n_iter_
    assert len(machine.validation_curve_) == machine.n_iter_
    assert len(net.net_validation_curve_) == len(net.net_loss_curve_)
    assert machine.net_validation_curve_ == net.validation_curve_ == []


def test_divergence_of_the_net_is_named():
    X, y = blocks(60)
    clf = small(solver="sgd", learning_rate=1e6)
    with pytest.raises(DivergenceError, match="the net .* Lower learning_rate"):
        clf.fit(X, y)
    assert np.isfinite(clf.predict_log_proba(X)).all()


@pytest.mark.release
@pytest.mark.parametrize("sizes", [(8,), (8, 6)], ids=str)
def test_learns_the_joint_distribution(sizes):
    X, y = blocks(400)
    X = X[:, ::3]
    clf = small(sizes, fine_tune=None)
    assign(clf.dbm, n_iter=60, batch_size=20, n_steps=5)
    clf.fit(X, y)
    truth, codes = enumerated(clf), np.searchsorted(NAMES, y)
    label = label_of(truth)
    joint = np.concatenate([X, codes[:, None]], axis=1)
    rows, counts = np.unique(joint, axis=0, return_counts=True)
    each = [truth.log_prob({0: row[:-1], label: LABELS[int(row[-1])]}) for row in rows]
    found = np.average(each, weights=counts)
    # What no model of these rows can exceed: their own frequencies.
    best = (counts * np.log(counts / 400)).sum() / 400
    independent = clf.set_params(dbm__n_iter=0).fit(X, y)
    lower = independent.score_samples(X).mean() + np.log(1 / 3)
    assert lower + 0.5 < found < best
    assert found > best - 0.1


@pytest.mark.exhaustive
@pytest.mark.parametrize("sizes", [(8,), (8, 6)], ids=str)
def test_rows_without_labels(sizes):
    X, y = blocks(240)
    few = np.where(np.arange(240) % 4 == 0, y, "?")
    clf = small(sizes, unlabeled="?", dbm__n_iter=10, n_iter=20).fit(X, few)
    np.testing.assert_array_equal(clf.classes_, NAMES)
    assert clf.score(X, y) > 0.9
    # They taught it what data are like.
    test, _ = blocks(1000, seed=1)
    alone = small(sizes, dbm__n_iter=40, n_iter=0).fit(X[::4], y[::4])
    assert clf.score_samples(test).mean() > alone.score_samples(test).mean()
    clf.partial_fit(X, np.full(240, "?"))
    assert np.isfinite(clf.score_samples(X)).all()
    clf.set_params(warm_start=True, dbm__n_iter=2).fit(X, np.full(240, "?"))
    assert not hasattr(clf, "net_coefs_")
    assert np.isfinite(clf.predict_log_proba(X)).all()


def test_a_class_with_one_row():
    X, y = blocks(60)
    y = np.where(np.arange(60) == 7, "dodo", y)
    clf = small().fit(X, y)
    assert "dodo" in clf.classes_
    assert clf.predict_proba(X).shape == (60, 4)
    assert clf.sample(2, y="dodo", random_state=0).shape == (2, 12)


@pytest.mark.parametrize(
    "y, message",
    [
        (["ant"] * 4, "at least two classes, but y has one class only"),
        (["?"] * 4, "no label at all"),
        (None, "requires y to be passed, but the target y is None"),
    ],
    ids=str,
)
def test_invalid_labels(y, message):
    clf = small(unlabeled="?")
    with pytest.raises(ValueError, match=message):
        clf.fit(STATES[:4], y)
    assert not hasattr(clf, "classes_")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fine_tune": "wake-sleep"}, "fine_tune"),
        ({"n_iter": -1}, "n_iter.* of DBMClassifier"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": (0.1, 2.0)}, "dropout"),
        ({"dropout": (0.1, 0.2, 0.3)}, "dropout"),
        ({"learning_rate": 0}, "learning_rate.* of DBMClassifier"),
        ({"dbm__gradient": "cd"}, "gradient.* of DBM must"),
        ({"dbm__learning_rate": 0}, "learning_rate.* of DBM must"),
        ({"dbm__batch_size": True}, "batch_size.* of DBM must"),
        ({"dbm__solver__beta_1": (0.5, 1.0)}, "^dbm: momentum"),
        ({"dbm": DBM}, "'dbm' parameter of DBMClassifier must be an instance of"),
        ({"dbm": BernoulliRBM()}, "'dbm' parameter of DBMClassifier must be"),
    ],
    ids=str,
)
def test_invalid_options_are_named(options, message):
    X, y = blocks(20)
    clf = assign(small().fit(X, y), **options)
    for method in clf.fit, clf.partial_fit:
        with pytest.raises(ValueError, match=message):
            method(X, y)


@pytest.mark.exhaustive
def test_a_dbm_describes_the_machine_and_stays_as_it_is():
    X, y = blocks(60)
    # Of a fitted one the parameters count, and not those that are the classifier's.
    dbm = DBM((8, 6), n_iter=3, random_state=5).fit(X[:, :5])
    before = pickle.dumps(dbm)
    clf = DBMClassifier(dbm, n_iter=2, random_state=0).fit(X, y)
    clf.partial_fit(X, y)
    assert pickle.dumps(dbm) == before
    dbm.set_params(random_state=1, verbose=0, warm_start=True)
    again = DBMClassifier(clone(dbm), n_iter=2, random_state=0).fit(X, y)
    again.partial_fit(X, y)
    for a, b in zip(clf.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_a_dbm_it_is_the_default_one_that_learns_at_half_its_rate():
    X, y = blocks(30)
    clf = DBMClassifier(n_iter=0, random_state=0)
    given = clone(clf).set_params(dbm=DBM(learning_rate=DBM().learning_rate / 2))
    classes = np.unique(y)
    clf.partial_fit(X, y, classes)
    given.partial_fit(X, y, classes)
    np.testing.assert_array_equal(clf.transform(X), given.transform(X))
    assert clf.dbm is None


def test_options_of_inference_are_those_that_dbm_has_now():
    X, y = blocks(60)
    clf = small().fit(X, y)
    assert clf.transform(X).shape == (60, 14)
    assert clf.set_params(dbm__feature_layer=-1).transform(X).shape == (60, 6)
    clf.set_params(dbm=DBM(feature_layer=0, inference_steps=1, inference_tol=0))
    assert len(clf.get_feature_names_out()) == 8
    with pytest.warns(ConvergenceWarning, match="inference_steps=1 sweeps"):
        assert clf.transform(X).shape == (60, 8)
    with pytest.raises(ValueError, match="inference_steps.* of DBM must"):
        clf.set_params(dbm__inference_steps=0).transform(X)
    with pytest.raises(ValueError, match="'dbm' parameter of DBMClassifier"):
        clf.set_params(dbm="none").transform(X)


def test_columns_are_those_of_dbm():
    for kind in "bernoulli", "gaussian":
        tags = get_tags(small(dbm__column_types=kind))
        assert tags.input_tags.positive_only == (kind == "bernoulli")
    assert not get_tags(DBMClassifier()).input_tags.positive_only


@pytest.mark.exhaustive
def test_searches_find_options_of_both():
    X, y = blocks(60)
    grid = {"dbm__n_iter": [0, 10], "n_iter": [0, 10]}
    search = GridSearchCV(small(), grid, cv=2).fit(X, y)
    best = search.best_estimator_
    assert best.n_iter_ == best.dbm.n_iter
    assert len(best.net_loss_curve_) == best.n_iter
    scores = search.cv_results_["mean_test_score"]
    assert scores[3] > scores[0]


@pytest.mark.exhaustive
def test_divergence_of_the_machine_names_options_of_dbm():
    X, y = blocks(60)
    clf = small(dbm__solver="sgd", dbm__learning_rate=1e6)
    with pytest.raises(DivergenceError, match=r"In dbm: .* learning_rate \(now 1e\+06"):
        clf.fit(X, y)


@pytest.mark.exhaustive
def test_another_shape_needs_no_other_estimator():
    X, y = blocks(30)
    clf = small((5,)).fit(X, y)
    for sizes in [(4, 3, 2), (6, 2), (3,)]:
        fresh = small(sizes).fit(X, y)
        again = clf.set_params(dbm__hidden_layer_sizes=sizes).fit(X, y)
        for a, b in zip(fresh.coefs_, again.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_the_last_pair_hears_labels_as_it_does_in_the_machine(sizes):
    energy = layered([[Bernoulli(n)] for n in (4, *sizes)] + [[Softmax(3)]])
    codes = np.arange(len(STATES)) % 3
    table = canonical(Rows(STATES, np.float64, complete=True, given=Given(codes)))
    clf = small(sizes, dbm__pretrain=Pretraining(n_iter=5))
    recipes = options_of_pairs(clf._options, len(sizes))
    fill, frequencies = np.full(4, 0.5), np.full(3, 1 / 3)
    moments = fill, *(None for _ in sizes), frequencies
    initial_data = InitialData(missing_values=fill, moments=moments, nonzero_share=1.0)
    params, seen, _ = pretrained(energy, recipes, table, 0, initial_data)
    (_, d, c), (W, U) = seen[-1]
    assert abs(U).max() > 0.02
    truth = Enumeration([[n] for n in (4, *sizes)] + [[Softmax(3)]], params)
    rng, top = np.random.default_rng(0), len(sizes)
    h = (rng.random(sizes[-1]) < 0.5).astype(float)
    x = (rng.random((4, *sizes)[-2]) < 0.5).astype(float)
    np.testing.assert_allclose(truth.mean(top + 1, {top: h}), softmax(d + U @ h))
    for y in LABELS:
        heard = truth.mean(top, {top - 1: x, top + 1: y})
        np.testing.assert_allclose(heard, expit(c + x @ W + y @ U))


@pytest.mark.exhaustive
def test_labels_are_pretrained_with_the_last_pair():
    X, y = blocks(120)
    clf = small(dbm__n_iter=0, fine_tune=None)
    assign(clf.dbm, pretrain="layerwise", pretrain_iter=100)
    assign(clf.dbm, pretrain_learning_rate=0.3, batch_size=40)
    assert clf.fit(X, y).score(X, y) > 0.9
    assert [len(curve) for curve in clf.pretrain_loss_curves_] == [100, 100]
    some = np.where(np.arange(120) % 3, "none", y)
    holed = np.where(np.eye(*X.shape), np.nan, X)
    assert clf.set_params(unlabeled="none").fit(holed, some).score(X, y) > 0.8


@pytest.mark.release
def test_digits():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    clf = DBMClassifier(DBM((64, 64), n_iter=40, learning_rate=0.1), random_state=0)
    clf.fit(X[:1200], y[:1200])
    assert clf.score(X[1200:], y[1200:]) > 0.9
    # What it draws is more often than by chance of the kind that was asked for.
    wanted = np.arange(200) % 10
    drawn = clf.sample(200, y=wanted, random_state=0)
    assert (clf.predict(drawn) == wanted).mean() > 0.4


@pytest.mark.release
def test_nets_of_small_tables_learn_for_more_epochs():
    X, y = load_iris(return_X_y=True)
    X = minmax_scale(X)
    clf = DBMClassifier(DBM((32, 32), n_iter=50, learning_rate=0.05), random_state=0)
    assert cross_val_score(clf, X, y, cv=StratifiedKFold(3)).mean() > 0.9
    clf.set_params(dbm__n_iter=1, dbm__hidden_layer_sizes=(2, 2))
    for n_rows, n_epochs in (150, 300), (900, 84), (2000, 50):
        clf.fit(np.resize(X, (n_rows, 4)), np.resize(y, n_rows))
        assert len(clf.net_loss_curve_) == n_epochs
