"""Models of generators: nets made of options, and a density estimated from draws."""

from abc import abstractmethod
from functools import partial

import numpy as np

from skdgm.data.given import shares_of
from skdgm.implicit.density import ImplicitDensity
from skdgm.implicit.model_options import GeneratorOptionsT
from skdgm.nets import NetModel
from skdgm.nets.stochastic.emission import Emission


class ImplicitModel(NetModel[GeneratorOptionsT]):
    """Generator, and how it learns.

    Training states have the generator's parameters as ``learned[0]``, its statistics as
    ``generator.statistics``, and its number of updates as ``t``, of shape (1,).
    """

    @abstractmethod
    def nets(self, facts, emission):
        """Nets of a structure, a SimpleNamespace with a ``generator``, a
        :class:`~skdgm.implicit.Generator`, and whatever else the objective and
        :meth:`hidden` need; ``emission`` are the columns as functions of the
        generator's outputs."""

    @abstractmethod
    def objective_class(self, run, nets):
        """Objective of a run."""

    @abstractmethod
    def hidden(self, nets, state, x, known=None):
        """Features of rows, (n_rows, n_features_out), unless these are latent units: of
        inputs x of a discriminator, which are ``known`` where that is 1."""

    def latent(self, options):
        """Whether features are latent units."""
        return options.features == "latent"

    def of_features(self, options):
        """Function of the density and features, rows of these; None if there is none:
        rows are made of nothing but latent units."""
        whole = self.latent(options) and not options.class_conditional
        return ImplicitDensity.decode if whole else None

    def density(self, facts, state):
        """Density estimated from draws, an :class:`ImplicitDensity`."""
        return ImplicitDensity(
            facts.context,
            model=self,
            nets=self.nets(facts, emission_of(facts)),
            state=state,
            latent=self.latent(facts.options),
            of_features=self.of_features(facts.options),
            n_draws=partial(facts.now, "n_draws"),
            noise=facts.options.output_noise,
            shares=shares_of(getattr(facts.known, "label_counts", None)),
        )

    def objective(self, facts, table, before):
        """Objective of a run, which trains all nets."""
        nets = self.nets(facts, emission_of(facts))
        return self.objective_class(facts.run(table, before), nets)

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        return super().attributes(facts, state) | {"n_updates_": int(state.t[0])}


def n_classes_of(facts):
    """Number of classes that nets depend on, or 0."""
    return len(facts.known.classes_) if facts.options.class_conditional else 0


def emission_of(facts):
    """Columns as functions of a generator's outputs, an :class:`Emission`."""
    columns = facts.columns
    kinds = getattr(columns, "kinds", None)
    if kinds is None:
        kinds = np.full(len(columns.seen), facts.options.column_types)
    if facts.known.grey:
        kinds = np.where(kinds == "bernoulli", "grey", kinds)
    share = None
    if np.isin(kinds, ("grey", "bernoulli")).any():
        share = facts.domain.moments(columns)
    return Emission(kinds, columns.sizes, getattr(columns, "scales", None), share)
