"""Columns as functions of a generator's outputs: draws, gradients, and back."""

import numpy as np
import pytest
from scipy.special import softmax

from skdgm.data.scales import Scores, scores_of
from skdgm.nets.stochastic.emission import Emission, emit
from skdgm.nets.tape import vjp
from skdgm.utils.random import stream

RNG = np.random.default_rng(0)
KINDS = [
    "gray",
    "gaussian",
    "bernoulli",
    "categorical",
    "ordinal",
    "numeric",
    "numeric",
]
SIZES = [1, 1, 1, 3, 4, 4, 2]


class Scale:
    """Scores with atoms at some of them."""

    def __init__(self, *marks):
        self.marks, self.z = np.array(marks), np.array([-3.0, 3.0])

    def tolerance(self, marks, dtype):
        return 1e-3


SCALES = [None] * 5 + [Scale(-0.5, 0.75), Scale()]
MIXED = Emission(KINDS, SIZES, SCALES, share=np.full(7, 0.5))
N_OUTPUTS = 1 + 1 + 1 + 3 + 4 + 4 + 1


def test_columns_stand_side_by_side():
    assert MIXED.n_outputs == MIXED.n_inputs == N_OUTPUTS
    np.testing.assert_array_equal(MIXED.width, [1, 1, 1, 3, 4, 4, 1])
    assert MIXED.is_random
    assert not Emission(["gray", "gaussian"], [1, 1]).is_random
    real = np.flatnonzero(MIXED.continuous)
    np.testing.assert_array_equal(real, [0, 1, 13, 14])


def drawn(n=2000, out=None, emission=MIXED, temperature=0.5):
    out = RNG.normal(0, 1.5, (n, emission.n_outputs)) if out is None else out
    noise = emission.noise(stream(0).rows(len(out)), len(out), float)
    return emit(out, noise, emission, temperature), out, noise


def test_values_come_back():
    x, *_ = drawn()
    v = MIXED.values(x)
    assert set(np.unique(v[:, 2])) == {0, 1}
    assert set(np.unique(v[:, 3])) == {0, 1, 2}
    assert (np.abs(v[:, 5:]) <= 3).all()
    again, known = MIXED.inputs(v)
    assert known is None
    inside = np.abs(x[:, 13:]).max(axis=1) <= 3
    np.testing.assert_allclose(again[inside], x[inside])


def test_missing_values_are_zeros():
    v = MIXED.values(drawn(50)[0])
    v[RNG.random(v.shape) < 0.3] = np.nan
    x, known = MIXED.inputs(v)
    np.testing.assert_array_equal(known, np.repeat(~np.isnan(v), MIXED.width, axis=1))
    assert (x[known == 0] == 0).all()


def test_draws_have_their_probabilities():
    row = RNG.normal(0, 1, N_OUTPUTS)
    x, *_ = drawn(out=np.tile(row, (40_000, 1)))
    mean, se = x.mean(axis=0), 4 * 0.5 / np.sqrt(40_000)
    assert abs(mean[2] - 1 / (1 + np.exp(-row[2]))) < se
    for part in slice(3, 6), slice(6, 10), slice(10, 13):
        np.testing.assert_allclose(mean[part], softmax(row[part]), atol=se)
    np.testing.assert_allclose(x[:, 0], 1 / (1 + np.exp(-row[0])))
    np.testing.assert_allclose(x[:, 13], row[13] * x[:, 12])


def relaxed(out, noise, temperature):
    """What the gradient of a draw is that of."""
    x = out.copy()
    x[:, 0] = 1 / (1 + np.exp(-out[:, 0]))
    x[:, 2] = 1 / (1 + np.exp(-(out[:, 2] + noise[:, 0]) / temperature))
    for part, own in (
        (slice(3, 6), slice(1, 4)),
        (slice(6, 10), slice(4, 8)),
        (slice(10, 13), slice(8, 11)),
    ):
        x[:, part] = softmax((out[:, part] + noise[:, own]) / temperature, axis=1)
    return x


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_gradients_are_those_of_relaxed_draws(temperature):
    x, out, noise = drawn(20, temperature=temperature)
    weight = RNG.normal(size=x.shape)
    # A score's gradient is by the drawn atom; tested apart.
    weight[:, 13] = 0
    found = vjp(
        lambda p: emit(p[0], noise, MIXED, temperature), (out,), lambda _: weight
    )[1][0]
    for j in range(N_OUTPUTS):
        move = np.zeros(N_OUTPUTS)
        move[j] = 1e-6
        up, down = (relaxed(out + s * move, noise, temperature) for s in (1, -1))
        slope = ((up - down) / 2e-6 * weight).sum(axis=1)
        np.testing.assert_allclose(found[:, j], slope, atol=1e-6)


def test_the_gradient_of_a_score_with_atoms():
    x, out, noise = drawn(200)
    weight = np.zeros_like(x)
    weight[:, 13] = 1
    found = vjp(lambda p: emit(p[0], noise, MIXED, 0.5), (out,), lambda _: weight)[1][0]
    np.testing.assert_array_equal(found[:, 13], x[:, 12])
    # The choice of an atom turns the score off, by the relaxed probability of "none".
    p = relaxed(out, noise, 0.5)[:, 10:13]
    expected = p * ((np.arange(3) == 2) - p[:, 2:]) * out[:, [13]] / 0.5
    np.testing.assert_allclose(found[:, 10:13], expected)


def test_ties_of_categories_go_to_one():
    out = np.zeros((4, N_OUTPUTS))
    noise = np.zeros((4, 1 + 3 + 4 + 3))
    x = emit(out, noise, MIXED, 0.5)
    for part in slice(3, 6), slice(6, 10), slice(10, 13):
        np.testing.assert_array_equal(x[:, part].sum(axis=1), 1)


def test_outputs_begin_at_the_means_of_bits():
    emission = Emission(["gray", "bernoulli"], [1, 1], share=np.array([0.2, 0.9]))
    start = emission.start(np.float64)
    np.testing.assert_allclose(1 / (1 + np.exp(-start)), [0.2, 0.9])


def test_scores_are_those_of_tables():
    values = np.r_[np.zeros(60), RNG.lognormal(0, 1, 140)]
    distinct, counts = np.unique(values, return_counts=True)
    scale = scores_of(distinct, counts.astype(float))
    assert isinstance(scale, Scores)
    assert scale.atoms.tolist() == [0]
    emission = Emission(["numeric"], [1], [scale])
    v = scale.forward(values)[:, None]
    x, _ = emission.inputs(v)
    np.testing.assert_allclose(emission.values(x), v)
    assert x[:60, 0].all()
    assert not x[60:, 0].any()
