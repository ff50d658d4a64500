"""Parts of the likelihood of a deep belief network that :mod:`skdgm.metrics` uses."""

from skdgm.belief._bound import Terms
from skdgm.belief._directed import BELOW, descent
from skdgm.utils.random import MAX_SEED


class EvidenceMixin:
    """Mixin with the parts of the likelihood, for a stack with ``_directed()``."""

    def _bracket(self, *effort, **options):
        # Refinement changes the rows that the top machine learns from.
        options.setdefault("compare", not self._untied)
        return self.layers_[-1]._bracket(*effort, **options)

    def _problem(self, n_chains, seed=None):
        return self.layers_[-1]._problem(n_chains, seed)

    def _numerator(self, X, n_draws):
        if len(self.layers_) == 1:
            return self.layers_[-1]._numerator(X, n_draws)
        return *self._expected(X, n_draws, Terms.log_mean_weight), "estimate"

    def _annealed(self, X, rng, annealing):
        top = self.layers_[-1]
        if len(self.layers_) == 1:
            return top._annealed(X, rng, annealing)
        return self._expected(
            X,
            1,
            Terms.log_mean_weight,
            lambda h, own: top._log_annealed(h, own, annealing),
            rng,
        )[0]

    def _visible_fields(self, n_samples, rng, n_steps):
        layers, top = self._directed(), self.layers_[-1]
        if not layers:
            return top._visible_fields(n_samples, rng, n_steps)
        seed, chains = int(rng.root % MAX_SEED), {"init": "chains", "n_steps": n_steps}
        h = top._sample(n_samples, seed, **chains)
        states, _ = descent(layers, h, rng.rows(n_samples))
        return layers[0].units[BELOW], layers[0].down(states[1])
