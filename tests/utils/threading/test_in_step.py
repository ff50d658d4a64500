"""Kernels whose threads meet at barriers."""

import multiprocessing
import os
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from skdgm import DBM, BernoulliRBM, DBMClassifier, GaussianRBM, RBMClassifier
from skdgm._kernels.compiler.barrier import (
    DONE,
    SIZE,
    go_on,
    meet,
    pieces,
    portion,
)
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli_parts import Workspace
from skdgm.boltzmann._fused_epochs import updates
from skdgm.options import CD, SGD, Penalty
from skdgm.utils.threading import parallel, pool
from skdgm.utils.threading.parallel import in_step, limit, n_efficient_threads

RNG = np.random.default_rng(0)
BITS = (RNG.random((300, 150)) < 0.2).astype(np.float64)
GRAY = BITS * RNG.random(BITS.shape)
REAL, LABELS = RNG.normal(size=(300, 150)), np.arange(300) % 3


@kernel
def total(x, sums, places, gate, rank):
    """Rounds in which each thread needs what all have written in the last."""
    n, size = len(x), gate[SIZE]
    for turn in range(gate[DONE], len(sums)):
        start, stop = portion(n, rank, size)
        for i in range(start, stop):
            x[i] += turn + 1
        meet(gate)
        if rank == 0:
            sums[turn], places[turn] = x.sum(), size
        if not go_on(gate, turn + 1):
            break


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_what_one_thread_writes_all_see(n):
    x, sums, places = np.zeros(100), np.zeros(300), np.zeros(300)
    with limit(n):
        in_step(total, x, sums, places, n_rounds=300, n_threads=n)
    np.testing.assert_array_equal(sums, 100 * np.cumsum(np.arange(1, 301)))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16])
@pytest.mark.parametrize(("n_outer", "n_inner"), [(1, 1), (3, 5), (5, 3), (25, 100)])
def test_pieces_are_all_pairs_once(n_outer, n_inner, size):
    found = np.zeros((n_outer, n_inner), int)
    for rank in range(size):
        for first, last, top, bottom in pieces(n_outer, n_inner, rank, size):
            found[first:last, top:bottom] += 1
    assert (found == 1).all()


def eager(monkeypatch):
    """Have small updates shared, even where other processes keep threads waiting."""
    monkeypatch.setattr(parallel, "_GRAIN", 1.0)
    monkeypatch.setattr(parallel._ThreadLimit, "look", lambda limit: np.inf)


MACHINES = {
    "binary": (BernoulliRBM(70), BITS),
    "gray": (BernoulliRBM(70), GRAY),
    "resampled": (BernoulliRBM(70, resample=True), GRAY),
    "centered": (BernoulliRBM(70, centering="moving", solver=SGD(momentum=0.5)), BITS),
    "cd": (
        BernoulliRBM(
            70,
            gradient=CD(n_steps=2),
            penalty=Penalty(max_norm=1.0, alpha=1.0, l1_ratio=1.0),
        ),
        BITS,
    ),
    "float64": (BernoulliRBM(70, penalty=Penalty(alpha=1.0)), BITS.astype(float)),
    "real": (GaussianRBM(70), REAL),
    "real, cd": (GaussianRBM(70, gradient=CD(n_steps=2), precision="scalar"), REAL),
    "real, far": (
        GaussianRBM(
            70, penalty=Penalty(alpha=1.0, l1_ratio=1.0), solver=SGD(momentum=0.5)
        ),
        REAL * 40 ** (LABELS[:, None]),
    ),
    "deep": (DBM((70, 40), pretrain=None), BITS),
    "deep, labels": (DBMClassifier(DBM((70, 40), n_iter=2)), BITS),
    "labels": (RBMClassifier(70, objective="generative", solver="sgd"), BITS),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.exhaustive(
    default=["binary", "gray", "resampled", "centered", "float64", "real"]
)
@pytest.mark.parametrize("name", MACHINES)
def test_machines_do_not_depend_on_the_number_of_threads(name, monkeypatch):
    machine, X = MACHINES[name]
    eager(monkeypatch)
    y = LABELS if name.endswith("labels") else None
    options = {"n_iter": 2, "batch_size": 70, "random_state": 0}
    fits, sizes, call = [], set(), parallel.pool.in_step

    def note(*arguments):
        places = call(*arguments)
        sizes.add(int(places[SIZE]))
        return places

    monkeypatch.setattr(parallel.pool, "in_step", note)
    for n in (1, 2, 3):
        with limit(n):
            fits.append(machine.set_params(**options).fit(X, y).__dict__.copy())
    # In other machines' fits helpers may be busy; here they are free.
    assert {1, 2, 3} <= sizes
    for other in fits[1:]:
        for attribute, value in fits[0].items():
            if isinstance(value, np.ndarray) and not attribute.startswith("_"):
                np.testing.assert_array_equal(value, other[attribute], attribute)


def learned(n=2):
    with limit(n):
        return BernoulliRBM(70, n_iter=3, batch_size=70, random_state=0).fit(BITS)


def test_fits_in_threads_at_once(monkeypatch):
    eager(monkeypatch)
    expected, found = learned(1).components_, []
    with limit(3):
        threads = [
            threading.Thread(target=lambda: found.append(learned(3))) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert len(found) == 5
    for model in found:
        np.testing.assert_array_equal(model.components_, expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    eager(monkeypatch)
    expected = learned(2).components_
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply_async(_components).get(120)
    np.testing.assert_array_equal(found, expected)


def _components():
    return learned(2).components_


def failing(x, gate, rank):
    if rank == 1:
        raise MemoryError
    meet(gate)
    meet(gate)


def test_a_thread_that_fails_leaves_none_waiting():
    with limit(2), pytest.raises(MemoryError):
        in_step(failing, np.zeros(1), n_rounds=1, n_threads=2)
    x, sums, places = np.zeros(10), np.zeros(1), np.zeros(1)
    with limit(2):
        in_step(total, x, sums, places, n_rounds=1, n_threads=2)
    assert places[0] == 2


def late(x, gate, rank):
    if rank == 0:
        raise MemoryError
    meet(gate)
    x[:] = 1  # Would be from what the first has not written.


def test_none_goes_on_past_a_thread_that_failed():
    x = np.zeros(1)
    with limit(2), pytest.raises(MemoryError):
        in_step(late, x, n_rounds=1, n_threads=2)
    assert x[0] == 0


@pytest.mark.parametrize("n_offers", [0, 1, 2])
def test_a_second_interrupt_leaves_none_waiting(n_offers, monkeypatch):
    offer, offers = pool._Pool.offer, []

    def interrupted(*arguments):
        offers.append(arguments)
        if len(offers) > n_offers:
            raise KeyboardInterrupt
        offer(*arguments)

    def attempt():
        with limit(3), pytest.raises(KeyboardInterrupt):
            in_step(failing, np.zeros(1), n_rounds=1, n_threads=3)
        ended.append(True)

    # Between the offers, or before its own part, which is not reached.
    monkeypatch.setattr(pool._Pool, "offer", interrupted)
    if n_offers == 2:
        work = pool.Task.work

        def at_once(task):
            if threading.current_thread() is thread:
                raise KeyboardInterrupt
            work(task)

        monkeypatch.setattr(pool.Task, "work", at_once)
    ended = []
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(60)
    assert ended
    monkeypatch.undo()
    x, sums, places = np.zeros(10), np.zeros(1), np.zeros(1)
    with limit(3):
        in_step(total, x, sums, places, n_rounds=1, n_threads=3)
    assert places[0] == 3


def test_workspaces_serve_as_many_threads_as_there_are(monkeypatch):
    """Where another thread leaves a limit between both."""
    eager(monkeypatch)
    sizes, allocate, call = [], updates._workspaces, parallel.pool.in_step

    def note(*arguments):
        places = call(*arguments)
        (own,) = (part for part in arguments[1] if isinstance(part, Workspace))
        sizes.append((int(places[SIZE]), len(own.bounds[0]) - 1))
        return places

    def raised(*arguments):
        found = allocate(*arguments)
        parallel._limit = 3
        return found

    monkeypatch.setattr(parallel.pool, "in_step", note)
    monkeypatch.setattr(updates, "_workspaces", raised)
    learned(1)
    assert sizes
    assert all(size <= n for size, n in sizes)


@kernel
def lagging(x, places, gate, rank):
    """Rounds in which one thread is late."""
    for turn in range(gate[DONE], len(places)):
        if rank == gate[SIZE] - 1:
            for _ in range(20_000_000):
                x[0] = x[0] * 0.999 + 1.0
        places[turn] = gate[SIZE]
        if not go_on(gate, turn + 1):
            break


def test_fewer_threads_go_on_where_some_wait_for_long(monkeypatch):
    monkeypatch.setattr(parallel, "_thread_limit", parallel._ThreadLimit())
    places = np.zeros(12)
    with limit(4):
        in_step(lagging, np.zeros(1), places, n_rounds=12, n_threads=4)
        assert places[0] == 4
        assert places[-1] < 4
        assert (np.diff(places) <= 0).all()
        assert n_efficient_threads(1e12) == places[-1]
        later = SimpleNamespace(monotonic=lambda: np.inf)
        monkeypatch.setattr(parallel, "time", later)
        assert n_efficient_threads(1e12) > places[-1]


def test_one_goes_on_where_it_waits_for_another(monkeypatch):
    monkeypatch.setattr(parallel, "_thread_limit", parallel._ThreadLimit())
    places = np.zeros(12)
    with limit(2):
        in_step(lagging, np.zeros(1), places, n_rounds=12, n_threads=2)
    assert places[0] == 2
    assert places[-1] == 1


def test_small_updates_have_one_thread(monkeypatch):
    monkeypatch.setattr(parallel, "_thread_limit", parallel._ThreadLimit())
    with limit(16):
        assert n_efficient_threads(64 * 64 * 20 * 0.2) == 1
        assert n_efficient_threads(784 * 500 * 200 * 0.2) == 16
