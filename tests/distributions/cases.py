"""What every distribution keeps to, in each of its roles: base test cases.

A new unit's test is a subclass of ``UnitCase``, a new output's one of ``OutputCase``.
"""

import numpy as np
import pytest

from skdgm.distributions import Output, Unit
from skdgm.nets import expected, nll, vjp
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import arrays, assert_means, assert_trees, numerical_gradient
from tests.suites import DTYPES

N_DRAWS = 20_000


def as_type(tree, dtype):
    """A tree of arrays of a type."""
    if isinstance(tree, tuple):
        parts = (as_type(part, dtype) for part in tree)
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return np.asarray(tree, dtype)


class UnitCase:
    """What an energy asks of ``unit``, with parameters ``own``, an input ``received``
    of shape (4, size), some values ``x`` of this shape, and ``moments`` of ``init``.
    Real units have ``log_total(eta)``, the log of an integral, and ``clamped`` may say
    which entries can be: masks of shape (4, size)."""

    unit = own = received = x = moments = None

    @property
    def eta(self):
        return self.unit.field(self.own, self.received)

    @property
    def states(self):
        return self.unit.states(np.arange(self.unit.n_states)).astype(float)

    def log_total(self, received, agree=None):
        """Log of the sum of weights of the states that agree, of each field."""
        eta = self.unit.field(self.own, received[None])
        states = self.states if agree is None else self.states[agree(self.states)]
        return np.logaddexp.reduce(self.unit.log_weight(eta, states))

    @property
    def clamped(self):
        masks = np.random.default_rng(5).random(self.received.shape) < 0.5
        masks[0], masks[1] = True, False
        return masks

    def test_the_role_is_filled(self):
        assert isinstance(self.unit, Unit)
        assert not type(self.unit).__abstractmethods__

    def test_the_log_partition_normalizes(self):
        found = self.unit.log_partition(self.eta)
        expected = [self.log_total(row) for row in self.received]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)

    def test_the_input_multiplies_the_statistic(self):
        unit = self.unit
        alone = unit.log_weight(unit.field(self.own), self.x)
        sent = (self.received * np.asarray(unit.statistic(self.own, self.x))).sum(1)
        np.testing.assert_allclose(unit.log_weight(self.eta, self.x), alone + sent)

    def test_the_mean_is_the_derivative_of_the_log_partition(self):
        grad = numerical_gradient(
            lambda r: self.unit.log_partition(self.unit.field(self.own, r)).sum(),
            self.received,
        )
        mean = self.unit.mean(self.eta)
        np.testing.assert_allclose(self.unit.statistic(self.own, mean), grad, atol=1e-7)

    def test_the_gradient_by_parameters(self):
        grad = numerical_gradient(
            lambda own: self.unit.log_weight(
                self.unit.field(own, self.received), self.x
            ).sum(),
            self.own,
        )
        found = self.unit.param_grad(self.own, self.x, lambda: self.received)
        assert_trees(
            [part.sum(axis=0) for part in arrays(found)], arrays(grad), atol=1e-7
        )

    def test_entropy_is_what_the_bound_lacks(self):
        mean = self.unit.mean(self.eta)
        found = self.unit.log_weight(self.eta, mean)
        found = found + self.unit.entropy(self.own, mean).sum(axis=1)
        np.testing.assert_allclose(found, self.unit.log_partition(self.eta))

    def test_evidence_of_clamped_entries(self):
        found = self.unit.log_evidence(self.eta, self.x, self.clamped)
        assert found.dtype == np.float64
        for (row, field), value in np.ndenumerate(found):
            mask, x = self.clamped[row], self.x[row]
            expected = self.log_total(
                self.received[field],
                lambda states: (~mask | (states == x)).all(axis=1),  # noqa: B023
            )
            assert value == pytest.approx(expected)

    def test_a_single_field_is_that_of_all_rows(self):
        unit, alone = self.unit, self.unit.field(self.own)
        each = unit.field(self.own, np.zeros_like(self.received))
        evidence = unit.log_evidence(alone, self.x, self.clamped)
        assert evidence.shape == (4, 1)
        whole = unit.log_evidence(each, self.x, self.clamped)
        np.testing.assert_allclose(np.tile(evidence, (1, 4)), whole, rtol=1e-12)
        expected = unit.log_weight(each, self.x)
        np.testing.assert_allclose(unit.log_weight(alone, self.x), expected)
        for name in "log_partition", "mean", "mode":
            own, expected = (getattr(unit, name)(eta) for eta in (alone, each))
            assert np.shape(own) == expected.shape[1:], name
            np.testing.assert_allclose([own] * 4, expected)

    def test_biases_are_inputs(self):
        unit, received = self.unit, self.received[0]
        bias = unit.bias_of(self.own)
        assert_trees(unit.with_bias(self.own, bias), self.own)
        moved = unit.field(unit.with_bias(self.own, bias + received))
        assert_trees(moved, unit.field(self.own, received))

    def test_initial_parameters(self):
        own = self.unit.init(self.moments, np.float32)
        assert {part.dtype for part in arrays(own)} == {np.dtype(np.float32)}
        mean = self.moments[0] if isinstance(self.moments, tuple) else self.moments
        np.testing.assert_allclose(self.unit.mean(self.unit.field(own)), mean, 1e-5)
        assert not any(part.any() for part in arrays(self.unit.init()))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_samples(self, dtype):
        eta = self.unit.field(as_type(self.own, dtype))
        x, mean = self.unit.sample(eta, stream(0).rows(N_DRAWS))
        assert x.dtype == mean.dtype == dtype
        assert type(x) is type(self.unit.pack(np.asarray(x)[:1]))
        expected = self.unit.mean(eta)
        np.testing.assert_array_equal(mean, np.tile(expected, (N_DRAWS, 1)))
        assert_means(x, expected)
        again, _ = self.unit.sample(eta, stream(0).rows(N_DRAWS))
        np.testing.assert_array_equal(x, again)

    def test_types_are_kept(self):
        real, unit = np.float32, self.unit
        own, received = as_type(self.own, real), as_type(self.received, real)
        eta, x = unit.field(own, received), as_type(self.x, real)
        grad = unit.param_grad(own, x, lambda: received)
        made = unit.mean(eta), unit.statistic(own, x), eta, grad
        assert {part.dtype for tree in made for part in arrays(tree)} == {
            np.dtype(real)
        }
        summed = unit.log_partition(eta), unit.log_weight(eta, x)
        assert {part.dtype for part in summed} == {np.dtype(np.float64)}


class FiniteUnitCase(UnitCase):
    """A unit of finitely many states, whose means are probabilities."""

    def test_states_are_all_different(self):
        assert self.states.shape == (self.unit.n_states, self.unit.size)
        assert len(np.unique(self.states, axis=0)) == self.unit.n_states

    def test_statistics_are_within_the_ends(self):
        found = np.asarray(self.unit.statistic(self.own, self.states))
        low, high = self.unit.ends
        assert (found >= low).all()
        assert (found <= high).all()

    def test_draws_have_the_log_probabilities(self):
        mean = np.asarray(self.moments)
        x = self.unit.draw(np.tile(mean, (N_DRAWS, 1)), stream(0).rows(N_DRAWS))
        assert_means(x, mean)
        rows = np.tile(mean, (len(self.states), 1))
        for states in (self.states, self.unit.pack(self.states)):
            p = np.exp(self.unit.log_prob(rows, states))
            assert p.sum() == pytest.approx(1)
            np.testing.assert_allclose(p @ self.states, mean)


class OutputCase:
    """What nets ask of ``output``, for values ``v`` of shape (4, n_columns), some of
    them NaN, all of the last row. ``grid`` are rows of values, in each column of which
    probabilities sum to 1 / ``step``; ``share`` are the marginal means of
    inputs; ``peaked`` is False where no mode is sought among all values."""

    output = v = grid = share = None
    step, peaked = 1.0, True

    def out(self, n_rows=4, dtype=np.float64, seed=0):
        return numbers(n_rows, self.output.n_outputs.sum(), dtype=dtype, seed=seed)

    def own(self, dtype=np.float64):
        own = self.output.initial_parameters(dtype)
        return numbers(*own.shape, dtype=dtype, seed=1) if len(own) else own

    @property
    def missing(self):
        return np.isnan(self.v)

    def test_the_role_is_filled(self):
        assert isinstance(self.output, Output)
        assert not type(self.output).__abstractmethods__
        assert len(self.output.n_inputs) == len(self.output.n_outputs)

    def test_probabilities_add_up_to_one(self):
        for row in self.out(2):
            rows = np.tile(row, (len(self.grid), 1))
            p = np.exp(self.output.log_p(rows, self.grid, self.own()))
            np.testing.assert_allclose(p.sum(axis=0) * self.step, 1, rtol=1e-5)

    @pytest.mark.parametrize("n_each", [1, 3])
    def test_the_loss_is_that_of_known_entries(self, n_each):
        out, own = self.out(4 * n_each), self.own()
        log_p = self.output.log_p(out, self.v, own)
        missing = np.repeat(self.missing, n_each, axis=0)
        assert not log_p[missing].any()
        assert log_p[~missing].all()
        one_by_one = self.output.log_p(out, np.repeat(self.v, n_each, axis=0), own)
        np.testing.assert_array_equal(log_p, one_by_one)
        found = self.output.nll(out, self.v, own)
        np.testing.assert_allclose(found, -log_p.sum(axis=1), atol=1e-12)
        np.testing.assert_array_equal(nll(out, own, self.v, self.output), found)

    @pytest.mark.parametrize("n_each", [1, 3])
    def test_gradients_are_differences(self, n_each):
        def loss(params):
            return nll(params[0], (params + ((),))[1], self.v, self.output)

        params = self.out(4 * n_each), self.own()
        assert_slopes(loss, params if len(params[1]) else params[:1])

    def test_gradients_through_means_are_differences(self):
        weight = numbers(4, self.output.n_inputs.sum(), seed=3)

        def total(params):
            return (expected(params[0], self.output) * weight).sum(axis=1)

        assert_slopes(total, (self.out(),))
        by = self.output.expected_grad(self.out(), weight)
        single = self.output.expected_grad(
            self.out(dtype=np.float32), weight.astype(np.float32)
        )
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, by, rtol=1e-3, atol=1e-4)

    def test_what_is_missing_teaches_nothing(self):
        grad, _ = self.output.nll_grad(self.out(), self.v, np.ones(4), self.own())
        assert not grad[-1].any()
        assert grad[0].any()

    def test_log_likelihoods_are_of_double_precision(self):
        if not len(self.own()):
            out, v = self.out(dtype=np.float32), self.v.astype(np.float32)
            found = self.output.log_likelihood(out, v)
            assert found.dtype == np.float64
            np.testing.assert_allclose(found, -self.output.nll(out, v), rtol=1e-5)

    def test_inputs_stand_for_values(self):
        x = self.output.inputs(self.v)
        assert x.shape == (4, self.output.n_inputs.sum())
        known = ~self.missing
        np.testing.assert_array_equal(self.output.value(x)[known], self.v[known])
        assert not x[-1].any()
        filled = self.output.inputs(self.v, self.share)
        holes = np.repeat(self.missing, self.output.n_inputs, axis=1)
        np.testing.assert_array_equal(filled[~holes], x[~holes])
        if self.share is not None:
            np.testing.assert_array_equal(filled[-1], self.share)

    def test_the_first_outputs_give_the_marginals(self):
        start = self.output.start(self.share)
        share = 0.0 if self.share is None else self.share
        expected = self.output.expected(start[None])[0]
        np.testing.assert_allclose(expected, share, atol=1e-12)

    def test_draws_have_the_moments(self):
        out, rng = np.tile(self.out(1), (N_DRAWS, 1)), stream(0).rows(N_DRAWS)
        v = self.output.draw(out, rng, self.own())
        assert_means(self.output.inputs(v), self.output.expected(out[:1])[0])
        np.testing.assert_array_equal(v, self.output.draw(out, rng, self.own()))
        # Minus the mean log probability is the entropy.
        log_p = self.output.log_p(out, v, self.own())
        grid = self.output.log_p(out[: len(self.grid)], self.grid, self.own())
        assert_means(log_p, (np.exp(grid) * grid).sum(axis=0) * self.step, 5)

    def test_nothing_is_more_probable_than_the_mode(self):
        out, own = self.out(), self.own()
        mode = self.output.mode(out)
        if self.peaked:
            best = self.output.log_p(out, mode, own)
            for values in self.grid[:: 1 + len(self.grid) // 100]:
                v = np.tile(values, (4, 1))
                less = self.output.log_p(out, v, own) <= best + 1e-12
                assert (less | np.isnan(v)).all()

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_types_are_kept(self, dtype):
        output, out, own = self.output, self.out(dtype=dtype), self.own(dtype)
        v, rng = self.v.astype(dtype), stream(0).rows(4)
        value, grads = vjp(
            lambda params: nll(params[0], own, v, output), (out,), np.ones_like
        )
        made = output.inputs(v), output.expected(out), output.mean(out)
        made += output.mode(out), output.draw(out, rng, own), value, *grads
        assert {part.dtype for part in made} == {np.dtype(dtype)}
