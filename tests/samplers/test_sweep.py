import numpy as np

from skdgm.samplers import sweep
from tests.reference import EVEN, MACHINES, ODD, random_machine

ENERGY, PARAMS = random_machine(MACHINES["blocks"], seed=0)
X = tuple(np.random.default_rng(0).random((2, u.size)) for u in ENERGY.units)


def test_order_of_colors_and_use_of_new_values():
    seen = []

    def update(block, eta):
        seen.append((block, eta))
        return np.zeros_like(eta), eta

    sweep(ENERGY, PARAMS, X, update, colors=(ODD, EVEN))
    assert [block for block, _ in seen] == [2, 0, 1, 3, 4]
    np.testing.assert_allclose(seen[1][1], np.broadcast_to(PARAMS.units[0], (2, 2)))


def test_known_input_is_used_for_the_first_color_only():
    received = {2: np.full((2, 3), 100.0)}
    fields = {}

    def update(block, eta):
        fields[block] = eta
        return eta, eta

    sweep(ENERGY, PARAMS, X, update, colors=(ODD, EVEN), received=received)
    np.testing.assert_allclose(
        fields[2], np.broadcast_to(100.0 + PARAMS.units[2], (2, 3))
    )
    assert abs(fields[0]).max() > 10


def test_given_state_is_not_changed():
    before = [part.copy() for part in X]
    clamp = (np.array([[True, False]] * 2), True, None, None, None)
    x, means = sweep(
        ENERGY, PARAMS, X, lambda b, eta: (eta, eta), colors=(0, 1), clamp=clamp
    )
    for a, b in zip(X, before):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(x[0][:, 0], X[0][:, 0])
    assert (x[0][:, 1] != X[0][:, 1]).all()
    assert x[1] is X[1]
    assert means[1] is None
