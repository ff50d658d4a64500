"""Models with layers of latent units, built from options."""

from abc import abstractmethod
from functools import partial
from typing import Any

from skdgm.base import Facts
from skdgm.data import check_pattern
from skdgm.distributions import decoder_output
from skdgm.latent.density import LatentDensity
from skdgm.latent.model_options import LatentOptionsT
from skdgm.nets import NetModel, Variables
from skdgm.utils.counts import chosen


class LatentModel(NetModel[LatentOptionsT]):
    """Encoders and decoders of latent units, an :class:`Architecture`. A subclass has
    an ``objective_class``, and optionally another ``density_class``."""

    objective_class: Any
    density_class: Any = LatentDensity

    # Layers whose means are features, for models without the option.
    FEATURES = -1

    def check(self, options):
        check_pattern(options)

    @abstractmethod
    def hierarchy(self, facts: Facts[LatentOptionsT]) -> Any:
        """:class:`Architecture` of the nets."""

    def of_hierarchy(self, tree):
        """Parameters or statistics of the hierarchy: by default the whole ``tree``."""
        return tree

    def density(self, facts, state):
        hierarchy, layers = self.hierarchy(facts), self.FEATURES
        if facts.options.feature_layer is not None:
            layers = facts.current_option("feature_layer")
        return self.density_class(
            facts.context,
            hierarchy=hierarchy,
            net=Variables(
                self.of_hierarchy(state.learned), self.of_hierarchy(state.statistics)
            ),
            n_draws=partial(facts.current_option, "n_draws"),
            output=self.output(facts),
            layers=chosen(layers, len(hierarchy.n_latent)),
        )

    def objective(self, facts, table, epochs_before):
        return self.objective_class(
            facts.run(table, epochs_before),
            hierarchy=self.hierarchy(facts),
            domain=facts.domain,
            columns=facts.columns,
            output=self.output(facts),
        )

    def attributes(self, facts, state):
        fitted = state._replace(params=self.of_hierarchy(state.learned), mean=())
        return super().attributes(facts, fitted) | {"_training": state}

    @staticmethod
    def output(facts):
        """Distribution of the columns given the outputs of the decoder."""
        return decoder_output(facts.options, facts.columns)
