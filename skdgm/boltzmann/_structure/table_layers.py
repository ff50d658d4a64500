"""Layers of machines of any units: visible blocks under one block of hidden units."""

from functools import lru_cache, partial

import numpy as np

from skdgm.boltzmann._structure.layers import Layers
from skdgm.boltzmann._structure.tables import (
    REAL_KINDS,
    fills_of,
    hidden_unit,
    layout_of,
    loss_of_independent,
    moments_of,
    noise,
    reaches,
    tell_precisions,
)
from skdgm.data.units import parsed
from skdgm.distributions import Normal
from skdgm.energies import Params, layered
from skdgm.utils.tree import astype

# Kinds of hidden units; "binomial(n)" and "categorical(n)" have a number.
_HIDDEN = "bernoulli", "gaussian", "rectified", "poisson"
_NUMBERED = "binomial", "categorical"
# Rows by which the share of entries that are not 0 is found.
_DENSITY_ROWS = 1000


class Tables(Layers):
    """One hidden layer over a visible block for each kind of columns."""

    option = "n_components"

    def sizes(self, options):
        """Size of the hidden layer that the options ask for, in a tuple."""
        return (options.n_components,)

    def learned_sizes(self, machine):
        """Size of the hidden layer of a fitted machine, in a tuple."""
        return (machine._training_units[2],)

    def wired(self, visible, sizes, hidden):
        """Energy of visible blocks under a hidden one of so many units of a kind."""
        above = hidden_unit(*parsed(hidden), *sizes)
        return _energy((*map(type, visible), type(above)), (*visible, above))

    def energy(self, machine, sizes=None):
        """Energy of a machine, with a hidden layer of the given size or as learned."""
        layout = self.layout(machine)
        sizes = sizes or self.learned_sizes(machine)
        return self.wired(layout.units, tuple(sizes), machine._options.hidden)

    def moments(self, machine, energy):
        """Known means (or moments) of each block in the model without couplings."""
        layout = self.layout(machine)
        return (*moments_of(machine._domain, machine._columns, layout), None)

    def layout(self, machine):
        """Blocks of a machine's visible units: a :class:`Layout`."""
        return layout_of(machine._columns, machine._options)

    def noise(self, machine):
        """Function that draws visible values without structure."""
        return partial(noise, self.layout(machine))

    def warn(self, machine):
        """Warn of columns whose precision is at its limit."""
        found = vars(machine).get("_log_precisions", ())
        tell_precisions(machine, self.layout(machine), found)

    def facts(self, machine):
        """Further arguments of the density, by name."""
        layout = self.layout(machine)
        fills = fills_of(machine._domain, machine._columns, layout)
        return {"layout": layout, "fills": fills}

    def objective(self, machine, table, before):
        """Objective of a run after so many epochs."""
        options, columns = machine._options, machine._columns
        energy = self.energy(machine, self.sizes(options))
        layout = self.layout(machine)
        moments = self.moments(machine, energy)
        return machine._OBJECTIVE(
            energy,
            options,
            table.rows,
            machine._seed,
            np.zeros(len(columns.seen)),
            moments,
            before,
            layout.density(table.rows.take(table.index[:_DENSITY_ROWS])),
            means=moments,
            known=(loss_of_independent(machine._domain, columns, layout),),
            table=table,
            reach=reaches(layout, columns),
            layout=layout,
            fills=fills_of(machine._domain, columns, layout),
        )

    def attributes(self, machine, state):
        """Fitted attributes of a training state."""
        options, columns = machine._options, machine._columns
        layout = self.layout(machine)
        energy = self.energy(machine, self.sizes(options))
        state = state.kept()
        (*below, bias), couplings = state.params
        found, chains = state.attributes()
        n_entries, gain = layout.widths.sum(), _gain(energy.units[-1], bias.dtype)
        weights = np.empty((n_entries, len(bias)), bias.dtype)
        biases, precisions = np.empty(n_entries, bias.dtype), []
        for unit, own, W, places in zip(layout.units, below, couplings, layout.entries):
            if isinstance(own, Normal):
                precisions.append(own.log_precision)
            factor = _gain(unit, bias.dtype)
            biases[places] = factor * unit.bias_of(own)
            weights[places] = W * (np.reshape(factor, (-1, 1)) * gain)
        if precisions:
            found["_log_precisions"] = tuple(precisions)
            real = np.concatenate(
                [w for k, w in zip(layout.kinds, layout.which) if k in REAL_KINDS]
            )
            precision = np.exp(np.concatenate(precisions)) / columns.scale[real] ** 2
            found["precision_"] = precision[np.argsort(real)]
        return found | {
            "components_": np.ascontiguousarray(weights.T),
            "intercept_visible_": biases,
            "intercept_hidden_": gain * bias,
            "chains_": machine._domain.to_data(columns, layout.joined(chains[:-1])),
            "h_samples_": chains[-1],
            "_training_units": (
                options.column_types,
                options.hidden,
                options.n_components,
            ),
        }

    def named(self, units, couplings, visible, chains, labelled):
        """Fitted attributes by name: see :meth:`attributes`."""
        raise NotImplementedError

    def params(self, machine, dtype=None):
        """Parameters of a fitted machine; see :class:`Layers`."""
        layout = self.layout(machine)
        hidden = self.energy(machine).units[-1]
        dtype_, W = machine.components_.dtype, machine.components_.T
        gain, given = (
            _gain(hidden, dtype_),
            iter(vars(machine).get("_log_precisions", ())),
        )
        below, couplings = [], []
        for kind, unit, places in zip(layout.kinds, layout.units, layout.entries):
            factor = _gain(unit, dtype_)
            own = machine.intercept_visible_[places] / factor
            below.append(Normal(own, next(given)) if kind in REAL_KINDS else own)
            part = W[places] / (np.reshape(factor, (-1, 1)) * gain)
            couplings.append(np.ascontiguousarray(part))
        own = (*below, machine.intercept_hidden_ / gain)
        return astype(Params(own, tuple(couplings)), dtype)

    def initial(self, machine):
        """Return None: initial parameters are those of the energy."""

    def check_options(self, options):
        """Raise ValueError for options that the parameters' types do not exclude."""
        kind, number = parsed(options.hidden)
        known = (kind in _HIDDEN and number is None) or (kind in _NUMBERED and number)
        if not known:
            raise ValueError(
                f"hidden must be one of {', '.join(map(repr, _HIDDEN))}, 'binomial(n)' "
                f"and 'categorical(n)' with a number n; got {options.hidden!r}."
            )

    def check_unchanged(self, machine):
        """Raise ValueError where the options do not fit the learned machine."""
        asked = machine._options
        now = asked.column_types, asked.hidden, asked.n_components
        names = "column_types", "hidden", "n_components"
        for name, one, other in zip(names, now, machine._training_units):
            if one != other:
                raise ValueError(
                    f"{name}={one!r}, but {other!r} was learned before: keep it, or "
                    "fit with warm_start=False."
                )


TABLES = Tables()


def _gain(unit, dtype):
    """Gain of a block: what its natural parameters are multiplied by."""
    return np.asarray(getattr(unit, "gain", 1.0), dtype)


@lru_cache(maxsize=128)
def _energy(kinds, units):
    """Energy of layers. The kinds of the blocks belong to the key: blocks of different
    kinds and the same size are equal tuples."""
    return layered([list(units[:-1]), [units[-1]]])


def improper(kinds, hidden):
    """Raise ValueError where the partition function would be infinite.

    Parameters
    ----------
    kinds : dict
        Kinds of columns, by name or number.
    hidden : str
        Kind of hidden units.
    """
    unit = hidden_unit(*parsed(hidden), 1)
    if all(np.isfinite(end).all() for end in unit.ends):
        return
    open_ = [n for n, kind in kinds.items() if kind in (*REAL_KINDS, "poisson")]
    if open_:
        raise ValueError(
            f"hidden={hidden!r} has no limits, nor have columns {open_[:10]}, of the "
            f"kinds {sorted({kinds[name] for name in open_})}: such a machine has no "
            "finite partition function, as the energy of large values falls without "
            "end. Use hidden='bernoulli', 'binomial(n)' or 'categorical(n)', or "
            "visible units within limits: 'bernoulli', 'categorical', 'binomial' or "
            "'interval'."
        )
