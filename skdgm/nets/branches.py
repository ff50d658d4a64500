"""Nets of two branches, which have separate inputs or parameters."""

from functools import partial

from autograd.tracer import getval

from skdgm.nets.constrained import join_columns
from skdgm.nets.layers import Net
from skdgm.nets.primitives import columns
from skdgm.nets.stochastic.bernoulli_latents import to_draws


def branch(net, n_columns):
    """Net that applies ``net`` to the first ``n_columns`` columns and keeps the
    others."""
    first = net, n_columns
    return Net(
        partial(_begin_branch, first),
        partial(_apply_branch, first),
        partial(_tangent_branch, first),
    )


def _begin_branch(first, rng, n_inputs, dtype):
    net, n_columns = first
    n_outputs, params, statistics = net.init(rng, n_columns, dtype)
    return n_outputs + n_inputs - n_columns, params, statistics


def _apply_branch(first, params, statistics, x, rng=None, train=False):
    net, n_columns = first
    first_columns, other_columns = _split(x, n_columns)
    y, statistics = net.apply(params, statistics, first_columns, rng=rng, train=train)
    return join_columns(y, other_columns), statistics


def _tangent_branch(first, params, statistics, x, dx, rng=None, train=False):
    net, n_columns = first
    (first_columns, other_columns), (dx_first, dx_others) = (
        _split(array, n_columns) for array in (x, dx)
    )
    y, dy = net.tangent(
        params, statistics, first_columns, dx_first, rng=rng, train=train
    )
    return join_columns(y, other_columns), join_columns(dy, dx_others)


def _split(x, n_columns):
    return columns(x, 0, n_columns), columns(x, n_columns, x.shape[1])


def with_parameters_of(other, n_inputs, net):
    """Net that also holds the parameters of another net, without applying it.
    Parameters and statistics are pairs: those of ``other``, which has ``n_inputs``, and
    those of ``net``."""
    return Net(partial(_begin_pair, other, n_inputs, net), partial(_apply_pair, net))


def _begin_pair(other, n_others, net, rng, n_inputs, dtype):
    _, *first = other.init(rng, n_others, dtype)
    n_outputs, *second = net.init(rng, n_inputs, dtype)
    return n_outputs, *zip(first, second)


def _apply_pair(net, params, statistics, x, rng=None, train=False):
    y, updated = net.apply(params[1], statistics[1], x, rng=rng, train=train)
    return y, (statistics[0], updated)


def two_inputs(first, n_second, rest):
    """Net of pairs of inputs (x, z): ``first`` is applied to x, and ``rest`` to its
    outputs concatenated with z. z has ``n_second`` columns, and the same number of
    consecutive rows for each row of x."""
    return Net(
        partial(_begin_two_inputs, first, n_second, rest),
        partial(_apply_two_inputs, first, rest),
    )


def _begin_two_inputs(first, n_second, rest, rng, n_inputs, dtype):
    n_inputs, *below = first.init(rng, n_inputs, dtype)
    n_outputs, *above = rest.init(rng, n_inputs + n_second, dtype)
    return n_outputs, *zip(below, above)


def _apply_two_inputs(first, rest, params, statistics, inputs, rng=None, train=False):
    (x, z), rngs = inputs, (None, None)
    if rng is not None:
        rngs = rng.fold(0), rng.fold(1)
    y, below = first.apply(params[0], statistics[0], x, rng=rngs[0], train=train)
    joined = join_columns(to_draws(y, getval(z).shape[0]), z)
    out, above = rest.apply(params[1], statistics[1], joined, rng=rngs[1], train=train)
    return out, (below, above)
