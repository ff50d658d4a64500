"""Models with layers of latent units, made of options."""

from abc import abstractmethod
from functools import partial

from skdgm.data import check_pattern
from skdgm.distributions import output_as_asked
from skdgm.latent.density import LatentDensity
from skdgm.latent.model_options import LatentOptionsT
from skdgm.nets import NetModel, Variables
from skdgm.utils.counts import chosen


class LatentModel(NetModel[LatentOptionsT]):
    """Encoders and decoders of latent units, an :class:`Architecture`.

    A subclass has ``objective_class``, and perhaps another ``density_class``.
    """

    density_class = LatentDensity

    # Groups of latent units whose means are features, where no option says.
    FEATURES = -1

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_pattern(options)

    @abstractmethod
    def hierarchy(self, facts):
        """Architecture of the nets, an :class:`Architecture`."""

    def of_hierarchy(self, tree):
        """The hierarchy's part of parameters or statistics: by default all of it."""
        return tree

    def density(self, facts, state):
        """Density of the fitted parameters, a :class:`LatentDensity`."""
        hierarchy, layers = self.hierarchy(facts), self.FEATURES
        if facts.options.feature_layer is not None:
            layers = facts.now("feature_layer")
        return self.density_class(
            facts.context,
            hierarchy=hierarchy,
            net=Variables(
                self.of_hierarchy(state.learned), self.of_hierarchy(state.statistics)
            ),
            n_draws=partial(facts.now, "n_draws"),
            output=self.output(facts),
            layers=chosen(layers, len(hierarchy.n_latent)),
        )

    def objective(self, facts, table, before):
        """Objective of a run, whose ``start`` makes the initial state."""
        return self.objective_class(
            facts.run(table, before),
            hierarchy=self.hierarchy(facts),
            domain=facts.domain,
            columns=facts.columns,
            output=self.output(facts),
        )

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        part = state._replace(params=self.of_hierarchy(state.learned), mean=())
        return super().attributes(facts, part) | {"_training": state}

    @staticmethod
    def output(facts):
        """Distribution of the columns given the outputs of the decoder."""
        return output_as_asked(facts.options, facts.columns)
