r"""Hamiltonian Monte Carlo for real units.

With a momentum p for the real units v, the Hamiltonian :math:`H(v, p) = U(v) + \tfrac12
\lvert p \rvert^2` is nearly constant along leapfrog steps

.. math:: p \leftarrow p - \tfrac{\epsilon}{2} \nabla U(v), \qquad
   v \leftarrow v + \epsilon p, \qquad p \leftarrow p - \tfrac{\epsilon}{2} \nabla U(v),

which are reversible and preserve volume. The error of H is of order :math:`\epsilon^2`.
The end point is accepted with probability :math:`\min(1, e^{H - H'})`, which leaves the
distribution invariant [1]_ [2]_. With one leapfrog step the method is the
Metropolis-adjusted Langevin algorithm.

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

# Tags of random streams.
_MOMENTUM, _CHOICE, _OTHERS = range(3)
# Error of the energy, in nats, beyond which a trajectory has diverged.
_DIVERGED = 1000.0
# Minimum gain of log step size adaptation.
_GAIN = 0.05


class HMC(Sampler):
    """Hamiltonian Monte Carlo for a real block, with Gibbs updates of all other blocks.

    Momenta are drawn again for each trajectory. The step size is drawn from a small
    interval around ``step_size``, so that no trajectory has the length of a period of
    the dynamics.

    Parameters
    ----------
    potential : Potential
        For example :class:`~skdgm.energies.Marginal` of an energy with real units.
    step_size : float, default=0.1
        Size of leapfrog steps, in units of ``scale``; see :meth:`adapted`.
    n_leapfrog : int, default=20
        Number of leapfrog steps in a trajectory; 1 for Langevin dynamics.
    scale : float, ndarray of shape (size,) or (size, size), default=1.0
        Typical standard deviations of the real units; or a matrix S, where S S^T is
        their typical covariance.
    jitter : float, default=0.2
        Maximum relative deviation of the step size from ``step_size``.
    clamp : tuple, optional
        Entries that stay fixed; see :func:`~skdgm.samplers.sweep`. Blocks of the last
        color cannot be clamped, because they are summed out.
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
        if (
            clamp is not None
            and clamp[potential.block] is not None
            and np.ndim(scale) > 1
        ):
            raise ValueError("Entries cannot be clamped if the scale is a matrix.")
        last = self.energy.colors[-1] if potential.energy is not None else ()
        if clamp is not None and any(clamp[block] is not None for block in last):
            raise ValueError("Blocks of the last color are summed out: clamp none.")

    def step(self, rng, params, state, n_steps=1, first=0):
        """Simulate ``n_steps`` trajectories. DivergenceError if the energy errors of
        all chains are infinite at the same step."""
        x, means, total = state.x, None, np.zeros(len(state.x[0]))
        for number in range(first, first + n_steps):
            step_rng = rng.fold(number)
            x, accepted, diverged = self._move(step_rng, params, x, self.step_size)
            if diverged.all():
                raise DivergenceError(_message(len(diverged), self.step_size))
            x, means = self._others(step_rng.fold(_OTHERS), params, x)
            total = total + accepted
        return State(x), Info(means, acceptance=total / n_steps)

    def adapted(self, rng, params, state, n_steps, first=0, target=0.9):
        """Adapt the step size to a target acceptance rate while the chains move.

        Arguments are those of :meth:`step`. Returns a sampler with the geometric mean
        of the step sizes in the second half of the steps, and the state. The
        distribution is invariant only afterwards, when the step size is fixed.
        DivergenceError if all chains diverged in the last step.
        """
        x, log_size, late_log_sizes = state.x, np.log(self.step_size), []
        first_side, n_settling, diverged = None, 0, np.zeros(len(x[0]), dtype=bool)
        for number in range(n_steps):
            step_rng = rng.fold(first + number)
            x, accepted, diverged = self._move(step_rng, params, x, np.exp(log_size))
            x, _ = self._others(step_rng.fold(_OTHERS), params, x)
            is_above = accepted.mean() > target
            first_side = is_above if first_side is None else first_side
            # Factors of two until acceptance passes the target, then smaller factors.
            if is_above == first_side and not n_settling:
                log_size += np.log(2) if first_side else -np.log(2)
            else:
                n_settling += 1
                gain = max(_GAIN, n_settling**-0.5)
                log_size += gain * (accepted.mean() - target)
            late_log_sizes += [log_size] if 2 * number >= n_steps - 1 else []
        if diverged.all():
            raise DivergenceError(_message(len(diverged), np.exp(log_size)))
        return self.with_size(float(np.exp(np.mean(late_log_sizes)))), State(x)

    def with_size(self, step_size):
        """Copy of the sampler with another step size."""
        return HMC(
            self.potential,
            step_size=step_size,
            n_leapfrog=self.n_leapfrog,
            scale=self.scale,
            jitter=self.jitter,
            clamp=self.clamp,
        )

    def _move(self, rng, params, x, step_size):
        """State after a trajectory, and masks of accepted and diverged chains."""
        block, x = self.potential.block, list(x)
        v = np.asarray(x[block])
        clamped = None if self.clamp is None else self.clamp[block]
        if clamped is True:
            return tuple(x), np.ones(len(v)), np.zeros(len(v), dtype=bool)
        uniform = rng.fold(_CHOICE).uniform(2)
        sizes = step_size * (1 + self.jitter * (2 * uniform[:, 1:] - 1))
        root = np.asarray(self.scale, v.dtype) if np.ndim(self.scale) > 1 else None
        sizes = sizes * self.scale if root is None else sizes
        if clamped is not None:
            sizes = np.where(clamped, 0, sizes)
        momentum = rng.fold(_MOMENTUM).normal(v.shape[1], v.dtype)
        momentum = momentum if clamped is None else np.where(clamped, 0, momentum)

        def value(v):
            return self.potential.value(params, (*x[:block], v, *x[block + 1 :]))

        def slope(v):
            return self.potential.slope(params, (*x[:block], v, *x[block + 1 :]))

        start_v = v
        if root is not None:
            value, slope = _in_scale(value, slope, v, root)
            v = np.zeros_like(v)
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = sizes.astype(v.dtype)
            end_v, end_momentum, start, end = leapfrog(
                value, v, momentum, sizes, self.n_leapfrog, slope
            )
            error = end - start + kinetic(end_momentum) - kinetic(momentum)
        if root is not None:
            v, end_v = start_v, start_v + end_v @ root.T
        if not np.isfinite(start).all():
            raise DivergenceError(
                f"{(~np.isfinite(start)).sum()} chains are at states without a finite "
                "energy: start again with a lower learning rate, because too large "
                "weights leave no density that can be normalized."
            )
        with np.errstate(divide="ignore"):
            accepted = np.log(uniform[:, 0]) < -error
        x[block] = np.where(accepted[:, None], end_v, v)
        return tuple(x), accepted.astype(float), ~(error < _DIVERGED)

    def _others(self, rng, params, x):
        """Draw all other blocks given the real block.

        The last color, which was summed out, is drawn first. If other blocks are free,
        all colors follow. Returns the state and the means of the last update.
        """
        energy, block = self.potential.energy, self.potential.block
        if energy is None:
            return x, None
        clamp: list = [None] * len(x) if self.clamp is None else list(self.clamp)
        clamp[block], means = True, None
        colors = [len(energy.colors) - 1]
        if any(clamp[other] is not True for other in energy.rest()):
            colors += range(len(energy.colors))
        for number, color in enumerate(colors):
            x, means = sweep(
                energy,
                params,
                x,
                draws(energy, rng.fold(number)),
                colors=(color,),
                clamp=tuple(clamp),
                path=self.potential.path,
            )
        return x, means


def leapfrog(value, v, momentum, sizes, n_steps, slope=None):
    """Integrate Hamilton's equations by ``n_steps`` leapfrog steps, at least one.

    ``value(v)`` returns the potential of each row and its gradient, and ``slope(v)``,
    if given, the gradient alone. Step sizes broadcast to the shape of v, (n_rows,
    size), and are 0 for fixed entries. Returns v, the momentum, and the potential at
    the start and at the end, (n_rows,).
    """
    slope = slope or (lambda v: value(v)[1])
    start, gradient = value(v)
    half = sizes * sizes.dtype.type(0.5)
    for _ in range(n_steps - 1):
        momentum = momentum - half * gradient
        v = v + sizes * momentum
        gradient = slope(v)
        momentum = momentum - half * gradient
    momentum = momentum - half * gradient
    v = v + sizes * momentum
    end, gradient = value(v)
    return v, momentum - half * gradient, start, end


def _in_scale(value, slope, start, root):
    """``value`` and ``slope`` as functions of the rows v of start + v root^T."""

    def value_in_scale(v):
        energy, gradient = value(start + v @ root.T)
        return energy, gradient @ root

    def slope_in_scale(v):
        return slope(start + v @ root.T) @ root

    return value_in_scale, slope_in_scale


def kinetic(momentum):
    """Kinetic energy of each row, in nats."""
    return 0.5 * np.square(momentum, dtype=float).sum(axis=1)


def _message(n, step_size):
    return (
        f"Hamiltonian steps diverged in all {n} chains: their energy changed by more "
        f"than {_DIVERGED:g} nats, or to NaN. Lower the size of steps, now "
        f"{step_size:.3g}, or the learning rate. If no size helps, the model has no "
        "density that can be normalized: weights are too large."
    )
