"""Sweeps over sites of any links, and sums over their states, beside enumeration."""

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.partition import exact
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
