"""Models of generators, built from options, with a density estimated from draws."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from skdgm.base import Facts
from skdgm.data.given import shares_of
from skdgm.implicit.density import FeatureMaps, ImplicitDensity
from skdgm.implicit.model_options import GeneratorOptionsT
from skdgm.nets import NetModel
from skdgm.nets.stochastic.emission import Emission


class ImplicitModel(NetModel[GeneratorOptionsT]):
    """Generator and its training. Training states have the generator's parameters as
    ``learned[0]``, its statistics as ``generator.statistics``, and its number of
    updates as ``t``, (1,)."""

    # Function of a :class:`~skdgm.training.Run` and of nets that returns an objective.
    objective_class: Any

    @abstractmethod
    def nets(self, facts: Facts[GeneratorOptionsT], emission: Emission) -> Any:
        """Nets, a SimpleNamespace with a ``generator``, a
        :class:`~skdgm.implicit.Generator`, and other nets of the objective and of
        :meth:`hidden`; ``emission`` is the distribution of columns given the
        generator's outputs."""

    @abstractmethod
    def hidden(
        self, nets: Any, state: Any, x: np.ndarray, known: np.ndarray | None = None
    ) -> Any:
        """Features of rows, (n_rows, n_features_out), from inputs x of a discriminator;
        ``known`` is 1 at observed entries, or None."""

    def latent(self, options):
        """Return True if features are latent units."""
        return options.features == "latent"

    def of_features(self, options: GeneratorOptionsT) -> Callable | None:
        """Function of the density and features that returns rows, or None if features
        do not determine rows."""
        determines_rows = self.latent(options) and not options.class_conditional
        return ImplicitDensity.decode if determines_rows else None

    def density(self, facts, state):
        return ImplicitDensity(
            facts.context,
            nets=self.nets(facts, emission_of(facts)),
            state=state,
            maps=FeatureMaps(
                None if self.latent(facts.options) else self.hidden,
                self.of_features(facts.options),
            ),
            n_draws=partial(facts.current_option, "n_draws"),
            noise=facts.options.output_noise,
            shares=shares_of(getattr(facts.known, "label_counts", None)),
        )

    def objective(self, facts, table, epochs_before):
        nets = self.nets(facts, emission_of(facts))
        return self.objective_class(facts.run(table, epochs_before), nets)

    def attributes(self, facts, state):
        return super().attributes(facts, state) | {"n_updates_": int(state.t[0])}


def n_classes_of(facts):
    """Number of classes that condition the nets, or 0."""
    return len(facts.known.classes_) if facts.options.class_conditional else 0


def emission_of(facts):
    """:class:`Emission`, the distribution of columns given a generator's outputs."""
    columns = facts.columns
    kinds = getattr(columns, "kinds", None)
    if kinds is None:
        kinds = np.full(len(columns.seen), facts.options.column_types)
    if facts.known.gray:
        kinds = np.where(kinds == "bernoulli", "gray", kinds)
    share = None
    if np.isin(kinds, ("gray", "bernoulli")).any():
        share = facts.domain.moments(columns)
    return Emission(kinds, columns.sizes, getattr(columns, "scales", None), share)
