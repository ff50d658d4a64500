import numpy as np
import pytest

from skdgm import DBM, DBN
from skdgm.belief import _stack
from skdgm.belief._directed import Directed
from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.options import UpDown
from tests.belief.enumeration import Listed
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
# Rows of two halves, each one of four patterns: the halves are alike.
HALVES = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1.0]])
WHICH = RNG.integers(0, 4, 300)
TOY = np.hstack([HALVES[WHICH], HALVES[WHICH]])
TOY = abs(TOY - (RNG.random(TOY.shape) < 0.05))


def fit(X=TOY, sizes=(5, 4), **options):
    options = {"n_iter": 10, "refine": "up-down", "random_state": 0} | options
    return grouped(DBN, sizes, **options).fit(X)


def exact(dbn, method="bound"):
    listed = Listed(dbn)
    return np.mean([getattr(listed, method)(v) for v in TOY])


@pytest.mark.exhaustive
@pytest.mark.parametrize("sizes", [(5, 4), (5, 4, 3)])
def test_refining_raises_the_bound(sizes):
    greedy = fit(sizes=sizes, refine=None)
    refined = fit(sizes=sizes, refine_iter=25, refine_learning_rate=0.1)
    assert exact(refined) > exact(greedy) + 0.2
    assert exact(refined, "log_prob") > exact(greedy, "log_prob") + 0.1
    losses = refined.loss_curves_[-1]
    assert len(losses) == 25
    assert losses[-1] < losses[0]


def test_refining_unties_what_is_directed():
    greedy, refined = fit(refine=None), fit()
    for name in ("coefs_", "intercepts_", "generative_coefs_"):
        ours, theirs = getattr(refined, name), getattr(greedy, name)
        assert all((a != b).any() for a, b in zip(ours, theirs))
    bottom, top = refined.layers_
    assert (refined.coefs_[0] != refined.generative_coefs_[0].T).any()
    np.testing.assert_array_equal(refined.coefs_[1], refined.generative_coefs_[1].T)
    np.testing.assert_array_equal(refined.coefs_[1], top.components_.T)
    # Machines below the top stay as they were learned.
    np.testing.assert_array_equal(bottom.components_, greedy.coefs_[0].T)
    for a, b in zip(greedy.coefs_, greedy.generative_coefs_):
        np.testing.assert_array_equal(a, b.T)
    assert refined.n_iter_ == greedy.n_iter_ + 10


def test_refining_goes_on():
    dbn = fit(warm_start=True, refine_iter=3)
    before = [W.copy() for W in dbn.coefs_]
    dbn.fit(TOY)
    assert len(dbn.loss_curves_[-1]) == 6
    dbn.partial_fit(TOY)
    assert len(dbn.loss_curves_[-1]) == 7
    assert all((a != b).any() for a, b in zip(dbn.coefs_, before))
    assert dbn.n_iter_ == 20 + 7
    with pytest.raises(ValueError, match="layer=0"):
        dbn.partial_fit(TOY, layer=0)
    with pytest.raises(ValueError, match="refine__n_steps"):
        assign(dbn, refine_steps=(3, 0)).fit(TOY)


def test_a_single_layer_needs_no_refinement():
    one, other = fit(sizes=(5,)), fit(sizes=(5,), refine=None)
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


@pytest.mark.release
@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_kinds_of_data(visible):
    X = TOY + RNG.normal(0, 0.2, TOY.shape)
    X = X * 10 if visible == "gaussian" else X.clip(0, 1)
    X = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
    options = {"refine_iter": 15, "refine_learning_rate": 0.1}
    for resample in (False, True):
        greedy, refined = (
            fit(X, column_types=visible, resample=resample, refine=refine, **options)
            for refine in (None, "up-down")
        )
        assert refined.score(X) > greedy.score(X)
        assert np.isfinite(refined.sample(20, random_state=0)).all()


def test_refining_keeps_nothing_near_rows():
    """Its chains start at what is recognized of rows: they are not those kept."""
    greedy, refined = fit(refine=None).layers_[-1], fit().layers_[-1]
    np.testing.assert_array_equal(refined.chains_, greedy.chains_)
    assert refined._training[-1] == ()


def test_divergence_is_named_and_leaves_what_was():
    X = 100 * TOY + RNG.normal(size=TOY.shape)
    options = {"column_types": "gaussian", "n_iter": 2, "random_state": 0}
    dbn = grouped(DBN, (5, 4), refine=UpDown(learning_rate=1e30), **options)
    with pytest.raises(DivergenceError, match="refine__learning_rate"):
        dbn.fit(X)
    assert np.isfinite(dbn.score_samples(X)).all()
    assert all(np.isfinite(W).all() for W in dbn.coefs_)


@pytest.mark.parametrize("resample", [False, True])
@pytest.mark.parametrize("gray", [False, True])
def test_gray_rows_are_drawn_again_or_recognized_as_means(gray, resample, monkeypatch):
    ways = []

    class Seen(_stack.UpDownObjective):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            ways.append((self.resampling, self.recognizes_means))

    monkeypatch.setattr(_stack, "UpDownObjective", Seen)
    sleep, recognized = Directed.sleep, []

    def seen(self, x, h):
        recognized.append(np.asarray(x))
        return sleep(self, x, h)

    monkeypatch.setattr(Directed, "sleep", seen)
    options = {"column_types": "bernoulli", "n_iter": 1, "refine_iter": 1}
    fit(TOY / 2 if gray else TOY, resample=resample, **options)
    assert ways == [(gray and resample, gray and not resample)]
    # The data that Q learns to recognize are means, or bits.
    assert all(((x == 0) | (x == 1)).all() for x in recognized) != ways[0][1]


def test_interrupted_refinement_keeps_what_was_learned(monkeypatch):
    class Interrupted(_stack.UpDownObjective):
        def step(self, state, batch, clock):
            if clock.epoch == 2:
                raise KeyboardInterrupt
            return super().step(state, batch, clock)

    monkeypatch.setattr(_stack, "UpDownObjective", Interrupted)
    with pytest.warns(InterruptedFitWarning, match="after 2 of 10"):
        dbn = fit()
    assert len(dbn.loss_curves_[-1]) == 2


@pytest.mark.parametrize("repeats", [True, False])
def test_losses_are_means_over_rows_with_their_weights(repeats):
    """Losses of refinement and of pairs of layers, for 960 equal rows and 40 others."""
    rows, weight = np.vstack([TOY[:1], RNG.integers(0, 2, (40, 8))]), None
    copies = np.append(960, np.ones(40, int))
    if repeats:
        rows = np.repeat(rows, copies, axis=0)
    else:
        weight = copies.astype(float)
    dbn = grouped(DBN, (5, 4), n_iter=20, refine="up-down", refine_iter=3)
    dbn.set_params(random_state=0).fit(rows, sample_weight=weight)
    dbm = DBM((5, 4), n_iter=1, pretrain="layerwise", random_state=0)
    dbm.fit(rows, sample_weight=weight)
    for losses in dbn.loss_curves_[-1], dbm.pretrain_loss_curves_[0]:
        # The equal rows become probable, and the others have about eight bits.
        assert losses[-1] < 2
