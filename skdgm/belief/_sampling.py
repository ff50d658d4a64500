"""Sampling from deep belief networks: Gibbs steps at the top, then a downward pass."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdgm.belief._directed import ascent, descent
from skdgm.boltzmann._sampling import ImputeMixin
from skdgm.samplers import gibbs
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread

# Tag of a step's random stream for the top-level machine; others are of the layers.
_TOP = 2


class SamplingMixin(ImputeMixin):
    """Mixin with ``sample`` and ``impute``, for a stack with ``_directed()``."""

    def sample(
        self,
        n_samples=1,
        random_state=None,
        *,
        init="chains",
        n_steps=100,
        burn_in=0,
        thin=None,
    ):
        r"""Draw rows from the model.

        Gibbs steps in the top-level machine, then one downward pass through the
        directed layers.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
        init : {"chains", "noise"} or array-like of shape (n, n_features), \
                default="chains"
            Start of the top-level machine's chains. "chains": the states of the
            training chains. "noise": independent random values (fair bits; standard
            normal numbers if a single layer has real columns). Rows: draws of its
            visible units from the recognition distribution, given these rows. With more
            chains than starts, starts are reused in turn.
        n_steps : int, default=100
            Number of Gibbs steps of each chain after ``burn_in``.
        burn_in : int, default=0
            Number of Gibbs steps before these.
        thin : int, default=None
            Keep every ``thin``-th state of a chain; there are then as many chains as
            needed. By default a chain gives one row, from its last state.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Chain after chain, each in order of time.

        Raises
        ------
        ValueError
            A number is too low, ``thin`` is more than ``n_steps``, or ``init`` is
            unknown or not as wide as the model.
        """
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        return self._sample(n_samples, random_state, **options)

    def _sample(self, n_samples, random_state, *, init, **options):
        check_is_fitted(self)
        seed, init = self._at_the_top(random_state, init)
        x = self.layers_[-1].sample(n_samples, seed, init=init, **options)
        return self._down_from(x, seed)

    def _trace(self, n_samples, random_state, *, init, **options):
        """Rows as in ``sample``, and free energies of the top-level chains."""
        seed, init = self._at_the_top(random_state, init)
        x, trace = self.layers_[-1]._trace(n_samples, seed, init=init, **options)
        return self._down_from(x, seed), trace

    def _at_the_top(self, random_state, init):
        """Seed, and the start of the top-level machine's chains."""
        seed = check_random_state(random_state).randint(MAX_SEED)
        if len(self.layers_) > 1 and not isinstance(init, str):
            init = self._recognised(init, stream(seed))
        return seed, init

    def _down_from(self, x, seed):
        """Rows of data drawn given the top-level machine's visible units."""
        layers = self._directed()
        if not layers:
            return x
        with one_blas_thread():
            states, _ = descent(layers, x, stream(seed).rows(len(x)))
        return self._domain.to_data(self._columns, np.asarray(states[0]))

    def _recognised(self, X, rng):
        """Draw the top-level machine's visible units from Q, given data."""
        layers, rows = self._directed(), self._rows(X)
        rng, parts = rng.rows(rows.shape[0]), []
        with one_blas_thread():
            for part in rows.blocks():
                x, _ = layers[0].means(*self.layers_[0]._present(rows.take(part)))
                parts.append(np.asarray(ascent(layers, x, rng.take(part))[-1]))
        return np.concatenate(parts)

    def _filled(self, v, rng, n_steps, method):
        """Fill the missing entries of rows; one random stream for each row.

        A step is an upward pass, a Gibbs step in the top-level machine and a downward
        pass.
        """
        layers, top = self._directed(), self.layers_[-1]
        if not layers:
            return top._filled(v, rng, n_steps, method)
        energy, params, clamped = top._energy(), top._params(), ~np.isnan(v)
        x, _ = layers[0].means(*self.layers_[0]._present(v))
        total = 0.0
        for number in range(n_steps):
            own = rng.fold(number)
            state = top._chains_from(ascent(layers, x, own)[-1], own)
            run = own.fold(_TOP), energy, params, state, 1
            state, _ = gibbs.run(*run, colours=energy.backwards)
            states, mean = descent(layers, state.x[0], own)
            x, total = np.where(clamped, v, np.asarray(states[0])), total + mean
        return x if method == "sample" else np.where(clamped, v, total / n_steps)
