"""Fits from the perspective of the client: rounds of all shards, and recovery of lost
workers."""

import logging
from time import sleep
from types import SimpleNamespace
from uuid import uuid4
from warnings import catch_warnings, simplefilter

import numpy as np

from skdgm.base import fits
from skdgm.base.attributes import shallow
from skdgm.base.parts import attributes_of, options_of
from skdgm.dask import _rounds, _shard
from skdgm.exceptions import CostWarning
from skdgm.optim import Clock
from skdgm.training import EarlyStopping, Learned, Table
from skdgm.training.loop import Outcome, Report
from skdgm.utils.threading.callers import warn
from skdgm.utils.tree import leaves

_log = logging.getLogger("skdgm")
# Seconds between checks of the workers during a round, and time limit for a worker.
_POLL, PATIENCE = 1.0, 60
# Number of checks until an error counts as not caused by a lost worker.
_NOTICED = 5
# Number of rounds above which, and of rows below which, communication dominates.
_ROUNDS, _ROWS = 1_000, 500


class ShardedRun:
    """Fit of one estimator by a client.

    ``shards`` are as from :func:`~skdgm.dask._parts.shards_of`; ``begin`` is the
    function that first reads their rows, like :func:`~skdgm.dask._shard.begin`. If the
    estimator is a layer of a stack, ``network`` has the layers below.
    """

    def __init__(
        self,
        client,
        estimator,
        shards,
        y,
        local_steps,
        network=None,
        begin=_shard.begin,
    ):
        self.client, self.shards, self.name = client, shards, uuid4().hex
        self.places, self.local_steps, self.n_batches = {}, local_steps, None
        self.estimator, self.y, self.header = estimator, y, None
        self.network, self.begin, self.warned = network, begin, []
        self.fresh = not (estimator.warm_start and hasattr(estimator, "n_iter_"))

    def fit(self, before):
        """Fit the estimator; clear ``before`` once it has learned. DivergenceError if
        training diverged."""
        try:
            self.prepare()
            state, *learned = self.train()
        finally:
            self.drop()
        _set(self.estimator, self.header, state, *learned)
        del before[:]
        arguments = self.n_epochs, self.estimator._name, self.estimator._remedy()
        fits.report(Outcome(state, *learned), *arguments)
        for category, message in self.warned:
            warn(message, category)

    def prepare(self):
        """Learn statistics of columns and labels, and send all shards to workers."""
        self.header = self.read(self.begin, self.estimator, network=self.network)
        draws = self.header._dask[1]
        table = Table(None, None, None, np.array([float(sum(draws))]))
        if _shard.is_of_series(self.estimator):
            lengths = np.concatenate([lengths for _, lengths, _ in self.shards])
            rows = SimpleNamespace(lengths=lengths)
            table = table._replace(rows=rows, index=np.arange(len(lengths)))
        self.n_epochs = self.header._n_epochs(table)
        n_trained = sum(self._place(range(len(self.shards))))
        self.n_batches = -(-n_trained // options_of(self.header).batch_size)
        self._result(lambda: self._listed(_shard.divide, self.n_batches))
        self._check_cost(n_trained)

    def _check_cost(self, n_trained):
        """Warn about many rounds of few rows."""
        per_epoch = -(-self.n_batches // self.local_steps)
        n_rounds, n_rows = self.n_epochs * per_epoch, round(n_trained / per_epoch)
        if n_rounds > _ROUNDS and n_rows < _ROWS:
            warn(
                f"skdgm.dask.fit makes {n_rounds} rounds of {n_rows} rows for "
                f"{self.estimator._name}, and each takes 10 to 20 ms, however few "
                "rows it has. Fewer rounds take less: a larger batch_size (now "
                f"{options_of(self.header).batch_size}), of 1,000 rows or more, or "
                f"more local_steps (now {self.local_steps}).",
                CostWarning,
            )

    def read(self, begin, header, **options):
        """Copy of ``header`` that has read all shards in order; see ``begin``."""
        y, classes = self.y, None
        if y is not None and hasattr(header, "predict"):
            unlabeled = header.get_params().get("unlabeled")
            classes = np.setdiff1d(np.unique(y), [] if unlabeled is None else unlabeled)
        for number, shard in enumerate(self.shards):
            options |= {"first": number == 0, "fresh": self.fresh}
            rows = self._row_futures(shard)
            header = self._submit(begin, header, *rows, classes, **options)
        return header.result()

    def train(self):
        """Run all epochs. Returns the last good training state, or the best with early
        stopping, with the final chains of all shards; losses; losses of held-out rows;
        and how training ended: "complete", "stopped" or "diverged"."""
        arguments = self.header._seed, self.fresh, self.n_epochs
        initial = self._result(lambda: self._submit_to(0, _rounds.start, *arguments))
        fitted, since, counts_start, shared = initial
        vars(self.header).update(fitted)
        good, curve, validation, ended = shared, [], [], "complete"
        options, stopping = options_of(self.header), None
        if options.early_stopping:
            stopping = EarlyStopping(options.n_iter_no_change, options.tol, since)
            if counts_start and since == 0:
                stopping.begin_with(shared, 0, self._losses(shared)[2])
        for epoch in range(self.n_epochs):
            n_batches = self._n_batches_of(epoch)
            for first in range(0, n_batches, self.local_steps):
                place = Clock(epoch, self.n_epochs, first, n_batches)
                shared = self._round(shared, place)
            loss, limit, held_out = self._losses(shared)
            finite = all(np.isfinite(leaf).all() for leaf in leaves(shared))
            if not (finite and loss <= limit):
                ended = "diverged"
                break
            good = shared
            curve.append(loss)
            self._print_epoch(epoch, loss, held_out)
            if stopping is not None:
                validation.append(held_out)
                if stopping.end(Report(epoch, shared, loss, held_out, 0.0)):
                    ended = "stopped"
                    break
        if stopping is not None and stopping.best is not None:
            good = stopping.best
        chains = self._of_shards(_rounds.chains, good)
        if ended != "diverged":
            learned = Learned(good, curve, validation, ended, False)
            fitted, self.warned = self._result(
                lambda: self._submit_to(0, _rounds.report, learned, self.n_epochs)
            )
            vars(self.header).update(fitted)
        return good._replace(**_joined(chains, good)), curve, validation, ended

    def _n_batches_of(self, epoch):
        """Number of batches in an epoch. Sequences are read in windows; the shard with
        the most batches counts."""
        if not _shard.is_of_series(self.estimator):
            return self.n_batches
        return max(self._result(lambda: self._listed(_rounds.n_batches, epoch)))

    def _print_epoch(self, epoch, loss, held_out):
        if self.header.verbose:
            more = "" if held_out is None else f", held out {held_out:.2f}"
            print(
                f"[{self.header._name}] Iteration {epoch + 1}, loss = {loss:.2f}{more}"
            )

    def drop(self):
        """Delete the rows on the workers."""
        self.client.run(_shard.drop, self.name, on_error="ignore")

    def _round(self, shared, place):
        """Shared state after updates of all shards, summed pairwise in their order."""

        def make():
            totals = self._submit_to_all(
                _rounds.step, self._scattered(shared), place, self.local_steps
            )
            while len(totals) > 1:
                pairs = zip(totals[::2], totals[1::2])
                unpaired = totals[len(totals) // 2 * 2 :]
                totals = [self._submit(_rounds.add, *pair) for pair in pairs] + unpaired
            return totals[0]

        return _rounds.mean(shared, self._result(make))

    def _losses(self, shared):
        sums = self._of_shards(_rounds.losses, shared)
        n, loss, limit, n_held, held_out = np.sum(sums, axis=0)
        held_out = float(held_out / n_held) if n_held else None
        return float(loss / n), limit / n, held_out

    def _of_shards(self, function, shared):
        """Results of a function of each shard and of shared parameters, as a list."""
        return self._result(lambda: self._listed(function, self._scattered(shared)))

    def _scattered(self, shared):
        """Future of the parameters on one worker, which sends them to the others. (A
        broadcast would wait forever for a worker that is lost meanwhile.)"""
        return self.client.scatter([shared], hash=False)[0]

    def _row_futures(self, shard):
        """Rows of a shard as futures, which are computed again if lost."""
        parts, *more = shard
        with catch_warnings():
            # Dask warns about sending rows from the client's memory.
            simplefilter("ignore", UserWarning)
            return [self.client.compute(part) for part in parts], *more

    def _submit(self, function, *given, **options):
        return self.client.submit(function, *given, pure=False, **options)

    def _submit_to(self, number, function, *given):
        options = {"workers": [self.places[number]], "allow_other_workers": False}
        return self._submit(function, self.name, number, *given, **options)

    def _submit_to_all(self, function, *given):
        return [self._submit_to(k, function, *given) for k in range(len(self.shards))]

    def _listed(self, function, *given):
        return self._submit(list, self._submit_to_all(function, *given))

    def _place(self, numbers):
        """Distribute shards over the workers, which store their rows; return the number
        of training draws of each."""
        if not self.client.nthreads():
            self.client.wait_for_workers(1, timeout=PATIENCE)
        alive = sorted(self.client.nthreads())
        for turn, number in enumerate(numbers):
            self.places[number] = alive[turn % len(alive)]

        def make():
            futures = []
            for number in numbers:
                rows = self._row_futures(self.shards[number])
                arguments = self.header, *rows, self.network, self.n_batches
                futures.append(self._submit_to(number, _shard.keep, *arguments))
            return self._submit(list, futures)

        return self._result(make)

    def _result(self, make):
        """Result of the future that ``make()`` creates, again whenever a worker is
        lost."""
        from distributed import KilledWorker, wait
        from distributed.client import FutureCancelledError

        n_tries = 0
        while True:
            lost, future = [], None
            try:
                future = make()
                while not lost:
                    try:
                        # A timeout of ``result`` alone would stop the client's
                        # transfers, and all later transfers would fail.
                        wait(future, timeout=_POLL)
                        return future.result(timeout=PATIENCE)
                    except TimeoutError:
                        lost = self._lost()
            except (
                _shard.LostShard,
                KilledWorker,
                FutureCancelledError,
                OSError,
            ) as error:
                lost = self._noticed()
                # Parameters may be lost with a worker that has no shard.
                if not lost:
                    n_tries += 1
                    if isinstance(error, FutureCancelledError) and n_tries < _NOTICED:
                        continue
                    raise
            if future is not None:
                future.cancel(force=True)
            places = sorted({self.places[number] for number in lost})
            _log.warning(
                "Lost the worker(s) %s in a fit: shards %s go on at others, with new "
                "chains.",
                ", ".join(places),
                lost,
            )
            self._place(lost)

    def _noticed(self):
        """As :meth:`_lost`, after waiting for the scheduler to notice a loss; empty if
        it does not within a few seconds."""
        for _ in range(_NOTICED):
            if lost := self._lost():
                return lost
            sleep(_POLL)
        return []

    def _lost(self):
        """Indices of the shards whose workers are gone."""
        alive = self.client.nthreads()
        return [k for k, place in self.places.items() if place not in alive]


def _joined(own, state):
    """Chains of all shards, concatenated; with several temperatures, the chains of the
    first shard."""
    chains = {}
    for name in own[0]:
        parts = [shard[name] for shard in own if name in shard]
        if len(getattr(state, "swap_rates", ())):
            parts = parts[:1]
        chains[name] = tuple(map(np.concatenate, zip(*parts)))
    return chains


def _set(estimator, header, state, curve, validation, ended):
    """Set the fitted attributes."""
    new = shallow(header)
    del new._dask
    for name in estimator._TRANSIENT:
        vars(new).pop(name, None)
    vars(new).update(estimator.get_params(deep=False))
    vars(new).update(attributes_of(new, state))
    # Delete results that depend on former parameters.
    for name in vars(estimator).keys() - vars(new).keys():
        delattr(estimator, name)
    new.n_iter_ += len(curve)
    new.loss_curve_ = header.loss_curve_ + curve
    new.validation_curve_ = header.validation_curve_ + validation
    new._ended = "stopped" if ended == "stopped" else "complete"
    vars(estimator).update(vars(new))
