"""Density of a deep belief network: directed layers below a Boltzmann machine."""

from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from skdgm.base import Context, Density, by_blocks, of_rows
from skdgm.belief._bound import Terms, mean, terms
from skdgm.belief._directed import BELOW, ascent, descent, directed
from skdgm.boltzmann.structure.labels import label_of
from skdgm.data import fill
from skdgm.samplers import Gibbs
from skdgm.utils.counts import chosen, count
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.rows import row_hash
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

N_DRAWS = 20
# Tag of the random stream of the top-level machine in a Gibbs step.
_TOP = 2


class BeliefDensity(Density):
    r"""Directed layers below a restricted Boltzmann machine.

    .. math:: p(v, h^1, \dots, h^L) = p(h^{L-1}, h^L) \prod_{k=1}^{L-1}
        P(h^{k-1} \mid h^k), \qquad h^0 = v

    ``machines`` are the fitted machines from the bottom up, with the top-level machine
    last. ``untied`` has pairs of recognition and generative Params of the layers in
    which they differ. ``current_option("feature_layer")`` returns the current value of
    that option. :class:`~skdgm.boltzmann._density.layered.EnergyDensity` documents the
    methods that metrics call: :meth:`bracket`, :meth:`problem`, :meth:`numerator`,
    :meth:`annealed`, :meth:`visible_fields` and :meth:`trace`.
    """

    def __init__(self, name, read, *, seed, machines, untied=(), current_option=None):
        self.machines, self.untied = machines, untied
        self.current_option: Any = current_option
        self.parts = [machine.density_ for machine in machines]
        self.bottom, self.top = self.parts[0], self.parts[-1]
        bottom = self.bottom
        super().__init__(Context(name, read, bottom.domain, bottom.columns, seed))

    @property
    def capabilities(self) -> dict:
        top = self.top.capabilities
        names = ["sample", "trace", "log_partition", "bracket", "visible_fields"]
        names += [] if self.deep else ["log_prob", "numerator", "annealed"]
        kind = "estimate" if self.top.kind == "estimate" else "lower bound"
        sampled = "bound", "importance", "features", "numerator", "annealed"
        kinds = dict.fromkeys(sampled, of_rows("estimate"))
        kinds |= {"log_prob": of_rows(kind, gray=kind), "fill": {"missing": "estimate"}}
        kinds["inverse"] = {"unconditional": "estimate" if self.deep else "exact"}
        return kinds | {name: top[name] for name in names if name in top}

    @property
    def deep(self):
        """True if there are directed layers below the top-level machine."""
        return len(self.machines) > 1

    @property
    def widths(self):
        """Number of hidden units in each layer."""
        return [part.n_features_out for part in self.parts]

    def directed(self, dtype=None, n_layers=None):
        """Directed layers from the bottom up, with parameters of a dtype.

        By default, dtypes are unchanged and all layers but the top-level machine are
        returned; a larger ``n_layers`` treats that machine as a directed layer, too.
        """
        layers, n_layers = [], len(self.machines) - 1 if n_layers is None else n_layers
        for number, part in enumerate(self.parts[:n_layers]):
            energy, params = part.pair(dtype)
            recognition = generative = params
            if number < len(self.untied):
                recognition, generative = astype(self.untied[number], dtype)
            layers.append(directed(energy, recognition, generative))
        return layers

    def log_prob(self, X):
        return self.bound(X)[0]

    def bound(self, X, n_draws=N_DRAWS):
        r"""Variational bound on the log-likelihood of each row, in nats, and its
        standard error over draws from Q, both (n_samples,), float64.

        .. math:: \mathbb{E}_Q\Big[\sum_k \log P(h^{k-1} \mid h^k) - \log Q(h^k \mid
            h^{k-1}) + \log P^*(h^{L-1})\Big] - \log Z

        The standard error excludes the error of log Z.
        """
        return self._normalized(X, n_draws, lambda drawn: mean(drawn.bound()))

    def importance(self, X, n_draws=N_DRAWS):
        r"""Log-likelihood of each row by importance sampling from Q, in nats.

        .. math:: \log \frac1n \sum_i \frac{P(v, h_i)}{Q(h_i \mid v)}, \qquad
            h_i \sim Q

        Parameters and results are as in :meth:`bound`.
        """
        return self._normalized(X, n_draws, Terms.log_mean_weight)

    def _normalized(self, X, n_draws, summary):
        value, se = self._expected(X, n_draws, summary)
        return value - self.log_partition()[0], se

    def _expected(self, X, n_draws, summary, log_top=None, rng=None):
        """Summary of the terms of the bound, without log Z, and its standard error."""
        bottom, top, n_draws = self.bottom, self.top, count(n_draws, "n_draws")
        if not self.deep:
            return top.numerator(X)[:2]
        # Chains have the dtype of their parameters.
        exact = top.enumerable and log_top is None
        rows = self.read(X, dtype=np.float64 if exact else None)
        params, parts = top.for_lists(rows.dtype), []
        layers = [layer.for_lists() for layer in self.directed(rows.dtype)]
        rng = stream(self.seed, LIKELIHOOD) if rng is None else rng
        ids = rng.rows(row_hash(rows))

        def log_weight(h, rng):
            x, clamp = top.clamp_rows(h)
            return top.log_weight(params, x, clamp)

        with one_blas_thread():
            for part in rows.blocks():
                x, clamp = bottom.clamp_rows(rows.present(part))
                clamped = clamp[0]
                x = x[0] if clamped is True else layers[0].means(x, clamp)[0]
                log_p = log_top or log_weight
                row_terms = terms(layers, x, clamped, log_p, ids.take(part), n_draws)
                parts.append(summary(row_terms))
        value, se = map(np.concatenate, zip(*parts))
        volume = self.domain.log_volume(self.columns, rows)
        return value + volume, se

    def log_partition(self):
        # The top-level machine caches both.
        top = self.machines[-1]
        return top.log_Z_, top.log_Z_se_

    def bracket(self, n_chains=100, options=None, seed=None, max_bits=None):
        """Bracket of the top-level machine's log Z from both sides."""
        # Refinement changes the training rows of the top-level machine.
        compare = not self.untied
        return self.top.bracket(n_chains, options, seed, max_bits, compare=compare)

    def problem(self, n_chains, seed=None):
        """Random stream, and the problem of estimating log Z."""
        return self.top.problem(n_chains, seed)

    def numerator(self, X, n_draws):
        """Log-likelihoods plus log Z, their standard errors, and their kind."""
        if not self.deep:
            return self.top.numerator(X)
        return *self._expected(X, n_draws, Terms.log_mean_weight), "estimate"

    def annealed(self, X, rng, annealing):
        """Conservative log-likelihoods of rows, from one annealed chain for each
        row."""
        if not self.deep:
            return self.top.annealed(X, rng, annealing)
        log_top = partial(self.top.annealed_from, annealing=annealing)
        return self._expected(X, 1, Terms.log_mean_weight, log_top, rng)[0]

    def visible_fields(self, n_samples, rng, n_steps):
        """Visible units, and their natural parameters given samples."""
        if not self.deep:
            return self.top.visible_fields(n_samples, rng, n_steps)
        layers, seed = self.directed(), int(rng.root % MAX_SEED)
        h = self.top.sample(n_samples, seed, init="chains", n_steps=n_steps)
        states, _ = descent(layers, h, rng.rows(n_samples))
        return layers[0].units[BELOW], layers[0].down(states[1])

    def sample(self, n_samples, random_state=None, *, init="chains", **options):
        if "codes" in options and label_of(self.top.energy) is None:
            raise NotFittedError(
                f"y is given, but {self.name} has not come to its top layer yet, which "
                "learns of labels: call fit, or partial_fit for it."
            )
        seed, init = self._start(random_state, init)
        x = self.top.sample(n_samples, seed, init=init, **options)
        return self._down_from(x, seed)

    def trace(self, n_samples, random_state=None, *, init="chains", **options):
        """Draw rows as in :meth:`sample`; also return the free energies of the
        top-level chains."""
        seed, init = self._start(random_state, init)
        x, trace = self.top.trace(n_samples, seed, init=init, **options)
        return self._down_from(x, seed), trace

    def _start(self, random_state, init):
        """Seed, and the initial states of the top-level machine's chains."""
        seed = check_random_state(random_state).randint(MAX_SEED)
        if not self.deep or isinstance(init, str):
            return seed, init
        layers, rows = self.directed(), self.read(init)
        rng, parts = stream(seed).rows(rows.shape[0]), []
        with one_blas_thread():
            for part in rows.blocks():
                x, clamp = self.bottom.clamp_rows(rows.take(part))
                x, _ = layers[0].means(x, clamp)
                parts.append(np.asarray(ascent(layers, x, rng.take(part))[-1]))
        return seed, np.concatenate(parts)

    def _down_from(self, x, seed):
        """Draw rows by ancestral sampling from the top-level machine's visible
        units."""
        if not self.deep:
            return x
        with one_blas_thread():
            states, _ = descent(self.directed(), x, stream(seed).rows(len(x)))
        return self.domain.to_data(self.columns, np.asarray(states[0]))

    def fill(self, X, method="mean", random_state=None, *, n_steps=100):
        n_steps = count(n_steps, "n_steps")

        def filled(block):
            return self._filled(block.v, block.rng, n_steps, method)

        return fill(self, X, method, random_state, filled)

    def _filled(self, v, rng, n_steps, method):
        """Impute missing entries by Gibbs steps, with one random stream for each row.

        A step is an upward pass, a Gibbs step in the top-level machine, and a downward
        pass.
        """
        layers, top = self.directed(), self.top
        if not layers:
            return top.chains.filled(v, rng, n_steps, method)
        sampler = Gibbs(top.energy, colors=top.energy.backwards)
        clamped = ~np.isnan(v)
        x, total = self.completed(v), 0.0
        for number in range(n_steps):
            step_rng = rng.fold(number)
            state = top.chains.from_rows(ascent(layers, x, step_rng)[-1], step_rng)
            state, _ = sampler.step(step_rng.fold(_TOP), top.params, state)
            states, mean = descent(layers, state.x[0], step_rng)
            x, total = np.where(clamped, v, np.asarray(states[0])), total + mean
        return x if method == "sample" else np.where(clamped, v, total / n_steps)

    def completed(self, v):
        """Rows in model units whose missing entries (NaN) are imputed by mean field in
        the first layer."""
        incomplete = np.isnan(v).any(axis=1)
        if incomplete.any():
            (layer,), v = self.directed(n_layers=1), v.copy()
            x, clamp = self.bottom.clamp_rows(v[incomplete])
            v[incomplete] = layer.means(x, clamp)[0]
        return v

    @property
    def layers(self):
        """Numbers of the layers whose hidden units are features."""
        return chosen(self.current_option("feature_layer"), len(self.machines))

    @property
    def n_features_out(self):
        return sum(self.widths[number] for number in self.layers)

    def features(self, X, *, layers=None):
        r"""Means of hidden units, computed layer by layer upwards.

        .. math:: m^{(0)} = x, \qquad m^{(k)} = \sigma(c^{(k)} + m^{(k-1)} R^{(k)})

        Columns of several ``layers`` are concatenated; the default is
        ``feature_layer``. Missing entries are inferred by mean field in the first
        layer.
        """
        return self.upward(self.read(X), layers)

    def upward(self, rows, layers=None):
        """Features of validated rows; see :meth:`features`."""
        numbers = list(self.layers if layers is None else layers)
        parts = self.parts[: 1 + max(numbers)]
        recognition = [params for params, _ in self.untied]
        recognition += [part.params for part in parts[len(recognition) :]]

        def of_rows(v):
            means = []
            for part, params in zip(parts, recognition):
                x, clamp = part.clamp_rows(v)
                v = part.hidden_means(params, x, clamp)
                means.append(v)
            return np.concatenate([means[n] for n in numbers], axis=1)

        return by_blocks(of_rows, rows, lists=False if self.deep else None)

    def inverse(self, H):
        """Means of visible units, computed downwards from the lowest layer of features;
        see :class:`~skdgm.base.Density`."""
        H = self.checked(H, self.bottom.params.dtype, "hidden units")
        layers, widths = self.layers, self.widths
        lowest = min(layers)
        start = sum(widths[n] for n in layers[: layers.index(lowest)])
        return self.visible_means(H[:, start : start + widths[lowest]], lowest)

    def visible_means(self, H, layer):
        """Means of visible units in the scale of the columns, computed downwards from
        values or means of the hidden units of a layer."""
        with one_blas_thread():
            for unit_layer in reversed(self.directed(n_layers=layer + 1)):
                H = unit_layer.units[BELOW].mean(unit_layer.down(unit_layer.spread(H)))
        return self.domain.to_data(self.columns, H)
