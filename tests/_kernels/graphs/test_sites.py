"""Sweeps over sites of any links, and sums over their states, beside enumeration."""

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.partition import exact, sites
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import stream
from tests.connected import BITS, POTTS, all_states, log_weights, machine, mask_of
from tests.numerical import assert_means

CASES = {
    "bits": (BITS, 0, None),
    "hidden": (BITS, 2, None),
    "masked": (BITS, 1, mask_of(6)),
    "categories": (POTTS, 0, None),
    "categories and bits": (POTTS, 1, None),
}


@pytest.mark.parametrize("case", CASES)
def test_sums_are_those_of_enumeration(case):
    energy, params = machine(*CASES[case])
    log_w = log_weights(params, all_states(energy))
    found = exact.log_partition(energy, params)
    assert found == pytest.approx(logsumexp(log_w), rel=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_sweeps_keep_the_distribution(case):
    energy, params = machine(*CASES[case], scale=0.6)
    x, n = all_states(energy), 1200
    log_w = log_weights(params, x)
    p = np.exp(log_w - logsumexp(log_w))
    start = np.random.default_rng(0).choice(len(p), n, p=p)
    state = State(tuple(part[start] for part in x))
    state, _ = Gibbs(energy).step(stream(1).rows(n), params, state, 2)
    rows = np.concatenate([np.asarray(part) for part in state.x], axis=1)
    every = np.concatenate(x, axis=1)
    assert_means(rows, p @ every)
    pairs = np.einsum("ni,nj->nij", rows, rows).reshape(n, -1)
    expected = np.einsum("n,ni,nj->ij", p, every, every).ravel()
    assert_means(pairs, expected)
    # Rows move.
    assert (rows != every[start]).any(axis=1).mean() > 0.5


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_low_bits", [0, 1, 2])
def test_sums_are_divided_over_the_states_of_some_sites(case, n_low_bits, monkeypatch):
    monkeypatch.setattr(sites, "_LOW", n_low_bits)
    energy, params = machine(*CASES[case])
    x = all_states(energy)
    found = exact.log_partition(energy, params)
    assert found == pytest.approx(logsumexp(log_weights(params, x)), rel=1e-10)
    # Sums for several rows, in each of which the first entry of a state is known.
    rows = tuple(part[:7] for part in x)
    clamp = tuple(np.zeros(part.shape, bool) for part in rows)
    clamp[0][:, : energy.layout.first[1]] = True
    found = exact.log_evidence(energy, params, rows, clamp)
    first = energy.layout.first[1]
    log_w = log_weights(params, x)
    for row, log_p in zip(rows[0], found, strict=True):
        same = (x[0][:, :first] == row[:first]).all(axis=1)
        assert log_p == pytest.approx(logsumexp(log_w[same]), rel=1e-10)
