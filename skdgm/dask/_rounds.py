"""What a client asks of shards: where to begin, updates of a round, losses, and what is
there at the end."""

from copy import copy as shallow_copy
from warnings import catch_warnings, simplefilter

import numpy as np

from skdgm.base.parts import attributes_of, state_of
from skdgm.dask._shard import find
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import tree_map


def start(fit, number, seed, fresh, n_epochs):
    """Begin by one of the shards: a dict of attributes that the estimator then has, the
    first of the epochs that early stopping counts, whether it counts the initial
    training state, too, and this state, without chains. The seed is that of the whole
    fit, which may begin anew (``fresh``)."""
    shard = find(fit, number)
    own = shallow_copy(shard.estimator)
    own._seed = seed
    objective = own._objective(shard.table, own.n_iter_)
    state = objective.start() if fresh else objective.resume(state_of(own))
    shared, shard.own = shard.shared(state), {}
    new = vars(own).keys() - vars(shard.estimator).keys()
    known = {"_quantity": objective.quantity} | {name: vars(own)[name] for name in new}
    counts = objective.since(range(n_epochs)), objective.COUNTS_START
    return known, *counts, shared


def step(fit, number, shared, place, n_steps):
    """Make updates of a shard, from the one at a Clock on: the number of rows, and the
    change of the state that all have, times it."""
    shard, n_rows = find(fit, number), 0
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        state = shard.state(shared)
        shard.watched(state)
        batches = shard.batches(place.epoch, place.batch)
        for turn, batch in zip(range(n_steps), batches):
            clock = place._replace(batch=place.batch + turn)
            state = shard.objective.step(state, batch, clock)
            size_of = getattr(shard.objective, "size_of", None)
            own = getattr(batch, "v", batch)
            n_rows += len(own) if size_of is None else size_of(batch)
        after = shard.shared(state)
    shared = _grown(shared, after)
    return n_rows, tree_map(lambda new, old: _times(new, old, n_rows), after, shared)


def n_batches(fit, number, epoch):
    """Number of batches of a shard in an epoch."""
    shard = find(fit, number)
    return len(shard.objective.draw(shard.table, epoch))


def _grown(old, new):
    """State with zeros for what it did not have, and a later one has."""
    if not isinstance(old, tuple):
        return old
    if not old:
        return tree_map(np.zeros_like, new)
    parts = map(_grown, old, new)
    return type(old)(*parts) if hasattr(old, "_fields") else tuple(parts)


def _times(new, old, n_rows):
    kind = new.dtype.type if new.dtype.kind == "f" else np.float64
    return (new.astype(kind) - old.astype(kind)) * kind(n_rows)


def add(a, b):
    """Sum of two totals."""
    return a[0] + b[0], tree_map(np.add, a[1], b[1])


def mean(shared, total):
    """Shared state after a round."""
    n_rows, change = total

    def after(old, part):
        part = part / part.dtype.type(max(1, n_rows))
        whole = old.dtype.kind != "f"
        return old + (np.rint(part).astype(old.dtype) if whole else part)

    return tree_map(after, _grown(shared, change), change)


def losses(fit, number, shared):
    """Draws of a shard, its loss and the limit of it times these; rows held out, and
    their loss times these."""
    shard = find(fit, number)
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        state = shard.state(shared)
        watch = shard.watched(state)
        if not len(watch.probe):
            # The loss is of labels, none of which are known here.
            return np.zeros(5)
        loss, validation = watch(state)
    n, n_held = shard.table.n_draws, 0.0
    if shard.held_out is not None:
        n_held = shard.held_out.weight.sum()
    own = n_held, n_held * (validation or 0.0)
    return np.array([n, n * loss, n * watch.limit, *own])


def chains(fit, number, shared):
    """What a shard has of its own, as arrays; anew if its former worker was lost."""
    shard = find(fit, number)
    if not shard.own:
        shard.shared(shard.state(shared))
    return {name: parts for name, parts in shard.own.items() if parts}


def report(fit, number, learned, n_epochs):
    """What an estimator says at the end of training of what a shard watched: a dict of
    the attributes that it learned so, and warnings, as types and texts."""
    shard = find(fit, number)
    own, state = shallow_copy(shard.estimator), shard.state(learned.state)
    watch = shard.watched(state)
    if learned.losses:
        with np.errstate(over="ignore", invalid="ignore"):
            learned = learned._replace(useless=watch.is_useless(watch(state)[0]))
    vars(own).update(attributes_of(own, state))
    own.n_iter_ += len(learned.losses)
    before = dict(vars(own))
    with catch_warnings(record=True) as warned:
        simplefilter("always")
        own._report(learned._replace(state=state), n_epochs, watch)
    known = {n: v for n, v in vars(own).items() if v is not before.get(n, learned)}
    return known, [(each.category, str(each.message)) for each in warned]
