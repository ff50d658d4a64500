"""Densities corrected by classifiers."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator
from skops import io

from skdgm import FVBN, SelfSupervisedBoosting, save
from skdgm.boosting import self_supervised_boosting
from skdgm.boosting._rows import SplitRows, best_weight, with_unseen
from skdgm.boosting._tilted import Tilted
from skdgm.exceptions import UnsavableError
from tests.options import grouped

RNG = np.random.default_rng(0)
SMALL = {"n_iter": 6, "n_particles": 800, "n_steps": 1, "random_state": 0}


def two(n, seed=0):
    """Two clusters in the plane."""
    rng = np.random.default_rng(seed)
    return rng.choice([-2.0, 2.0], (n, 1)) + rng.normal(0, 0.5, (n, 2))


CHECKED = SelfSupervisedBoosting(n_iter=2, n_particles=64, n_steps=1)


@pytest.mark.exhaustive(
    default=[
        "init",
        "fit_returns_self",
        "nan_inf",
        "subset_invariance",
        "fit_idempotent",
        "tag",
        "clon",
    ]
)
@pytest.mark.parametrize(
    "estimator, check",
    list(estimator_checks_generator(CHECKED)),
    ids=lambda part: getattr(getattr(part, "func", None), "__name__", None),
)
def test_check(estimator, check):
    check(estimator)


def test_what_the_first_density_lacks_is_learned():
    model = SelfSupervisedBoosting(n_iter=20, random_state=0).fit(two(1000))
    held_out = two(2000, seed=1)
    # A normal distribution is .66 nats below these.
    assert model.score(held_out) > model.estimator_.score(held_out) + 0.4
    drawn = model.sample(4000, random_state=0)
    assert (abs(drawn.mean(axis=1)) < 1).mean() < 0.08
    assert abs((drawn[:, 0] > 0).mean() - 0.5) < 0.08
    assert len(model.classifiers_) == len(model.weights_) <= model.n_iter_
    assert model.validation_scores_[-1] > model.validation_scores_[0]


@pytest.mark.exhaustive
def test_nothing_is_learned_where_there_is_nothing_to_learn():
    X = RNG.normal(size=(600, 3))
    model = SelfSupervisedBoosting(random_state=0).fit(X)
    held_out = RNG.normal(size=(3000, 3))
    assert model.score(held_out) > model.estimator_.score(held_out) - 0.05
    assert model.n_iter_ < 50


@pytest.mark.exhaustive
def test_bits():
    X = np.random.default_rng(3).random((800, 6)) < 0.7
    X[:, 5] = X[:, 0] ^ X[:, 1]
    model = SelfSupervisedBoosting(n_iter=15, random_state=0).fit(X)
    assert isinstance(model.estimator_, FVBN)
    drawn = model.sample(2000, random_state=0)
    assert np.isin(drawn, (0, 1)).all()
    same = (drawn[:, 5] == (drawn[:, 0] != drawn[:, 1])).mean()
    assert same > 0.9
    # An exclusive or, of which single columns tell but little.
    assert model.score(X) > model.estimator_.score(X) + 0.3


@pytest.mark.exhaustive(default=["FrozenEstimator"])
@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMixture(2, random_state=0),
        KernelDensity(),
        FrozenEstimator(GaussianMixture(2).fit(two(300))),
        FVBN("gaussian", alpha=0.1),
    ],
    ids=lambda one: type(one).__name__,
)
def test_any_density(estimator):
    model = grouped(SelfSupervisedBoosting, estimator, **SMALL)
    X = two(300)
    first, second = clone(model).fit(X), clone(model).fit(X)
    np.testing.assert_array_equal(first.score_samples(X), second.score_samples(X))
    own = first.sample(5, random_state=1)
    np.testing.assert_array_equal(own, second.sample(5, random_state=1))
    assert (own != first.sample(5, random_state=2)).any()


@pytest.mark.exhaustive(default=["Pipeline"])
@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(),
        make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=1000)),
        KNeighborsClassifier(20),
        DecisionTreeClassifier(max_depth=2),
    ],
    ids=lambda one: type(one).__name__,
)
def test_any_classifier(classifier):
    model = grouped(SelfSupervisedBoosting, classifier=classifier, **SMALL).fit(
        two(300)
    )
    assert np.isfinite(model.score_samples(two(50, seed=1))).all()
    for own in model.classifiers_:
        assert type(own) is type(classifier)
        assert own is not classifier


def test_squares_in_a_logistic_regression_have_the_tilts_of_normal_distributions():
    """A narrow normal distribution is a wide one, tilted by squares: exactly."""
    X = RNG.normal(0, 0.5, (2000, 1))
    wide = FrozenEstimator(FVBN("gaussian").fit(RNG.normal(0, 1, (4000, 1))))
    classifier = make_pipeline(PolynomialFeatures(2), LogisticRegression(C=100))
    model = SelfSupervisedBoosting(
        wide, classifier, learning_rate=1.0, n_iter=5, random_state=0
    ).fit(X)
    grid = np.linspace(-1, 1, 31)[:, None]
    truth = -0.5 * (grid[:, 0] / 0.5) ** 2 - np.log(0.5 * np.sqrt(2 * np.pi))
    assert abs(model.score_samples(grid) - truth).max() < 0.25


def test_weights_are_the_best_ones():
    rows, draws = RNG.normal(1, 1, 200), RNG.normal(0, 1, 500)
    ratio = RNG.normal(1, 2, 200)
    weight, gain = best_weight(rows.mean(), draws, rows, ratio)

    def loss(a):
        most = np.exp(a * rows + ratio).max()
        before = 500 + np.exp(ratio).max()
        return np.log((np.exp(a * draws).sum() + most) / before) - a * rows.mean()

    grid = np.linspace(0, 2, 2001)
    losses = [loss(a) for a in grid]
    assert weight == pytest.approx(grid[np.argmin(losses)], abs=2e-3)
    assert gain == pytest.approx(-min(losses), abs=1e-6)
    # Of no use: rows are where the odds are against them.
    assert best_weight(-rows.mean(), draws, -rows, ratio)[1] < 1e-3


def gap(model, n=50_000):
    """Log of the integral of the density, by independent draws of the first one."""
    rows = model.estimator_.sample(n, random_state=0)
    ratio = model.score_samples(rows) - model.estimator_.score_samples(rows)
    return np.log(np.exp(ratio).mean())


def zeros(rng):
    return np.column_stack([rng.choice([0, 0, 0, 1, 5], 300), rng.normal(size=300)])


EQUAL = {
    "rounded": lambda rng: np.round(rng.normal(size=(600, 2)), 1),
    "constant": lambda rng: np.column_stack([two(150), np.full(150, 3.0)]),
    "far out": lambda rng: np.concatenate([two(150), [[1e9, -1e9]]]),
    "zeros": zeros,
}


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.OutlierWarning")
@pytest.mark.parametrize("made", EQUAL.values(), ids=EQUAL)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_no_draw_has_seen_is_not_raised_without_limit(made, seed):
    """Equal values have a density as high as one likes: draws are never among them."""
    X = made(np.random.default_rng(seed))
    model = SelfSupervisedBoosting(n_iter=20, random_state=seed).fit(X)
    ratio = model.score_samples(X) - model.estimator_.score_samples(X)
    assert ratio.max() < np.log(model.n_particles) + 0.1
    assert gap(model) < 4 * model.log_Z_se_ + 0.1


def test_weights_of_rows_are_learned_from():
    X = two(600)
    weight = np.where(X[:, 0] > 0, 1.0, 9.0)
    weight[:50] = 0
    options = {"n_iter": 15, "n_particles": 2000, "random_state": 0}
    model = grouped(SelfSupervisedBoosting, **options).fit(X, sample_weight=weight)
    share = weight[X[:, 0] < 0].sum() / weight.sum()
    drawn = model.sample(4000, random_state=0)
    assert abs((drawn[:, 0] < 0).mean() - share) < 0.06
    with pytest.raises(ValueError, match="two rows must have a weight"):
        model.fit(X[:3], sample_weight=[0, 1, 0])


def test_the_first_density_is_judged_by_rows_that_it_does_not_know():
    X = RNG.normal(size=(150, 2))
    narrow = KernelDensity(bandwidth=0.05)
    model = grouped(SelfSupervisedBoosting, narrow, **SMALL).fit(X)
    assert model.validation_scores_[0] < -5
    assert model.estimator_.score_samples(X).mean() > -1


@pytest.mark.exhaustive
def test_few_rows_and_margins():
    """Classes are about as large as each other."""
    found = []
    for seed in range(3):
        options = {"classifier": SVC(), "n_particles": 1000, "random_state": seed}
        model = grouped(SelfSupervisedBoosting, n_iter=15, **options)
        X, held_out = two(120, seed), two(2000, seed + 10)
        model.fit(X)
        found.append(model.score(held_out) - model.estimator_.score(held_out))
    assert np.mean(found) > 0.3


AWKWARD = {
    "three rows": RNG.normal(size=(3, 2)),
    "a constant column": np.column_stack([two(100), np.full(100, 7.0)]),
    "far out": np.concatenate([two(100), [[1e6, -1e6]]]),
    "large": 1e9 + 1e6 * two(100),
    "equal rows": np.ones((20, 2)),
    "codes": RNG.integers(3, 7, (100, 3)).astype(float),
    "more columns than rows": RNG.normal(size=(10, 20)),
}


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.OutlierWarning")
@pytest.mark.exhaustive(default=["three rows", "constant", "codes"])
@pytest.mark.parametrize("X", AWKWARD.values(), ids=AWKWARD)
def test_awkward_rows(X):
    model = grouped(SelfSupervisedBoosting, **SMALL).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.log_Z_se_)
    assert np.isfinite(model.sample(20, random_state=0)).all()


def test_odds_that_are_nan_are_named():
    class Flat(LogisticRegression):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    X = np.random.default_rng(0).random((40, 1)).round()
    own = SelfSupervisedBoosting(FVBN(n_iter=1), Flat(), n_iter=3, n_particles=8)
    with pytest.raises(ValueError, match="odds of Flat are NaN for 40 of 40 rows"):
        own.fit(X)
    assert not hasattr(own, "classifiers_")


def test_wrong_input_is_named():
    X = two(50)
    narrow = KernelDensity(kernel="tophat", bandwidth=0.1)
    frozen = FrozenEstimator(narrow.fit(X[:10]))
    with pytest.raises(ValueError, match="is 0, or no number, at .. of 50 rows"):
        grouped(SelfSupervisedBoosting, frozen, **SMALL).fit(X)
    with pytest.raises(ValueError, match="'estimator' parameter"):
        SelfSupervisedBoosting(LogisticRegression()).fit(X)
    for other in LinearRegression(), IsolationForest():
        with pytest.raises(ValueError, match=f"{type(other).__name__} is no classif"):
            SelfSupervisedBoosting(classifier=other).fit(X)
    with pytest.raises(ValueError, match="PolynomialFeatures is no classifier"):
        SelfSupervisedBoosting(classifier=PolynomialFeatures()).fit(X)
    model = grouped(SelfSupervisedBoosting, **SMALL).fit(X)
    with pytest.raises(ValueError, match="features"):
        model.score_samples(X[:, :1])
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(X > 2, np.nan, X))
    # Nothing is lost.
    assert model.score_samples(X).shape == (50,)


def test_data_frames_and_files(tmp_path):
    frame = load_iris(as_frame=True).data
    model = grouped(SelfSupervisedBoosting, **SMALL).fit(frame)
    assert list(model.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        model.score_samples(frame[frame.columns[::-1]])
    frozen = FrozenEstimator(GaussianMixture(2).fit(frame))
    other = grouped(SelfSupervisedBoosting, frozen, **SMALL).fit(frame)
    assert np.isfinite(other.score(frame))
    with pytest.raises(ValueError, match="feature names should match those of the fit"):
        other.fit(frame[frame.columns[::-1]])
    # A fitted one answers by what it learned.
    before = model.sample(2, random_state=0)
    np.testing.assert_array_equal(
        deepcopy(model).set_params(n_steps=9, n_particles=9).sample(2, random_state=0),
        before,
    )
    scores = model.score_samples(frame)
    with pytest.raises(UnsavableError, match="skops"):
        save(model, tmp_path / "model.skdgm")
    io.dump(model, tmp_path / "model.skops")
    trusted = io.get_untrusted_types(file=tmp_path / "model.skops")
    for other in (
        io.load(tmp_path / "model.skops", trusted=trusted),
        pickle.loads(pickle.dumps(model)),
        deepcopy(model),
    ):
        np.testing.assert_array_equal(other.score_samples(frame), scores)
    before = deepcopy(vars(model))
    model.sample(3, random_state=0)
    assert str(before) == str(vars(model))


@pytest.mark.exhaustive
def test_options_can_be_searched():
    grid = {
        "learning_rate": [0.1, 1.0],
        "classifier": [DecisionTreeClassifier(max_depth=1)],
    }
    search = GridSearchCV(grouped(SelfSupervisedBoosting, **SMALL), grid, cv=2)
    search.fit(pd.DataFrame(two(200), columns=["a", "b"]))
    assert np.isfinite(search.best_score_)


def test_verbose(capsys):
    grouped(SelfSupervisedBoosting, verbose=1, **SMALL).fit(two(100))
    header, *lines = capsys.readouterr().out.splitlines()
    name = "[SelfSupervisedBoosting]"
    assert header.split() == [name, "round", "held", "out", "gain", "time", "left"]
    assert all(line.startswith(f"{name} ") for line in lines)
    assert lines[0].split()[1].startswith("0/")
    n_rounds = SMALL["n_iter"]
    assert lines[-1].split()[1] == f"{n_rounds}/{n_rounds}"


def test_rounds_without_gain_end_a_fit():
    model = grouped(SelfSupervisedBoosting, **SMALL | {"n_iter": 30}, tol=1e3)
    model.set_params(n_iter_no_change=3).fit(two(60))
    assert model.n_iter_ == 3
    assert not model.classifiers_


def test_weights_are_the_learning_rate_times_the_best_ones():
    found = [
        grouped(
            SelfSupervisedBoosting, **SMALL | {"n_iter": 1}, learning_rate=rate
        ).fit(two(300))
        for rate in (0.2, 0.8)
    ]
    assert found[0].weights_ * 4 == pytest.approx(found[1].weights_)


@pytest.mark.parametrize("names", [["a", "b"], None], ids=["frame", "array"])
def test_what_is_known_of_draws_is_theirs_in_all_rounds(monkeypatch, names):
    """Values of the first density and of F that are kept beside draws, and held-out
    scores that follow from them; a first density of other libraries knows names."""
    tilts = []

    class Checked(Tilted):
        def step(self, rng, drawn, beta, **groups):
            again = self.measured(drawn.rows)
            np.testing.assert_allclose(drawn.log_base, again.log_base)
            if groups:  # Between rounds.
                tilts.append(drawn.tilt)
                np.testing.assert_allclose(drawn.tilt, again.tilt)
            return super().step(rng, drawn, beta, **groups)

    monkeypatch.setattr(self_supervised_boosting, "Tilted", Checked)
    options = SMALL | {"n_particles": 400}
    model = grouped(SelfSupervisedBoosting, GaussianMixture(1), **options)
    model.fit(pd.DataFrame(two(300), columns=names))
    assert len(tilts) > 2
    assert np.std(tilts[1]) > 0
    assert type(model.sample(2)) is (pd.DataFrame if names else np.ndarray)


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), "bernoulli"),
        (np.array([[0.0, 2.0], [1.0, 0.0]]), ("numeric", "numeric")),
        (np.array([[0.5, 2.0], [1.0, 0.0]]), ("gaussian", "numeric")),
        (np.array([[0.3, 0.5], [1.0, 0.0]]), "gaussian"),
        (load_digits().data, "gaussian"),
    ],
    ids=["bits", "codes", "both", "real", "gray"],
)
def test_the_first_density_by_default(X, kind):
    assert SelfSupervisedBoosting()._begin(X).column_types == kind


def test_a_classifier_learns_from_as_many_draws_as_rows_and_trees_from_half():
    X, drawn = two(30), two(100, 1)
    rows = SplitRows(
        X, np.arange(20), np.arange(20, 30), np.full(20, 0.05), np.full(10, 0.1)
    )

    class Noted(LogisticRegression):
        def fit(self, X, y):
            self.seen = np.bincount(y)
            return super().fit(X, y)

    for model, n_draws in (
        (SelfSupervisedBoosting(classifier=Noted()), 20),
        (SelfSupervisedBoosting(), 50),
    ):
        given = np.random.default_rng(0), np.random.RandomState(0)
        classifier, rest = model._fitted(rows, drawn, *given)
        assert len(np.unique(rest)) == 50
        if model.classifier is None:
            counts = classifier.tree_.n_node_samples[0]
            assert counts == 20 + n_draws
            assert classifier.max_depth == 3
            assert classifier.min_samples_leaf == 10
        else:
            np.testing.assert_array_equal(classifier.seen, [n_draws, 20])


def test_where_no_draw_has_been_there_may_be_one():
    log_Z, se = with_unseen(np.log(3.0), 0.1, np.log(2.0))
    assert np.exp(log_Z) == pytest.approx(5)
    assert se == pytest.approx(np.hypot(0.1, 0.4))


def test_ratios_are_to_the_density_with_its_constant(monkeypatch):
    annealed, seen = Tilted.annealed, []

    def constant(self, n, rng):
        return annealed(self, n, rng)[0], 7.0, 0.5

    def spied(mean, draws, odds, ratio):
        seen.append(ratio)
        return best_weight(mean, draws, odds, ratio)

    monkeypatch.setattr(Tilted, "annealed", constant)
    monkeypatch.setattr(self_supervised_boosting, "best_weight", spied)
    clone(CHECKED).set_params(n_iter=1).fit(two(40))
    np.testing.assert_array_equal(seen, -7.0)


def test_whole_numbers_remain_so_and_other_columns_are_named():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=80), "flag": rng.random(80) < 0.3})
    X["size"] = rng.integers(3, 7, 80)
    model = SelfSupervisedBoosting(n_iter=2, n_particles=200, random_state=0).fit(X)
    drawn = model.sample(50, random_state=0)
    assert drawn.dtypes.equals(X.dtypes)
    assert set(drawn["size"]) <= set(X["size"])
    with pytest.raises(ValueError, match="takes numbers, but column 'name'"):
        model.fit(X.assign(name="a"))
    with pytest.raises(TypeError, match="'day' .* does not read dates"):
        model.fit(X.assign(day=pd.Timestamp("2020-01-01")))
