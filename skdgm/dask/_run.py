"""Fits from the perspective of the client: rounds of all shards, and recovery of lost
workers."""

import logging
from time import sleep
from types import SimpleNamespace
from uuid import uuid4
from warnings import catch_warnings, simplefilter

import numpy as np

from skdgm.base import fit_steps
from skdgm.base.fit_steps import is_of_series
from skdgm.base.parts import name_of, options_of, seed_of
from skdgm.dask import _rounds, _shard
from skdgm.dask._rows import Header
from skdgm.exceptions import CostWarning
from skdgm.optim import Clock
from skdgm.training import EarlyStopping, Learned, Table, Verbose
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
    estimator is a layer of a stack, ``below`` is set to the :class:`Header` of the
    stack, with the layers below.
    """

    def __init__(
        self,
        client,
        estimator,
        shards,
        y,
        local_steps,
        begin=_shard.begin,
    ):
        self.client, self.shards, self.name = client, shards, uuid4().hex
        self.places, self.local_steps, self.n_batches = {}, local_steps, None
        self.estimator, self.y, self.header = estimator, y, Header(estimator)
        self.below, self.begin, self.warned = None, begin, []
        self.fresh = not (estimator.warm_start and hasattr(estimator, "n_iter_"))

    @property
    def options(self):
        """Options of the fit."""
        return options_of(self.header.estimator)

    def fit(self, before):
        """Fit the estimator; clear ``before`` once it has learned. DivergenceError if
        training diverged."""
        try:
            self.prepare()
            outcome = self.train()
        finally:
            self.drop()
        fit_steps.set_outcome(self.estimator, self.header.estimator, outcome)
        del before[:]
        fit_steps.report_outcome(self.estimator, outcome, self.n_epochs)
        for category, message in self.warned:
            warn(message, category)

    def prepare(self):
        """Learn statistics of columns and labels, and send all shards to workers."""
        header = Header(self.estimator, below=self.below)
        self.header = self.read(self.begin, header)
        n_draws = float(sum(self.header.draws))
        table = Table(None, None, None, np.array([n_draws]))
        if is_of_series(self.estimator):
            lengths = np.concatenate([lengths for _, lengths, _ in self.shards])
            rows = SimpleNamespace(lengths=lengths)
            table = table._replace(rows=rows, index=np.arange(len(lengths)))
        fit_steps.choose_batch_size(self.header.estimator, table)
        self.n_epochs = fit_steps.n_epochs_of(self.header.estimator, table)
        n_trained = sum(self._place(range(len(self.shards))))
        self.n_batches = -(-n_trained // self.options.batch_size)
        self._result(lambda: self._listed(_shard.divide, self.n_batches))
        self._check_cost(n_trained)

    def _check_cost(self, n_trained):
        """Warn about many rounds of few rows."""
        per_epoch = -(-self.n_batches // self.local_steps)
        n_rounds, n_rows = self.n_epochs * per_epoch, round(n_trained / per_epoch)
        if n_rounds > _ROUNDS and n_rows < _ROWS:
            warn(
                f"skdgm.dask.fit makes {n_rounds} rounds of {n_rows} rows for "
                f"{name_of(self.estimator)}, and each takes 10 to 20 ms, however few "
                "rows it has. Fewer rounds take less: a larger batch_size (now "
                f"{self.options.batch_size}), of 1,000 rows or more, or "
                f"more local_steps (now {self.local_steps}).",
                CostWarning,
            )

    def read(self, begin, header):
        """Header after all shards have been read in order; see ``begin``."""
        y, classes = self.y, None
        if y is not None and hasattr(header.estimator, "predict"):
            unlabeled = header.estimator.get_params().get("unlabeled")
            classes = np.setdiff1d(np.unique(y), [] if unlabeled is None else unlabeled)
        for shard in self.shards:
            parts, y, weight = self._row_futures(shard)
            header = self._submit(begin, header, parts, y, weight, classes, self.fresh)
        return header.result()

    def train(self):
        """Run all epochs. Returns an Outcome, with the last good training state, or the
        best with early stopping, and the final chains of all shards."""
        estimator, start = self.header.estimator, _rounds.start
        initial = self._result(
            lambda: self._submit_to(
                0, start, seed_of(estimator), self.fresh, self.n_epochs
            )
        )
        fitted, since, counts_start, shared = initial
        vars(estimator).update(fitted)
        good, curve, validation, ended = shared, [], [], "complete"
        hooks = []
        if estimator.verbose:
            name, quantity = name_of(estimator), fitted["_quantity"]
            hooks.append(Verbose(name, quantity, self.n_epochs))
        options, stopping = self.options, None
        if options.early_stopping:
            stopping = EarlyStopping(options.n_iter_no_change, options.tol, since)
            if counts_start and since == 0:
                stopping.begin_with(shared, 0, self._losses(shared)[2])
            hooks.append(stopping)
        for epoch in range(self.n_epochs):
            for hook in hooks:
                hook.begin(epoch)
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
            if stopping is not None:
                validation.append(held_out)
            report = Report(epoch, shared, loss, held_out, 0.0)
            stop_requests = [hook.end(report) for hook in hooks]
            if any(stop_requests):
                ended = "stopped"
                break
        for hook in hooks:
            hook.finish()
        if stopping is not None and stopping.best is not None:
            good = stopping.best
        chains = self._of_shards(_rounds.chains, good)
        if ended != "diverged":
            learned = Learned(good, curve, validation, ended, False)
            fitted, self.warned = self._result(
                lambda: self._submit_to(0, _rounds.report, learned, self.n_epochs)
            )
            vars(estimator).update(fitted)
        good = good._replace(**_joined(chains, good))
        return Outcome(good, curve, validation, ended)

    def _n_batches_of(self, epoch):
        """Number of batches in an epoch. Sequences are read in windows; the shard with
        the most batches counts."""
        if not is_of_series(self.estimator):
            return self.n_batches
        return max(self._result(lambda: self._listed(_rounds.n_batches, epoch)))

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
                unpaired = totals[len(totals) // 2 * 2 :]
                pairs = zip(totals[::2], totals[1::2])
                totals = [self._submit(_rounds.add, a, b) for a, b in pairs] + unpaired
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
        parts, y, weight = shard
        with catch_warnings():
            # Dask warns about sending rows from the client's memory.
            simplefilter("ignore", UserWarning)
            return [self.client.compute(part) for part in parts], y, weight

    def _submit(self, function, *arguments, **options):
        return self.client.submit(function, *arguments, pure=False, **options)

    def _submit_to(self, number, function, *arguments):
        options = {"workers": [self.places[number]], "allow_other_workers": False}
        return self._submit(function, self.name, number, *arguments, **options)

    def _submit_to_all(self, function, *arguments):
        return [
            self._submit_to(k, function, *arguments) for k in range(len(self.shards))
        ]

    def _listed(self, function, *arguments):
        return self._submit(list, self._submit_to_all(function, *arguments))

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
                parts, y, weight = self._row_futures(self.shards[number])
                kept = self._submit_to(
                    number, _shard.keep, self.header, parts, y, weight, self.n_batches
                )
                futures.append(kept)
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
