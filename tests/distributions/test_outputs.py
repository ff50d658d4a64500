import numpy as np
import pytest
from scipy.special import expit, log_softmax
from scipy.stats import norm

from skdgm.data.rare import Rare
from skdgm.data.scales import Levels, scores_of
from skdgm.distributions import (
    ABSENT,
    BernoulliOutput,
    CategoricalOutput,
    GappedOutput,
    GroupedOutput,
    MixedOutput,
    Mixture,
    MixtureOutput,
    NormalOutput,
    NumericOutput,
    OrdinalOutput,
    places_of,
)
from skdgm.nets import join_columns, nll, vjp
from skdgm.utils.random import stream
from tests.distributions.cases import N_DRAWS, OutputCase
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_means, numerical_gradient
from tests.suites import DTYPES

NAN = np.nan
N_EACH = [1, 3]
N_ROWS = 4
# Where each of three columns' classes begin, of two, four and one; and the end.
STARTS, END = np.array([0, 2, 6]), 7


def normal_loss(mean, log_var, targets, floor=0.0):
    ones, by_row = np.ones(targets.shape[1], int), log_var.ndim == 2
    output = NormalOutput(ones, "sample" if by_row else "feature", floor)
    given = (join_columns(mean, log_var), ()) if by_row else (mean, log_var)
    return nll(*given, targets, output)


def codes_output(starts=STARTS, end=END):
    return CategoricalOutput(np.diff([*starts, end]))


def class_loss(logits, codes, starts):
    return nll(logits, (), codes, codes_output(starts, logits.shape[1]))


def log_probabilities(logits, starts):
    return codes_output(starts, logits.shape[1]).log_probabilities(logits)


def reals(n_each, by_row, dtype=np.float64):
    """Means, log variances, and targets, the last row of which is all unknown."""
    targets = numbers(N_ROWS, 3, dtype=dtype)
    targets[1, 2] = targets[3, :] = np.nan
    mean = numbers(N_ROWS * n_each, 3, dtype=dtype, seed=1)
    log_var = numbers(*(mean.shape if by_row else (3,)), dtype=dtype, seed=2)
    return mean, log_var, targets


def classes(n_each, dtype=np.float64):
    """Logits, and codes, the last row of which is all unknown."""
    codes = np.array([[0, 3, 0], [1, 0, np.nan], [np.nan, 2, 0], [np.nan] * 3], dtype)
    return numbers(N_ROWS * n_each, END, dtype=dtype), codes


def pulled(loss, *params):
    return vjp(lambda params: loss(*params), params, np.ones_like)


class TestBernoulli(OutputCase):
    output = BernoulliOutput(np.ones(3, int))
    v = np.array([[0, 1, 0.3], [1, NAN, 0], [NAN, NAN, 1], [NAN] * 3])
    grid, share = np.array([[0.0] * 3, [1.0] * 3]), np.array([0.2, 0.5, 0.9])


class TestCategorical(OutputCase):
    output = CategoricalOutput(np.array([2, 4, 3]))
    v = np.array([[0, 3, 2], [1, NAN, 0], [NAN, 2, 1], [NAN] * 3])
    share = np.array([0.3, 0.7, 0.1, 0.2, 0.3, 0.4, 0.2, 0.2, 0.6])

    def test_probabilities_add_up_to_one(self):
        p = np.exp(self.output.log_probabilities(self.out()))
        total = np.add.reduceat(p, self.output.starts, axis=1)
        np.testing.assert_allclose(total, 1)

    @property
    def grid(self):
        """Each code in turn; missing where a column has no such category."""
        codes = np.arange(4.0)[:, None]
        return np.where(codes < self.output.n_inputs, codes, NAN)


class RealCase(OutputCase):
    v = np.array([[0.3, -1, 2], [1, NAN, 0], [NAN, 0.5, 1], [NAN] * 3])
    step = 0.02

    @property
    def grid(self):
        return np.tile(np.arange(-60, 60, self.step)[:, None], (1, 3))


class TestNormal(RealCase):
    output = NormalOutput(np.ones(3, int))


class TestNormalOfRows(RealCase):
    output = NormalOutput(np.ones(3, int), "sample", 0)


class TestNormalOfFixedVariance(RealCase):
    output = NormalOutput(np.ones(3, int), 0.5)


class TestMixture(RealCase):
    output = MixtureOutput(np.ones(3, int), Mixture(2))
    peaked = False


class TestOrdinal(OutputCase):
    levels = [Levels(np.array([0.0, 3])), Levels(np.array([-1.0, 0, 7]))]
    output = OrdinalOutput(levels)
    v = np.array([[0, 2], [1, NAN], [NAN, 1], [NAN] * 2])
    share, peaked = np.array([0.3, 0.7, 0.1, 0.2, 0.7]), False

    @property
    def grid(self):
        """Each code in turn; missing where a column has no such category."""
        codes = np.arange(3.0)[:, None]
        return np.where(codes < self.output.n_inputs, codes, NAN)

    def test_probabilities_add_up_to_one(self):
        p = np.exp(self.output.log_probabilities(self.out()))
        np.testing.assert_allclose(np.add.reduceat(p, self.output.starts, axis=1), 1)

    def test_means_are_those_of_numbers(self):
        out = self.out()
        p, codes = self.output.expected(out), self.output.mean(out)
        for own, j, part in zip(self.levels, range(2), (p[:, :2], p[:, 2:])):
            np.testing.assert_allclose(own.backward(codes[:, j]), part @ own.values)
        best = [part.argmax(axis=1) for part in (p[:, :2], p[:, 2:])]
        np.testing.assert_array_equal(self.output.mode(out), np.transpose(best))


class TestGrouped(OutputCase):
    weights = [9.0, 1, 5, 2], [1.0, 1, 4], [3.0, 8]
    groups = [Rare(min_frequency=3).groups(np.array(own)) for own in weights]
    output = GroupedOutput(groups)
    v = np.array([[3, 2, 0], [0, NAN, 1], [NAN, 0, 1], [NAN] * 3])
    share = np.array([0.5, 0.2, 0.3, 0.9, 0.1, 0.6, 0.4])

    @property
    def grid(self):
        """Each code in turn; missing where a column has no such category."""
        codes, sizes = np.arange(4.0)[:, None], [len(own) for own in self.weights]
        return np.where(codes < sizes, codes, NAN)

    def test_probabilities_add_up_to_one(self):
        p = np.where(np.isnan(self.grid), 0, 1)
        for row in self.out(2):
            log_p = self.output.log_p(np.tile(row, (4, 1)), self.grid)
            np.testing.assert_allclose((p * np.exp(log_p)).sum(axis=0), 1)

    def test_draws_have_the_moments(self):
        row = self.out(1)
        v = self.output.draw(np.tile(row, (N_DRAWS, 1)), stream(0).rows(N_DRAWS))
        log_p = self.output.log_p(np.tile(row, (4, 1)), self.grid)
        for j, own in enumerate(self.weights):
            found = v[:, [j]] == np.arange(len(own))
            assert_means(found.astype(float), np.exp(log_p[: len(own), j]))


class GappedCase(OutputCase):
    """A base, the values of which are those of ``v`` or absent."""

    peaked = False

    def test_probabilities_add_up_to_one(self):
        for row in self.out(2):
            rows = np.tile(row, (len(self.grid), 1))
            log_p = self.output.log_p(rows, self.grid)
            log_p = np.where(np.isnan(self.grid), -np.inf, log_p)
            gone = self.output.log_p(row[None], np.full((1, 2), ABSENT))[0]
            total = np.exp(log_p).sum(axis=0) * self.step + np.exp(gone)
            np.testing.assert_allclose(total, 1, rtol=1e-5)
            some = self.output.log_p(row[None], np.full((1, 2), -ABSENT))[0]
            np.testing.assert_allclose(np.exp(some) + np.exp(gone), 1, rtol=1e-5)

    def test_draws_have_the_moments(self):
        out, rng = np.tile(self.out(1), (N_DRAWS, 1)), stream(0).rows(N_DRAWS)
        v = self.output.draw(out, rng)
        assert_means(self.output.inputs(v), self.output.expected(out[:1])[0])
        whole = type(self.output)(self.output.base, whole=True)
        found, present = whole.draw(out, rng), ~np.isinf(v)
        np.testing.assert_array_equal(found[present], v[present])
        assert np.isfinite(found).all()
        for part in (whole.mean(out[:1]), self.output.mean(out[:1])):
            base = self.output.base.mean(out[:1, self.output._out[1]])
            np.testing.assert_allclose(part, base)


class TestGappedCodes(GappedCase):
    output = GappedOutput(CategoricalOutput(np.array([3, 2])))
    v = np.array([[0, ABSENT], [2, NAN], [ABSENT, 1], [NAN] * 2])
    share = np.array([0.2, 0.5, 0.2, 0.1, 0.3, 0.35, 0.35])
    grid = np.array([[0, 0], [1, 1], [2, NAN]])


class TestGappedNumbers(GappedCase):
    output = GappedOutput(MixtureOutput(np.ones(2, int), Mixture(2)))
    v = np.array([[0.3, ABSENT], [-2, NAN], [ABSENT, 1], [NAN] * 2])
    share, step = np.array([0.2, 0.0, 0.3, 0.0]), 0.02
    grid = np.tile(np.arange(-60, 60, step)[:, None], (1, 2))


def scores(atoms, waves=()):
    """Scores of a column of integers, many of which are atoms."""
    values = np.arange(0.0, 40) ** 2
    weight = np.where(np.isin(values, atoms), 40.0, 2.0)
    return scores_of(values, weight, waves)


class TestNumeric(OutputCase):
    scales = [scores([0.0, 25.0]), scores([]), scores([1521.0])]
    output = NumericOutput(scales, Mixture(2))
    given = np.array([[0, 100, 1521], [25, NAN, 7], [NAN, 49, 36], [NAN] * 3])
    v = np.stack([s.forward(x) for s, x in zip(scales, given.T)], axis=1)
    share = np.array([0.2, 0.1, 0.3, 0.4, 0.5, 0.6, 0.1, 0.2, 0.3])
    step, peaked = 0.02, False

    def test_probabilities_add_up_to_one(self):
        grid = np.tile(np.arange(-60, 60, self.step)[:, None], (1, 3))
        for row in self.out(2):
            p = np.exp(self.output.log_p(np.tile(row, (len(grid), 1)), grid))
            total = p.sum(axis=0) * self.step
            for j, own in enumerate(self.scales):
                for mark in own.marks:
                    v = np.full((1, 3), mark)
                    total[j] += np.exp(self.output.log_p(row[None], v)[0, j])
            np.testing.assert_allclose(total, 1, rtol=1e-5)

    def test_draws_have_the_moments(self):
        out, rng = np.tile(self.out(1), (N_DRAWS, 1)), stream(0).rows(N_DRAWS)
        v = self.output.draw(out, rng)
        assert_means(self.output.inputs(v), self.output.expected(out[:1])[0])
        for own, drawn in zip(self.scales, v.T):
            assert drawn.min() >= own.z[0]
            assert drawn.max() <= own.z[-1]

    def test_the_first_outputs_give_the_marginals(self):
        out = self.output.start(self.share)[None]
        found, atoms = self.output.expected(out)[0], [0, 1, 6]
        np.testing.assert_allclose(found[atoms], self.share[atoms])

    def test_a_mode_may_be_an_atom(self):
        out = self.out(2)
        out[:, :3], out[0, 1] = 0, 9
        out[1, 2] = 9
        found = self.output.mode(out)
        assert found[0, 0] == self.scales[0].marks[1]
        assert found[1, 0] not in self.scales[0].marks


@pytest.mark.parametrize("shape", ["gaussian", "laplace"])
def test_phases_are_read_and_expected(shape):
    scales = [scores([0.0, 25.0], (400.0, 90.0)), scores([], (400.0,)), scores([])]
    output, n = NumericOutput(scales, Mixture(2, shape)), N_DRAWS
    assert output.n_inputs.tolist() == [8, 4, 2]
    x = np.array([0.0, 49, 961, 1521])
    v = np.stack([own.forward(x) for own in scales], axis=1)
    angle = 2 * np.pi * x / 400
    found = output.inputs(v)
    for at, phase in ((4, np.cos), (6, np.sin), (10, np.cos), (11, np.sin)):
        np.testing.assert_allclose(found[:, at], phase(angle), atol=1e-12)
    np.testing.assert_allclose(output.value(found), v)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, output.n_outputs.sum()))
    # Narrow, broad, and in between.
    for row, log_scale in zip(rows, (-4.0, 0.5, -2.0)):
        row[output._parts] = [0.3, -0.3, 0.5, -0.8, log_scale, log_scale] * 3
        drawn = output.inputs(output.draw(np.tile(row, (n, 1)), stream(0).rows(n)))
        mean = output.expected(row[None])[0]
        assert abs(drawn.mean(axis=0) - mean)[[4, 5, 6, 7, 10, 11]].max() < 0.06
    grad = rng.normal(size=(1, output.n_inputs.sum()))
    expected = numerical_gradient(
        lambda out: (output.expected(out) * grad).sum(), rows[2:]
    )
    found = output.expected_grad(rows[2:], grad)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


class TestMixed(OutputCase):
    kinds = np.array(["categorical", "bernoulli", "gaussian", "categorical"])
    output = MixedOutput(kinds, np.array([3, 1, 1, 2]), Mixture(2, "laplace"))
    v = np.array([[0, 0.3, 2, 1], [2, NAN, 0, 0], [NAN, 1, -1, 1], [NAN] * 4])
    share = np.array([0.2, 0.3, 0.5, 0.4, 0.0, 0.6, 0.4])
    peaked = False

    def test_probabilities_add_up_to_one(self):
        out, ends = self.out(), np.cumsum(self.output.n_outputs)
        found = self.output.log_p(out, self.v)
        for j, single in enumerate(self.output.single):
            own = out[:, ends[j] - self.output.n_outputs[j] : ends[j]]
            expected = single.log_p(own, self.v[:, [j]])[:, 0]
            np.testing.assert_allclose(found[:, j], expected, atol=1e-12)

    def test_draws_have_the_moments(self):
        out, rng = np.tile(self.out(1), (N_DRAWS, 1)), stream(0).rows(N_DRAWS)
        v = self.output.draw(out, rng)
        assert_means(self.output.inputs(v), self.output.expected(out[:1])[0])


def test_columns_with_phases_may_have_a_mixture_of_their_own():
    """The law of a date given a season has several peaks."""
    scales = [scores([]), scores([25.0], (400.0,)), None, scores([0.0], (400.0,))]
    kinds = np.array(["numeric", "numeric", "gaussian", "numeric"])
    one, several = Mixture(1), Mixture(3)
    gapped = np.array([False, False, False, True])
    output = MixedOutput(
        kinds, np.ones(4, int), one, scales=scales, gapped=gapped, of_waves=several
    )
    assert output.n_outputs.tolist() == [3, 2 + 9, 3, 1 + 2 + 9]
    scaling = [[1, 0, 1], [0, 0, *[1, 0, 1]], [1, 0, 1], [0, 0, 0, *[1, 0, 1]]]
    n_each = [[1, 1, 1], [1, 1, 3, 3, 3], [1, 1, 1], [1, 1, 1, 3, 3, 3]]
    expected = [np.repeat(row, n) for row, n in zip(scaling, n_each)]
    np.testing.assert_array_equal(output.scaling, np.concatenate(expected))
    out = numbers(N_ROWS, output.n_outputs.sum())
    v = np.array([[0.3, -0.4, 1, 0.2], [-1, 0.2, NAN, ABSENT], [NAN] * 4, [0.7] * 4])
    found = output.log_p(out, v)
    np.testing.assert_array_equal(found, output.present().log_p(out, v))
    assert (output.present().draw(out, stream(0).rows(N_ROWS)) != ABSENT).all()
    order = np.array([3, 1, 0])
    np.testing.assert_array_equal(
        output.take(order).log_p(
            out[:, places_of(order, output.n_outputs)], v[:, order]
        ),
        found[:, order],
    )
    by_itself = NumericOutput(scales[1:2], several).log_p(out[:, 3:14], v[:, [1]])
    np.testing.assert_array_equal(found[:, [1]], by_itself)
    assert_slopes(lambda params: nll(params[0], (), v, output), (out,))


@pytest.mark.parametrize("by_row", [False, True])
@pytest.mark.parametrize("n_each", N_EACH)
def test_slopes_of_the_normal_loss(n_each, by_row):
    mean, log_var, targets = reals(n_each, by_row)
    assert_slopes(lambda params: normal_loss(*params, targets), (mean, log_var))
    assert_slopes(lambda params: normal_loss(mean, params[0], targets), (log_var,))


@pytest.mark.parametrize("n_each", N_EACH)
def test_slopes_of_the_class_loss(n_each):
    logits, codes = classes(n_each)
    assert_slopes(lambda params: class_loss(params[0], codes, STARTS), (logits,))


@pytest.mark.parametrize("by_row", [False, True])
def test_slopes_of_floors(by_row):
    mean, log_var, targets = reals(1, by_row)
    floor = np.exp(-1.5)
    assert_slopes(
        lambda params: normal_loss(*params, targets, floor), (mean, 3 * log_var)
    )


@pytest.mark.parametrize("by_row", [False, True])
@pytest.mark.parametrize("n_each", N_EACH)
def test_the_normal_loss(n_each, by_row):
    mean, log_var, targets = reals(n_each, by_row)
    log_p = norm.logpdf(np.repeat(targets, n_each, axis=0), mean, np.exp(log_var / 2))
    found = normal_loss(mean, log_var, targets)
    np.testing.assert_allclose(found, -np.nansum(log_p, axis=1), rtol=1e-12)


@pytest.mark.parametrize("n_each", N_EACH)
def test_the_class_loss(n_each):
    logits, codes = classes(n_each)
    log_p = [log_softmax(part, axis=1) for part in np.split(logits, STARTS[1:], axis=1)]
    np.testing.assert_allclose(
        log_probabilities(logits, STARTS), np.hstack(log_p), atol=1e-14
    )
    expected = np.zeros(len(logits))
    for (row, column), code in np.ndenumerate(np.repeat(codes, n_each, axis=0)):
        if not np.isnan(code):
            expected[row] -= log_p[column][row, int(code)]
    np.testing.assert_allclose(class_loss(logits, codes, STARTS), expected, rtol=1e-12)


def test_whole_codes_are_as_good_as_real_ones():
    logits, codes = numbers(2, END), np.array([[0, 3, 0], [1, 2, 0]])
    expected = class_loss(logits, codes.astype(float), STARTS)
    np.testing.assert_array_equal(class_loss(logits, codes, STARTS), expected)


@pytest.mark.parametrize("n_each", N_EACH)
def test_what_is_unknown_costs_nothing_and_teaches_nothing(n_each):
    for by_row in (False, True):
        mean, log_var, targets = reals(n_each, by_row)
        value, (of_mean, of_log_var) = pulled(
            lambda *params, targets=targets: normal_loss(*params, targets),
            mean,
            log_var,
        )
        unknown = np.isnan(np.repeat(targets, n_each, axis=0))
        assert not value[unknown.all(axis=1)].any()
        assert ((of_mean == 0) == unknown).all()
        if by_row:
            assert ((of_log_var == 0) == unknown).all()

    logits, codes = classes(n_each)
    value, (grad,) = pulled(lambda z: class_loss(z, codes, STARTS), logits)
    unknown = np.isnan(np.repeat(codes, n_each, axis=0))
    assert not value[unknown.all(axis=1)].any()
    # Of the last column, of one class, nothing is ever learned.
    still = np.repeat(unknown, [2, 4, 1], axis=1) | (np.arange(END) == END - 1)
    assert ((grad == 0) == still).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1, 1e4])
def test_probabilities_of_a_column_add_up_to_one(dtype, scale):
    logits = classes(1, dtype)[0] * dtype(scale)
    p = np.exp(log_probabilities(logits, STARTS))
    total = np.add.reduceat(p, STARTS, axis=1)
    np.testing.assert_allclose(total, 1, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_logits(dtype):
    logits = np.array([[1e4, -1e4, -1e4, 1e4]] * 2, dtype)
    codes, starts = np.array([[0, 0], [1, 1]], dtype), np.array([0, 2])
    value, (grad,) = pulled(lambda z: class_loss(z, codes, starts), logits)
    np.testing.assert_array_equal(value, 2e4)
    np.testing.assert_array_equal(grad, [[0, 0, -1, 1], [1, -1, 0, 0]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_floor_is_added_to_a_variance(dtype):
    raw = np.array([[-1e4, -3, 0, 2, 1e4]], dtype)
    output = NormalOutput(np.ones(5, int), "sample", np.exp(-3.0))
    _, value = output.parts(np.hstack([0 * raw, raw]))
    np.testing.assert_allclose(value, np.logaddexp(-3.0, raw), rtol=1e-6)
    assert value.dtype == dtype
    targets = numbers(1, 5, dtype=dtype)
    _, (_, grad) = pulled(lambda *a: normal_loss(*a, targets, np.exp(-3)), 0 * raw, raw)
    _, (_, plain) = pulled(lambda *a: normal_loss(*a, targets), 0 * raw, value)
    np.testing.assert_allclose(grad, plain * expit(raw + 3), rtol=1e-6)
    assert grad.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_each", N_EACH)
def test_types_are_kept(dtype, n_each):
    logits, codes = classes(n_each, dtype)
    found = [pulled(lambda z: class_loss(z, codes, STARTS), logits)]
    for by_row in (False, True):
        mean, log_var, targets = reals(n_each, by_row, dtype)
        found.append(
            pulled(
                lambda *params, targets=targets: normal_loss(*params, targets),
                mean,
                log_var,
            )
        )
    for value, grads in found:
        assert value.shape == (N_ROWS * n_each,)
        assert {part.dtype for part in (value, *grads)} == {np.dtype(dtype)}
