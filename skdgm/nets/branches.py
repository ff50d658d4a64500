"""Nets of two branches: one for some of the columns, and one learned beside."""

from functools import partial

from skdgm.nets.constrained import beside
from skdgm.nets.layers import Net
from skdgm.nets.primitives import columns


def branch(net, n_columns):
    """Net that applies another to the first columns and leaves the others as they are:
    its outputs are those of ``net`` and then the other columns."""
    rest = _begin_branch, _apply_branch, _tangent_branch
    return Net(*(partial(f, net, n_columns) for f in rest))


def _begin_branch(net, n_columns, rng, n_inputs, dtype):
    n_outputs, params, statistics = net.init(rng, n_columns, dtype)
    return n_outputs + n_inputs - n_columns, params, statistics


def _apply_branch(net, n_columns, params, statistics, x, rng=None, train=False):
    own, others = _split(x, n_columns)
    y, statistics = net.apply(params, statistics, own, rng=rng, train=train)
    return beside(y, others), statistics


def _tangent_branch(net, n_columns, params, statistics, x, dx, rng=None, train=False):
    (own, others), (moved, more) = (_split(part, n_columns) for part in (x, dx))
    y, dy = net.tangent(params, statistics, own, moved, rng=rng, train=train)
    return beside(y, others), beside(dy, more)


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
