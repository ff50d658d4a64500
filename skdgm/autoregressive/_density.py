"""Density of an autoregressive model, and its objective, the log-likelihood.

The density has log-likelihoods, samples and fillings of missing entries. The objective
is maximised by gradients, or in closed form if the model is normal. Where entries are
missing, a normal distribution is fitted by expectation maximisation [1]_: each step
takes the expected moments of complete rows, given the observed entries.

References
----------
.. [1] Dempster, Laird and Rubin (1977). Maximum likelihood from incomplete data via the
   EM algorithm. JRSS B.
.. [2] Chan, Golub and LeVeque (1983). Algorithms for computing the sample variance.
   The American Statistician.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from skdgm.autoregressive._linear_chain import given_seen, patterns
from skdgm.base import Density
from skdgm.data import fill, has_grey, tell_unknown
from skdgm.exceptions import DataRangeWarning
from skdgm.nets import NetObjective, NetState
from skdgm.optim import piecewise
from skdgm.utils.callers import warn
from skdgm.utils.counts import count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import astype, leaves

METHODS = "mean", "mode", "sample"
# Rows drawn at a time.
_AT_ONCE = 1000
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**18


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
        return found + self.domain.log_entries(self.columns, rows)

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


class ChainObjective(NetObjective):
    """Negative log-likelihood of rows by a model's conditionals.

    Parameters
    ----------
    model : Chains or Orderless
        Defines ``init(rng, dtype)``, which draws parameters; ``prepare(params, v, rng,
        number)``, the rows in the form to be learned in the update of a number;
        ``losses(params, prepared)``, the negative log-likelihood of each row, made of
        differentiable functions; and ``watched(params, v, rng)``, without gradients.
    recipe, rows, seed, epochs_before, independent
        As of :class:`~skdgm.nets.NetObjective`.
    """

    def __init__(self, model, *given):
        super().__init__(*given)
        self.model = model

    def init(self, rng):
        """Initial parameters, which reproduce the frequencies of values only."""
        return self.model.init(rng, self.rows.dtype), ()

    def prepare(self, state, batch, clock):
        """Rows in the form to be learned."""
        number = (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch
        given = state.params, self.rows.take(batch), self.stream(clock), number
        return self.model.prepare(*given)

    def forward(self, params, given):
        """Negative log-likelihood of each row."""
        return self.model.losses(params, given), ()

    def losses(self, state, index, rng):
        """Negative log-likelihood of the rows at an index, in float64."""
        found, size = np.empty(len(index)), max(1, ROOM // self.model.width)
        for block in gen_batches(len(index), size):
            v = self.rows.take(index[block])
            found[block] = self.model.watched(state.learned, v, rng.take(block))
        return found


class Moments(NamedTuple):
    """Moments of complete rows.

    Parameters
    ----------
    weight : ndarray of shape (1,)
        Sum of the rows' weights.
    mean : ndarray of shape (n_columns,)
    covariance : ndarray of shape (n_columns, n_columns)
        Without Bessel's correction.
    """

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    def with_others(self, others):
        """Moments of the union of two sets of rows [2]_."""
        total = self.weight + others.weight
        share, gap = others.weight / total, others.mean - self.mean
        between = share * (1 - share) * np.outer(gap, gap)
        within = self.covariance + share * (others.covariance - self.covariance)
        return Moments(total, self.mean + share * gap, within + between)


class NormalObjective(ChainObjective):
    """Log-likelihood of a normal distribution, maximised by one step an epoch.

    The optimiser state is the moments of all rows of the last fit and of each pass
    since. The penalty is divided among all of them.
    """

    def start(self):
        """Initial state: independent standardised columns, no rows."""
        return NetState(self.model.init(None, self.rows.dtype), self._nothing)

    def resume(self, state):
        """State to continue from; unchanged."""
        return state

    def draw(self, table, number):
        """Batches of an epoch: a single one, of all distinct rows and their weights."""
        return [(table.index, table.weight)]

    def step(self, state, batch, clock):
        """One step of expectation maximisation; exact without missing entries.

        Parameters
        ----------
        state : NetState
        batch : (ndarray of int, ndarray)
            Row numbers and their weights.
        clock : Clock
            Its ``n_epochs`` is None in ``partial_fit``.

        Returns
        -------
        state : NetState
        """
        moments = self._expected(state.params, *batch)
        if clock.n_epochs is None:
            # A pass of partial_fit brings more rows; epochs of a fit repeat the same.
            moments = state.optimiser.with_others(moments)
        penalty = piecewise(self.recipe.alpha, clock) / moments.weight[0]
        params = []
        for member in self.model.members:
            own = np.ix_(member.order, member.order)
            fitted = moments.mean[member.order], moments.covariance[own], penalty
            params.append(member.solved(*fitted, self.rows.dtype))
        return NetState(tuple(params), moments)

    @property
    def _nothing(self):
        """Moments of no rows."""
        n = self.rows.shape[1]
        return Moments(np.zeros(1), np.zeros(n), np.zeros((n, n)))

    def _expected(self, params, index, weight):
        """Expected moments of rows, given their observed entries."""
        member, joint, found = self.model.members[0], None, self._nothing
        for block in self.rows.blocks(len(index)):
            v, w = self.rows.take(index[block]).astype(np.float64), weight[block]
            spread = 0.0
            if np.isnan(v).any():
                joint = joint or member.moments(member.placed(params[0]))
                v, spread = self._completed(v, w, *joint)
            total = w.sum()
            mean = w @ v / total
            gap = v - mean
            covariance = ((gap * w[:, None]).T @ gap + spread) / total
            found = found.with_others(Moments(np.full(1, total), mean, covariance))
        return found

    def _completed(self, v, weight, mean, covariance):
        """Rows with missing entries at their means, and their summed covariances."""
        place, v = self.model.members[0].place, v.copy()
        mean, covariance = mean[place], covariance[np.ix_(place, place)]
        more = np.zeros_like(covariance)
        for rows, missing in patterns(v):
            if missing.any():
                center, spread, _ = given_seen(mean, covariance, v[rows], missing)
                v[np.ix_(rows, missing)] = center
                more[np.ix_(missing, missing)] += weight[rows].sum() * spread
        return v, more
