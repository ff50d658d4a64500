"""Machines of which any two units may be linked: attributes and objective."""

import math
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from skdgm.boltzmann._density.connected import presented
from skdgm.boltzmann._learning.objective import PHASES, EnergyObjective
from skdgm.boltzmann._learning.phases import Phase
from skdgm.boltzmann._structure.layers import Layers
from skdgm.data.codes import Codes
from skdgm.energies import Connected, Params, colours_of
from skdgm.gradients import complete, pseudo_likelihood
from skdgm.gradients.steps import centering
from skdgm.samplers import gibbs
from skdgm.utils.tree import astype

# Gibbs steps that chains make in an epoch whose updates need none.
_STEPS = 10
_POSITIVE, _ALONG = 100, 101


class Graphical(Layers):
    """A block of visible units, and perhaps one of hidden ones."""

    option = "n_hidden"

    def sizes(self, options):
        """Number of hidden units that the options ask for, in a tuple."""
        return (options.n_hidden,)

    def learned_sizes(self, machine):
        """Number of hidden units of a fitted machine, in a tuple."""
        return (len(machine.coupling_) - len(machine.intercept_visible_),)

    def wired(self, visible, sizes, edges):
        """Energy of visible units and so many hidden ones, with a mask of links or
        None."""
        key = None if edges is None else edges.tobytes()
        return _energy(type(visible), visible, *sizes, key)

    def energy(self, machine, sizes=None):
        """Energy of a machine, as its options ask for it where ``sizes`` are given;
        else as learned."""
        visible = machine._domain.unit(machine, machine.n_features_in_)
        if sizes is None:
            sizes, edges = self.learned_sizes(machine), machine.edges_
        else:
            edges = edges_of(machine._options, machine.n_features_in_)
        return self.wired(visible, sizes, edges)

    def params(self, machine, dtype=None):
        """Parameters of a fitted machine; see :class:`Layers`."""
        J, b = machine.coupling_, machine.intercept_visible_
        n = len(b)
        if len(J) == n:
            return astype(Params((b,), (J,)), dtype)
        parts = map(np.ascontiguousarray, (J[:n, :n], J[:n, n:], J[n:, n:]))
        return astype(Params((b, machine.intercept_hidden_), tuple(parts)), dtype)

    def attributes(self, machine, state):
        """Fitted attributes of a training state."""
        energy = self.energy(machine, self.sizes(machine._options))
        found = super().attributes(machine, state)
        colours = energy.site_colours
        found["coupling_"] = energy.joined(state.params)[0].copy()
        found["edges_"] = edges_of(machine._options, machine.n_features_in_)
        return found | {"colours_": colours, "n_colours_": int(colours.max()) + 1}

    def named(self, units, couplings, visible, chains, labelled):
        """Fitted attributes of blocks, by name; see :class:`Layers`."""
        found = {"intercept_visible_": visible}
        if len(units) > 1:
            found |= {"intercept_hidden_": units[1], "h_samples_": chains[1]}
        return found

    def initial(self, machine):
        """Return None: initial parameters are those of the energy."""

    def check_options(self, options):
        """Raise ValueError for options that the parameters' types do not exclude."""
        if options.objective == "pseudo-likelihood" and options.n_hidden:
            raise ValueError(
                "objective='pseudo-likelihood' is for machines without hidden units, "
                f"whose conditional probabilities are known; n_hidden="
                f"{options.n_hidden}. Use objective='likelihood'."
            )

    def check_unchanged(self, machine):
        """Raise ValueError where the options do not fit the learned machine."""
        super().check_unchanged(machine)
        asked = machine._options
        if isinstance(machine._columns, Codes) != (asked.column_types != "bernoulli"):
            raise ValueError(
                f"column_types={asked.column_types!r}, but columns of the other kind "
                "were learned before: keep it, or fit with warm_start=False."
            )
        edges = edges_of(asked, machine.n_features_in_)
        if not np.array_equal(edges, machine.edges_):
            raise ValueError(
                "edges are not those that were learned before: keep them, or fit with "
                "warm_start=False."
            )


GRAPHICAL = Graphical()


def edges_of(options, n_columns):
    """Mask of links that options ask for, (n_sites, n_sites), or None for all.

    Raises
    ------
    ValueError
        It is not of numbers, not square, not symmetric, or not of one row for each
        unit; or needs more colours than allowed.
    """
    n_sites, edges = n_columns + options.n_hidden, None
    if options.edges is not None:
        given = options.edges
        given = given.toarray() if sp.issparse(given) else given
        try:
            edges = check_array(given, dtype=None, input_name="edges")
        except (TypeError, ValueError) as error:
            raise ValueError(f"edges must be a matrix of numbers: {error}") from error
        if edges.dtype.kind not in "biuf":
            raise ValueError(
                "edges must be a matrix of numbers or bools, of which 0 is no link; "
                f"their dtype is {edges.dtype}."
            )
        if edges.shape != (n_sites, n_sites):
            raise ValueError(
                f"edges must have a row and a column for each of the {n_sites} units "
                f"({n_columns} columns and {options.n_hidden} hidden ones); their "
                f"shape is {edges.shape}."
            )
        edges = (edges != 0) & ~np.eye(n_sites, dtype=bool)
        if not (edges == edges.T).all():
            raise ValueError("edges must be symmetric: i is linked with j as j with i.")
    n_colours = n_sites
    if edges is not None:
        n_colours = 1 + int(_graph(edges.tobytes())[1].max())
    if options.n_colours != "auto" and n_colours > options.n_colours:
        raise ValueError(
            f"The units take {n_colours} colours for linked ones to differ, but "
            f"n_colours={options.n_colours}: give fewer edges, or n_colours='auto'."
        )
    return edges


@lru_cache(maxsize=32)
def _energy(kind, visible, n_hidden, key):
    """Energy of blocks, which parameters are no part of; links as bytes."""
    return Connected(visible, n_hidden, *(() if key is None else _graph(key)))


@lru_cache(maxsize=32)
def _graph(key):
    """Mask of links, and colours of units, for links as bytes."""
    edges = np.frombuffer(key, bool)
    n_sites = math.isqrt(len(edges))
    edges = edges.reshape(n_sites, n_sites)
    return edges, colours_of(edges)


class _PseudoLikelihood(Phase):
    """Log-likelihood of each unit given all others, exactly."""

    def gradient(self, rng, state, x, clamp, clock):
        """Gradient, and the state with chains that follow; see :class:`Phase`."""
        given, n_steps = (self.energy, state.params), self.n_steps(clock)
        filled, _ = complete(rng, *given, x, clamp, n_steps)
        counts = None if clamp[0] is True else clamp[0]
        grad = pseudo_likelihood(*given, np.asarray(filled[0]), counts)
        _, state = self.with_running_means(state, filled)
        if clock.batch == 0:
            rows = rng.fold(_ALONG).rows(len(state.chains[0]))
            chains, _ = gibbs.run(rows, *given, gibbs.State(state.chains), _STEPS)
            state = state._replace(chains=chains.x)
        return grad, state


class _Drawn(Phase):
    """Hidden units drawn given data, in the place of mean field, beside chains."""

    def __init__(self, objective):
        super().__init__(objective)
        self.beside = PHASES[self.recipe.gradient](objective)

    def resume(self, state):
        """Training state with the chains."""
        return self.beside.resume(state)

    def phases(self, rng, state, x, clamp, clock):
        """Both phases, and the state with its chains; see :class:`Phase`."""
        given, n_steps = (self.energy, state.params), self.n_steps(clock)
        x, clamp = complete(rng, *given, x, clamp, n_steps)
        phases, state = self.beside.phases(rng, state, x, clamp, clock)
        rows, start = rng.fold(_POSITIVE).rows(len(x[0])), gibbs.State(phases.data)
        data, _ = gibbs.run(rows, *given, start, n_steps, clamp=clamp)
        return phases._replace(data=data.x), state


class GraphObjective(EnergyObjective):
    """Likelihood by persistent chains, or pseudo-likelihood."""

    def present(self, batch, rng=None):
        """Clamp the machine to a batch of rows."""
        return presented(self.energy, batch.v, self.fill, rng)

    def phase_of(self, recipe):
        """Class of the phases that the options name."""
        if recipe.objective != "likelihood":
            return _PseudoLikelihood
        drawn = recipe.positive == "gibbs" and len(self.energy.units) > 1
        return _Drawn if drawn else super().phase_of(recipe)

    def ascend(self, state, grad, clock):
        r"""Update parameters along a gradient, in place.

        With offsets, steps are taken in the coordinates in which
        :math:`-E = a^\top (x - \mu) + \tfrac12 (x - \mu)^\top J (x - \mu)`, so that
        couplings, which are many for a unit, leave its mean field as it is, whatever
        the optimiser makes of their gradient.
        """
        energy, (units, couplings) = self.energy, state.params
        if not state.offsets:
            super().ascend(state, grad, clock)
            return
        offsets, before = state.offsets, [W.copy() for W in couplings]
        centred = centering.center(energy, state.params, grad, offsets)
        grad = grad._replace(couplings=centred.couplings)
        super().ascend(state._replace(offsets=()), grad, clock)
        for i, j, number in energy.links:
            step = couplings[number] - before[number]
            units[i][...] -= step @ offsets[j]
            if i != j:
                units[j][...] -= step.T @ offsets[i]
