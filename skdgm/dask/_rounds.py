"""Functions of shards that a client calls: initial state, updates of a round, losses,
and results at the end."""

from copy import copy as shallow_copy
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

from skdgm.base.fit_steps import objective_of, report_end, with_seed
from skdgm.base.parts import attributes_of, state_of
from skdgm.dask._shard import find
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import tree_map


def start(fit, number, seed, fresh, n_epochs):
    """Initialize training from one shard, with the seed of the whole fit.

    Returns a dict of attributes for the estimator; the first epoch that early stopping
    counts, and whether it counts the initial state; and this state without chains. A
    ``fresh`` fit starts from scratch.
    """
    shard = find(fit, number)
    estimator = with_seed(shard.estimator, seed)
    objective = objective_of(estimator, shard.table)
    state = objective.start() if fresh else objective.resume(state_of(estimator))
    shared, shard.local_state = shard.shared(state), {}
    new = vars(estimator).keys() - vars(shard.estimator).keys()
    attributes = {"_quantity": objective.quantity} | {
        name: vars(estimator)[name] for name in new
    }
    early_stopping = (
        objective.first_selectable_epoch(range(n_epochs)),
        objective.COUNTS_START,
    )
    return attributes, *early_stopping, shared


def step(fit, number, shared, place, n_steps):
    """Make ``n_steps`` updates of a shard, starting at the Clock ``place``. Returns the
    number of rows, and the change of the shared state multiplied by this number."""
    shard, n_rows = find(fit, number), 0
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        state = shard.state(shared)
        shard.watched(state)
        batches = shard.batches(place.epoch, place.batch)
        for offset, batch in zip(range(n_steps), batches):
            clock = place._replace(batch=place.batch + offset)
            state = shard.objective.step(state, batch, clock)
            size_of = getattr(shard.objective, "size_of", None)
            rows = getattr(batch, "v", batch)
            n_rows += len(rows) if size_of is None else size_of(batch)
        after = shard.shared(state)
    shared = _grown(shared, after)
    return n_rows, tree_map(lambda new, old: _times(new, old, n_rows), after, shared)


def n_batches(fit, number, epoch):
    """Number of batches of a shard in an epoch."""
    shard = find(fit, number)
    return len(shard.objective.draw(shard.table, epoch))


def _grown(old, new):
    """State with zeros for parts that only a later state has."""
    if not isinstance(old, tuple):
        return old
    if not old:
        return tree_map(np.zeros_like, new)
    parts = map(_grown, old, new)
    kind: Any = type(old)
    return kind._make(parts) if hasattr(kind, "_make") else tuple(parts)


def _times(new, old, n_rows):
    kind = new.dtype.type if new.dtype.kind == "f" else np.float64
    return (new.astype(kind) - old.astype(kind)) * kind(n_rows)


def add(a, b):
    """Sum of two results of :func:`step`."""
    return a[0] + b[0], tree_map(np.add, a[1], b[1])


def mean(shared, total):
    """Shared state after a round."""
    n_rows, change = total

    def after(old, part):
        part = part / part.dtype.type(max(1, n_rows))
        is_integer = old.dtype.kind != "f"
        return old + (np.rint(part).astype(old.dtype) if is_integer else part)

    return tree_map(after, _grown(shared, change), change)


def losses(fit, number, shared):
    """Array of a shard's number of draws, its loss and the limit of the loss times this
    number; the weight of held-out rows, and their loss times this weight."""
    shard = find(fit, number)
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        state = shard.state(shared)
        watch = shard.watched(state)
        if not len(watch.monitored):
            # The loss depends on labels, which this shard lacks.
            return np.zeros(5)
        loss, validation = watch(state)
    n_draws, n_held = shard.table.n_draws, 0.0
    if shard.held_out is not None:
        n_held = shard.held_out.weight.sum()
    of_held_out = n_held, n_held * (validation or 0.0)
    return np.array([n_draws, n_draws * loss, n_draws * watch.limit, *of_held_out])


def chains(fit, number, shared):
    """Chains of a shard as arrays; new chains if its former worker was lost."""
    shard = find(fit, number)
    if not shard.local_state:
        shard.shared(shard.state(shared))
    return {name: parts for name, parts in shard.local_state.items() if parts}


def report(fit, number, learned, n_epochs):
    """Attributes that a shard's estimator sets when it reports the end of training, a
    dict, and its warnings, as types and texts."""
    shard = find(fit, number)
    model, state = shallow_copy(shard.estimator), shard.state(learned.state)
    watch = shard.watched(state)
    if learned.losses:
        with np.errstate(over="ignore", invalid="ignore"):
            learned = learned._replace(is_useless=watch.is_useless(watch(state)[0]))
    vars(model).update(attributes_of(model, state))
    model.n_iter_ += len(learned.losses)
    before = dict(vars(model))
    with catch_warnings(record=True) as warned:
        simplefilter("always")
        report_end(model, learned._replace(state=state), n_epochs, watch)
    new = {n: v for n, v in vars(model).items() if v is not before.get(n, learned)}
    return new, [(warning.category, str(warning.message)) for warning in warned]
