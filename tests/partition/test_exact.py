import numpy as np
import pytest

from skdgm.energies import EVEN, ODD
from skdgm.partition import exact
from tests.reference import MACHINES, Enumeration, random_machine


@pytest.fixture(params=MACHINES)
def machine(request):
    layers = MACHINES[request.param]
    energy, params = random_machine(layers, seed=6, scale=2.0)
    return energy, params, Enumeration(layers, params)


@pytest.mark.parametrize("cache_entries", [2**14, 7])
def test_log_partition(machine, cache_entries, monkeypatch):
    monkeypatch.setattr(exact, "_CACHE_ENTRIES", cache_entries)
    energy, params, truth = machine
    assert exact.log_partition(energy, params) == pytest.approx(truth.log_Z, abs=1e-10)


def test_enumerates_the_smaller_colour():
    assert exact.smaller_colour(random_machine([[4], [3]], 0)[0]) == ODD
    assert exact.smaller_colour(random_machine([[3], [4]], 0)[0]) == EVEN
    assert exact.smaller_colour(random_machine([[2], [3], [2]], 0)[0]) == ODD


@pytest.mark.parametrize(
    "layers, feasible",
    [([[20], [500]], True), ([[21], [21]], False), ([[2000], [2000]], False)],
)
def test_is_enumerable(layers, feasible):
    assert exact.is_enumerable(random_machine(layers, 0)[0]) == feasible


@pytest.mark.parametrize("by", ["odd states", "completions"])
def test_log_evidence_of_partly_observed_rows(machine, by, monkeypatch):
    energy, params, truth = machine
    if by == "completions":
        monkeypatch.setattr(exact, "MAX_BITS", 0)
    rng = np.random.default_rng(0)
    v = (rng.random((10, energy.units[0].size)) < 0.5).astype(float)
    v[rng.random(v.shape) < 0.5] = np.nan
    v[0] = np.nan
    x, clamp = [np.nan_to_num(v, nan=0.7)], [~np.isnan(v)]
    for unit in energy.units[1:]:
        x.append(np.zeros((10, unit.size)))
        clamp.append(False)
    found = exact.log_evidence(energy, params, tuple(x), tuple(clamp))
    expected = [truth.log_prob({0: row}) + truth.log_Z for row in v]
    np.testing.assert_allclose(found, expected)


def test_twenty_hidden_units_in_seconds():
    energy, params = random_machine([[30], [20]], seed=0)
    flipped = random_machine([[20], [30]], seed=0)[0]
    mirror = type(params)(params.units[::-1], (params.couplings[0].T,))
    assert exact.log_partition(energy, params) == pytest.approx(
        exact.log_partition(flipped, mirror)
    )
