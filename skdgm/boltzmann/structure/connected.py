"""Models of general Boltzmann machines, and their objective."""

import math
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from skdgm.boltzmann._density.connected import GraphDensity, clamp_sites
from skdgm.boltzmann.learning.objective import PHASES, EnergyObjective
from skdgm.boltzmann.learning.phases import Phase
from skdgm.boltzmann.model_options import GraphOptions
from skdgm.boltzmann.structure.model import EnergyModel, n_columns
from skdgm.energies import Connected, Params, colors_of
from skdgm.gradients import complete
from skdgm.gradients.sampling_free.pseudo import pseudo_likelihood
from skdgm.gradients.steps import centering
from skdgm.samplers import Gibbs, State
from skdgm.utils import addresses

# Gibbs steps of the chains in each epoch of the pseudo-likelihood.
_STEPS = 10
_POSITIVE, _ALONG = addresses.SITES


class Graphical(EnergyModel[GraphOptions]):
    """A block of visible units, and optionally a block of hidden units."""

    STRUCTURE = "n_hidden", "column_types"

    def check(self, options):
        super().check(options)
        if options.objective == "pseudo-likelihood" and options.n_hidden:
            raise ValueError(
                "objective='pseudo-likelihood' is for machines without hidden units, "
                f"whose conditional probabilities are known; n_hidden="
                f"{options.n_hidden}. Use objective='likelihood'."
            )

    def structure(self, facts):
        """Number of hidden units, type of the columns, and adjacency matrix."""
        structure = super().structure(facts)
        structure.edges = edges_of(facts.options, n_columns(facts))
        return structure

    def energy(self, facts):
        visible, structure = self.visible(facts), facts.structure
        key = None if structure.edges is None else structure.edges.tobytes()
        return _energy(visible, structure.n_hidden, key)

    def params(self, facts, attributes):
        J, b = attributes["coupling_"], attributes["intercept_visible_"]
        n = len(b)
        if len(J) == n:
            return Params((b,), (J,))
        parts = map(np.ascontiguousarray, (J[:n, :n], J[:n, n:], J[n:, n:]))
        return Params((b, attributes["intercept_hidden_"]), tuple(parts))

    def named(self, facts, params, visible, chains):
        energy = self.energy(facts)
        attributes = {
            "intercept_visible_": visible,
            "coupling_": energy.matrices(params)[0].copy(),
            "edges_": facts.structure.edges,
            "colors_": energy.site_colors,
            "n_colors_": int(energy.site_colors.max()) + 1,
        }
        if len(params.units) > 1:
            attributes["intercept_hidden_"] = params.units[1]
            attributes["h_samples_"] = chains[1]
        return attributes


def edges_of(options, n_visible):
    """Adjacency matrix of the options, (n_sites, n_sites), or None if all sites are
    linked. ValueError if it is not a symmetric numeric matrix with a row for each unit,
    or if it needs more colors than allowed."""
    n_sites, edges = n_visible + options.n_hidden, options.edges
    if edges is not None:
        edges = edges.toarray() if sp.issparse(edges) else edges
        try:
            edges = check_array(edges, dtype=None, input_name="edges")
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
                f"({n_visible} columns and {options.n_hidden} hidden ones); their "
                f"shape is {edges.shape}."
            )
        edges = (edges != 0) & ~np.eye(n_sites, dtype=bool)
        if not (edges == edges.T).all():
            raise ValueError("edges must be symmetric: i is linked with j as j with i.")
    n_colors = n_sites
    if edges is not None:
        n_colors = 1 + int(_graph(edges.tobytes())[1].max())
    if options.n_colors != "auto" and n_colors > options.n_colors:
        raise ValueError(
            f"The units take {n_colors} colors for linked ones to differ, but "
            f"n_colors={options.n_colors}: give fewer edges, or n_colors='auto'."
        )
    return edges


@lru_cache(maxsize=32, typed=True)
def _energy(visible, n_hidden, key):
    """Cached energy of the blocks; ``key`` has the adjacency matrix as bytes."""
    edges, colors = (None, None) if key is None else _graph(key)
    return Connected(visible, n_hidden, edges, colors)


@lru_cache(maxsize=32)
def _graph(key):
    """Adjacency matrix and colors of the sites, from the adjacency matrix as bytes."""
    edges = np.frombuffer(key, bool)
    n_sites = math.isqrt(len(edges))
    edges = edges.reshape(n_sites, n_sites)
    return edges, colors_of(edges)


class PseudoLikelihoodPhase(Phase):
    """Log-likelihood of each unit given all others, whose gradient is exact."""

    def gradient(self, rng, state, x, clamp, clock):
        energy, params, n_steps = self.energy, state.params, self.n_steps(clock)
        filled, _ = complete(rng, energy, params, x, clamp, n_steps)
        counts = None if clamp[0] is True else clamp[0]
        grad = pseudo_likelihood(energy, params, np.asarray(filled[0]), counts)
        _, state = self.with_running_means(state, filled)
        if clock.batch == 0:
            state = self.moved(rng.fold(_ALONG), state, _STEPS)
        return grad, state


class DrawnPhase(Phase):
    """Hidden units of the positive phase drawn by Gibbs sampling instead of mean
    field."""

    def __init__(self, objective):
        super().__init__(objective)
        self.negative = PHASES[self.options.gradient](objective)

    def resume(self, state):
        return self.negative.resume(state)

    def phases(self, rng, state, x, clamp, clock):
        n_steps = self.n_steps(clock)
        x, clamp = complete(rng, self.energy, state.params, x, clamp, n_steps)
        phases, state = self.negative.phases(rng, state, x, clamp, clock)
        rows, start = rng.fold(_POSITIVE).rows(len(x[0])), State(phases.data)
        sampler = Gibbs(self.energy, clamp=clamp)
        data, _ = sampler.step(rows, state.params, start, n_steps)
        return phases._replace(data=data.x), state


class GraphObjective(EnergyObjective):
    """Likelihood by persistent chains, or pseudo-likelihood."""

    def clamp_rows(self, batch, rng=None):
        return clamp_sites(self.energy, batch.v, self.missing_values, rng)

    def phase_of(self, options):
        if options.objective != "likelihood":
            return PseudoLikelihoodPhase
        drawn = options.positive == "gibbs" and len(self.energy.units) > 1
        return DrawnPhase if drawn else super().phase_of(options)

    def ascend(self, state, grad, clock):
        r"""Update parameters along a gradient, in place. With offsets, the energy is
        :math:`-E = a^\top (x - \mu) + \tfrac12 (x - \mu)^\top J (x - \mu)`. Steps of
        the couplings then leave the field of a unit at the offsets unchanged, for any
        optimizer."""
        energy, (units, couplings) = self.energy, state.params
        if not state.offsets:
            super().ascend(state, grad, clock)
            return
        offsets, old_couplings = state.offsets, [W.copy() for W in couplings]
        centered = centering.center(energy, state.params, grad, offsets)
        grad = grad._replace(couplings=centered.couplings)
        super().ascend(state._replace(offsets=()), grad, clock)
        for i, j, number in energy.links:
            step = couplings[number] - old_couplings[number]
            units[i][...] -= step @ offsets[j]
            if i != j:
                units[j][...] -= step.T @ offsets[i]


GRAPHICAL = Graphical(GraphDensity, GraphObjective)
