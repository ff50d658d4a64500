"""Density of a model with latent units: bounds, samples, conditional samples."""

from copy import copy
from numbers import Real
from typing import NamedTuple

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
from skdgm.latent.filling import Incomplete, LatentChain, by_chain
from skdgm.latent.weighing import AT_ONCE, Draws, by_enough, least_number
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import check_choice, count, count_rows
from skdgm.utils.given import Given
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import tell_few

SAMPLERS = "importance", "metropolis", "gibbs"
# Limits on the numbers of one layer at a time: of a block's rows, and of all draws.
_ROWS, _ROOM = 2**19, 2**22
_LATENT, _DOWN, _DATA, _FILL = addresses.LATENT_DENSITY
# Draws of latent units that are kept, by those at a time.
_KEPT = 8
# Number of iterations of filling by means, to find a proposal.
_SETTLED = 10


class Elbo(NamedTuple):
    """Evidence lower bound, the reconstruction term minus the divergence, and these
    parts, in nats, each of shape (n_samples,)."""

    bound: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


class LatentDensity(Density):
    r"""Density of rows given by latent units, with an encoder to infer these.

    .. math:: p(x) = \int p(x \mid z) \, p(z) \, dz

    Besides the arguments of :class:`~skdgm.base.Density` it has ``hierarchy``, an
    :class:`Architecture`; ``net``, its :class:`~skdgm.nets.Variables`; ``n_draws``,
    which returns the number of draws for each row in :meth:`log_prob`; ``output``, the
    distribution of the data given the decoder's outputs; and ``layers``, numbers of
    those whose means are features.
    """

    # Known values far beyond the range seen are read as its ends.
    bounded = True

    def __init__(self, context, *, hierarchy, net, n_draws, output, layers):
        super().__init__(context)
        self.hierarchy, self.net, self.n_draws = hierarchy, net, n_draws
        self.output, self.share = output, self.domain.share(self.columns)
        self.layers = layers
        self.width = hierarchy.width(net.params)

    @property
    def capabilities(self):
        """Bounds; links between columns leave none of grey rows, which are scored."""
        grey = "lower bound" if self.hierarchy.data is None else "estimate"
        covariates, conditional = self.hierarchy.covariates, {}
        if covariates is not None:
            name = "labels" if covariates.attributes is None else "attributes"
            conditional[name] = "exact"
        bounds, rough = of_rows("lower bound", grey=grey), min(self.layers) > 0
        means = dict.fromkeys(conditional, "estimate" if rough else "exact")
        means["nothing"] = "estimate" if rough or conditional else "exact"
        return {
            "importance_likelihood": bounds,
            "elbo": bounds,
            "log_prob": bounds | dict.fromkeys(conditional, "lower bound"),
            "features": of_rows("exact"),
            "inverse": means,
            "sample": {"nothing": "exact", "conditions": "estimate"} | conditional,
            "fill": {"missing": "estimate"},
        }

    def log_prob(self, X, *, codes=None, y=None):
        """Importance weighted lower bound on the log-likelihood, by ``n_draws`` draws;
        conditional on ``codes`` of classes, (n_rows,), or on attributes y."""
        return self.importance_likelihood(X, self.n_draws(), codes=codes, y=y)[0]

    def importance_likelihood(self, X, n_draws, codes=None, y=None):
        """Importance weighted lower bound and its standard error, of each row;
        conditional on ``codes`` of classes, or on attributes y."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")
        covariates = self._covariates(codes, y, rows.shape[0], rows.dtype)
        if self.hierarchy.data:
            self.tell_grey(rows)

        def of_rows(v, rng, covariates=None):
            draws = self._draws(v, rng, n_draws, covariates=covariates)
            parts = [log_p - gap for log_p, gap in draws]
            log_w = np.concatenate(parts, axis=1).astype(np.float64)
            return np.stack(log_mean_exp(log_w, axis=1), axis=1)

        bound, se = self._by_content(of_rows, rows, covariates).T.copy()
        bound += self.domain.log_volume(self.columns, rows)
        return bound, se

    def elbo(self, X, n_draws):
        """Evidence lower bound of each row, an :class:`Elbo`."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")

        def of_rows(v, rng):
            log_p, total, n = 0.0, 0.0, 0
            for part, gap in self._draws(v, rng, n_draws, exact=True):
                log_p = log_p + part.sum(axis=1, dtype=np.float64)
                total = total + part.shape[1] * gap.mean(axis=1, dtype=np.float64)
                n += part.shape[1]
            return np.stack([log_p, total], axis=1) / n

        reconstruction, kl = self._by_content(of_rows, rows).T.copy()
        reconstruction += self.domain.log_volume(self.columns, rows)
        return Elbo(reconstruction - kl, reconstruction, kl)

    def features(self, X):
        """Means of the latent units of ``layers``, side by side."""
        parts = self.means_by_layer(X)
        chosen = [parts[number] for number in self.layers]
        return np.ascontiguousarray(np.concatenate(chosen, axis=1))

    @property
    def n_features_out(self):
        """Number of columns of :meth:`features`."""
        return sum(self.hierarchy.n_latent[number] for number in self.layers)

    def inverse(self, H, codes=None, y=None):
        """Expected rows given latent units, as :meth:`features` returns them, of the
        lowest if they are of several layers; and given classes or attributes."""
        H = self.checked(H, self.dtype)
        Z, level = self.hierarchy.lowest(H, self.layers)
        covariates = self._covariates(codes, y, len(H), self.dtype)
        return self.decode(Z, level, covariates)

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.net.params)).b.dtype.type

    def means_by_layer(self, X):
        """Means of the latent units of each layer, the lowest first."""
        ends = np.cumsum(self.hierarchy.n_latent)[:-1]
        return np.split(self.means(X), ends, axis=1)

    def means(self, X):
        """Means of all latent units, layer after layer, each given those below."""
        return self._by_content(lambda v, _: self._means(v), self.read(X))

    def active_units(self, X, threshold):
        """Mask of the units whose means have a variance above a threshold."""
        # Units in rows, so that the means of one are added in order.
        check_scalar(threshold, "threshold", Real, min_val=0)
        return np.ascontiguousarray(self.means(X).T).var(axis=1) > threshold

    def survey(self, rows, index):
        """Variances of latent means over the rows at an index, (sum of n_components,);
        and whether no unit of some layer is active although columns are dependent."""
        with one_blas_thread():
            parts = [self._means(rows.take(index[b])) for b in rows.blocks(len(index))]
            variances = np.concatenate(parts).var(axis=0, dtype=np.float64)
            ends = np.cumsum(self.hierarchy.wholes)[:-1]
            silent = any(part.max() <= ACTIVE for part in np.split(variances, ends))
            return variances, silent and are_dependent(rows.take(np.unique(index)))

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
        """Draw latent units, then data given these; with ``conditions``, a dict by the
        ``names`` of columns, given these; ``codes`` are classes of rows, and y
        attributes, by default drawn, or of all rows if there are conditions."""
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
        """Draw rows, given the outputs of the decoder for each."""
        layer, params = self.hierarchy.data, self.net.params
        if layer is not None:
            return layer.draw(params, out, rng)
        return self.output.draw(out, rng, params.own)

    def _covariates(self, codes, y, n_rows, dtype):
        """Inputs of the decoder besides latent units, (n_rows, n_inputs), of classes by
        ``codes`` or of attributes y; None without both."""
        covariates = self.hierarchy.covariates
        if y is not None:
            attributes = None if covariates is None else covariates.attributes
            codes = attribute_numbers(attributes, y, self.name, n_rows)
        return None if codes is None else covariates.read(codes, dtype)

    def _conditional(self, covariates):
        """The density of rows of one class, or of one row of attributes."""
        if (covariates != covariates[0]).any():
            raise ValueError(
                f"{self.name} draws under conditions rows of one class at a time, or "
                "of the same attributes: give one y for all."
            )
        density = copy(self)
        density.hierarchy = self.hierarchy.conditional_on(covariates[0])
        return density

    def outputs(self, rng, covariates=None):
        """Outputs of the decoder for latent units drawn from their prior, one row for
        each stream; ``covariates`` are by default drawn."""
        return self.hierarchy.downwards(
            self.net, self.latent(rng), rng.fold(_DOWN), covariates=covariates
        )

    def latent(self, rng):
        """Draw latent units from their prior, one row for each stream."""
        return self.hierarchy.top(self.net, rng.fold(_LATENT))

    def decode(self, Z, level=-1, covariates=None):
        """Expected data given latent units of a layer; see ``inverse_transform``."""
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
        n_steps=100,
        codes=None,
        y=None,
    ):
        """Fill missing entries, given classes or attributes, too, if there are any;
        ``sampler`` is one of ``SAMPLERS``."""
        n_steps = count(n_steps, "n_steps")
        check_choice("sampler", sampler, SAMPLERS)
        layer = self.hierarchy.data
        model, numbers = copy(self), []
        if getattr(self.columns, "gaps", None) is not None:
            # Entries that are filled in are not missing.
            model.output = self.output.present()
            if layer is not None:
                model.hierarchy = copy(self.hierarchy)
                model.hierarchy.data = layer.of(model.output)

        def filled(v, rng, covariates=None):
            rows = Incomplete(v, model.guess(v, covariates), covariates)
            if sampler == "importance":
                value, number = model.fill_by_weight(rows, rng, n_steps, method)
                numbers.append(number)
                return value
            correct = sampler == "metropolis"
            return model.fill_by_chain(rows, rng, n_steps, method, correct)

        X = self.widened(X)
        covariates = self._covariates(codes, y, _num_samples(X), self.dtype)
        given = None if covariates is None else Given(covariates)
        X_filled = fill(self, X, method, random_state, filled, given=given)
        if numbers:
            number, remedy = (
                np.concatenate(numbers),
                'n_steps, or take sampler="metropolis"',
            )
            tell_few(self.name, number, least_number(n_steps), remedy)
        return self.decoded(X_filled, X)

    def _by_content(self, function, rows, covariates=None):
        return self.by_content(function, rows, _ROWS // self.width, beside=covariates)

    def _means(self, v):
        x = self.output.inputs(v, self.share)
        means = self.hierarchy.upwards(astype(self.net, v.dtype), x)
        return np.concatenate(means, axis=1)

    def _draws(self, v, rng, n_draws, exact=False, covariates=None):
        """Yield log-likelihoods and gaps of some draws at a time, a column for each;
        conditional on covariates, or averaged over these."""
        net, width = astype(self.net, v.dtype), self.width
        x = self.output.inputs(v, self.share)
        # Independent of the number of rows, so that a row's draws are, too.
        at_once = max(1, _ROOM // (width * max(1, _ROWS // width)))
        for number, first in enumerate(range(0, n_draws, at_once)):
            noise = self.hierarchy.noise(
                rng.fold(number), min(at_once, n_draws - first)
            )
            entries = Entries(v, rng.fold(number, _FILL))
            parts, each = [], [(covariates, 0.0)]
            if covariates is None and self.hierarchy.covariates is not None:
                each = self.hierarchy.covariates.each()
            for inputs, log_share in each:
                decoded = self.hierarchy.through(
                    net, x, noise, exact=exact, entries=entries, covariates=inputs
                )
                nll = self.output.nll(decoded.out, v, net.params.own)
                parts.append(log_share - nll)
            log_p = parts[0] if len(parts) == 1 else logsumexp(parts, axis=0)
            yield log_p.reshape(len(v), -1), decoded.gap.reshape(len(v), -1)

    def guess(self, v, covariates=None):
        """Rows whose missing entries are means given the others, after some steps."""
        missing, hierarchy, guess = np.isnan(v), self.hierarchy, v
        for _ in range(_SETTLED):
            x = self.output.inputs(guess, self.share)
            out = hierarchy.rebuilt(self.net, x, covariates)
            if hierarchy.data is not None:
                out = hierarchy.data.outputs(self.net.params, out, x)
            mean = self.output.mean(out)
            guess = np.where(missing, mean, v)
        return guess

    def fill_by_weight(self, rows, rng, n_steps, method):
        """Fill rows, :class:`Incomplete`, by weighted draws: values, and effective
        numbers of draws."""
        net, dtype = astype(self.net, rows.v.dtype), rows.v.dtype
        values, numbers = [], []
        # Draws of latent units of all rounds are kept.
        width = max(self.width, _KEPT * sum(self.hierarchy.n_latent))
        for block in gen_batches(len(rows.v), max(1, _ROOM // (AT_ONCE * width))):
            part = rows.take(block)

            def draw(index, rng, counts, proposal=None, near=False, part=part):
                # Rounds of a proposal that learns have no use for values.
                by = method if near or counts.prior else None
                chosen = part.take(index)
                return self._drawn_by(net, chosen, rng, counts, proposal, near, by)

            kind = self.hierarchy.units.proposal
            weighed = by_enough(
                draw, len(part.v), rng.take(block), n_steps, method, kind
            )
            values.append(weighed.value)
            numbers.append(weighed.number)
        value = np.concatenate(values).astype(dtype)
        return self._chosen(value, rng, method), np.concatenate(numbers)

    def _drawn_by(self, net, rows, rng, counts, proposal, near, method):
        """:class:`Draws` of rows by encoder, prior and a proposal, and how many of the
        prior are near seen entries, or None; see
        :func:`~skdgm.latent.weighing.by_enough`."""
        hierarchy, parts, close = self.hierarchy, [], None
        for number, n in enumerate(counts):
            if not n:
                continue
            if number == 0:
                source = hierarchy.noise(rng, n)
            else:
                streams = rng.fold(_DOWN, number).each(n)
                z = hierarchy.dream(net, streams)
                if number == 2:
                    new = proposal.draw(rng.fold(_DOWN), n).astype(rows.v.dtype)
                    new = np.split(
                        new.reshape(len(streams.ids), -1), self._ends, axis=1
                    )
                    z = *new, *z[len(new) :]
                source = hierarchy.noise_of(z, streams)
            decoded, log_p, value = self._proposed(
                net, rows, source, rng.fold(_FILL, number), method
            )
            z = np.concatenate(decoded.z[: len(hierarchy.n_latent)], axis=1)
            log_p, log_prior, gap = (
                part.astype(np.float64).reshape(-1, n)
                for part in (log_p, sum(decoded.log_p), decoded.gap)
            )
            value = None if method is None else value.reshape(-1, n, value.shape[1])
            z = z.reshape(-1, n, z.shape[1])
            parts.append(Draws(z, log_p, log_prior, gap, value))
            if near and number == 1:
                close = self._nearness(decoded.out, rows.v, net.params.own)
        if len(parts) == 1:
            return parts[0], close
        return Draws._make(np.concatenate(part, axis=1) for part in zip(*parts)), close

    @property
    def _ends(self):
        return np.cumsum(self.hierarchy.n_latent)[:-1]

    def _chosen(self, value, rng, method):
        """Values of means, or of the draws that were chosen."""
        if method == "mean":
            return self.output.value(value)
        if self.hierarchy.data is not None:
            return value
        return self.output.draw(value, rng.fold(_DATA), self.net.params.own)

    def _proposed(self, net, rows, source, rng, method):
        """Several draws of rows by latent units of a source of noise: a :class:`Pass`,
        log-likelihoods of seen entries, and values by a method, unless that is None."""
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
        elif method == "mean":
            holes = np.repeat(v, len(value) // len(v), axis=0)
            value = layer.expected(decoded.out, holes, value)
        return decoded, -output.nll(decoded.out, v, net.params.own), value

    def _nearness(self, out, v, dispersion):
        """Numbers of draws near which all seen entries, and each column, are as
        probable as any value, (n_rows, 1 + n_columns), float64."""
        holes = np.isnan(np.repeat(v, len(out) // len(v), axis=0))
        mode = np.where(holes, np.nan, self.output.mode(out)).astype(v.dtype)
        highest = self.output.log_p(out, mode, dispersion)
        gap = self.output.log_p(out, v, dispersion) - highest
        gap = np.minimum(gap, 0).astype(np.float64)
        both = np.concatenate([gap.sum(axis=1, keepdims=True), gap], axis=1)
        return np.exp(both).reshape(len(v), -1, both.shape[1]).sum(axis=1)

    def chain(self, rows, correct):
        """Markov chain of latent units and missing entries of rows,
        :class:`Incomplete`."""
        return LatentChain(self, rows, correct)

    def fill_by_chain(self, rows, rng, n_steps, method, correct):
        """Fill rows, :class:`Incomplete`, by Markov chains: a mean over their steps, or
        the last state of one."""

        def make(arrays):
            return self.chain(Incomplete._make(arrays), correct)

        filled = by_chain(make, rows, rng, n_steps, method, self.width)
        return filled if method == "sample" else self.output.value(filled)
