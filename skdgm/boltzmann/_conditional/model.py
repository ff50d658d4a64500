r"""Models of conditional machines.

.. math:: -E(y, h; x) = -E(y, h) + T(y)^\top A \, x + x^\top B \, h

The conditions x are a block of the energy that is always clamped. The biases of y and
of the hidden units depend on it. With factors, the weights between y and h also depend
on it: see :mod:`~skdgm.boltzmann._conditional.factors`.
"""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from skdgm.boltzmann._conditional.conditions import RowConditions, n_inputs
from skdgm.boltzmann._conditional.density import ConditionalDensity, ResponseColumns
from skdgm.boltzmann._conditional.factors import gating_of
from skdgm.boltzmann._conditional.objective import ConditionalObjective
from skdgm.boltzmann._conditional.regression import regressed
from skdgm.boltzmann._conditional.series import SeriesDensity
from skdgm.boltzmann.model_options import ConditionalOptions
from skdgm.boltzmann.structure.table_layers import Tables, gain_of
from skdgm.boltzmann.structure.tables import layout_of
from skdgm.couplings import Dense
from skdgm.distributions import Binomial, Poisson, UnitNormal
from skdgm.energies import Energy, Params, graph
from skdgm.training import AUTO

# Learning rates for real columns in y; for real columns and only factored weights,
# which are not initialized by regressions; for counts; and for other columns.
_OF_REAL, _OF_GATED, _OF_COUNTS, _OF_OTHERS = 0.002, 0.003, 0.03, 0.01


def has_real(energy):
    """Return whether units of an energy have normal distributions."""
    return any(unit.form == "normal" for unit in energy.units)


class ConditionalModel(Tables[ConditionalOptions]):
    """One hidden layer above a visible block for each type of column of y, and a last
    block of conditions."""

    STRUCTURE = (
        *("column_types", "condition_types", "hidden", "n_components", "n_lags"),
        *("n_factors", "gates", "pairwise"),
    )

    def check(self, options):
        super().check(options)
        if not options.pairwise and not options.n_factors:
            raise ValueError(
                "pairwise=False keeps only weights by factors, but n_factors=0: set a "
                "positive number."
            )
        if options.gates is not None and not options.n_factors:
            raise ValueError(
                f"gates={options.gates!r} gate weights by factors, but n_factors=0: "
                "set a positive number."
            )
        if options.gates is not None and not len(options.gates):
            raise ValueError("gates is empty: name columns of X, or give None for all.")

    def energy(self, facts):
        units = *layout_of(of_y(facts)).units, self.hidden(facts)
        conditions = UnitNormal(n_conditions(facts))
        return _energy(tuple(map(type, units)), units, conditions, gating_of(facts))

    def moments(self, facts, energy):
        return (*super().moments(of_y(facts), energy), None)

    def complaints(self, facts, state):
        yield from super().complaints(of_y(facts), state)

    def density(self, facts, state):
        of_responses, kind = of_y(facts), ConditionalDensity
        if facts.structure.n_lags:
            kind = SeriesDensity
        return kind(
            facts.context,
            energy=self.energy(facts),
            params=state.params,
            y=ResponseColumns(
                facts.known.responses, of_responses.domain, of_responses.columns
            ),
            layout=self.layout(of_responses),
            n_lags=facts.structure.n_lags,
            sweeps=self.sweeps(facts.options),
        )

    def objective(self, facts, table, epochs_before):
        rows, known = table.rows, facts.known
        if facts.structure.n_lags:
            rows.given.rows = rows._replace(given=None)
            rows.given.columns = facts.columns
        else:
            numbers, conditions = rows.given.values, RowConditions(rows, facts.columns)
            columns, dtype = known.y_columns, rows.dtype
            rows = known.responses.rows(numbers, columns, dtype, fitting=True)
            table = table._replace(rows=rows._replace(given=conditions))
        energy = self.energy(facts)
        run = facts.run(table, epochs_before)._replace(
            options=self.options(facts, energy)
        )
        initial_data = self.initial_data(facts, table, energy)
        return self.objective_class(run, energy=energy, initial_data=initial_data)

    def initial_data(self, facts, table, energy):
        moments, initial = self.moments(facts, energy), self.initial(facts)
        initial_data = super().initial_data(of_y(facts), table, energy)
        return initial_data._replace(moments=moments, means=moments, initialize=initial)

    def sweeps(self, options):
        """Number of sweeps with which the machine was trained to predict, or 0."""
        learned = options.gradient == "mean-field"
        return options.mean_field_steps if learned else 0

    def options(self, facts, energy):
        """Training options, with a learning rate that suits the columns of y."""
        options = SimpleNamespace(**vars(facts.options))
        if options.learning_rate == AUTO:
            if has_real(energy):
                options.learning_rate = _OF_REAL if options.pairwise else _OF_GATED
            elif any(isinstance(unit, Binomial | Poisson) for unit in energy.units):
                options.learning_rate = _OF_COUNTS
            else:
                options.learning_rate = _OF_OTHERS
        return options

    def initial(self, facts):
        """Function that initializes the weights of the conditions by regressions, or
        None."""
        options = facts.options
        ridge = options.init_conditions == "ridge" and options.pairwise
        return regressed if ridge else None

    def attributes(self, facts, state):
        of_responses, state = of_y(facts), state.kept()
        units, couplings = state.params
        n, gating = len(units) - 2, gating_of(facts)
        if not gating.pairwise:
            couplings = *_no_pairs(self.energy(facts), couplings[0].dtype), *couplings
        *W, B = couplings[: 2 * n + 1]
        alone = Params(units[:-1], tuple(W[:n]))
        attributes = super().attributes(
            of_responses, state._replace(params=alone, chains=state.chains[:-1])
        )
        layout, hidden = layout_of(of_responses), self.hidden(facts)
        A = np.empty((n_conditions(facts), layout.widths.sum()), B.dtype)
        for unit, W_of_block, places in zip(layout.units, W[n:], layout.entries):
            A[:, places] = W_of_block.T * gain_of(unit, B.dtype)
        del attributes["chains_"], attributes["h_samples_"]
        if gating.n_factors:
            gains = [gain_of(unit, B.dtype) for unit in (*layout.units, hidden)]
            factors = gating.named(couplings[2 * n + 1 :], layout, gains)
            attributes["factors_"] = factors
        return attributes | {
            "_training": state[1:],
            "condition_visible_": A,
            "condition_hidden_": B * gain_of(hidden, B.dtype),
        }

    def params(self, facts, attributes):
        of_responses, gating = of_y(facts), gating_of(facts)
        units, couplings = super().params(of_responses, attributes)
        layout, hidden = layout_of(of_responses), self.hidden(facts)
        A, B = attributes["condition_visible_"], attributes["condition_hidden_"]
        links = [
            np.ascontiguousarray(A[:, places].T)
            / np.reshape(gain_of(unit, A.dtype), (-1, 1))
            for unit, places in zip(layout.units, layout.entries)
        ]
        zeros = np.zeros(len(A), A.dtype)
        gains = [gain_of(unit, A.dtype) for unit in (*layout.units, hidden)]
        couplings = *couplings, *links, B / gains[-1]
        if not gating.pairwise:
            couplings = ()
        if gating.n_factors:
            factors = attributes["factors_"]
            couplings += (*gating.couplings(factors, layout, gains),)
        return Params((*units, zeros), couplings)


def _no_pairs(energy, dtype):
    """Zero weights between pairs of blocks."""
    *sizes, n_given = (unit.size for unit in energy.units)
    *visible, n_hidden = sizes
    shapes = [(size, n_hidden) for size in visible]
    shapes += [(size, n_given) for size in visible] + [(n_given, n_hidden)]
    return [np.zeros(shape, dtype) for shape in shapes]


def n_conditions(facts):
    """Number of conditions: entries of the columns of X, or of all lags."""
    return n_inputs(facts.columns) * max(1, facts.structure.n_lags)


def of_y(facts):
    """Facts about the columns of y instead of the conditions."""
    if facts.structure.n_lags:
        return facts
    responses = facts.known.responses
    domain, columns = responses.domain, facts.known.y_columns
    names = np.array(responses.names, object)
    known = SimpleNamespace(**vars(facts.known) | {"feature_names_in_": names})
    return facts._replace(domain=domain, columns=columns, known=known)


# ``kinds`` distinguishes blocks that are equal as tuples: see the energies of tables.
@lru_cache(maxsize=128)
def _energy(kinds, units, conditions, gating):
    """Cached energy of visible blocks, hidden units and conditions, one color for
    each."""
    n = len(units) - 1
    visible, hidden, known = tuple(range(n)), n, n + 1
    units = *units, conditions
    pairs = [(block, hidden) for block in visible]
    pairs += [(block, known) for block in visible] + [(known, hidden)]
    layers = visible, (known,), (hidden,)
    if not gating.n_factors:
        return graph(units, pairs, colors=layers, layers=layers)
    pairs = pairs if gating.pairwise else []
    triples, factors = gating.triples(units, len(pairs))
    links = [(*pair, number) for number, pair in enumerate(pairs)]
    couplings = [Dense(units[i].size, units[j].size) for i, j in pairs] + factors
    return Energy(units, links, couplings, layers, layers, triples)


CONDITIONAL = ConditionalModel(ConditionalDensity, ConditionalObjective)
