"""Predictions of some entries from the others, and their gradient."""

import numpy as np
import pytest

from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import Params, layered
from skdgm.gradients.sampling_free.multi_prediction import multi_prediction, parts
from skdgm.inference import mean_field, unroll
from skdgm.utils.random import stream

RNG = np.random.default_rng(0)
CHAINS = {
    "one layer": [[Bernoulli(5)], [Bernoulli(3)]],
    "two layers": [[Bernoulli(5)], [Bernoulli(4)], [Bernoulli(3)]],
    "label": [[Bernoulli(5)], [Bernoulli(4)], [Bernoulli(3)], [Softmax(3)]],
    "label beside": [[Bernoulli(5), Softmax(3)], [Bernoulli(4)]],
}


def made(name):
    """An energy, parameters, rows and what is known of them."""
    energy = layered(CHAINS[name])
    params = energy.init(RNG, scale=0.7)
    params = Params(
        tuple(RNG.normal(0, 0.5, len(own)) for own in params.units), params[1]
    )
    x, clamp = [], []
    for unit in energy.units:
        if isinstance(unit, Softmax):
            x.append(np.eye(3)[RNG.integers(0, 3, 6)])
            clamp.append(np.repeat(RNG.random((6, 1)) < 0.7, 3, axis=1))
        elif not x:
            # Some values are gray, some are missing.
            x.append(
                np.where(RNG.random((6, 5)) < 0.2, 0.3, RNG.integers(0, 2, (6, 5)))
            )
            clamp.append(RNG.random((6, 5)) < 0.8)
        else:
            x.append(None)
            clamp.append(None)
    return energy, params, tuple(x), tuple(clamp)


def objective(energy, params, x, seen, asked, n_sweeps):
    """J, as it is defined."""
    means = {u.block: u.mean for u in unroll(energy, params, x, seen, n_sweeps)}
    total = 0.0
    for block, wanted in enumerate(asked):
        if wanted is None:
            continue
        mean, value = means[block], x[block]
        log_p = value * np.log(mean)
        if not isinstance(energy.units[block], Softmax):
            log_p += (1 - value) * np.log(1 - mean)
        total += (log_p * wanted).sum()
    return total / len(x[0])


@pytest.mark.parametrize("n_sweeps", [1, 2, 5])
@pytest.mark.parametrize("name", CHAINS)
def test_gradient_is_that_of_the_predictions(name, n_sweeps):
    energy, params, x, clamp = made(name)
    seen, asked = parts(stream(1), energy, x, clamp)
    given = x, seen, asked, n_sweeps
    grad, _ = multi_prediction(energy, params, *given)
    own = [*params.units, *map(np.asarray, params.couplings)]
    found = [*grad.units, *map(np.asarray, grad.couplings)]
    n_units, step = len(params.units), 1e-6
    for number, (array, derivative) in enumerate(zip(own, found, strict=True)):
        numeric = np.empty_like(array)
        for place in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                moved = [part.copy() for part in own]
                moved[number][place] += sign * step
                twin = Params(tuple(moved[:n_units]), tuple(moved[n_units:]))
                values.append(objective(energy, twin, *given))
            numeric[place] = (values[0] - values[1]) / (2 * step)
        np.testing.assert_allclose(derivative, numeric, atol=1e-8)


def test_parts_are_halves_of_what_is_known():
    energy, _, x, clamp = made("label")
    counts = np.zeros(2)
    for seed in range(400):
        seen, asked = parts(stream(seed), energy, x, clamp)
        for known, a, b in zip(clamp, seen, asked):
            if known is None:
                assert a is None
                assert b is None
            else:
                np.testing.assert_array_equal(a ^ b, known)
        # All states of a label are seen, or none.
        assert (seen[3].all(axis=1) == seen[3].any(axis=1)).all()
        counts += seen[0].sum(), clamp[0].sum()
    assert abs(counts[0] / counts[1] - 0.5) < 4 * 0.5 / np.sqrt(counts[1])


def test_many_sweeps_are_mean_field():
    energy, params, x, _ = made("label")
    seen = (np.ones((6, 5), bool), None, None, None)
    means = {u.block: u.mean for u in unroll(energy, params, x, seen, 300)}
    start = (x[0], None, None, None)
    found, _ = mean_field(energy, params, start, (True, None, None, None), tol=1e-12)
    for block in (1, 2, 3):
        np.testing.assert_allclose(means[block], found[block], atol=1e-6)
