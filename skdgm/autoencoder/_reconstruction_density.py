r"""Density of autoencoders: codes, reconstructions and Markov chains.

.. math:: \log p(x \mid \tilde x) = \sum_j \log p(x_j; g_j(f(\tilde x)))
"""

from copy import copy
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from skdgm.autoencoder._chain import CorruptionChain
from skdgm.base import Density, by_blocks, of_rows
from skdgm.data import fill
from skdgm.data.reach import limits
from skdgm.latent.filling import impute_by_chains
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import chain_lengths, check_choice, count
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Largest number of activations of a layer for all rows of a batch.
_ROWS = 2**19
_START, _STEPS = addresses.RECONSTRUCTION


class ReconstructionDensity(Density):
    """Density of rows given their reconstructions. ``net`` has the variables of the
    ``coder``, ``output`` is the distribution of rows given outputs, ``corrupt`` the
    corruption, and ``n_draws()`` the number of corrupted copies of each row in
    :meth:`log_prob`."""

    # Values far beyond the range of the training rows are clipped to it.
    bounded = True

    def __init__(self, context, *, coder, net, output, corrupt, n_draws):
        super().__init__(context)
        self.coder, self.net, self.output = coder, net, output
        self.corrupt, self.n_draws = corrupt, n_draws

    @property
    def capabilities(self):
        """Kinds of the results."""
        return {
            "log_prob": of_rows("reconstruction", gray="reconstruction"),
            "features": of_rows("exact"),
            "inverse": {"unconditional": "exact"},
            "sample": {"unconditional": "estimate"},
            "trace": {"unconditional": "estimate"},
            "visible_fields": {"unconditional": "estimate"},
            "fill": {"missing": "estimate"},
        }

    @property
    def dtype(self):
        """Data type of the parameters."""
        return next(layers_of(self.net.params.encoder)).b.dtype.type

    @property
    def n_features_out(self):
        return len(list(layers_of(self.net.params.encoder))[-1].b)

    def _by_content(self, function, rows):
        layers = layers_of(self.net.params.encoder)
        widest = max(max(layer.W.shape) for layer in layers)

        def of_rows(v, rng):
            return function(self.joined(v), rng)

        return self.by_content(of_rows, rows, _ROWS // widest)

    def joined(self, v):
        """Rows, with a column for the label if a subclass has labels."""
        return v

    def parted(self, v):
        """Rows without a label."""
        return v

    def log_prob(self, X):
        """Log-likelihood of rows given reconstructions, averaged over corrupted
        copies."""
        rows, n_draws = self.read(X), self.n_draws()

        def of_rows(v, rng):
            total_log_p: Any = 0.0
            for draw in range(n_draws):
                x = self.corrupt(v, rng.fold(draw))
                total_log_p = total_log_p + self.log_rebuilt(v, x, rng.fold(draw))
            return total_log_p.astype(np.float64) / n_draws

        log_p = self._by_content(of_rows, rows)
        return log_p + self.domain.log_volume(self.columns, rows)

    def log_rebuilt(self, v, x, rng):
        """Log-likelihood of rows v given the reconstructions of inputs x."""
        return -self.output.nll(self.rebuild(x), v, self.net.params.dispersion)

    def errors(self, X, by, loss):
        """Reconstruction errors; see ``reconstruction_error`` of the estimator."""
        check_choice("by", by, ("row", "column"))
        check_choice("loss", loss, ("log", "squared"))

        def of_rows(v, _):
            x = self.completed(v)
            out = self.rebuild(x)
            if loss == "log":
                errors = -self.output.log_p(out, v, self.net.params.dispersion)
            else:
                squared_error = (self.output.expected(out) - x) ** 2
                n_inputs = self.output.n_inputs
                starts = np.cumsum(n_inputs) - n_inputs
                errors = np.add.reduceat(squared_error, starts, axis=1)
                errors = np.where(np.isnan(v), 0, errors)
            errors = errors.astype(np.float64)
            return errors.sum(axis=1) if by == "row" else self.parted(errors)

        return self._by_content(of_rows, self.read(X))

    def features(self, X):
        return self._by_content(lambda v, _: self._encode(v), self.read(X))

    def features_of(self, rows, index=None):
        """Codes of validated rows, all or those at an index."""
        return by_blocks(self._encode, rows, index=index, lists=False)

    def completed(self, v):
        """Inputs for rows v; missing entries get the means of their columns."""
        return self.output.inputs(v, self.corrupt.share)

    def inverse(self, H):
        H = self.checked(H, self.dtype)
        with one_blas_thread():
            v = self.parted(self.output.mean(self.coder.decode(self.net, H)))
        return self.decoded(self.domain.to_data(self.columns, v))

    def sample(self, n_samples, random_state=None, **options):
        """Draw rows by chains of corruption and reconstruction."""
        (v,) = self._run_chains(_values, n_samples, random_state, **options)
        return self.decoded(self.domain.to_data(self.columns, v))

    def trace(self, n_samples, random_state=None, **options):
        """Draw rows as :meth:`sample` does, with categories as codes, and return them
        and their log-likelihoods given the last outputs, in nats."""

        def look(state):
            out, v = state.out, state.x
            return self.parted(v), -self.output.nll(out, v, self.net.params.dispersion)

        v, trace = self._run_chains(look, n_samples, random_state, **options)
        return self.domain.to_data(self.columns, v), trace.astype(np.float64)

    def visible_fields(self, n_samples, rng, n_steps):
        """Conditional distribution of rows, like a visible layer, and its parameters:
        outputs after ``n_steps`` steps of each chain."""
        lengths = chain_lengths(n_samples, len(self.columns.seen), n_steps)
        (out,) = self._states(lambda state: (state.out,), lengths, rng)
        return Reconstructed(self), out

    def _run_chains(
        self,
        look,
        n_samples,
        random_state=None,
        *,
        init="noise",
        clamped=None,
        **lengths,
    ):
        """Run chains and apply ``look`` to their states; ``init`` and ``lengths`` as in
        ``sample``. All chains, or each of them, can be ``clamped`` to values."""
        lengths = chain_lengths(n_samples, len(self.columns.seen), **lengths)
        start = None
        if not isinstance(init, str):
            start = self.read(init).take(slice(None))
            start = self.joined(start[np.arange(lengths.n_chains) % len(start)])
        elif init != "noise":
            raise ValueError(f"init must be 'noise' or rows, not {init!r}.")
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        return self._states(look, lengths, rng, start, clamped)

    def _states(self, look, lengths, rng, start=None, clamped=None):
        """Run chains from the rows ``start``, or from noise, and concatenate the arrays
        that ``look(state)`` returns, chain after chain, each in the order of time."""
        n_chains, parts = lengths.n_chains, []
        rng = rng.rows(n_chains)
        with one_blas_thread():
            for batch in gen_batches(n_chains, max(1, _ROWS // self._width)):
                start_of, batch_clamped = self.first, clamped
                if start is not None:
                    start_of = partial(self._known, start[batch])
                if clamped is not None and len(clamped) > 1:
                    batch_clamped = clamped[batch]
                chain = self.chain(start_of, batch_clamped)
                parts.append(_run(chain, rng.take(batch), lengths, look))
        arrays = (np.concatenate(arrays_of) for arrays_of in zip(*parts))
        return [x.reshape((-1, *x.shape[2:]))[: lengths.n_rows] for x in arrays]

    def chain(self, start, clamped=None):
        """Chain of corruption and reconstruction from rows ``start(rng)``; entries of
        ``clamped`` rows that are not NaN stay fixed."""
        return CorruptionChain(
            self.advance,
            self.corrupt,
            output=self.output,
            dispersion=self.net.params.dispersion,
            start=start,
            clamped=clamped,
            limit=self.limit,
        )

    @property
    def limit(self):
        """Largest magnitudes of drawn values in each column, or None."""
        return limits(self.columns)

    def advance(self, x, hidden, rng):
        """Outputs for inputs x, and no hidden layers."""
        return self.rebuild(x), ()

    def first(self, rng):
        """Draw rows of independent columns, one for each stream."""
        out = self.output.start(self.corrupt.share).astype(self.dtype)
        out_rows = np.repeat(out[None], len(rng.ids), axis=0)
        return self.output.draw(out_rows, rng.fold(_START), self.net.params.dispersion)

    def _known(self, v, rng):
        """Rows v with missing entries drawn as in :meth:`first`."""
        return np.where(np.isnan(v), self.first(rng), v)

    @property
    def _width(self):
        return max(self.n_features_out, int(self.output.n_outputs.sum()))

    def fill(self, X, method="mean", random_state=None, *, n_steps=100):
        """Impute missing entries by chains with clamped observed entries."""
        n_steps, model = count(n_steps, "n_steps"), copy(self)
        if getattr(self.columns, "gaps", None) is not None:
            # Imputed entries must not be missing.
            model.output = self.output.present()

        def filled(block):
            def make(arrays):
                return model.chain(model.first, arrays[0])

            rows, width = [self.joined(block.v)], self._width
            x = impute_by_chains(make, rows, block.rng, n_steps, method, width)
            return self.parted(x if method == "sample" else model.output.value(x))

        X_filled = fill(
            self, self.with_missing_columns(X), method, random_state, filled
        )
        return self.decoded(X_filled, X)

    def _encode(self, v):
        return self.coder.encode(astype(self.net, v.dtype), self.completed(v))

    def rebuild(self, x):
        """Outputs for inputs x, (n_rows, n_outputs)."""
        return self.coder.rebuilt(astype(self.net, x.dtype), x)


def _values(state):
    return (state.x,)


def _run(chain, rng, lengths, look):
    """Run chains and collect the arrays of ``look``, (n_chains, n_kept, ...)."""
    state, looked = chain.init(rng), []
    for step in range(lengths.burn_in + lengths.n_kept * lengths.thin):
        state, _ = chain.step(rng.fold(_STEPS, step), state)
        done = step + 1 - lengths.burn_in
        if done > 0 and done % lengths.thin == 0:
            looked.append(look(state))
    return [np.stack(arrays, axis=1) for arrays in zip(*looked)]


class Reconstructed(NamedTuple):
    """Distribution of rows given outputs, with the methods of a visible unit that
    :func:`~skdgm.metrics.csl_log_likelihood` calls."""

    density: ReconstructionDensity

    def log_partition(self, out):
        """Zeros, (n_fields,)."""
        return np.zeros(len(out))

    def log_evidence(self, out, v, held):
        """Log-likelihood of the ``held`` entries of each row given each row of outputs,
        (n_rows, n_fields), in float64."""
        density, log_p = self.density, np.empty((len(v), len(out)))
        rows = density.joined(np.where(held, v, np.nan).astype(v.dtype))
        for k, row in enumerate(rows):
            log_p[k] = -density.output.nll(
                out, row[None], density.net.params.dispersion
            )
        return log_p
