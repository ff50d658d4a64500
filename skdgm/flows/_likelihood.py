r"""Negative log-likelihood of a flow, the objective of its training.

.. math:: -\log p(x) = -\log p_z(z) - \log \left\lvert \det
   \frac{\partial z}{\partial x} \right\rvert, \qquad z = f(x)

Missing entries are drawn K times from q, their conditional distribution under the
initial parameters. The lower bound on the log-likelihood of the observed entries

.. math:: \mathbb{E}_q \log \frac1K \sum_k \frac{p(x^k)}{q(x^k)}

becomes tighter as K increases [1]_. Its gradient is the expected gradient of one draw,
which is resampled by weight.

References
----------
.. [1] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.flows.mixture import MAX_MIXTURE_COLUMNS, mixture_of, tails_of
from skdgm.flows.normal import fit_normal, initial_distribution
from skdgm.nets import NetObjective
from skdgm.nets.bases import normal_log_p
from skdgm.nets.layers import Net
from skdgm.nets.objective import NetOptions, NetWatch
from skdgm.nets.primitives import columns
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import mix64, stream
from skdgm.utils.rows import BLOCK_ENTRIES, View, slices
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

BASES = "normal", "mixture", "student"
# Random streams of missing entries, noise, and the choice among draws.
_MISSING, _NOISE, _CHOICE = 1, 2, 3
# Number of standard errors by which the held-out loss must improve on the initial loss.
_N_STANDARD_ERRORS = 2.0
# Number of draws of the missing entries of a row in an update.
_N_DRAWS = 8
# Random stream of the initial noise; maximum number of noise draws in total.
_START, _MAX_NOISE_DRAWS = addresses.FLOW_DRAWS, 20_000
# Largest number of activations of a layer for all rows of a batch.
MAX_ACTIVATIONS = 2**17


class FlowNet(NamedTuple):
    """Layers of a flow: the serial ``net``, the index of its whitening layer or None,
    and ``width``, the largest number of activations of a layer for one row."""

    net: Net
    whitening_index: int | None
    width: int


def with_attributes(rows, attributes):
    """:class:`View` of rows whose first columns are the inputs for their attributes."""
    n_rows, n_columns = rows.shape
    width = n_given(attributes) + n_columns

    def take(index):
        return with_inputs(attributes, rows.accompanying(index), rows.take(index))

    def blocks(n_rows):
        return slices(n_rows, BLOCK_ENTRIES // width)

    return View((n_rows, width), rows.dtype, rows.complete, take, blocks)


def with_noise(view, dequantization, table):
    """Table of dequantized rows of a :class:`View`. A row with a weight above 1 is
    repeated with several draws of noise, whose random streams depend on the hash of the
    row."""
    n_rows, n_draws = view.shape[0], _n_noise_draws(table.weight)
    hashes = np.zeros(n_rows, np.uint64)
    hashes[table.index] = table.hashes
    if not dequantization.noisy:
        n_draws = np.ones_like(n_draws)
    # The net of the noise is initially the identity, so the noise is uniform.
    uniform = dequantization._replace(net=None)

    def take(index):
        draw, row = np.divmod(index, n_rows)
        ids = mix64(hashes[row] + mix64(draw.astype(np.uint64)))
        return uniform.drawn(view.take(row), stream(0, _START).rows(ids), ())[0]

    first_copy = np.repeat(np.cumsum(n_draws) - n_draws, n_draws)
    draw = np.arange(n_draws.sum()) - first_copy
    return table._replace(
        rows=view._replace(take=take),
        index=np.repeat(table.index, n_draws) + n_rows * draw,
        weight=np.repeat(table.weight / n_draws, n_draws),
        hashes=np.repeat(table.hashes, n_draws),
    )


def n_given(attributes):
    """Number of inputs for attributes; 0 if ``attributes`` is None."""
    return 0 if attributes is None else int(attributes.sizes.sum())


def with_inputs(attributes, attribute_values, v):
    """Rows v whose first columns are the inputs for their numeric attributes."""
    if attributes is None:
        return v
    return np.concatenate([attributes.inputs(attribute_values, v.dtype), v], axis=1)


class FlowObjective(NetObjective[NetOptions]):
    """Negative log-likelihood of the rows of a table under a :class:`FlowNet`, perhaps
    conditional on ``attributes``. ``dequantization`` maps rows to the space of the
    flow, and ``base`` is one of ``BASES`` or "auto"."""

    def __init__(self, run, context, *, flow, dequantization, base, attributes, table):
        super().__init__(run, context.domain.loss_of_independent(context.columns))
        self.net, self.whitening_index, self.width = flow
        self.dequantization, self.base = dequantization, base
        self.n_given = n_given(attributes)
        self.conditioned_rows = with_attributes(self.rows, attributes)
        self.all_table = self.table = self._dequantized(table)
        self._normal = None

    @property
    def max_held_out_draws(self):
        """Number of draws for each held-out row."""
        return 1 if self.rows.complete else _N_DRAWS

    def _dequantized(self, table):
        """Table of rows in the space of the flow."""
        if self.dequantization.cells is None:
            return table._replace(rows=self.conditioned_rows)
        return with_noise(self.conditioned_rows, self.dequantization, table)

    def init(self, rng):
        """Initial parameters (of layers, base and noise net), under which rows are
        normal or a mixture of normals; and statistics of the layers, base and noise
        net."""
        _, n = self.conditioned_rows.shape
        _, params, statistics = self.net.init(rng, n, self.rows.dtype)
        with one_blas_thread():
            learned, fixed = self._initial_parameters(
                params, list(statistics), n - self.n_given
            )
        if self.dequantization.net is None:
            return learned, fixed
        n_inputs = n + int(self.dequantization.cells.whole.sum())
        _, params, statistics = self.dequantization.net.init(
            rng, n_inputs, self.rows.dtype
        )
        return (*learned, params), (*fixed, statistics)

    def _initial_parameters(self, params, statistics, n):
        """Parameters of the layers and a learned base, and statistics of the layers and
        a fixed base."""
        dtype, base, initial = self.rows.dtype, (), None
        if self.whitening_index is not None:
            initial = fit_normal(self.table, self.n_given)
            statistics[self.whitening_index] = initial.whitening(dtype, self.n_given)
        is_mixture, tails = self.base == "mixture", ()
        # A mixture fitted without the attributes is too wide given the attributes.
        try_mixture = self.base == "auto" and not self.n_given
        try_mixture = try_mixture and n <= MAX_MIXTURE_COLUMNS
        if initial is not None and (is_mixture or try_mixture):
            mixture = mixture_of(self.table, initial, self.n_given, certain=is_mixture)
            base = astype(mixture or (), dtype)
        if self.base == "student":
            tails = astype(tails_of(self.table, initial, self.n_given), dtype)
        if self.whitening_index:
            W = statistics[self.whitening_index].W[self.n_given :, self.n_given :]
            statistics[0] = _learning_rate_factors(W, base, tails)
        return (params, tails), (tuple(statistics), base)

    def split(self, table):
        """Split the table, and start training from a distribution of the training
        rows."""
        train, held_out = super().split(table)
        if self.dequantization.noisy:
            fraction = self.options.validation_fraction
            u = stream(self.seed, self.SPLIT).rows(table.hashes).uniform(1)[:, 0]
            split = _split_repetitions(table, fraction, u)
            train, held_out = split or (train, held_out)
        self.table = self._dequantized(train)
        return train, held_out

    def fallback_state(self, state):
        """State if no epoch improved on the initial state: in a first run, the initial
        state refitted to all rows."""
        if self.epochs_before:
            return state
        self.table = self.all_table
        return self.start()

    def completed(self, params, statistics, v, rng):
        """Rows v with missing entries drawn from the initial distribution and resampled
        by weight; and corrections, (n_rows,). The loss of the chosen draw plus its
        correction is minus the log of the mean importance weight."""
        incomplete = np.flatnonzero(np.isnan(v).any(axis=1))
        correction = np.zeros(len(v), v.dtype)
        if not len(incomplete):
            return v, correction
        if self._normal is None:
            self._normal = initial_distribution(statistics, self.whitening_index)
        rng, n_draws = rng.take(incomplete), _N_DRAWS
        conditional = self._normal.given(np.repeat(v[incomplete], n_draws, axis=0))
        drawn, log_q_drawn = conditional.completed(rng.each(n_draws))
        log_p = -loss_of(self.net, params, statistics, drawn, self.n_given)
        log_w = (log_p - log_q_drawn).reshape(-1, n_draws)
        chosen = (log_w + rng.fold(_CHOICE).gumbel(n_draws)).argmax(axis=1)
        chosen += n_draws * np.arange(len(incomplete))
        completed = v.copy()
        completed[incomplete] = drawn[chosen]
        correction[incomplete] = log_p[chosen] - log_mean_exp(log_w.T)[0]
        return completed, correction

    def prepare(self, state, batch, clock):
        """Completed rows, corrections of their losses, statistics, and for variational
        dequantization the rows and their random numbers, otherwise None."""
        rng, v = self.stream(clock).rows(len(batch)), self.conditioned_rows.take(batch)
        z, correction, log_w = self._drawn(state.params, state.statistics, v, rng)
        if self.dequantization.net is None:
            return z, correction - log_w, state.statistics, None
        noisy = v, self.dequantization.noise(v, rng.fold(_NOISE))
        return np.where(np.isnan(v), z, 0), correction, state.statistics, noisy

    def forward(self, params, prepared):
        z, correction, statistics, noisy = prepared
        if noisy is not None:
            v, noise = noisy
            placed, log_w = self.dequantization.by_net(
                v, noise, noise_of(params, statistics)
            )
            z, correction = z + placed, correction - log_w
        loss = loss_of(self.net, params, statistics, z, self.n_given)
        return loss + correction, statistics

    def _drawn(self, params, statistics, v, rng):
        """Completed rows in the space of the flow, corrections of their losses, and log
        importance weights of the noise."""
        noise = noise_of(params, statistics)
        z, log_w = self.dequantization.drawn(v, rng.fold(_NOISE), noise)
        z, correction = self.completed(params, statistics, z, rng.fold(_MISSING))
        return z, correction, np.asarray(log_w, v.dtype)

    def losses(self, state, index, rng):
        losses, params, statistics = (
            np.empty(len(index)),
            state.learned,
            state.statistics,
        )
        size = max(1, MAX_ACTIVATIONS // (self.max_held_out_draws * self.width))
        for batch in gen_batches(len(index), size):
            v = self.conditioned_rows.take(index[batch])
            z, correction, log_w = self._drawn(params, statistics, v, rng.take(batch))
            loss = loss_of(self.net, params, statistics, z, self.n_given)
            losses[batch] = loss + correction - log_w
        return losses

    def watch(self, table, held_out, state):
        return FlowWatch(self, table, held_out, state)


def _split_repetitions(table, fraction, u):
    """Split a table by uniform random numbers u of its rows, such that repetitions of a
    row, with different noise, may be on both sides; None if a side would be empty."""
    held_weight = np.minimum(np.floor(table.weight * fraction + u), table.weight)
    train, held_out = (
        table._replace(weight=weight).take(np.flatnonzero(weight))
        for weight in (table.weight - held_weight, held_weight)
    )
    if not (len(train.index) and len(held_out.index)):
        return None
    n_draws = _n_noise_draws(held_out.weight)
    held_out = held_out.take(np.repeat(np.arange(len(n_draws)), n_draws))
    return train, held_out._replace(
        weight=held_out.weight / np.repeat(n_draws, n_draws)
    )


def _n_noise_draws(weight):
    """Number of noise draws of each row, in proportion to its weight."""
    return np.ceil(weight).clip(1, max(1, _MAX_NOISE_DRAWS // len(weight))).astype(int)


def _learning_rate_factors(whitening, base, tails):
    """Factors of the learning rates of columns: smaller for columns that are almost
    determined by the others, and for narrow components or tails of the base."""
    size = np.linalg.norm(whitening, axis=1)
    divisor = np.maximum(1, np.sqrt(size))
    roots = [np.diag(np.exp(-tails.log_scale))] if tails else base.root if base else ()
    if len(roots):
        scale = np.max([np.linalg.norm(whitening @ R, axis=1) for R in roots], axis=0)
        divisor *= np.maximum(1, scale / size)
    return (1 / divisor).astype(whitening.dtype)


class FlowWatch(NetWatch):
    """Training and held-out losses after each epoch. The held-out loss is increased by
    two standard errors of its mean difference from the initial loss, so that early
    stopping prefers the initial state unless a later one is significantly better."""

    MEMORY = (*NetWatch.MEMORY, "initial_losses")
    initial_losses = None

    def __call__(self, state):
        loss, held_out = self.training_loss(state), self.held_out
        if held_out is None:
            return loss, None
        index, weight = held_out.index, held_out.weight / held_out.weight.sum()
        n = self.n_held_out_draws
        index, batches = np.tile(index, n), self.rows.blocks(n * len(index))
        losses = [self._losses(state, index[batch], batch) for batch in batches]
        losses = np.concatenate(losses).reshape(n, -1).mean(axis=0)
        if self.initial_losses is None:
            self.initial_losses = losses
        difference = losses - self.initial_losses
        error = np.sqrt(weight**2 @ (difference - weight @ difference) ** 2)
        return loss, float(weight @ losses + _N_STANDARD_ERRORS * error)

    def is_useless(self, loss):
        """Return whether a loss is clearly higher than the reference. Losses of few
        rows vary with the noise of levels, by up to about a nat for each column."""
        error = self.rows.shape[1] / np.sqrt(len(self.monitored))
        return super().is_useless(loss - error)


def loss_of(net, params, statistics, v, n_given=0):
    """Differentiable negative log-likelihood of rows, conditional on the first
    ``n_given`` columns."""
    z, log_det = net.log_det(params[0], statistics[0], v)
    z, base = columns(z, n_given, v.shape[1]), base_of(params, statistics)
    return -log_det - (base.log_p(z) if base else normal_log_p(z))


def noise_of(params, statistics):
    """Parameters and statistics of the net of variational noise; () without it."""
    return (params[2], statistics[2]) if len(params) > 2 else ()


def base_of(params, statistics):
    """Learned or fixed base distribution; () if it is standard normal."""
    return params[1] or statistics[1]
