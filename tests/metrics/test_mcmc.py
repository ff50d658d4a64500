from functools import partial

import numpy as np
import pytest
from scipy.signal import lfilter

from skdgm.metrics import autocorrelation, effective_sample_size, r_hat

# By ArviZ 0.23.4: ESS in the bulk, in the tails and of the mean; R-hat; and the first
# chain's autocorrelation at lags 1 and 3.
ARVIZ = {
    "slow": (
        69.652101810953,
        114.361990313086,
        69.308034953914,
        1.046849331727,
        0.897356465505,
        0.684460193247,
    ),
    "fast": (
        186.148154815709,
        266.778735148856,
        186.982154658218,
        1.019626582868,
        0.232534585419,
        -0.028935737881,
    ),
    "antithetic": (
        460.205999132796,
        89.077405037061,
        460.205999132796,
        1.012501999374,
        -0.813811289172,
        -0.554186625043,
    ),
    "one": (
        32.822352142496,
        39.148861951687,
        32.277882243241,
        np.nan,
        0.403690893912,
        -0.066522878829,
    ),
    "short": (
        19.265919722495,
        19.265919722495,
        19.265919722495,
        1.18631541003,
        -0.380786495049,
        0.053925425624,
    ),
    "five": (
        19.265919722495,
        16.0,
        19.265919722495,
        1.071530822247,
        0.005788416275,
        -0.030317276029,
    ),
    "long": (
        9.32408256196,
        41.249563122994,
        9.026371189644,
        1.163699957339,
        0.985365329465,
        0.959010021867,
    ),
    "cauchy": (
        579.182509468549,
        433.976413248912,
        607.489876849179,
        1.002466154888,
        -0.000473677044,
        -0.009165046306,
    ),
    "shifted": (
        7.35730042203,
        86.569366545063,
        7.358095865973,
        1.601977677802,
        0.246031764866,
        0.004573412289,
    ),
    "scaled": (
        285.368617345628,
        308.75259706404,
        286.571649718124,
        1.117330267258,
        0.055411372805,
        -0.088101832159,
    ),
    "counts": (
        229.691313713281,
        265.679573506123,
        228.173426184303,
        1.004010388141,
        0.123854555999,
        0.000381814667,
    ),
    # Of these the sum of autocorrelations ends with a negative term.
    "ranks-end": (
        32.36880100673,
        24.0,
        26.817690104995,
        1.048112220748,
        -0.345238095238,
        0.285714285714,
    ),
    "tail-ends": (
        24.911799496324,
        23.75,
        23.196318044755,
        1.070088676665,
        0.127753701697,
        0.046316359697,
    ),
}


def cases():
    rng = np.random.default_rng(0)

    def ar(phi, m, n):
        noise = rng.normal(size=(m, n))
        noise[:, 0] = 0.0
        return lfilter([1.0], [1.0, -phi], noise, axis=1)

    found = {
        "slow": ar(0.9, 4, 200),
        "fast": ar(0.1, 3, 101),
        "antithetic": ar(-0.8, 2, 100),
        "one": ar(0.5, 1, 60),
        "short": ar(0.3, 4, 4),
        "five": ar(0.3, 4, 5),
        "long": ar(0.99, 2, 1000),
        "cauchy": rng.standard_cauchy((4, 150)),
    }
    steps = np.arange(4)[:, None]
    found["shifted"] = ar(0.2, 4, 100) + steps
    found["scaled"] = ar(0.2, 4, 100) * (steps + 1)
    found["counts"] = rng.poisson(1.0, (3, 80)).astype(float)
    for name, seed in ("ranks-end", 143), ("tail-ends", 57):
        found[name] = np.random.default_rng(seed).integers(0, 9, (2, 12)).astype(float)
    return found


@pytest.mark.parametrize("name, chains", cases().items(), ids=list(ARVIZ))
def test_figures_are_those_of_arviz(name, chains):
    rho = autocorrelation(chains)
    found = [
        effective_sample_size(chains),
        effective_sample_size(chains, method="tail"),
        effective_sample_size(chains, method="mean"),
        r_hat(chains),
        rho[0, 1],
        rho[0, 3],
    ]
    expected = np.array(ARVIZ[name])
    # ArviZ gives no R-hat of one chain; there are its halves.
    known = ~np.isnan(expected)
    assert known.all() or name == "one"
    np.testing.assert_allclose(np.array(found)[known], expected[known], rtol=1e-6)


@pytest.mark.parametrize(
    "figure",
    [
        r_hat,
        *(partial(effective_sample_size, method=m) for m in ("bulk", "tail", "mean")),
    ],
)
def test_several_quantities(figure):
    x = np.random.default_rng(0).normal(size=(3, 25, 4)).cumsum(axis=1)
    found = figure(x)
    assert found.shape == (4,)
    np.testing.assert_array_equal(found, [figure(x[..., k]) for k in range(4)])
    rho = autocorrelation(x)
    assert rho.shape == x.shape
    np.testing.assert_allclose(rho[..., 2], autocorrelation(x[..., 2]))


def test_autocorrelation_by_its_definition():
    x = np.random.default_rng(1).normal(size=(2, 31))
    centered = x - x.mean(axis=1, keepdims=True)
    for lag in (0, 1, 7, 30):
        sums = (centered[:, : 31 - lag] * centered[:, lag:]).sum(axis=1)
        expected = sums / (centered**2).sum(axis=1)
        np.testing.assert_allclose(autocorrelation(x)[:, lag], expected)
    np.testing.assert_allclose(autocorrelation(x[0]), autocorrelation(x)[0])


def test_chains_that_do_not_move():
    still = np.ones((2, 20))
    assert np.isnan(r_hat(still))
    assert effective_sample_size(still) == 40
    np.testing.assert_array_equal(autocorrelation(still), 1)
    both = np.stack([np.ones(20), np.arange(20) % 2])
    np.testing.assert_array_equal(autocorrelation(both)[0], 1)
    np.testing.assert_allclose(autocorrelation(both)[1], autocorrelation(both[1]))
    apart = still * np.array([[0.0], [1.0]])
    assert r_hat(apart) == np.inf


def test_bad_chains():
    with pytest.raises(ValueError, match="3 draws each, but at least 4"):
        r_hat(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        effective_sample_size(np.full((2, 9), np.nan))
    with pytest.raises(ValueError, match="infinity"):
        autocorrelation([1.0, np.inf, 2.0])
    with pytest.raises(ValueError, match="'bulk', 'tail' or 'mean', not 'median'"):
        effective_sample_size(np.zeros((2, 9)), method="median")
    with pytest.raises(ValueError, match="2D"):
        r_hat(np.zeros(9))
    with pytest.raises(ValueError, match="n_quantities"):
        r_hat(np.zeros((2, 9, 3, 1)))
