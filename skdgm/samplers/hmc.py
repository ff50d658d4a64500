r"""Hamiltonian Monte Carlo of real units.

With a momentum p in addition to the real numbers v,
:math:`H(v, p) = U(v) + \tfrac12 \lvert p \rvert^2` is nearly constant along leapfrog
steps

.. math:: p \leftarrow p - \tfrac{\epsilon}{2} \nabla U(v), \qquad
   v \leftarrow v + \epsilon p, \qquad p \leftarrow p - \tfrac{\epsilon}{2} \nabla U(v),

which are reversible and preserve volumes: its error is of order :math:`\epsilon^2`. The
end point of the steps is accepted with probability :math:`\min(1, e^{H - H'})`, which
leaves the distribution invariant [1]_ [2]_. A single step is Langevin dynamics, with
that correction.

References
----------
.. [1] Duane, Kennedy, Pendleton and Roweth (1987). Hybrid Monte Carlo. Physics
   Letters B.
.. [2] Neal (2011). MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte
   Carlo.
"""

import numpy as np

from skdgm.exceptions import DivergenceError
from skdgm.samplers.gibbs import draws, sweep
from skdgm.samplers.sampler import Info, Sampler, State

# Purposes of random numbers.
_MOMENTUM, _CHOICE, _OTHERS = range(3)
# Error of the energy, in nats, beyond which a trajectory has diverged.
_DIVERGED = 1000.0
# Least change of the log of the size of steps for each unit of acceptance.
_GAIN = 0.05


class HMC(Sampler):
    """Trajectories of a real block, and draws of all others given it.

    Momenta are drawn again for each trajectory. The step size is also drawn, from a
    small interval around ``step_size``, so that no trajectory is a period of the
    dynamics.

    Parameters
    ----------
    potential : Potential
        Such as :class:`~skdgm.energies.Marginal`, of any energy with real units.
    step_size : float, default=0.1
        Size of leapfrog steps, in units of ``scale``; see :meth:`adapted`.
    n_leapfrog : int, default=20
        Leapfrog steps of a trajectory; 1 for Langevin dynamics.
    scale : float or ndarray of shape (size,), default=1.0
        Typical deviations of the real units.
    jitter : float, default=0.2
        Largest deviation of the size of steps, as a share of ``step_size``.
    clamp : tuple, optional
        Entries that stay as they are; see :func:`~skdgm.samplers.sweep`. None of the
        last colour of an energy, which is summed out.
    """

    def __init__(
        self,
        potential,
        *,
        step_size=0.1,
        n_leapfrog=20,
        scale=1.0,
        jitter=0.2,
        clamp=None,
    ):
        super().__init__(potential if potential.energy is None else potential.energy)
        self.potential, self.step_size = potential, step_size
        self.n_leapfrog, self.scale = n_leapfrog, scale
        self.jitter, self.clamp = jitter, clamp
        last = self.energy.colours[-1] if potential.energy is not None else ()
        if clamp is not None and any(clamp[block] is not None for block in last):
            raise ValueError("Blocks of the last colour are summed out: clamp none.")

    def step(self, rng, params, state, n_steps=1, first=0):
        """Make some trajectories, as :meth:`Sampler.step` says.

        Raises
        ------
        DivergenceError
            The energy errors of all chains are infinite at the same step.
        """
        x, means, total = state.x, None, np.zeros(len(state.x[0]))
        for number in range(first, first + n_steps):
            own = rng.fold(number)
            x, accepted, diverged = self._move(own, params, x, self.step_size)
            if diverged.all():
                raise DivergenceError(_message(len(diverged), self.step_size))
            x, means = self._others(own.fold(_OTHERS), params, x)
            total = total + accepted
        return State(x), Info(means, acceptance=total / n_steps)

    def adapted(self, rng, params, state, n_steps, first=0, target=0.9):
        """Adapt the size of steps while chains move, for a share ``target`` of accepted
        trajectories.

        The distribution is not left as it is meanwhile, only afterwards, with the size
        fixed.

        Parameters
        ----------
        rng, params, state, n_steps, first
            As for :meth:`step`.
        target : float, default=0.9

        Returns
        -------
        sampler : HMC
            With the geometric mean of the sizes of the second half of the steps.
        state : State

        Raises
        ------
        DivergenceError
            All chains diverged in the last step.
        """
        x, log_size, tail = state.x, np.log(self.step_size), []
        side, n_settling, diverged = None, 0, np.zeros(len(x[0]), dtype=bool)
        for number in range(n_steps):
            own = rng.fold(first + number)
            x, accepted, diverged = self._move(own, params, x, np.exp(log_size))
            x, _ = self._others(own.fold(_OTHERS), params, x)
            above = accepted.mean() > target
            side = above if side is None else side
            # By factors of two until the target is passed, then by smaller ones.
            if above == side and not n_settling:
                log_size += np.log(2) if side else -np.log(2)
            else:
                n_settling += 1
                gain = max(_GAIN, n_settling**-0.5)
                log_size += gain * (accepted.mean() - target)
            tail += [log_size] if 2 * number >= n_steps - 1 else []
        if diverged.all():
            raise DivergenceError(_message(len(diverged), np.exp(log_size)))
        return self.with_size(float(np.exp(np.mean(tail)))), State(x)

    def with_size(self, step_size):
        """The same sampler with steps of another size."""
        return HMC(
            self.potential,
            step_size=step_size,
            n_leapfrog=self.n_leapfrog,
            scale=self.scale,
            jitter=self.jitter,
            clamp=self.clamp,
        )

    def _move(self, rng, params, x, step_size):
        """State after a trajectory, and of each chain whether it was accepted and
        whether it diverged."""
        block, x = self.potential.block, list(x)
        v = np.asarray(x[block])
        clamped = None if self.clamp is None else self.clamp[block]
        if clamped is True:
            return tuple(x), np.ones(len(v)), np.zeros(len(v), dtype=bool)
        chance = rng.fold(_CHOICE).uniform(2)
        sizes = step_size * (1 + self.jitter * (2 * chance[:, 1:] - 1)) * self.scale
        if clamped is not None:
            sizes = np.where(clamped, 0, sizes)
        momentum = rng.fold(_MOMENTUM).normal(v.shape[1], v.dtype)
        momentum = momentum if clamped is None else np.where(clamped, 0, momentum)

        def value(v):
            return self.potential.value(params, (*x[:block], v, *x[block + 1 :]))

        with np.errstate(over="ignore", invalid="ignore"):
            sizes = sizes.astype(v.dtype)
            after, last, start, end = leapfrog(
                value, v, momentum, sizes, self.n_leapfrog
            )
            error = end - start + kinetic(last) - kinetic(momentum)
        if not np.isfinite(start).all():
            raise DivergenceError(
                f"{(~np.isfinite(start)).sum()} chains are at states without a finite "
                "energy: start again with a lower learning rate, because too large "
                "weights leave no density that can be normalised."
            )
        with np.errstate(divide="ignore"):
            accepted = np.log(chance[:, 0]) < -error
        x[block] = np.where(accepted[:, None], after, v)
        return tuple(x), accepted.astype(float), ~(error < _DIVERGED)

    def _others(self, rng, params, x):
        """All other blocks drawn given the real one, and the means of the last colour:
        first of it, which was summed out, then of all others, and again of it."""
        energy, block = self.potential.energy, self.potential.block
        if energy is None:
            return x, None
        clamp: list = [None] * len(x) if self.clamp is None else list(self.clamp)
        clamp[block], means = True, None
        colours = [len(energy.colours) - 1]
        if any(clamp[other] is not True for other in energy.rest()):
            colours += range(len(energy.colours))
        for number, colour in enumerate(colours):
            x, means = sweep(
                energy,
                params,
                x,
                draws(energy, rng.fold(number)),
                colours=(colour,),
                clamp=tuple(clamp),
                path=self.potential.path,
            )
        return x, means


def leapfrog(value, v, momentum, sizes, n_steps):
    """Follow Hamilton's equations.

    Parameters
    ----------
    value : callable
        ``value(v)`` returns the potential of each row, and its slope.
    v, momentum : ndarray of shape (n_rows, size)
    sizes : ndarray
        Size of steps, broadcast to the shape of v; 0 for entries that stay.
    n_steps : int

    Returns
    -------
    v, momentum : ndarray of shape (n_rows, size)
    start, end : ndarray of shape (n_rows,)
        Potentials.
    """
    start, slope = end, _ = value(v)
    half = sizes * sizes.dtype.type(0.5)
    for _ in range(n_steps):
        momentum = momentum - half * slope
        v = v + sizes * momentum
        end, slope = value(v)
        momentum = momentum - half * slope
    return v, momentum, start, end


def kinetic(momentum):
    """Kinetic energy of each row, in nats."""
    return 0.5 * np.square(momentum, dtype=float).sum(axis=1)


def _message(n, step_size):
    return (
        f"Hamiltonian steps diverged in all {n} chains: their energy changed by more "
        f"than {_DIVERGED:g} nats, or to NaN. Lower the size of steps, now "
        f"{step_size:.3g}, or the learning rate. If no size helps, the model has no "
        "density that can be normalised: weights are too large."
    )
