from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.distributions import Gaussian, Softmax
from skdgm.partition import exact
from tests.numerical import clamped, observed
from tests.reference import ALL, EVEN, ODD, Enumeration, random_machine

LAYERS = ALL | {"few-labels": [[1, Softmax(3)], [4]]}


# Real values cannot be listed.
LISTABLE = [name for name in LAYERS if not isinstance(LAYERS[name][0][0], Gaussian)]


def machine(name):
    layers = LAYERS[name]
    energy, params = random_machine(layers, seed=6, scale=2.0)
    return energy, params, Enumeration(layers, params)


@pytest.mark.parametrize("cache_entries", [2**14, 7])
@pytest.mark.parametrize("name", LAYERS)
def test_log_partition(name, cache_entries, monkeypatch):
    monkeypatch.setattr(exact, "_CACHE_ENTRIES", cache_entries)
    energy, params, truth = machine(name)
    assert exact.log_partition(energy, params) == pytest.approx(truth.log_Z, abs=1e-10)


BINARY = [[[3], [5]], [[2], [4], [3]], [[3, 2], [4], [2, 3]], [[13], [14]]]


@pytest.mark.parametrize("scale", [0.1, 3.0, 15.0, 3000.0])
@pytest.mark.parametrize("layers", BINARY, ids=str)
def test_turning_units_one_by_one(layers, scale):
    energy, params = random_machine(layers, seed=1, scale=scale)
    summed = exact.summed_color(energy)
    found = exact._by_kernel(energy, params, summed)
    parts = [
        logsumexp(energy.log_marginal(params, x, summed))
        for x in exact._states(energy, energy.rest(summed), 1)
    ]
    if scale == 3000.0:
        # Products overflow.
        assert found is None
        found = exact.log_partition(energy, params)
    assert found == pytest.approx(logsumexp(parts), rel=1e-12)


def test_weights_that_are_no_numbers_are_left_alone():
    energy, params = random_machine([[3], [4]], seed=0)
    params.couplings[0][0, 0] = np.inf
    assert exact._by_kernel(energy, params, EVEN) is None


@pytest.mark.parametrize("n_units", [1, 2])
def test_log_partition_of_real_units_is_an_integral(n_units):
    energy, params = random_machine([[Gaussian(n_units)], [3]], seed=2)
    line = np.linspace(-25, 25, 501)
    v = np.array(list(product(line, repeat=n_units)))
    # The sum over an equidistant grid is as good as exact for mixtures of normals.
    total = logsumexp(energy.log_marginal(params, (v, None)))
    total += n_units * np.log(line[1] - line[0])
    assert exact.log_partition(energy, params) == pytest.approx(total, abs=1e-9)


def test_enumerates_the_smaller_color():
    assert exact.summed_color(random_machine([[4], [3]], 0)[0]) == EVEN
    assert exact.summed_color(random_machine([[3], [4]], 0)[0]) == ODD
    assert exact.summed_color(random_machine([[2], [3], [2]], 0)[0]) == EVEN
    assert exact.summed_color(random_machine([[1, Softmax(3)], [3]], 0)[0]) == ODD
    assert exact.summed_color(random_machine([[1, Softmax(5)], [3]], 0)[0]) == EVEN
    assert exact.summed_color(random_machine([[Gaussian(1)], [30]], 0)[0]) == EVEN


@pytest.mark.parametrize(
    "layers, feasible",
    [
        ([[20], [500]], True),
        ([[21], [21]], False),
        ([[2000], [2000]], False),
        ([[Gaussian(300)], [20]], True),
        ([[Gaussian(1)], [21]], False),
        ([[17, Softmax(8)], [50]], True),
        ([[17, Softmax(9)], [50]], False),
    ],
)
def test_is_enumerable(layers, feasible):
    assert exact.is_enumerable(random_machine(layers, 0)[0]) == feasible


@pytest.mark.parametrize(
    "name, max_bits",
    [(name, exact.MAX_BITS) for name in LAYERS] + [(name, 0) for name in LISTABLE],
)
def test_log_evidence_of_partly_observed_rows(name, max_bits, monkeypatch):
    monkeypatch.setattr(exact, "MAX_BITS", max_bits)
    energy, params, truth = machine(name)
    n_blocks = len(truth.layers[0])
    data = observed(truth, 10, missing=0.5, blocks=n_blocks)
    for part in data:
        part[0] = np.nan
    data[0][1] = truth.draw(1, seed=5)[0]
    x, clamp = clamped(energy, *data, rest=0.7)
    clamp = [False if held is None else held for held in clamp]
    found = exact.log_evidence(energy, params, x, clamp)
    given = [dict(enumerate(row)) for row in zip(*data)]
    expected = [truth.log_prob(part) + truth.log_Z for part in given]
    np.testing.assert_allclose(found, expected)
    assert found[0] == pytest.approx(truth.log_Z)


@pytest.mark.exhaustive
def test_twenty_hidden_units_in_seconds():
    energy, params = random_machine([[30], [20]], seed=0)
    flipped = random_machine([[20], [30]], seed=0)[0]
    mirror = type(params)(params.units[::-1], (params.couplings[0].T,))
    assert exact.log_partition(energy, params) == pytest.approx(
        exact.log_partition(flipped, mirror)
    )
