"""RBMClassifier: what it computes is what enumeration says, and it classifies."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdgm import BernoulliRBM, RBMClassifier
from skdgm.exceptions import DivergenceError
from skdgm.partition import exact
from tests.options import assign, grouped
from tests.reference import standard_error

N_VISIBLE, N_HIDDEN = 5, 3
NAMES = np.array(["ant", "bee", "cat"])
RNG = np.random.default_rng(0)
STATES = np.array(list(product([0.0, 1.0], repeat=N_VISIBLE)))
HOLED = np.where(RNG.random(STATES.shape) < 0.4, np.nan, STATES)
HIDDEN = np.array(list(product([0.0, 1.0], repeat=N_HIDDEN)))


def random_classifier(seed=0, **options):
    """An estimator with random parameters."""
    rng = np.random.default_rng(seed)
    X = (rng.random((40, N_VISIBLE)) < 0.5).astype(float)
    clf = grouped(RBMClassifier, N_HIDDEN, n_iter=0, random_state=0, **options)
    clf.fit(
        X * 4 - 3 if clf.column_types == "gaussian" else X, NAMES[np.arange(40) % 3]
    )
    clf.components_ = 1.5 * rng.normal(size=(N_HIDDEN, N_VISIBLE))
    clf.label_components_ = 2 * rng.normal(size=(N_HIDDEN, 3))
    for name in ("visible", "hidden", "label"):
        shape = getattr(clf, f"intercept_{name}_").shape
        setattr(clf, f"intercept_{name}_", rng.normal(size=shape))
    return clf


class Enumeration:
    """All states of a classifier of binary columns, [v, y, h], with probabilities."""

    def __init__(self, clf):
        v, h = STATES[:, None, None], HIDDEN[None, None]
        y = np.eye(3)[None, :, None]
        self.log_w = (
            v @ clf.intercept_visible_
            + y @ clf.intercept_label_
            + h @ clf.intercept_hidden_
            + ((v @ clf.components_.T + y @ clf.label_components_.T) * h).sum(axis=-1)
        )
        self.log_Z = logsumexp(self.log_w)
        self.p = np.exp(self.log_w - self.log_Z)

    def agrees(self, v):
        """Which states of v agree with what was observed."""
        return (np.isnan(v) | (v == STATES)).all(axis=1)

    def given(self, rows, keep):
        """The distribution over one of the axes, given each row."""
        found = []
        for v in rows:
            p = self.p * self.agrees(v)[:, None, None]
            p = p.sum(axis=tuple({0, 1, 2} - {keep}))
            found.append(p / p.sum())
        return np.array(found)

    def log_prob(self, rows):
        return np.log([self.p[self.agrees(v)].sum() for v in rows])

    def moments(self, codes=(0, 1, 2)):
        """Means and mean products of v, given that y is one of some labels."""
        p = self.p[:, list(codes)].sum(axis=(1, 2))
        p /= p.sum()
        return p @ STATES, STATES.T @ (p[:, None] * STATES)


@pytest.fixture(scope="module")
def machine():
    clf = random_classifier()
    return clf, Enumeration(clf)


def blocks(n, seed=0):
    """Noisy patterns of three kinds, and their names."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n)
    X = np.repeat(np.eye(3), 4, axis=1)[codes]
    return abs(X - (rng.random(X.shape) < 0.2)), NAMES[codes]


def small(**options):
    clf = RBMClassifier(6, n_iter=15, learning_rate=0.05, random_state=0)
    return assign(clf, **options)


def log_p(clf, X, y):
    """Log probabilities of labels."""
    codes = np.searchsorted(clf.classes_, y)
    return clf.predict_log_proba(X)[np.arange(len(X)), codes]


def test_probabilities_of_labels(machine):
    clf, truth = machine
    expected = truth.given(STATES, keep=1)
    np.testing.assert_allclose(clf.predict_proba(STATES), expected)
    np.testing.assert_allclose(clf.predict_log_proba(STATES), np.log(expected))
    np.testing.assert_array_equal(clf.predict(STATES), NAMES[expected.argmax(axis=1)])


def test_density(machine):
    clf, truth = machine
    assert clf.density_kind_ == "exact"
    assert clf.log_Z_ == pytest.approx(truth.log_Z)
    log_density = clf.score_samples(STATES)
    assert logsumexp(log_density) == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(log_density, truth.log_prob(STATES))
    np.testing.assert_allclose(clf.free_energy(STATES), -log_density - truth.log_Z)


def test_what_was_observed(machine, monkeypatch):
    clf, truth = machine
    expected, density = truth.given(HOLED, keep=1), truth.log_prob(HOLED)
    np.testing.assert_allclose(clf.predict_proba(HOLED), expected)
    np.testing.assert_allclose(clf.score_samples(HOLED), density, atol=1e-9)
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    near = clf.predict_proba(HOLED)
    np.testing.assert_allclose(near.sum(axis=1), 1)
    assert abs(near - expected).mean() < 0.05
    bounds = -clf.free_energy(HOLED) - truth.log_Z
    assert (bounds <= density + 1e-9).all()
    whole = ~np.isnan(HOLED).any(axis=1)
    np.testing.assert_allclose(near[whole], expected[whole])


def test_transform_and_back(machine):
    clf, truth = machine
    expected = truth.given(STATES, keep=2) @ HIDDEN
    np.testing.assert_allclose(clf.transform(STATES), expected)
    eta = HIDDEN @ clf.components_ + clf.intercept_visible_
    np.testing.assert_allclose(clf.inverse_transform(HIDDEN), 1 / (1 + np.exp(-eta)))


def assert_moments(sample, expected):
    n = len(sample)
    for found, value in zip((sample.mean(axis=0), sample.T @ sample / n), expected):
        assert (abs(found - value) <= 4.5 * standard_error(value, n) + 1e-9).all()


@pytest.mark.parametrize("init", ["chains", "noise", STATES[:3]], ids=str)
@pytest.mark.parametrize("label", [None, "bee", "cat"])
def test_samples_follow_the_model(machine, label, init):
    clf, truth = machine
    codes = (0, 1, 2) if label is None else (list(NAMES).index(label),)
    sample = clf.sample(4000, random_state=1, y=label, init=init, n_steps=60)
    assert_moments(sample, truth.moments(codes))


def test_samples_with_a_label_each(machine):
    clf, truth = machine
    labels = NAMES[np.arange(8000) % 2 * 2]
    sample = clf.sample(8000, random_state=1, y=labels, n_steps=60)
    assert_moments(sample[::2], truth.moments([0]))
    assert_moments(sample[1::2], truth.moments([2]))
    chain = clf.sample(4000, random_state=1, y="cat", n_steps=8000, thin=20)
    error = abs(chain.mean(axis=0) - truth.moments([2])[0])
    assert (error <= 6 * standard_error(truth.moments([2])[0], 4000)).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"y": "dog"}, "'dog'.*not among the classes.*'ant', 'bee', 'cat'"),
        ({"y": ["ant", "bee"], "n_samples": 3}, "2 labels, but n_samples=3"),
        ({"y": ["ant", "bee"], "n_samples": 2, "thin": 5}, "thin"),
        ({"y": "ant", "init": "data"}, "init must be"),
    ],
)
def test_invalid_sampling(machine, options, message):
    with pytest.raises(ValueError, match=message):
        machine[0].sample(**options)


def test_imputed_means_are_conditional_means(machine):
    clf, truth = machine
    filled = clf.impute(HOLED, n_steps=4000)
    expected = truth.given(HOLED, keep=0) @ STATES
    np.testing.assert_allclose(filled, expected, atol=0.07)


def test_estimated_log_Z_is_within_its_error(monkeypatch):
    X, y = blocks(300)
    clf = small(objective="generative", n_components=10)
    expected = clf.fit(X, y).log_Z_
    clf._forget()
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    assert clf.density_kind_ == "estimate"
    assert 0 < clf.log_Z_se_ < 0.2
    assert abs(clf.log_Z_ - expected) < 4 * clf.log_Z_se_


class Real:
    """What a classifier of real columns is: with each label a mixture of normals."""

    def __init__(self, clf):
        standard = HIDDEN @ clf.components_ + clf.intercept_visible_
        hidden = HIDDEN @ clf.intercept_hidden_
        precision = clf.precision_ * clf.scale_**2
        self.log_p = (
            (hidden + 0.5 * standard**2 @ precision)[:, None]
            + HIDDEN @ clf.label_components_
            + clf.intercept_label_
        )
        self.log_p -= logsumexp(self.log_p)
        self.mean = standard * clf.scale_ + clf.mean_
        self.precision = clf.precision_

    def log_joint(self, X):
        """Log density of each row with each state and label."""
        gap = (X[:, None] - self.mean) ** 2 * self.precision
        each = 0.5 * (np.log(self.precision / (2 * np.pi)) - gap)
        return np.nansum(each, axis=2)[:, :, None] + self.log_p


def test_real_columns():
    clf = random_classifier(column_types="gaussian")
    truth = Real(clf)
    X = np.random.default_rng(1).normal(-1, 2, (30, N_VISIBLE))
    for rows in X, np.where(RNG.random(X.shape) < 0.3, np.nan, X):
        joint = truth.log_joint(rows)
        expected = softmax(logsumexp(joint, axis=1), axis=1)
        np.testing.assert_allclose(clf.predict_proba(rows), expected)
        np.testing.assert_allclose(
            clf.score_samples(rows), logsumexp(joint, axis=(1, 2)), atol=1e-9
        )
    share = softmax(joint.reshape(len(X), -1), axis=1).reshape(joint.shape)
    found = clf.transform(X)
    share = softmax(truth.log_joint(X), axis=(1, 2)).sum(axis=2)
    np.testing.assert_allclose(found, share @ HIDDEN)
    p = softmax(truth.log_p[:, 1])
    sample = clf.sample(10000, random_state=0, y="bee", n_steps=60)
    mean = p @ truth.mean
    variance = p @ truth.mean**2 - mean**2 + 1 / truth.precision
    assert (abs(sample.mean(axis=0) - mean) <= 4.5 * np.sqrt(variance / 10000)).all()
    np.testing.assert_allclose(sample.var(axis=0), variance, rtol=0.1)


def test_a_step_follows_the_gradient():
    X, y = blocks(30)
    y = np.where(np.arange(30) < 6, "?", y)
    # Weights start small: after some epochs the gradient is not.
    clf = small(objective="discriminative", batch_size=30, unlabeled="?").fit(X, y)
    assign(clf, solver="sgd", momentum=0.0, learning_rate=1e-4, schedule="constant")
    known = y != "?"
    names = ["components_", "label_components_", "intercept_visible_"]
    names += ["intercept_hidden_", "intercept_label_"]
    before = {name: getattr(clf, name).copy() for name in names}

    def loss(name, index, step):
        moved = before[name].copy()
        moved[index] += step
        setattr(clf, name, moved)
        total = log_p(clf, X[known], y[known]).sum() / 30
        setattr(clf, name, before[name])
        return total

    slopes = {name: np.empty(before[name].shape) for name in names}
    for name in names:
        for index in np.ndindex(slopes[name].shape):
            gap = loss(name, index, 1e-5) - loss(name, index, -1e-5)
            slopes[name][index] = gap / 2e-5
    assert abs(slopes["components_"]).max() > 1e-3
    clf.partial_fit(X, y)
    for name in names:
        step = (getattr(clf, name) - before[name]) / 1e-4
        np.testing.assert_allclose(step, slopes[name], atol=1e-7, err_msg=name)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_without_its_generative_part_hybrid_is_discriminative(visible):
    X, y = blocks(60)
    a = small(objective="discriminative", column_types=visible).fit(X, y)
    b = small(objective="hybrid", generative_weight=0, column_types=visible).fit(X, y)
    for name in ("components_", "label_components_", "intercept_hidden_"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_objectives_do_what_they_say():
    X, y = blocks(200)
    test, labels = blocks(2000, seed=1)
    options = {"n_iter": 40, "batch_size": 20}
    density, conditional = {}, {}
    for objective in ("generative", "hybrid", "discriminative"):
        clf = small(objective=objective, generative_weight=0.1, **options).fit(X, y)
        density[objective] = clf.score(test, labels), clf.score_samples(test).mean()
        conditional[objective] = log_p(clf, X, y).mean()
    assert min(accuracy for accuracy, _ in density.values()) > 0.9
    assert (
        density["generative"][1] > density["hybrid"][1] > density["discriminative"][1]
    )
    assert (
        conditional["discriminative"]
        > conditional["hybrid"]
        > conditional["generative"]
    )


@pytest.mark.exhaustive(default=["'cat']-?", "2.]-nan"])
@pytest.mark.parametrize(
    "labels, mark",
    [
        (np.array([0, 1, 2]), -1),
        (np.array([0.0, 1.0, 2.0]), np.nan),
        (NAMES, "?"),
        (NAMES.astype(object), np.nan),
        (NAMES.astype(object), -1),
        (np.array([0, 1, 2]), "?"),
    ],
    ids=str,
)
def test_rows_without_labels(labels, mark):
    X, y = blocks(120)
    codes = np.searchsorted(NAMES, y)
    known = np.arange(120) % 3 == 0
    marked = labels.astype(object)[codes]
    marked[~known] = mark
    if not isinstance(mark, str) and labels.dtype.kind != "O":
        marked = np.array(marked.tolist())
    clf = small(unlabeled=mark, objective="generative", n_iter=20).fit(X, marked)
    np.testing.assert_array_equal(clf.classes_, np.unique(labels))
    assert (clf.predict(X) == labels[codes]).mean() > 0.8
    assert np.isfinite(clf.loss_curve_).all()
    # What is watched are the labels that there are.
    watched = log_p(clf, X[known], labels[codes][known])
    assert clf.loss_curve_[-1] == pytest.approx(-watched.mean())


@pytest.mark.release
def test_rows_without_labels_train_the_density():
    X, y = blocks(600)
    test, labels = blocks(2000, seed=1)
    few = np.where(np.arange(600) < 12, y, "?")
    options = {"objective": "generative", "n_iter": 60, "batch_size": 6}
    alone = small(**options).fit(X[:12], y[:12])
    clf = small(**{**options, "n_iter": 30}, unlabeled="?").fit(X, few)
    assert clf.score_samples(test).mean() > alone.score_samples(test).mean() + 0.3
    assert clf.score(test, labels) > alone.score(test, labels) + 0.02


def test_batches_without_any_label():
    X, y = blocks(60)
    options = {"solver": "sgd", "momentum": 0.0, "learning_rate": 0.2}
    clf = small(unlabeled="?", **options).fit(X, y)
    before, score = clf.predict_log_proba(X), clf.score_samples(X).mean()
    clf.set_params(objective="discriminative")
    clf.partial_fit(X, np.full(60, "?"))
    np.testing.assert_array_equal(clf.predict_log_proba(X), before)
    clf.set_params(objective="generative")
    for _ in range(60):
        clf.partial_fit(X, np.full(60, "?"))
    assert clf.score_samples(X).mean() > score + 0.2
    assert np.isfinite(clf.loss_curve_).all()


def test_losses_are_those_of_labels():
    X, y = blocks(100)
    clf = small().fit(X, y)
    assert clf.loss_curve_[-1] == pytest.approx(-log_p(clf, X, y).mean())
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]
    assert clf.validation_curve_ == []
    first = small(n_iter=0).fit(X, y)
    np.testing.assert_allclose(log_p(first, X, y), np.log(1 / 3), atol=0.2)


def test_early_stopping_keeps_the_best_parameters():
    X, y = blocks(60)
    options = {"n_components": 64, "learning_rate": 0.1, "schedule": "constant"}
    options |= {"early_stopping": True, "objective": "discriminative"}
    clf = small(**options, n_iter=100, n_iter_no_change=3).fit(X, y)
    best = int(np.argmin(clf.validation_curve_))
    assert len(clf.loss_curve_) == len(clf.validation_curve_) == clf.n_iter_ < 100
    assert best < clf.n_iter_ - 1
    again = small(**options, n_iter=best + 1, n_iter_no_change=100).fit(X, y)
    np.testing.assert_array_equal(clf.components_, again.components_)


@pytest.mark.exhaustive
def test_early_stopping_holds_out_rows_with_labels():
    X, y = blocks(300)
    few = np.where(np.arange(300) < 8, y, "?")
    options = {"early_stopping": True, "n_iter": 20, "validation_fraction": 0.3}
    for seed in range(2):
        clf = small(unlabeled="?", generative_weight=0.1, **options)
        clf.set_params(random_state=seed).fit(X, few)
        assert len(set(clf.validation_curve_)) > 1
        assert len(set(clf.loss_curve_)) > 1
    clf.set_params(warm_start=True).fit(X, np.full(300, "?"))
    assert np.isfinite(clf.score_samples(X)).all()


@pytest.mark.exhaustive
def test_what_may_not_change_between_fits():
    X, y = blocks(60)
    for visible, other in ("bernoulli", "gaussian"), ("gaussian", "bernoulli"):
        clf = small(column_types=visible, warm_start=True).fit(X, y)
        for method in (clf.fit, clf.partial_fit):
            clf.set_params(column_types=other)
            with pytest.raises(ValueError, match="column_types changed.*warm_start"):
                method(X, y)
        clf.set_params(warm_start=False).fit(X, y).score_samples(X)
        assert hasattr(clf, "precision_") == (other == "gaussian")


def test_labels_come_in_any_container():
    pd = pytest.importorskip("pandas")
    X, y = blocks(60)
    expected = small().fit(X, y)
    series = pd.Series(y)
    for labels in (y.tolist(), series, series.astype("category"), y.astype(object)):
        found = small().fit(X, labels)
        np.testing.assert_array_equal(found.components_, expected.components_)
        np.testing.assert_array_equal(found.classes_, NAMES)
    clf = small(unlabeled=np.nan).fit(X, series.where(np.arange(60) % 2 == 0))
    np.testing.assert_array_equal(clf.classes_, NAMES)


def test_weights_of_labels():
    X, y = blocks(100)
    weight = np.where(y == "ant", 20.0, 1.0)
    plain, weighted = small().fit(X, y), small().fit(X, y, sample_weight=weight)
    assert (weighted.predict(X) == "ant").sum() > (plain.predict(X) == "ant").sum()


def test_partial_fit_knows_its_classes():
    X, y = blocks(90)
    clf = small()
    clf.partial_fit(X[y == "ant"], y[y == "ant"], classes=NAMES[::-1])
    np.testing.assert_array_equal(clf.classes_, NAMES)
    for _ in range(20):
        clf.partial_fit(X, y)
    assert clf.score(X, y) > 0.9
    for method in (clf.partial_fit, clf.set_params(warm_start=True).fit):
        with pytest.raises(
            ValueError, match=r"\['dog', 'eel'\].*not among the classes"
        ):
            method(X[:3], ["eel", "dog", "bee"])
    np.testing.assert_array_equal(clf.classes_, NAMES)
    with pytest.raises(ValueError, match=r"\['cat'\].*not among the classes"):
        small().partial_fit(X, y, classes=["ant", "bee"])


@pytest.mark.parametrize(
    "y, message",
    [
        (["ant"] * 4, "at least two classes, but y has one class only"),
        (["?"] * 4, "no label at all"),
        (None, "requires y to be passed, but the target y is None"),
        ([0.5, 1.2, 3.3, 0.1], "[Cc]ontinuous"),
        ([0.0, 1.0, np.nan, 1.0], "NaN"),
        ([["a", "b"]] * 4, r"\(4, 2\)"),
        (["ant", "bee"], "inconsistent"),
        (np.array(["ant", None, "bee", 2], object), "NoneType, int, str.*unlabeled"),
    ],
    ids=str,
)
def test_invalid_labels(y, message):
    clf = small(unlabeled="?")
    with pytest.raises(ValueError, match=message):
        clf.fit(STATES[:4], y)
    if "label at all" not in message and "one class" not in message:
        with pytest.raises(ValueError, match=message):
            clf.partial_fit(STATES[:4], y, classes=NAMES)
    assert not hasattr(clf, "classes_")


@pytest.mark.release
@pytest.mark.parametrize("learning_rate", [1e6, 1e38])
def test_divergence_is_caught_and_named(learning_rate):
    X, y = blocks(100)
    clf = small(learning_rate=learning_rate, solver="sgd", objective="generative")
    with pytest.raises(DivergenceError, match="Lower learning_rate"):
        clf.fit(X, y)
    assert np.isfinite(clf.predict_log_proba(X)).all()


@pytest.mark.exhaustive(default=["gradient", "'solver'", "generative", "'alpha'"])
@pytest.mark.parametrize(
    "option",
    [
        {"gradient": "cd"},
        {"gradient": "fpcd"},
        {"gradient": "tempering"},
        {"n_steps": (1, 2)},
        {"n_chains": None},
        {"centering": "start"},
        {"centering": "data"},
        {"centering": "moving"},
        {"solver": "sgd"},
        {"momentum": (0.5, 0.9)},
        {"alpha": 0.1, "l1_ratio": 1.0},
        {"alpha": 1.0},
        {"max_norm": 0.2},
        {"sparsity_target": 0.1},
        {"init_biases": "zeros"},
        {"generative_weight": 0.5},
        {"objective": "generative"},
        {"objective": "discriminative"},
        {"column_types": "gaussian"},
    ],
    ids=str,
)
def test_options_change_what_is_learned(option):
    X, y = blocks(60)
    X[::7, 3] = np.nan
    given = {"generative_weight": 0.1, "n_iter": 3}
    clf = assign(small(**given), **option).fit(X, y)
    assert (clf.components_ != small(**given).fit(X, y).components_).any()
    assert np.isfinite(clf.score_samples(X)).all()


def test_bits_are_not_drawn_from_real_numbers():
    X, y = blocks(60)
    X = X + RNG.normal(0, 0.1, X.shape)
    plain = small(column_types="gaussian").fit(X, y)
    other = small(column_types="gaussian", resample=True).fit(X, y)
    np.testing.assert_array_equal(plain.components_, other.components_)


def test_what_bernoulli_and_classifier_have_in_common():
    X, y = blocks(60)
    clf = small(n_iter=0)
    rbm = BernoulliRBM(6, n_iter=0, random_state=0).fit(X)
    np.testing.assert_allclose(clf.fit(X, y).intercept_visible_, rbm.intercept_visible_)


@pytest.mark.exhaustive
def test_digits_in_pipelines_and_searches():
    X, y = load_digits(return_X_y=True)
    clf = RBMClassifier(32, n_iter=8, random_state=0)
    pipeline = make_pipeline(MinMaxScaler(), clf)
    assert pipeline.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.88
    real = clone(clf).set_params(column_types="gaussian")
    assert real.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.85
    grid = {"rbmclassifier__n_components": [2, 16]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X[:300], y[:300])
    assert search.best_params_ == {"rbmclassifier__n_components": 16}


@pytest.mark.release
def test_blobs_with_default_parameters():
    X, y = make_blobs(300, centers=4, n_features=3, random_state=0)
    X *= [1, 1000, 0.001]
    assert (
        cross_val_score(RBMClassifier(column_types="gaussian"), X, y, cv=3).min() > 0.85
    )
