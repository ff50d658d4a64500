"""Nets, densities and objectives of diffusion models, built from options."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from skdgm.data import check_pattern
from skdgm.data.given import refuse_both
from skdgm.diffusion._covariates import Covariates
from skdgm.diffusion._density import DiffusionDensity
from skdgm.diffusion._field import N_TIMES
from skdgm.diffusion._images import image_net, sizes_of
from skdgm.diffusion._layout import ColumnLayout
from skdgm.diffusion._matching import MatchingObjective
from skdgm.diffusion._model_options import DiffusionOptions
from skdgm.nets import NetModel, layers
from skdgm.nets.fourier_features import fourier
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import check_maps

# Largest number of columns with Fourier features by default, and their frequencies.
_MAX_FOURIER_COLUMNS, _N_FREQUENCIES = 16, 3
_CURRENT = "n_draws", "n_steps", "n_resamplings", "sampler", "guidance", "likelihood"


class DiffusionModel(NetModel[DiffusionOptions]):
    """Net whose inputs are noisy rows, an embedding of the time, and covariates."""

    def check(self, options):
        check_pattern(options)
        if options.bits == "flips" and options.column_types != "bernoulli":
            raise ValueError(
                'bits="flips" is for tables of bits alone, with '
                'column_types="bernoulli": in others leave bits="masks".'
            )
        refuse_both(options)
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")
        check_maps(options)
        if options.architecture != "conv":
            return
        if options.n_frequencies not in ("auto", 0):
            raise ValueError(
                'n_frequencies is for architecture="dense": with "conv" leave it '
                '"auto".'
            )

    def structure(self, facts):
        options = facts.options
        return SimpleNamespace(
            activation=options.activation,
            n_frequencies=options.n_frequencies,
            class_conditional=options.class_conditional,
            bits=options.bits,
            attribute_conditional=options.attribute_conditional,
            architecture=options.architecture,
            image_shape=options.image_shape,
            hidden_layer_sizes=layer_sizes(options.hidden_layer_sizes),
            conv_layer_sizes=layer_sizes(options.conv_layer_sizes),
        )

    def density(self, facts, state):
        return DiffusionDensity(
            facts.context,
            net=self._net(facts),
            width=self._width(facts),
            covariates=self._covariates(facts),
            layout=self.layout(facts),
            state=state,
            options=SimpleNamespace(
                **{name: facts.current_option(name) for name in _CURRENT}
            ),
        )

    def objective(self, facts, table, epochs_before):
        return MatchingObjective(
            facts.run(table, epochs_before),
            facts.context,
            net=self._net(facts),
            width=self._width(facts),
            covariates=self._covariates(facts),
            layout=self.layout(facts),
            table=table,
        )

    @staticmethod
    def layout(facts):
        """:class:`ColumnLayout` of the columns."""
        flips = facts.options.bits == "flips"
        return ColumnLayout.of(facts.columns, facts.options.column_types, flips)

    def n_weights(self, facts):
        """Approximate number of weights."""
        if facts.structure.architecture == "conv":
            return sizes_of(facts.structure, self.layout(facts))[1]
        sizes = facts.structure.hidden_layer_sizes
        sizes = self._n_inputs(facts), *sizes, self.layout(facts).n_outputs
        return sum(a * b for a, b in pairwise(sizes))

    @staticmethod
    def _covariates(facts):
        """Classes or attributes that condition the net."""
        if facts.structure.class_conditional:
            return Covariates(len(facts.known.classes_))
        if facts.structure.attribute_conditional:
            return Covariates(attributes=facts.known.attributes_)
        return Covariates()

    def _n_waves(self, facts):
        n, n_waves = len(self.layout(facts).noisy), facts.structure.n_frequencies
        return (
            n_waves
            if n_waves != "auto"
            else _N_FREQUENCIES
            if n <= _MAX_FOURIER_COLUMNS
            else 0
        )

    def _n_inputs(self, facts):
        layout = self.layout(facts)
        n_waves = len(layout.noisy) * (1 + 2 * self._n_waves(facts))
        n_covariates = self._covariates(facts).n_inputs
        return n_waves + N_TIMES + layout.n_masked_inputs + n_covariates

    def _width(self, facts):
        if facts.structure.architecture == "conv":
            return sizes_of(facts.structure, self.layout(facts))[0]
        sizes = facts.structure.hidden_layer_sizes
        return max((self._n_inputs(facts), *sizes, self.layout(facts).n_outputs))

    def _net(self, facts):
        """Net from noisy rows, time embedding, masked columns and covariates to
        velocities and distributions."""
        structure, layout = facts.structure, self.layout(facts)
        if structure.architecture == "conv":
            return image_net(structure, layout, self._covariates(facts).n_inputs)
        n, n_waves = len(layout.noisy), self._n_waves(facts)
        hidden = [fourier(np.arange(n), n_waves)] if n and n_waves else []
        for n_units in structure.hidden_layer_sizes:
            hidden.append(layers.dense(n_units, structure.activation, "he_normal"))
        return layers.serial(*hidden, layers.dense(layout.n_outputs))
