"""What the network learns, and what it refuses."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import load_digits

from skdgm import SigmoidBeliefNetwork
from skdgm.directed._objective import OBJECTIVES
from skdgm.exceptions import CollapseWarning
from skdgm.latent import hierarchy
from skdgm.nets import primitives
from tests.numerical import arrays
from tests.options import assign, grouped


def bars(n_rows=600, side=3, seed=0):
    """Images of rows and columns, each of which is there or not."""
    rng = np.random.default_rng(seed)
    down, across = rng.random((2, n_rows, side)) < 0.3
    images = down[:, :, None] | across[:, None, :]
    return images.reshape(n_rows, -1).astype(np.float32)


BARS, UNSEEN = bars(), bars(300, seed=1)


@pytest.mark.parametrize("of_p, of_q", [(False, False), (True, "nade"), ("nade", True)])
def test_few_bits_are_on_at_first(of_p, of_q):
    links = {"autoregressive": of_p, "recognition_autoregressive": of_q}
    sbn = grouped(SigmoidBeliefNetwork, (50, 8), n_iter=0, random_state=0, **links).fit(
        BARS
    )
    means, (model, _) = sbn.transform(BARS), sbn.density_.net
    assert abs(means[:, :50].mean() - 0.1) < 0.04
    assert abs(means[:, 50:].mean() - 0.25) < 0.04
    for biases, n, share in (model.prior, 8, 0.25), (model.decoders[1][0].b, 50, 0.1):
        np.testing.assert_allclose(expit(biases[:n]), share, rtol=1e-5)
        assert not biases[n:].any()


def test_lists_of_bits_change_nothing(monkeypatch):
    fits, X = [], BARS.astype(float)
    for listed in (primitives.lists_if_sparse, lambda x: x):
        monkeypatch.setattr(hierarchy, "lists_if_sparse", listed)
        fits.append(SigmoidBeliefNetwork((40, 20), n_iter=2, random_state=0).fit(X))
        fits[-1].bound = fits[-1].score_samples(X)
        fits[-1].draws = fits[-1].sample(50, random_state=0)
    lists, plain = fits
    np.testing.assert_allclose(lists.loss_curve_, plain.loss_curve_)
    np.testing.assert_allclose(lists.bound, plain.bound)
    np.testing.assert_array_equal(lists.draws, plain.draws)
    for own, other in zip(lists.coefs_, plain.coefs_, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-9)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.CollapseWarning")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns_bars(objective):
    sbn = SigmoidBeliefNetwork(
        (8,), objective=objective, learning_rate=0.1, batch_size=20, n_iter=15
    )
    sbn.set_params(random_state=0).fit(BARS)
    found = sbn.importance_likelihood(UNSEEN, n_draws=100).mean()
    mean = BARS.mean(axis=0)
    independent = (UNSEEN * np.log(mean) + (1 - UNSEEN) * np.log1p(-mean)).sum(axis=1)
    assert found > independent.mean() + 0.7
    assert sbn.loss_curve_[-1] < sbn.loss_curve_[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("objective", ["mean-field", "gibbs"])
@pytest.mark.parametrize("kind", ["categorical", "gaussian"])
def test_other_columns_are_learned(kind, objective):
    rng = np.random.default_rng(0)
    which = rng.integers(0, 3, 400)
    X = (which[:, None] + np.where(rng.random((400, 5)) < 0.2, 1, 0)) % 3.0
    if kind == "gaussian":
        X = 3 * X + rng.normal(size=X.shape)
    how = {"column_types": kind, "objective": objective, "n_iter": 12}
    sbn = grouped(
        SigmoidBeliefNetwork,
        (8,),
        learning_rate=0.1,
        batch_size=20,
        random_state=0,
        **how,
    ).fit(X)
    found = sbn.importance_likelihood(X, n_draws=200).mean()
    # Reweighted wake-sleep has -4.06 and -11.37, independent columns -5.5 and -12.
    assert found > {"categorical": -4.2, "gaussian": -11.5}[kind]
    if objective == "mean-field":
        assert sbn.mean_field_bound(X).mean() < found
    holes = np.where(rng.random(X.shape) < 0.3, np.nan, X)
    assert np.isfinite(sbn.partial_fit(holes).score_samples(holes)).all()


@pytest.mark.release
def test_bits_that_the_inference_net_cannot_follow_are_no_failure():
    """By one draw the bound of "gibbs" is below that of independent columns here."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, 400)[:, None] + (rng.random((400, 5)) < 0.2)
    X = 3.0 * (X % 3) + rng.normal(size=X.shape)
    how = {"column_types": "gaussian", "objective": "gibbs", "n_iter": 40}
    grouped(SigmoidBeliefNetwork, (50,), batch_size=20, random_state=0, **how).fit(X)


def test_objectives_may_change_between_fits():
    sbn = SigmoidBeliefNetwork((4,), n_iter=2, warm_start=True, random_state=0)
    sbn.fit(BARS)
    for objective in OBJECTIVES:
        before = [part.copy() for part in arrays(sbn.coefs_)]
        sbn.set_params(objective=objective).fit(BARS)
        assert any((a != b).any() for a, b in zip(before, sbn.coefs_, strict=True))
    assert sbn.n_iter_ == 2 * (1 + len(OBJECTIVES))


@pytest.mark.parametrize("phase", ["wake", "sleep", "both"])
def test_phases_learn_differently(phase):
    more = {"recognition_phase": phase, "n_iter": 3, "random_state": 0}
    sbn = grouped(SigmoidBeliefNetwork, (4,), **more).fit(BARS)
    other = SigmoidBeliefNetwork((4,), n_iter=3, random_state=0).fit(BARS)
    same = all((a == b).all() for a, b in zip(sbn.coefs_, other.coefs_, strict=True))
    assert same == (phase == "both")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must have at least one"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be positive"),
        ({"objective": "vimco", "n_importance": 1}, "n_importance must be at least 2"),
        ({"feature_layer": 2}, "feature_layer"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(SigmoidBeliefNetwork, **{"hidden_layer_sizes": (3, 2), **options}).fit(
            BARS
        )


def test_a_collapse_is_told():
    sbn = SigmoidBeliefNetwork((4,), alpha=1e4, n_iter=20, random_state=0)
    with pytest.warns(CollapseWarning, match="Raise objective__n_importance"):
        sbn.fit(load_digits().data > 7)


@pytest.mark.exhaustive
def test_tables_of_several_kinds():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    which = rng.random(300) < 0.5
    X = pd.DataFrame(
        {
            "size": np.where(which, 3.0, -3.0) + rng.normal(size=300),
            "color": np.where(which, "red", rng.choice(["blue", "green"], 300)),
            "flag": which,
        }
    )
    sbn = SigmoidBeliefNetwork(
        (8,),
        column_types="mixed",
        learning_rate=0.1,
        batch_size=20,
        n_iter=40,
        random_state=0,
    ).fit(X)
    drawn = sbn.sample(400, random_state=0)
    assert list(drawn.columns) == list(X.columns)
    red = drawn["color"] == "red"
    assert (red == drawn["flag"]).mean() > 0.9
    assert drawn.loc[red, "size"].mean() > 2
    holes = X.assign(flag=X["flag"].astype(object).where(rng.random(300) < 0.5))
    filled = sbn.impute(holes)
    assert (filled["flag"].astype(bool) == X["flag"]).mean() > 0.95
    red = sbn.sample(50, random_state=0, conditions={"color": "red"})
    assert (red["color"] == "red").all()
    assert red["flag"].mean() > 0.9


def variances(n_draws=5, n_iter=4, **options):
    how = {"gradient_draws": n_draws, "n_iter": n_iter, "random_state": 0} | options
    sbn = grouped(SigmoidBeliefNetwork, (8, 4), batch_size=50, **how).fit(BARS)
    return sbn, np.array(sbn.gradient_variance_curve_)


@pytest.mark.exhaustive
def test_gradients_of_less_variance_have_less():
    means = {
        baseline: variances(20, objective="reinforce", baseline=baseline)[1].mean()
        for baseline in ("none", "mean", "optimal", "net")
    }
    assert min(means["none"] / means[b] for b in ("mean", "optimal", "net")) > 2
    many = variances(20, n_importance=50)[1].mean()
    assert many < 0.5 * variances(20, n_importance=1)[1].mean()


@pytest.mark.exhaustive(default=["rws", "concrete"])
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.CollapseWarning")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_measuring_variances_does_not_change_what_is_learned(objective):
    sbn, found = variances(objective=objective)
    assert len(found) == 4
    assert (found > 0).all()
    plain = SigmoidBeliefNetwork(
        (8, 4), objective=objective, batch_size=50, n_iter=4, random_state=0
    ).fit(BARS)
    np.testing.assert_array_equal(
        plain.score_samples(UNSEEN), sbn.score_samples(UNSEEN)
    )
    assert not hasattr(plain, "gradient_variance_curve_")


def test_variances_belong_to_epochs():
    sbn, found = variances(warm_start=True)
    assign(sbn, gradient_draws=None).partial_fit(BARS)
    assign(sbn, gradient_draws=3, n_iter=2).fit(BARS)
    again = np.array(sbn.gradient_variance_curve_)
    np.testing.assert_array_equal(again[:4], found)
    np.testing.assert_array_equal(np.isnan(again), [False] * 4 + [True, False, False])
    assign(sbn, warm_start=False, gradient_draws=None).fit(BARS)
    assert not hasattr(sbn, "gradient_variance_curve_")
