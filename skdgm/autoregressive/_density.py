"""Density of an autoregressive model: log-likelihoods, samples, missing entries."""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.autoregressive._objective import ROOM
from skdgm.base import Density
from skdgm.data import fill, has_grey, tell_unknown
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.callers import warn
from skdgm.utils.counts import count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import astype, leaves

METHODS = "mean", "mode", "sample"
# Rows drawn at a time.
_AT_ONCE = 1000


class ChainDensity(Density):
    r"""Product of conditional distributions, or the mean of such products.

    .. math:: p(x) = \frac1K \sum_{k=1}^K \prod_t
        p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

    Parameters
    ----------
    name, read, domain, columns, seed
        As of :class:`~skdgm.base.Density`.
    model : Chains or Orderless
        Defines ``n_orders``; ``log_likelihood(params, v, order, rng)`` of rows and
        ``log_p(params, v, order, rng)`` of each entry in one order;
        ``sampled(params, v, rng)``, missing entries drawn in order, and
        ``fill(params, v, rng, method)``, given all others; ``features(params, v)``;
        and ``width``, the number of units of the widest layer.
    params : tuple
    grey : bool
        Whether the training rows were grey.
    """

    def __init__(self, name, read, domain, columns, seed, model, params, grey):
        super().__init__(name, read, domain, columns, seed)
        self.model, self.params, self.grey = model, params, grey

    @property
    def kind(self):
        """Meaning of :meth:`log_prob`: "exact" or "estimate"."""
        return "estimate" if self.grey else self.kind_of_bits

    @property
    def kind_of_bits(self):
        """Meaning of :meth:`log_prob` for rows that are not grey."""
        return "exact" if self.model.n_orders == 1 else "estimate"

    def log_prob(self, X):
        """Log-likelihood of each row, in nats."""

        def of_rows(params, v, rng):
            orders = range(self.model.n_orders)
            given = ((params, v, k, rng.fold(k)) for k in orders)
            found = [self.model.log_likelihood(*part) for part in given]
            return log_mean_exp(np.stack(found))[0]

        rows, found = self._of_rows(X, of_rows)
        self._warn_of_grey(rows)
        return found + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, given="before"):
        """Log-likelihood of each entry given those "before" it, or all "others"."""

        def of_rows(params, v, rng):
            if given == "others":
                return self.model.others(params, v)
            orders = range(self.model.n_orders)
            parts = (self.model.log_p(params, v, k, rng.fold(k)) for k in orders)
            return sum(parts) / self.model.n_orders

        rows, found = self._of_rows(X, of_rows)
        self._warn_of_grey(rows)
        return found + self._log_volumes(rows)

    def sample(self, n_samples, random_state=None):
        """Draw rows, each column given those before it."""
        n_columns = len(self.columns.seen)
        n_samples = count_rows(n_samples, n_columns)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, parts = stream(seed).rows(n_samples), []
        nothing = np.full((min(n_samples, _AT_ONCE), n_columns), np.nan)
        nothing = nothing.astype(leaves(self.params)[0].dtype)
        with one_blas_thread():
            for first in range(0, n_samples, _AT_ONCE):
                own = rng.take(slice(first, first + _AT_ONCE))
                given = self.params, nothing[: len(own.ids)], own
                parts.append(self.model.sampled(*given))
        v = np.concatenate(parts)
        return self._decoded(self.domain.to_data(self.columns, v))

    def fill(self, X, method="mean", random_state=None, n_samples=1):
        """Fill missing entries of ``n_samples`` copies of each row.

        ``method`` is "mean", "mode" or "sample".
        """
        n_samples = count_rows(n_samples, len(self.columns.seen))

        def filled(v, rng):
            return self.model.fill(self.params, v, rng, method)

        how = filled, METHODS, n_samples
        return self._decoded(fill(self, X, method, random_state, *how), X)

    def features(self, X):
        """Hidden units of each row, given the whole row."""
        rows, found = self._of_rows(X, lambda p, v, _: self.model.features(p, v))
        tell_unknown(self.name, X, rows)
        return found

    def _of_rows(self, X, function):
        """Validated rows, and a function of parameters, rows and streams."""
        rows = self.read(X)
        params = astype(self.params, rows.dtype)
        found = self.by_content(
            lambda v, rng: function(params, v, rng), rows, ROOM // self.model.width
        )
        return rows, found

    def _decoded(self, values, X=None):
        """Values in the form of the data given to ``fit``, or of X."""
        decode = getattr(self.domain, "presented", None)
        return values if decode is None else decode(self.columns, values, X)

    def _warn_of_grey(self, rows):
        if has_grey(rows, self.bits):
            warn(
                f"{self.name} got grey rows, with values between 0 and 1 in "
                "columns of bits: what it gives for these is no log-likelihood, and "
                "does not compare with other models. Use "
                "skdgm.metrics.average_over_draws(model, X), a mean over draws of "
                "their bits, or make bits with "
                "skdgm.preprocessing.BernoulliBinarizer first.",
                DataRangeWarning,
            )

    def _log_volumes(self, rows):
        """Log Jacobian of standardisation for each entry, to add to log densities."""
        shrunk = self.domain.log_measure(self.columns)
        if rows.complete:
            return shrunk
        parts = [~np.isnan(rows.take(block)) * shrunk for block in rows.blocks()]
        found = np.concatenate(parts)
        if rows.unknown is None:
            return found
        return np.where(rows.unknown, self.columns.log_room, found)
