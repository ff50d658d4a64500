"""Samples of layered Boltzmann machines, free or with clamped entries."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.data import fill
from skdgm.inference import mean_field
from skdgm.samplers import gibbs
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread


class ImputeMixin:
    """Imputation, for a :class:`~skdgm.boltzmann._machine.TabularModel` with
    ``_filled(v, rng, n_steps, method)``."""

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries, given the others of their row.

        A chain of Gibbs steps with the observed entries clamped starts at the
        mean-field solution.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" fills in means (probabilities, where units are binary), averaged over
            the chain, the same at each call; "sample" fills in the chain's last state.
        n_steps : int, default=100
            Number of Gibbs steps.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged.

        Raises
        ------
        TypeError
            ``n_steps`` is not a whole number.
        ValueError
            ``method`` is unknown, or ``n_steps`` is less than 1.
        """
        check_is_fitted(self)
        n_steps = count(n_steps, "n_steps")

        def filled(v, rng):
            return self._filled(v, rng, n_steps, method)

        return fill(self, X, method, random_state, filled)


class SamplingMixin(ImputeMixin):
    """Samples, Gibbs steps and imputation, for an estimator with an energy.

    The estimator is a :class:`~skdgm.boltzmann._machine.Machine`, with ``_energy()``,
    ``_params()`` and ``_state()``.
    """

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
        """Draw rows from the model by blocked Gibbs sampling.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
        init : {"chains", "noise"} or array-like of shape (n, n_features), \
                default="chains"
            Start of the chains: the last states of the training chains (see
            ``chains_``); noise, which is fair coins, or standard normal numbers in
            standardised real columns; or given rows. If there are more chains than
            starts, these are used in turn.
        n_steps : int, default=100
            Number of Gibbs steps of each chain after ``burn_in``.
        burn_in : int, default=0
            Number of Gibbs steps before those.
        thin : int, default=None
            Keep every ``thin``-th state of a chain, and run as many chains as this
            takes. By default each chain gives one row, its last state.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Chain after chain, each in the order of time.

        Raises
        ------
        TypeError
            A number is not a whole number.
        ValueError
            A number is too low, ``thin`` is more than ``n_steps``, or ``init`` is
            unknown or not as wide as the model.
        """
        check_is_fitted(self)
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        return self._sample(n_samples, random_state, **options)

    def _sample(self, n_samples, random_state, **options):
        (v,) = self._along(_visible, n_samples, random_state, **options)
        return self._domain.to_data(self._columns, v)

    def _trace(self, n_samples, random_state, **options):
        """Rows as of ``sample``, and the free energies of the even layers, which alone
        determine how a chain goes on."""
        energy, params = self._energy(), self._params_for_chains()

        def look(state):
            return *_visible(state), -energy.log_marginal(params, state.x)

        v, trace = self._along(look, n_samples, random_state, **options)
        return self._domain.to_data(self._columns, v), trace

    def _along(
        self,
        look,
        n_samples,
        random_state,
        *,
        init,
        n_steps,
        burn_in=0,
        thin=None,
        clamping=None,
    ):
        """Arrays that ``look(state)`` sees along chains, in the order of ``sample``."""
        n_samples = count_rows(n_samples, self.n_features_in_)
        n_steps, burn_in = count(n_steps, "n_steps"), count(burn_in, "burn_in", 0)
        thin = n_steps if thin is None else count(thin, "thin", 1, n_steps)
        per_chain = n_steps // thin
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        with one_blas_thread():
            n_chains = -(-n_samples // per_chain)
            state = self._chain_starts(init, n_chains, rng)
            params, fixed = self._params_for_chains(), {}
            if clamping is not None:
                state, fixed["clamp"] = clamping(state)
            if burn_in:
                state = self._gibbs(params, rng.fold(0), state, burn_in, **fixed)
            seen = []
            for number in range(per_chain):
                own = rng.fold(1 + number)
                state = self._gibbs(params, own, state, thin, **fixed)
                seen.append(look(state))
        chains = (np.stack(parts, axis=1) for parts in zip(*seen))
        return [part.reshape(-1, *part.shape[2:])[:n_samples] for part in chains]

    def gibbs(self, v):
        """Take one step of Gibbs sampling.

        Parameters
        ----------
        v : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible values to start from.

        Returns
        -------
        v_new : ndarray of shape (n_samples, n_features)
            Different values at each call, since ``random_state`` advances. Binary
            columns are of type bool.
        """
        check_is_fitted(self)
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        sample = self.sample(_num_samples(v), self.random_state_, init=v, n_steps=1)
        return sample.astype(self._domain.sample_type or sample.dtype)

    def _filled(self, v, rng, n_steps, method):
        """Rows with their missing entries filled; one stream for each row."""
        energy, params = self._energy(), self._params()
        x, clamp = self._present(v)
        means, _ = mean_field(energy, params, x, clamp)
        state, total = gibbs.State(means), 0.0
        for number in range(n_steps):
            step = rng.fold(number)
            state, info = gibbs.step(
                step, energy, params, state, colours=energy.backwards, clamp=clamp
            )
            total = total + info.means[0]
        filled = np.asarray(state.x[0]) if method == "sample" else total / n_steps
        return np.where(clamp[0], v, filled)

    def _gibbs(self, params, rng, state, n_steps, **options):
        """Run chains for some steps, each from the visible units up and down again."""
        rows, energy = rng.rows(len(state.x[0])), self._energy()
        options["colours"] = energy.backwards
        return gibbs.run(rows, energy, params, state, n_steps, **options)[0]

    def _chains_from(self, v, rng):
        """Chains that start at visible values; one stream for each row."""
        return gibbs.State(self._present(v)[0])

    def _cold_chains(self):
        """Last states of the training chains at the model's own temperature."""
        return tuple(part[: len(self.chains_)] for part in self._state().chains)

    def _chain_starts(self, init, n_chains, rng):
        """Initial states of chains, for each value of ``sample``'s ``init``."""
        if not isinstance(init, str):
            rows = self._rows(init)
            v = rows.present(np.arange(n_chains) % rows.shape[0])
            return self._chains_from(v, rng.rows(n_chains))
        if init == "chains":
            chains = self._cold_chains()
            turn = np.arange(n_chains) % len(chains[0])
            units = self._energy().units
            packed = (unit.pack(part[turn]) for unit, part in zip(units, chains))
            return gibbs.State(tuple(packed))
        if init == "noise":
            dtype = self._params().dtype.type
            rng = rng.rows(n_chains)
            return self._chains_from(self._domain.noise(self, rng, dtype), rng)
        raise ValueError(f"init must be 'chains', 'noise' or rows, not {init!r}.")


def _visible(state):
    """Visible units of chains."""
    return (np.asarray(state.x[0]),)
