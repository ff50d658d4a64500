r"""Training of encoders and decoders by stochastic gradient ascent on a bound.

.. math:: \mathcal{L} = \tfrac1K \sum_k \log p(x \mid z_k) - \beta \,
   \log \frac{q(z_k \mid x)}{p(z_k)}, \qquad
   \mathcal{L}_K = \log \tfrac1K \sum_k p(x \mid z_k) \,
   \Bigl(\frac{p(z_k)}{q(z_k \mid x)}\Bigr)^\beta

for draws :math:`z_k \sim q(z \mid x)`: the evidence lower bound [1]_, in which the
highest layer's log ratio is replaced by its expectation, and the importance weighted
bound [2]_. During warm-up, :math:`\beta` rises from 0 [3]_.

References
----------
.. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
.. [3] Bowman, Vilnis, Vinyals, Dai, Jozefowicz and Bengio (2016). Generating sentences
   from a continuous space. CoNLL.
"""

from typing import NamedTuple

import numpy as np

from skdgm.autoencoder._hierarchy import Memory, Params
from skdgm.nets import listed, log_mean_exp, optimiser_for, row_mean, update, vjp
from skdgm.training import epoch
from skdgm.utils.purposes import INIT, SHUFFLE, STEP
from skdgm.utils.random import stream

_NOISE, _DROP, _GREY = range(3)
# Default number of draws for each row, if they are weighted.
_WEIGHTED = 5


class State(NamedTuple):
    """Training state.

    Parameters
    ----------
    params : Params
    memory : Memory
        State of the nets.
    optimiser : tuple
        Optimiser state.
    """

    params: Params
    memory: Memory
    optimiser: tuple

    @property
    def learned(self):
        """Parameters to use: the current ones."""
        return self.params


def objective(log_p, gap, beta, weighted):
    """Value to be maximised, for each row.

    Parameters
    ----------
    log_p : ndarray of shape (n_rows, n_draws)
        log p(x | z) of each draw.
    gap : ndarray of shape (n_rows, n_draws) or (n_rows, 1)
        log q(z | x) - log p(z) of each draw, or its expectation.
    beta : float
    weighted : bool
        Whether draws are weighted by their importance.

    Returns
    -------
    bound : ndarray of shape (n_rows,)
    """
    if weighted:
        return log_mean_exp(log_p - beta * gap)
    return row_mean(log_p) - beta * row_mean(gap)


class Trainer:
    """Trainer of encoders and decoders by mini-batches.

    Parameters
    ----------
    hierarchy : Hierarchy
    domain : Bits, Reals or Categories
    recipe : object
        Has an estimator's parameters as attributes.
    rows : Rows
    columns : tuple
        Statistics of the columns.
    seed : int
    epochs_before : int
        Epochs done before this run, so that no run repeats another's random numbers.
    """

    def __init__(self, hierarchy, domain, recipe, rows, columns, seed, epochs_before):
        self.hierarchy, self.domain, self.recipe = hierarchy, domain, recipe
        self.rows, self.columns, self.seed = rows, columns, seed
        self.epochs_before = epochs_before
        self.weighted = recipe.objective == "iwae"
        self.n_each = recipe.n_importance or (_WEIGHTED if self.weighted else 1)

    def start(self, dtype):
        """Initial state, whose outputs are the means of columns.

        Parameters
        ----------
        dtype : type

        Returns
        -------
        state : State
        """
        rng = stream(self.seed, INIT).generator()
        out, own = self.domain.start(self.columns, dtype)
        params, memory = self.hierarchy.init(rng, out, own, dtype)
        return State(params, memory, optimiser_for(self.recipe, params))

    def resume(self, state):
        """State to continue from; optimiser state is kept if the solver is the same."""
        optimiser = optimiser_for(self.recipe, state.params, state.optimiser)
        return state._replace(optimiser=optimiser)

    def draw(self, table, number):
        """Batches of an epoch.

        Parameters
        ----------
        table : Table
        number : int
            Number of the epoch in this run.

        Returns
        -------
        batches : list of ndarray of int
            Row numbers.
        """
        rng = stream(self.seed, SHUFFLE, self.epochs_before + number)
        return epoch(table, self.recipe.batch_size, rng)

    def step(self, state, batch, clock):
        """One update from a batch of rows.

        Parameters
        ----------
        state : State
            Its parameters and optimiser state are changed in place.
        batch : ndarray of int
            Row numbers.
        clock : object
            Position in the run: epoch, batch, and epochs done.

        Returns
        -------
        state : State
            With the updated state of the nets.
        """
        recipe, v = self.recipe, self.rows.take(batch)
        rng = stream(self.seed, STEP, self.epochs_before + clock.epoch, clock.batch)
        if recipe.resample:
            v = self.domain.resampled(v, rng.fold(_GREY).rows(len(v)))
        generator, n_each = rng.fold(_NOISE).generator(), self.n_each
        after = None

        def noise(level, stats):
            shape = len(v) * n_each, self.hierarchy.n_latent[level]
            return generator.standard_normal(shape, v.dtype)

        def bound(params):
            nonlocal after
            given = state.memory, v, noise, rng.fold(_DROP), True
            found, after = self.terms(params, *given)
            return objective(*found, self.beta(clock), self.weighted)

        share = 1 / len(v)
        _, grads = vjp(bound, state.params, lambda b: np.full_like(b, share))
        update(recipe, state, grads, clock, len(v))
        return state._replace(memory=after)

    def beta(self, clock):
        """Weight of the gap at present: beta, rising linearly from 0 during warm-up."""
        if not self.recipe.warm_up:
            return self.recipe.beta
        done = self.epochs_before + clock.epochs_done
        return self.recipe.beta * min(1.0, done / self.recipe.warm_up)

    def terms(self, params, memory, v, noise, rng=None, train=False):
        """Log-likelihoods and gaps of draws, and the updated state of the nets.

        Parameters
        ----------
        params : Params
        memory : Memory
        v : ndarray of shape (n_rows, n_columns)
        noise : callable
            Source of noise, as :meth:`Hierarchy.through` takes it.
        rng : Stream, optional
            For dropout.
        train : bool, default=False

        Returns
        -------
        terms : list of ndarray of shape (n_rows, n_draws)
            log p(x | z), and log q(z | x) - log p(z) or its expectation, of shape
            (n_rows, 1).
        memory : Memory
        """
        x, n_rows = listed(self.domain.inputs(self.columns, v)), len(v)
        found = self.hierarchy.through(
            params, memory, x, noise, exact=not self.weighted, rng=rng, train=train
        )
        loss = self.domain.loss(self.columns, found.out, params.own, v)
        terms = [part.reshape((n_rows, -1)) for part in (-loss, found.gap)]
        return terms, found.memory
