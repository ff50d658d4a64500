"""Nets of two branches: one for some of the inputs, and one learned with it."""

from functools import partial

from autograd.tracer import getval

from skdgm.nets.constrained import beside
from skdgm.nets.layers import Net
from skdgm.nets.primitives import columns
from skdgm.nets.stochastic.bernoulli_latents import to_draws


def branch(net, n_columns):
    """Net that applies another to the first columns and leaves the others as they are:
    its outputs are those of ``net`` and then the other columns."""
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
    mine, others = _split(x, n_columns)
    y, statistics = net.apply(params, statistics, mine, rng=rng, train=train)
    return beside(y, others), statistics


def _tangent_branch(first, params, statistics, x, dx, rng=None, train=False):
    net, n_columns = first
    (mine, others), (dx_mine, dx_others) = (_split(part, n_columns) for part in (x, dx))
    y, dy = net.tangent(params, statistics, mine, dx_mine, rng=rng, train=train)
    return beside(y, others), beside(dy, dx_others)


def _split(x, n_columns):
    return columns(x, 0, n_columns), columns(x, n_columns, x.shape[1])


def companions(other, n_inputs, net):
    """Net with the parameters of another, of ``n_inputs``, which it does not apply,
    before its own: trees are pairs of those of both."""
    return Net(partial(_begin_pair, other, n_inputs, net), partial(_apply_pair, net))


def _begin_pair(other, n_others, net, rng, n_inputs, dtype):
    _, *first = other.init(rng, n_others, dtype)
    n_outputs, *second = net.init(rng, n_inputs, dtype)
    return n_outputs, *zip(first, second)


def _apply_pair(net, params, statistics, x, rng=None, train=False):
    y, after = net.apply(params[1], statistics[1], x, rng=rng, train=train)
    return y, (statistics[0], after)


def meeting(first, n_beside, rest):
    """Net of pairs of inputs, (x, z): ``first`` is applied to x, and ``rest`` to its
    outputs together with z, of ``n_beside`` columns and with one or more rows for each
    of
    x."""
    return Net(
        partial(_begin_meeting, first, n_beside, rest),
        partial(_apply_meeting, first, rest),
    )


def _begin_meeting(first, n_beside, rest, rng, n_inputs, dtype):
    n_inputs, *below = first.init(rng, n_inputs, dtype)
    n_outputs, *above = rest.init(rng, n_inputs + n_beside, dtype)
    return n_outputs, *zip(below, above)


def _apply_meeting(first, rest, params, statistics, inputs, rng=None, train=False):
    (x, z), rngs = inputs, (None, None)
    if rng is not None:
        rngs = rng.fold(0), rng.fold(1)
    y, below = first.apply(params[0], statistics[0], x, rng=rngs[0], train=train)
    both = beside(to_draws(y, getval(z).shape[0]), z)
    out, above = rest.apply(params[1], statistics[1], both, rng=rngs[1], train=train)
    return out, (below, above)
