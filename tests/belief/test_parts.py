"""Parts of belief networks: options of machines, steps of refinement, hidden fields."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from skdgm import (
    DBN,
    ConvDBN,
    ConvDBNClassifier,
    DBNClassifier,
    DBNRegressor,
    GenerativeDBNClassifier,
)
from skdgm.belief._directed import Directed
from skdgm.energies import plain
from skdgm.optim import Clock, learning_rate
from skdgm.options import FPCD, PCD, SGD, Adam, Columns
from skdgm.stacks.outputs import Classes
from skdgm.training import Batch
from skdgm.utils.random import stream
from tests.belief.enumeration import Listed, random_dbn
from tests.numerical import assert_means
from tests.options import asked_value, assign, grouped

RNG = np.random.default_rng(0)
BITS = (RNG.random((40, 16)) < 0.4).astype(float)
Y = np.arange(40) % 3
# Other values than those of machines by default, one for each layer.
EACH = {
    "learning_rate": (0.02, 0.03),
    "solver": ("adam", "sgd"),
    "momentum": (0.1, 0.2),
    "schedule": ("constant", "invscaling"),
    "batch_size": (7, 8),
    "n_iter": (1, 2),
    "gradient": ("pcd", "fpcd"),
    "n_steps": (2, 3),
    "n_chains": (5, 6),
    "alpha": (0.01, 0.02),
    "l1_ratio": (0.3, 0.4),
    "centering": ("start", "moving"),
    "sparsity_target": (0.1, 0.2),
    "sparsity_cost": (0.3, 0.4),
    "max_norm": (1.0, 2.0),
    "filter_shape": ((2, 2), (2, 1)),
    "pool_shape": ((1, 3), (1, 1)),
    "stride": (1, (1, 1)),
    "pooling": ("max", "mean"),
}
GROUPS = {
    "solver": (
        Adam(beta_1=0.1, schedule="constant"),
        SGD(momentum=0.2, schedule="invscaling"),
    ),
    "gradient": (PCD(n_steps=2, n_chains=5), FPCD(n_steps=3, n_chains=6)),
}
NETWORKS = [
    DBN((4, 3), column_types=Columns(resample=True)),
    GenerativeDBNClassifier((4, 3), column_types=Columns(resample=True)),
    ConvDBN((3, 2), image_shape=(4, 4), column_types=Columns(resample=True)),
    DBNClassifier((4, 3), n_iter=0),
    DBNRegressor((4, 3), n_iter=0),
    ConvDBNClassifier((3, 2), image_shape=(4, 4), n_iter=0),
]


OF_MAPS = "filter_shape", "pool_shape", "stride", "pooling"
OF_TUNED = {
    "n_iter": "pretrain_iter",
    "n_steps": "pretrain_steps",
    "learning_rate": "pretrain_learning_rate",
    "batch_size": "pretrain_batch_size",
    "gradient": "pretrain_gradient",
} | {name: name for name in OF_MAPS}


@pytest.mark.parametrize("network", NETWORKS, ids=lambda own: type(own).__name__)
def test_options_are_those_of_machines(network):
    names = {name: name for name in EACH}
    names = OF_TUNED if hasattr(network, "pretrain") else names
    known = {*network.get_params(deep=False), *network._DETAILS}
    own = {name: full for name, full in names.items() if full in known}
    options = {full: EACH[name] for name, full in own.items()}
    options |= {name: GROUPS[name] for name in GROUPS if own.get(name) == name}
    assign(network, **options, random_state=0).fit(BITS, Y)
    machines = getattr(network, "dbn_", network).layers_
    for name in own:
        found = tuple(asked_value(machine, name) for machine in machines)
        assert found == EACH[name], name
    assert getattr(machines[0], "image_shape", (4, 4)) == (4, 4)
    if "resample" in network._DETAILS:
        # Layers above learn from means, or from draws of these.
        resampled = [asked_value(machine, "resample") for machine in machines]
        assert resampled == [True, network.samples]


@pytest.mark.parametrize("given", ["options", "layers"])
def test_networks_of_another_size_are_asked_for_with_theirs(given):
    options = {"filter_shape": ((2, 2), (1, 2)), "pool_shape": ((1, 1), (1, 2))}
    options |= {"stride": (1, 1), "pooling": ("max", "mean"), "visible_bias": "channel"}
    dbn = grouped(
        ConvDBN, (3, 2), image_shape=(4, 4), n_iter=1, random_state=0, **options
    )
    dbn.fit(BITS)
    if given == "layers":
        layers = [(f"of {n}", clone(one)) for n, one in enumerate(dbn.layers_)]
        layers[1][1].set_params(image_shape=None)
        dbn = ConvDBN(layers=layers, random_state=0).fit(BITS)
    large = dbn.resized((6, 6))
    again = clone(large).fit((RNG.random((30, 36)) < 0.4).astype(float))
    for one, other in zip(large.layers_, again.layers_, strict=True):
        for name in "filter_shape_", "pool_shape_", "stride_", "image_shape_":
            assert getattr(one, name) == getattr(other, name), name
        assert one.components_.shape == other.components_.shape


@pytest.mark.parametrize("holes", [0.0, 0.2])
def test_steps_of_refinement(holes, monkeypatch):
    options = {"solver": "adam", "centering": "data", "sparsity_target": 0.1}
    options |= {
        "alpha": (10.0, 20.0, 30.0),
        "batch_size": 100,
        "momentum": 0.5,
        "schedule": "constant",
    }
    X = np.where(RNG.random((40, 6)) < holes, np.nan, BITS[:, :6])
    refined = {"refine": "up-down", "refine_iter": 1, "refine_learning_rate": 0.2}
    dbn = grouped(DBN, (5, 4, 3), n_iter=3, random_state=0, **refined, **options).fit(X)
    table = dbn._begin(X, None, None, fresh=False)
    objective = dbn._objective(table, 0)
    state, seen = objective.start(), {"wake": [], "sleep": []}
    for name, calls in seen.items():
        method = getattr(Directed, name)

        def recorded(self, *given, method=method, calls=calls):
            calls.append([np.asarray(part) for part in given[:3]])
            return method(self, *given)

        monkeypatch.setattr(Directed, name, recorded)
    clock = Clock(1, 4, 0, 1)
    before = [[params_of(one) for one in way] for way in (state[0], state[1])]
    after = objective.step(state, Batch(X[:20]), clock)
    rate = learning_rate(0.2, "linear", clock, 0.5)
    for number, l2 in enumerate((0.1, 0.2)):
        b, c, W = before[1][number]
        x, h, known = (*seen["wake"][number], None)[:3]
        gap = np.where(known, x - expit(b + h @ W.T), 0) / 20
        slopes = gap.sum(axis=0), 0 * c, gap.T @ h - l2 * W
        assert_step(after[1][number], (b, c, W), slopes, rate)
        b, c, W = before[0][number]
        x, h = seen["sleep"][number]
        gap = (h - expit(c + x @ W)) / 20
        slopes = 0 * b, gap.sum(axis=0), x.T @ gap - l2 * W
        assert_step(after[0][number], (b, c, W), slopes, rate)
    # Draws are those of nets on the way up, and down from the chains of the top.
    for lower, upper in zip(seen["wake"], seen["wake"][1:]):
        np.testing.assert_array_equal(lower[1], upper[0])
    for lower, upper in zip(seen["sleep"], seen["sleep"][1:]):
        np.testing.assert_array_equal(lower[1], upper[0])
    np.testing.assert_array_equal(
        seen["wake"][0][2], ~np.isnan(X[:20]) if holes else True
    )
    watch = objective.watch(table, None, after)
    assert watch.limit == pytest.approx(watch(after)[0] + 2.0 * (6 + 5 + 5 + 4))


def params_of(state):
    (b, c), (W,) = plain(state.params)
    return b.copy(), c.copy(), np.array(W)


def assert_step(state, before, slopes, rate):
    for found, old, slope in zip(params_of(state), before, slopes, strict=True):
        np.testing.assert_allclose(found, old + rate * slope, rtol=1e-9, atol=1e-12)


def test_fields_of_columns_are_those_of_samples():
    dbn = random_dbn(4, (3, 2), untied=True)
    unit, eta = dbn.density_.visible_fields(2000, stream(0), 30)
    found = unit.mean(eta)
    assert len(found) == 2000
    listed = Listed(dbn)
    means = expit(listed.down(0, listed.h[0]))
    p = np.exp(listed.log_p)
    assert_means(found, p @ means)
    assert_means(found**2, p @ means**2)


def test_log_odds_of_two_classes_are_a_number():
    z = RNG.normal(size=(5, 3))
    for n in (2, 3):
        outputs = Classes(np.arange(n))
        found, log_p = outputs.decision(z[:, :n]), outputs.log_proba(z[:, :n])
        odds = log_p[:, 1] - log_p[:, 0] if n == 2 else z
        np.testing.assert_allclose(found, odds)
