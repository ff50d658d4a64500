"""Models of machines with units of any type: visible blocks below a block of hidden
units."""

from functools import lru_cache, partial

import numpy as np

from skdgm.boltzmann._density.table import TableDensity
from skdgm.boltzmann.learning.state import InitialData
from skdgm.boltzmann.learning.table_objective import TableObjective
from skdgm.boltzmann.model_options import TableOptionsT
from skdgm.boltzmann.structure.model import EnergyModel, n_columns
from skdgm.boltzmann.structure.tables import (
    REAL_KINDS,
    filled_layout,
    hidden_unit,
    layout_of,
    loss_of_independent,
    moments_of,
    noise,
    reaches,
)
from skdgm.boltzmann.structure.visible import at_limit
from skdgm.data.units import checked_kinds, parsed
from skdgm.distributions import Normal
from skdgm.energies import Params, layered
from skdgm.training.batches import FILLED_ROWS

# Types of hidden units, without and with a number n.
_HIDDEN = "bernoulli", "gaussian", "rectified", "poisson"
_NUMBERED = "binomial", "categorical"


class Tables(EnergyModel[TableOptionsT]):
    """One hidden layer above a visible block for each type of column."""

    STRUCTURE = "column_types", "hidden", "n_components"

    def check(self, options):
        checked_kinds(options.column_types)
        super().check(options)
        kind, number = parsed(options.hidden)
        valid = (kind in _HIDDEN and number is None) or (kind in _NUMBERED and number)
        if not valid:
            raise ValueError(
                f"hidden must be one of {', '.join(map(repr, _HIDDEN))}, 'binomial(n)' "
                f"and 'categorical(n)' with a number n; got {options.hidden!r}."
            )

    def energy(self, facts):
        units = *layout_of(facts).units, self.hidden(facts)
        return _energy(tuple(map(type, units)), units)

    def hidden(self, facts):
        """Block of the hidden units."""
        kind, number = parsed(facts.structure.hidden)
        return hidden_unit(kind, number, facts.structure.n_components)

    def moments(self, facts, energy):
        return (*moments_of(facts, layout_of(facts)), None)

    def noise(self, facts, energy):
        return partial(noise, layout_of(facts))

    def complaints(self, facts, state):
        layout, columns = layout_of(facts), facts.columns
        for block, visible in zip(layout.blocks, state.params.units):
            if block.kind in REAL_KINDS:
                log_precision = np.full(len(columns.seen), -np.inf)
                log_precision[block.columns] = visible.log_precision
                yield from at_limit(facts, block.unit, log_precision)

    def layout(self, facts):
        return filled_layout(facts)

    def initial_data(self, facts, table, energy):
        layout, moments = self.layout(facts), self.moments(facts, energy)
        rows = table.rows.take(table.index[:FILLED_ROWS])
        return InitialData(
            # Unused: the layout has the initial values of each block.
            missing_values=np.zeros(n_columns(facts)),
            moments=moments,
            nonzero_share=layout.filled(rows),
            means=moments,
            known=(loss_of_independent(facts, layout),),
            table=table,
            max_magnitudes=reaches(layout, facts.columns),
            layout=layout,
        )

    def attributes(self, facts, state):
        columns, state = facts.columns, state.kept()
        layout, hidden = layout_of(facts), self.hidden(facts)
        (*below, bias), couplings = state.params
        attributes, chains = state.attributes()
        n_entries, gain = layout.widths.sum(), gain_of(hidden, bias.dtype)
        weights = np.empty((n_entries, len(bias)), bias.dtype)
        biases, precisions = np.empty(n_entries, bias.dtype), []
        for unit, visible, W, places in zip(
            layout.units, below, couplings, layout.entries
        ):
            if isinstance(visible, Normal):
                precisions.append(visible.log_precision)
            factor = gain_of(unit, bias.dtype)
            biases[places] = factor * unit.bias_of(visible)
            weights[places] = W * (np.reshape(factor, (-1, 1)) * gain)
        if precisions:
            attributes["_log_precisions"] = tuple(precisions)
            real_columns = np.concatenate(
                [w for k, w in zip(layout.kinds, layout.columns) if k in REAL_KINDS]
            )
            precision = (
                np.exp(np.concatenate(precisions)) / columns.scale[real_columns] ** 2
            )
            attributes["precision_"] = precision[np.argsort(real_columns)]
        return attributes | {
            "components_": np.ascontiguousarray(weights.T),
            "intercept_visible_": biases,
            "intercept_hidden_": gain * bias,
            "chains_": facts.domain.to_data(columns, layout.to_table(chains[:-1])),
            "h_samples_": chains[-1],
        }

    def named(self, facts, params, visible, chains):
        return {}

    def params(self, facts, attributes):
        layout, hidden = layout_of(facts), self.hidden(facts)
        W, visible = attributes["components_"].T, attributes["intercept_visible_"]
        gain, log_precisions = (
            gain_of(hidden, W.dtype),
            iter(attributes.get("_log_precisions", ())),
        )
        below, couplings = [], []
        for kind, unit, places in zip(layout.kinds, layout.units, layout.entries):
            factor = gain_of(unit, W.dtype)
            biases = visible[places] / factor
            below.append(
                Normal(biases, next(log_precisions)) if kind in REAL_KINDS else biases
            )
            weights = W[places] / (np.reshape(factor, (-1, 1)) * gain)
            couplings.append(np.ascontiguousarray(weights))
        biases = (*below, attributes["intercept_hidden_"] / gain)
        return Params(biases, tuple(couplings))


TABLES = Tables(TableDensity, TableObjective)


def gain_of(unit, dtype):
    """Gain of a block, by which its natural parameters are multiplied."""
    return np.asarray(getattr(unit, "gain", 1.0), dtype)


@lru_cache(maxsize=128)
def _energy(kinds, units):
    """Cached energy of the layers. ``kinds`` distinguishes blocks of different types
    and the same size, which are equal as tuples."""
    return layered([list(units[:-1]), [units[-1]]])


def improper(kinds, hidden):
    """Raise ValueError if the partition function is infinite. ``kinds`` has the types
    of columns by name or number, ``hidden`` is the type of the hidden units."""
    kind, number = parsed(hidden)
    unit = hidden_unit(kind, number, 1)
    if all(np.isfinite(end).all() for end in unit.ends):
        return
    names = [n for n, kind in kinds.items() if kind in (*REAL_KINDS, "poisson")]
    if names:
        raise ValueError(
            f"hidden={hidden!r} has no limits, nor have columns {names[:10]}, of the "
            f"kinds {sorted({kinds[name] for name in names})}: such a machine has no "
            "finite partition function, as the energy of large values falls without "
            "end. Use hidden='bernoulli', 'binomial(n)' or 'categorical(n)', or "
            "visible units within limits: 'bernoulli', 'categorical', 'binomial' or "
            "'interval'."
        )
