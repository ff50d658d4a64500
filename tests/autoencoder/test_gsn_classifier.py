"""Networks whose chains draw labels: gradients, what is drawn, and what is refused."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import skdgm
from skdgm import GSNClassifier
from skdgm.autoencoder._gsn.labeled import LabeledOutput
from skdgm.base import MissingCapability
from skdgm.data import tabulate
from skdgm.distributions import BernoulliOutput, NormalOutput
from skdgm.optim import Clock
from skdgm.options import Hybrid
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes
from tests.numerical import numerical_gradient
from tests.options import grouped


def labeled(n=60, seed=0):
    """Three bits, of which the first is the label most of the time."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    X = (rng.random((n, 3)) < 0.4).astype(float)
    X[:, 0] = np.where(rng.random(n) < 0.9, y, 1 - y)
    return X, y


@pytest.mark.parametrize("objective", ["hybrid", "discriminative"])
def test_gradients_are_central_differences(objective):
    X, y = labeled(6)
    X[0, 1], y[:2] = np.nan, -1
    clf = GSNClassifier((4, 3), objective=objective, unlabeled=-1, n_iter=1, walkback=2)
    clf.set_params(random_state=0).fit(X, y)
    rows, _ = clf._label(clf._rows(X), y, False, None)
    objective = clf._objective(tabulate(rows, None), 0)
    state = clf._state()
    given = objective.prepare(state, np.arange(6), Clock(0, 1, 0, 1))

    def losses(params):
        return objective.forward(params, given)[0]

    assert_slopes(losses, state.params)


@pytest.mark.parametrize("kind", [BernoulliOutput, NormalOutput])
def test_a_row_with_its_label_is_both(kind):
    rng = np.random.default_rng(0)
    sizes = np.ones(2, int)
    rows = kind(sizes) if kind is BernoulliOutput else kind(sizes, "feature", 0.01)
    output = LabeledOutput(rows, np.array([0.2, 0.3, 0.5]), (0.5, 2.0))
    v = np.array([[0.0, 1.0, 2.0], [1.0, np.nan, np.nan]])
    out, own = rng.normal(size=(2, 5)), rows.initial_parameters(np.float64)
    log_p = output.log_p(out, v, own)
    np.testing.assert_allclose(log_p[:, :2], rows.log_p(out[:, :2], v[:, :2], own))
    label = out[0, 2:] - np.log(np.exp(out[0, 2:]).sum())
    np.testing.assert_allclose(log_p[:, 2], [label[2], 0], atol=1e-12)
    expected = -(log_p * [0.5, 0.5, 2.0]).sum(axis=1)
    np.testing.assert_allclose(output.nll(out, v, own), expected)
    np.testing.assert_allclose(output.inputs(v)[:, 2:], [[0, 0, 1], [0.2, 0.3, 0.5]])
    weight = rng.normal(size=(2, 5))
    slopes = numerical_gradient(lambda out: (output.expected(out) * weight).sum(), out)
    np.testing.assert_allclose(output.expected_grad(out, weight), slopes, atol=1e-7)


@pytest.mark.release
def test_labels_are_drawn_with_rows_and_given():
    X, y = labeled(400)
    clf = GSNClassifier(
        (8, 4), n_iter=60, random_state=0, objective=Hybrid(generative_weight=1.0)
    )
    clf.fit(X, np.array(["no", "yes"])[y])
    rows, drawn = clf.sample(2000, random_state=0, return_y=True, n_steps=30)
    np.testing.assert_array_equal(rows, clf.sample(2000, random_state=0, n_steps=30))
    assert set(drawn) == {"no", "yes"}
    assert np.mean((drawn == "yes") == (rows[:, 0] == 1)) > 0.7
    for label, low, high in ("no", 0.0, 0.35), ("yes", 0.65, 1.0):
        rows, held = clf.sample(1000, random_state=0, y=label, return_y=True)
        assert (held == label).all()
        assert low < rows[:, 0].mean() < high
    both = clf.sample(2, random_state=0, y=["no", "yes"], return_y=True)[1]
    np.testing.assert_array_equal(both, ["no", "yes"])
    assert len(clf.sample(5, y="no", n_steps=20, thin=4)) == 5
    with pytest.raises(ValueError, match="thin is for chains"):
        clf.sample(2, y=["no", "yes"], thin=2)
    with pytest.raises(ValueError, match="maybe"):
        clf.sample(2, y="maybe")


def test_chains_know_the_labels_that_they_are_clamped_to():
    X, y = labeled(50)
    clf = GSNClassifier(4, n_iter=1, random_state=0).fit(X, y)
    v, rng = np.column_stack([X, y]), stream(0).rows(50)

    def known(clamped):
        inputs = clf.density_.chain(None, clamped).corrupt(v, rng)
        return (inputs[:, -2:] == np.eye(2)[y]).all(axis=1).mean()

    assert 0.2 < known(None) < 0.8
    assert known(np.array([[np.nan] * 3 + [1.0]])) == 1


@pytest.mark.release
def test_classes_of_digits(tmp_path):
    X, y = load_digits(return_X_y=True)
    X /= 16
    how = {"n_iter": 40, "random_state": 0}
    for objective in "hybrid", "discriminative":
        clf = grouped(GSNClassifier, (64, 32), objective=objective, **how)
        assert clf.fit(X[:600], y[:600]).score(X[600:900], y[600:900]) > 0.85
    skdgm.save(clf, tmp_path / "net.skdgm")
    again = skdgm.load(tmp_path / "net.skdgm")
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    for ask in clf.sample, lambda: clf.impute(X), lambda: clf.score_samples(X):
        with pytest.raises(MissingCapability, match="GSNClassifier"):
            ask()
