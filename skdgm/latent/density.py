"""Density of a model with latent units: bounds, samples and imputation."""

from copy import copy
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import _num_samples, check_scalar

from skdgm.base import Density, of_rows
from skdgm.data import fill
from skdgm.data.given import attribute_numbers
from skdgm.latent.activity import ACTIVE, are_dependent
from skdgm.latent.conditional import conditioned
from skdgm.latent.data_layer import Entries
from skdgm.latent.filling import IncompleteRows, LatentChain, impute_by_chains
from skdgm.latent.weighing import AT_ONCE, Draws, by_enough, least_number
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import check_choice, count, count_rows
from skdgm.utils.given import Given
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import warn_few_draws

SAMPLERS = "importance", "metropolis", "gibbs"
# Largest number of activations of a layer: for a batch of rows, and for all draws.
_MAX_BATCH_ACTIVATIONS, _MAX_ACTIVATIONS = 2**19, 2**22
_LATENT, _DOWN, _DATA, _FILL = addresses.LATENT_DENSITY
# Rounds of latent draws that are stored at a time.
_STORED_ROUNDS = 8
# Number of iterations of imputation by means, for the encoder's first guess.
_SETTLED = 10


class Elbo(NamedTuple):
    """Evidence lower bound, reconstruction term, and Kullback-Leibler divergence, in
    nats, each of shape (n_samples,)."""

    bound: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


class LatentDensity(Density):
    r"""Density of rows given latent units, which an encoder infers.

    .. math:: p(x) = \int p(x \mid z) \, p(z) \, dz

    ``net`` has the variables of ``hierarchy``, and ``n_draws()`` is the number of draws
    for each row in :meth:`log_prob`. ``output`` is the distribution of the data given
    the decoder's outputs, and ``layers`` are the indices of the layers whose means are
    features.
    """

    # Values far beyond the range of the training rows are clipped to it.
    bounded = True

    def __init__(self, context, *, hierarchy, net, n_draws, output, layers):
        super().__init__(context)
        self.hierarchy, self.net, self.n_draws = hierarchy, net, n_draws
        self.output, self.share = output, self.domain.share(self.columns)
        self.layers = layers
        self.width = hierarchy.width(net.params)

    @property
    def capabilities(self):
        """Kinds of the results; with links between columns, there is no bound for
        probabilities in place of bits."""
        gray = "lower bound" if self.hierarchy.data is None else "estimate"
        covariates, conditional = self.hierarchy.covariates, {}
        if covariates is not None:
            name = "labels" if covariates.attributes is None else "attributes"
            conditional[name] = "exact"
        bounds, is_approximate = of_rows("lower bound", gray=gray), min(self.layers) > 0
        means = dict.fromkeys(conditional, "estimate" if is_approximate else "exact")
        means["unconditional"] = (
            "estimate" if is_approximate or conditional else "exact"
        )
        return {
            "importance_likelihood": bounds,
            "elbo": bounds,
            "log_prob": bounds | dict.fromkeys(conditional, "lower bound"),
            "features": of_rows("exact"),
            "inverse": means,
            "sample": {"unconditional": "exact", "conditions": "estimate"}
            | conditional,
            "fill": {"missing": "estimate"},
        }

    def log_prob(self, X, *, codes=None, y=None):
        """Importance-weighted lower bound on the log-likelihood, (n_rows,), conditional
        on class ``codes``, (n_rows,), or attributes y if given."""
        return self.importance_likelihood(X, self.n_draws(), codes=codes, y=y)[0]

    def importance_likelihood(self, X, n_draws, codes=None, y=None):
        """Importance-weighted lower bound and its standard error, each (n_rows,),
        conditional on class ``codes`` or attributes y if given."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")
        covariates = self._covariates(codes, y, rows.shape[0], rows.dtype)
        if self.hierarchy.data:
            self.warn_of_gray(rows)

        def of_rows(v, rng, covariates=None):
            draws = self._draws(v, rng, n_draws, covariates=covariates)
            log_ratios = [log_p - gap for log_p, gap in draws]
            log_w = np.concatenate(log_ratios, axis=1).astype(np.float64)
            return np.stack(log_mean_exp(log_w, axis=1), axis=1)

        bound, se = self._by_content(of_rows, rows, covariates).T.copy()
        bound += self.domain.log_volume(self.columns, rows)
        return bound, se

    def elbo(self, X, n_draws):
        """Evidence lower bound of each row, an :class:`Elbo`."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")

        def of_rows(v, rng):
            log_p, total_gap, n_done = 0.0, 0.0, 0
            for log_ps, gap in self._draws(v, rng, n_draws, exact=True):
                log_p = log_p + log_ps.sum(axis=1, dtype=np.float64)
                total_gap = total_gap + log_ps.shape[1] * gap.mean(
                    axis=1, dtype=np.float64
                )
                n_done += log_ps.shape[1]
            return np.stack([log_p, total_gap], axis=1) / n_done

        reconstruction, kl = self._by_content(of_rows, rows).T.copy()
        reconstruction += self.domain.log_volume(self.columns, rows)
        return Elbo(reconstruction - kl, reconstruction, kl)

    def features(self, X):
        """Means of the latent units of ``layers``, concatenated."""
        means = self.means_by_layer(X)
        chosen = [means[level] for level in self.layers]
        return np.ascontiguousarray(np.concatenate(chosen, axis=1))

    @property
    def n_features_out(self):
        return sum(self.hierarchy.n_latent[level] for level in self.layers)

    def inverse(self, H, codes=None, y=None):
        """Expected rows given features H, of which only the lowest layer is used, and
        given class ``codes`` or attributes y."""
        H = self.checked(H, self.dtype)
        Z, level = self.hierarchy.lowest(H, self.layers)
        covariates = self._covariates(codes, y, len(H), self.dtype)
        return self.decode(Z, level, covariates)

    @property
    def dtype(self):
        """Data type of the parameters."""
        return next(layers_of(self.net.params)).b.dtype.type

    def means_by_layer(self, X):
        """Means of the latent units of each layer, the lowest first, a list."""
        splits = np.cumsum(self.hierarchy.n_latent)[:-1]
        return np.split(self.means(X), splits, axis=1)

    def means(self, X):
        """Means of all latent units, each layer given the means below, concatenated."""
        return self._by_content(lambda v, _: self._means(v), self.read(X))

    def active_units(self, X, threshold):
        """Mask of the units whose means have a variance above ``threshold``."""
        # Units in rows, so that sums do not depend on the number of units.
        check_scalar(threshold, "threshold", Real, min_val=0)
        return np.ascontiguousarray(self.means(X).T).var(axis=1) > threshold

    def survey(self, rows, index):
        """Variances of latent means over the rows at an index, (sum of n_components,);
        and True if a layer has no active unit although columns are dependent."""
        with one_blas_thread():
            means = [self._means(rows.take(index[b])) for b in rows.blocks(len(index))]
            variances = np.concatenate(means).var(axis=0, dtype=np.float64)
            splits = np.cumsum(self.hierarchy.activity_groups)[:-1]
            inactive = any(
                layer.max() <= ACTIVE for layer in np.split(variances, splits)
            )
            return variances, inactive and are_dependent(rows.take(np.unique(index)))

    def sample(
        self,
        n_samples,
        random_state=None,
        *,
        conditions=None,
        names=None,
        codes=None,
        y=None,
    ):
        """Draw rows conditional on class ``codes`` or attributes y, which are drawn by
        default, and on ``conditions``, a dict whose keys are among the column
        ``names``."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, x = stream(seed), None
        covariates = self._covariates(codes, y, n_samples, self.dtype)
        with one_blas_thread():
            if conditions is None:
                rng = rng.rows(n_samples)
                v = self.draw(self.outputs(rng, covariates), rng.fold(_DATA))
            else:
                model = self if covariates is None else self._conditional(covariates)
                x, v = conditioned(model, n_samples, conditions, names, rng)
        data = self.domain.to_data(self.columns, v)
        if x is not None:
            data[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(data)

    def draw(self, out, rng):
        """Draw rows given outputs of the decoder, (n_rows, n_outputs)."""
        layer, params = self.hierarchy.data, self.net.params
        if layer is not None:
            return layer.draw(params, out, rng)
        return self.output.draw(out, rng, params.dispersion)

    def _covariates(self, codes, y, n_rows, dtype):
        """Covariates, (n_rows, n_inputs), for class ``codes`` or attributes y; None
        without both."""
        covariates = self.hierarchy.covariates
        if y is not None:
            attributes = None if covariates is None else covariates.attributes
            codes = attribute_numbers(attributes, y, self.name, n_rows)
        if covariates is None or codes is None:
            return None
        return covariates.read(codes, dtype)

    def _conditional(self, covariates):
        """Density of rows of one class, or with one set of attributes."""
        if (covariates != covariates[0]).any():
            raise ValueError(
                f"{self.name} draws under conditions rows of one class at a time, or "
                "of the same attributes: give one y for all."
            )
        density = copy(self)
        density.hierarchy = self.hierarchy.conditional_on(covariates[0])
        return density

    def outputs(self, rng, covariates=None):
        """Outputs of the decoder for latent units drawn from the prior, one row for
        each stream; ``covariates`` are drawn by default."""
        return self.hierarchy.downwards(
            self.net, self.latent(rng), rng.fold(_DOWN), covariates=covariates
        )

    def latent(self, rng):
        """Draw latent units of the highest layer from the prior, one row for each
        stream."""
        return self.hierarchy.top(self.net, rng.fold(_LATENT))

    def decode(self, Z, level=-1, covariates=None):
        """Expected rows given the latent units Z of the layer ``level``."""
        with one_blas_thread():
            out = self.hierarchy.downwards(
                self.net, Z, level=level, covariates=covariates
            )
            layer = self.hierarchy.data
            v = layer.mean(self.net.params, out) if layer else self.output.mean(out)
        return self.decoded(self.domain.to_data(self.columns, v))

    def fill(
        self,
        X,
        method="mean",
        random_state=None,
        *,
        sampler="importance",
        effort=100,
        codes=None,
        y=None,
    ):
        """Impute missing entries, conditional on class ``codes`` or attributes y if
        given. ``effort`` is the number of draws of sampler="importance", or of steps
        of a chain."""
        check_choice("sampler", sampler, SAMPLERS)
        layer = self.hierarchy.data
        model, effective_numbers = copy(self), []
        if getattr(self.columns, "gaps", None) is not None:
            # Imputed entries must not be missing.
            model.output = self.output.present()
            if layer is not None:
                model.hierarchy = copy(self.hierarchy)
                model.hierarchy.data = layer.of(model.output)

        def filled(block):
            v, rng, covariates = block.v, block.rng, block.given
            rows = IncompleteRows(v, model.guess(v, covariates), covariates)
            if sampler == "importance":
                value, effective = model.fill_by_weight(rows, rng, effort, method)
                effective_numbers.append(effective)
                return value
            correct = sampler == "metropolis"
            return model.fill_by_chain(rows, rng, effort, method, correct)

        X = self.with_missing_columns(X)
        covariates = self._covariates(codes, y, _num_samples(X), self.dtype)
        condition = None if covariates is None else Given(covariates)
        X_filled = fill(self, X, method, random_state, filled, given=condition)
        if effective_numbers:
            effective = np.concatenate(effective_numbers)
            remedy = 'n_draws, or take sampler="metropolis"'
            warn_few_draws(self.name, effective, least_number(effort), remedy)
        return self.decoded(X_filled, X)

    def _by_content(self, function, rows, covariates=None):
        return self.by_content(
            function, rows, _MAX_BATCH_ACTIVATIONS // self.width, extra=covariates
        )

    def _means(self, v):
        x = self.output.inputs(v, self.share)
        means = self.hierarchy.upwards(astype(self.net, v.dtype), x)
        return np.concatenate(means, axis=1)

    def _draws(self, v, rng, n_draws, exact=False, covariates=None):
        """Yield log p(x | z) and log q(z | x) - log p(z), each (n_rows, n_draws), in
        batches of draws, conditional on covariates or marginalized over them."""
        net, width = astype(self.net, v.dtype), self.width
        x = self.output.inputs(v, self.share)
        # A row's draws must not depend on the number of rows.
        at_once = max(
            1, _MAX_ACTIVATIONS // (width * max(1, _MAX_BATCH_ACTIVATIONS // width))
        )
        for batch_number, start in enumerate(range(0, n_draws, at_once)):
            noise = self.hierarchy.noise(
                rng.fold(batch_number), min(at_once, n_draws - start)
            )
            entries = Entries(v, rng.fold(batch_number, _FILL))
            decoded: Any = None
            terms, covariate_values = [], [(covariates, 0.0)]
            if covariates is None and self.hierarchy.covariates is not None:
                covariate_values = self.hierarchy.covariates.each()
            for inputs, log_prior in covariate_values:
                decoded = self.hierarchy.through(
                    net, x, noise, exact=exact, entries=entries, covariates=inputs
                )
                nll = self.output.nll(decoded.out, v, net.params.dispersion)
                terms.append(log_prior - nll)
            log_p = terms[0] if len(terms) == 1 else logsumexp(terms, axis=0)
            yield log_p.reshape(len(v), -1), decoded.gap.reshape(len(v), -1)

    def guess(self, v, covariates=None):
        """Rows with missing entries imputed iteratively by conditional means."""
        missing, hierarchy, guess = np.isnan(v), self.hierarchy, v
        for _ in range(_SETTLED):
            x = self.output.inputs(guess, self.share)
            out = hierarchy.rebuilt(self.net, x, covariates)
            if hierarchy.data is not None:
                out = hierarchy.data.outputs(self.net.params, out, x)
            mean = self.output.mean(out)
            guess = np.where(missing, mean, v)
        return guess

    def fill_by_weight(self, rows, rng, n_draws, method):
        """Imputed values of :class:`IncompleteRows` rows by importance weighting, and
        effective numbers of draws."""
        net, dtype = astype(self.net, rows.v.dtype), rows.v.dtype
        values, effective_numbers = [], []
        # Draws of latent units of all rounds are stored.
        width = max(self.width, _STORED_ROUNDS * sum(self.hierarchy.n_latent))
        for block in gen_batches(
            len(rows.v), max(1, _MAX_ACTIVATIONS // (AT_ONCE * width))
        ):
            part = rows.take(block)

            def draw(
                index, rng, counts, proposal=None, with_plausibility=False, part=part
            ):
                # Rounds that adapt the proposal need no values.
                mode = method if with_plausibility or counts.prior else None
                selected = part.take(index)
                return self._drawn_by(
                    net, selected, rng, counts, proposal, with_plausibility, mode
                )

            kind = self.hierarchy.units.proposal
            weighed = by_enough(
                draw, len(part.v), rng.take(block), n_draws, method, kind
            )
            values.append(weighed.value)
            effective_numbers.append(weighed.number)
        value = np.concatenate(values).astype(dtype)
        return self._chosen(value, rng, method), np.concatenate(effective_numbers)

    def _drawn_by(self, net, rows, rng, counts, proposal, with_plausibility, method):
        """:class:`Draws` of rows from encoder, prior and proposal; and with
        ``with_plausibility`` the result of :meth:`_nearness` for the prior, see
        :func:`~skdgm.latent.weighing.by_enough`."""
        hierarchy, draws, nearness = self.hierarchy, [], None
        for source_number, n in enumerate(counts):
            if not n:
                continue
            if source_number == 0:
                source = hierarchy.noise(rng, n)
            else:
                streams = rng.fold(_DOWN, source_number).each(n)
                z = hierarchy.dream(net, streams)
                if source_number == 2:
                    adapted_z = proposal.draw(rng.fold(_DOWN), n).astype(rows.v.dtype)
                    adapted_z = np.split(
                        adapted_z.reshape(len(streams.ids), -1), self._ends, axis=1
                    )
                    z = *adapted_z, *z[len(adapted_z) :]
                source = hierarchy.noise_of(z, streams)
            decoded, log_p, value = self._proposed(
                net, rows, source, rng.fold(_FILL, source_number), method
            )
            z = np.concatenate(decoded.z[: len(hierarchy.n_latent)], axis=1)
            arrays: Any = log_p, sum(decoded.log_p), decoded.gap
            log_p, log_prior, gap = (
                array.astype(np.float64).reshape(-1, n) for array in arrays
            )
            value = None if method is None else value.reshape(-1, n, value.shape[1])
            z = z.reshape(-1, n, z.shape[1])
            draws.append(Draws(z, log_p, log_prior, gap, value))
            if with_plausibility and source_number == 1:
                nearness = self._nearness(decoded.out, rows.v, net.params.dispersion)
        if len(draws) == 1:
            return draws[0], nearness
        return Draws._make(
            np.concatenate(array, axis=1) for array in zip(*draws)
        ), nearness

    @property
    def _ends(self):
        return np.cumsum(self.hierarchy.n_latent)[:-1]

    def _chosen(self, value, rng, method):
        """Values from means of inputs, or draws from chosen outputs."""
        if method == "mean":
            return self.output.value(value)
        if self.hierarchy.data is not None:
            return value
        return self.output.draw(value, rng.fold(_DATA), self.net.params.dispersion)

    def _proposed(self, net, rows, source, rng, method):
        """Draw latent units from a source of noise: a :class:`Pass`, log-likelihoods of
        observed entries, and values for ``method``, or None."""
        layer, output, v = self.hierarchy.data, self.output, rows.v
        decoded = self.hierarchy.through(
            net,
            output.inputs(rows.guess, self.share),
            source,
            entries=Entries(v, rng),
            covariates=rows.covariates,
        )
        value = decoded.out if layer is None else decoded.filled
        if method == "mean" and layer is None:
            value = output.expected(decoded.out)
        elif method == "mean" and layer is not None:
            repeated_v = np.repeat(v, len(value) // len(v), axis=0)
            value = layer.expected(decoded.out, repeated_v, value)
        return decoded, -output.nll(decoded.out, v, net.params.dispersion), value

    def _nearness(self, out, v, dispersion):
        """Sums over draws of the density of the row, and of each column, relative to
        its maximum, (n_rows, 1 + n_columns), in float64."""
        missing = np.isnan(np.repeat(v, len(out) // len(v), axis=0))
        mode = np.where(missing, np.nan, self.output.mode(out)).astype(v.dtype)
        log_p_mode = self.output.log_p(out, mode, dispersion)
        gap = self.output.log_p(out, v, dispersion) - log_p_mode
        gap = np.minimum(gap, 0).astype(np.float64)
        relative = np.concatenate([gap.sum(axis=1, keepdims=True), gap], axis=1)
        return np.exp(relative).reshape(len(v), -1, relative.shape[1]).sum(axis=1)

    def chain(self, rows: IncompleteRows, correct: bool) -> Any:
        """Markov chain of latent units and missing entries of :class:`IncompleteRows`
        rows."""
        return LatentChain(self, rows, correct)

    def fill_by_chain(self, rows, rng, n_steps, method, correct):
        """Imputed values of :class:`IncompleteRows` rows by Markov chains: a mean over
        their steps, or the last state."""

        def make(arrays):
            return self.chain(IncompleteRows._make(arrays), correct)

        filled = impute_by_chains(make, rows, rng, n_steps, method, self.width)
        return filled if method == "sample" else self.output.value(filled)
