"""What the network learns, and what it refuses."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdgm import SigmoidBeliefNetwork
from skdgm.directed._objective import OBJECTIVES
from skdgm.exceptions import CollapseWarning
from tests.numerical import arrays


def bars(n_rows=600, side=3, seed=0):
    """Images of rows and columns, each of which is there or not."""
    rng = np.random.default_rng(seed)
    down, across = rng.random((2, n_rows, side)) < 0.3
    images = down[:, :, None] | across[:, None, :]
    return images.reshape(n_rows, -1).astype(np.float32)


BARS, UNSEEN = bars(), bars(300, seed=1)


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.CollapseWarning")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns_bars(objective):
    sbn = SigmoidBeliefNetwork(
        (8,), objective=objective, learning_rate=0.02, batch_size=20, random_state=0
    )
    sbn.fit(BARS)
    found = sbn.importance_likelihood(UNSEEN, n_draws=500).mean()
    mean = BARS.mean(axis=0)
    independent = (UNSEEN * np.log(mean) + (1 - UNSEEN) * np.log1p(-mean)).sum(axis=1)
    assert found > independent.mean() + 0.7
    assert sbn.loss_curve_[-1] < sbn.loss_curve_[0]


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
    sbn = SigmoidBeliefNetwork((4,), **more).fit(BARS)
    other = SigmoidBeliefNetwork((4,), n_iter=3, random_state=0).fit(BARS)
    same = all((a == b).all() for a, b in zip(sbn.coefs_, other.coefs_, strict=True))
    assert same == (phase == "both")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must have at least one"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be positive"),
        ({"objective": "vimco", "n_importance": 1}, "n_importance must be >= 2"),
        ({"feature_layer": 2}, "feature_layer"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        SigmoidBeliefNetwork(**{"hidden_layer_sizes": (3, 2), **options}).fit(BARS)


def test_a_collapse_is_told():
    sbn = SigmoidBeliefNetwork((4,), alpha=1e4, n_iter=20, random_state=0)
    with pytest.warns(CollapseWarning, match="Raise n_importance"):
        sbn.fit(load_digits().data > 7)


def test_tables_of_several_kinds():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    which = rng.random(300) < 0.5
    X = pd.DataFrame(
        {
            "size": np.where(which, 3.0, -3.0) + rng.normal(size=300),
            "colour": np.where(which, "red", rng.choice(["blue", "green"], 300)),
            "flag": which,
        }
    )
    sbn = SigmoidBeliefNetwork(
        (8,),
        column_types="mixed",
        learning_rate=0.05,
        batch_size=20,
        n_iter=120,
        random_state=0,
    ).fit(X)
    drawn = sbn.sample(400, random_state=0)
    assert list(drawn.columns) == list(X.columns)
    red = drawn["colour"] == "red"
    assert (red == drawn["flag"]).mean() > 0.9
    assert drawn.loc[red, "size"].mean() > 2
    holes = X.assign(flag=X["flag"].astype(object).where(rng.random(300) < 0.5))
    filled = sbn.impute(holes)
    assert (filled["flag"].astype(bool) == X["flag"]).mean() > 0.95
    red = sbn.sample(50, random_state=0, conditions={"colour": "red"})
    assert (red["colour"] == "red").all()
    assert red["flag"].mean() > 0.9
