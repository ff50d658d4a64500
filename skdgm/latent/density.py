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
from skdgm.latent.filling import LatentChain, by_chain
from skdgm.latent.weighing import AT_ONCE, Draws, Weighed, by_enough, least_number
from skdgm.nets import layers_of
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
_LATENT, _DOWN, _DATA, _FILL = 100, 101, 102, 104
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
    :class:`Architecture`; ``net``, parameters and running statistics; ``n_draws``,
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
        self.width = hierarchy.width(net[0])

    @property
    def capabilities(self):
        """Bounds; links between columns leave none of grey rows, which are scored."""
        grey = "lower bound" if self.hierarchy.data is None else "estimate"
        scores = "importance_likelihood", "elbo"
        told, given = self.hierarchy.told, {}
        if told is not None:
            given["labels" if told.attributes is None else "attributes"] = "exact"
        bounds, rough = of_rows("lower bound", grey=grey), min(self.layers) > 0
        lowest = dict.fromkeys(given, "estimate" if rough else "exact")
        return dict.fromkeys(scores, bounds) | {
            "log_prob": bounds | dict.fromkeys(given, "lower bound"),
            "features": of_rows("exact"),
            "inverse": {"nothing": "estimate" if rough or given else "exact"} | lowest,
            "sample": {"nothing": "exact", "conditions": "estimate"} | given,
            "fill": {"missing": "estimate"},
        }

    def log_prob(self, X, codes=None, y=None):
        """Importance weighted lower bound on the log-likelihood, by ``n_draws`` draws;
        given classes, if there are ``codes`` of these, (n_rows,), or attributes y."""
        more = {k: v for k, v in {"codes": codes, "y": y}.items() if v is not None}
        return self.importance_likelihood(X, self.n_draws(), **more)[0]

    def importance_likelihood(self, X, n_draws, codes=None, y=None):
        """Importance weighted lower bound and its standard error, of each row; given
        classes, if there are ``codes`` of these, or attributes y."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")
        told = self._told(codes, y, rows.shape[0], rows.dtype)
        if self.hierarchy.data:
            self.tell_grey(rows)

        def of_rows(v, rng, told=None):
            draws = self._draws(v, rng, n_draws, told=told)
            parts = [log_p - gap for log_p, gap in draws]
            log_w = np.concatenate(parts, axis=1).astype(np.float64)
            return np.stack(log_mean_exp(log_w, axis=1), axis=1)

        found, se = self._by_content(of_rows, rows, told).T.copy()
        found += self.domain.log_volume(self.columns, rows)
        return found, se

    def elbo(self, X, n_draws):
        """Evidence lower bound of each row, an :class:`Elbo`."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")

        def of_rows(v, rng):
            log_p, gap, n = 0.0, 0.0, 0
            for part, own in self._draws(v, rng, n_draws, exact=True):
                log_p = log_p + part.sum(axis=1, dtype=np.float64)
                gap = gap + part.shape[1] * own.mean(axis=1, dtype=np.float64)
                n += part.shape[1]
            return np.stack([log_p, gap], axis=1) / n

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
        """Expected rows given latent units, as :meth:`features` returns them: of
        several layers, those of the lowest; and given classes or attributes."""
        H = self.checked(H, self.dtype)
        told = self._told(codes, y, len(H), self.dtype)
        return self.decode(*self.hierarchy.lowest(H, self.layers), told)

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.net[0])).b.dtype.type

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
        told = self._told(codes, y, n_samples, self.dtype)
        with one_blas_thread():
            if conditions is None:
                out, rng = self.outputs(rng.rows(n_samples), told)
                v = self.draw(out, rng.fold(_DATA))
            else:
                model = self if told is None else self._only(told)
                x, v = conditioned(model, n_samples, conditions, names, rng)
        found = self.domain.to_data(self.columns, v)
        if x is not None:
            found[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(found)

    def draw(self, out, rng):
        """Draw rows, given the outputs of the decoder for each."""
        layer, params = self.hierarchy.data, self.net[0]
        if layer is not None:
            return layer.draw(params, out, rng)
        return self.output.draw(out, rng, params.own)

    def _told(self, codes, y, n_rows, dtype):
        """Inputs of the decoder beside latent units, (n_rows, n_inputs), of classes by
        ``codes`` or of attributes y; None of neither."""
        own = self.hierarchy.told
        if y is not None:
            attributes = None if own is None else own.attributes
            codes = attribute_numbers(attributes, y, self.name, n_rows)
        return None if codes is None else own.read(codes, dtype)

    def _only(self, told):
        """The density of rows of one class, or of one row of attributes."""
        if (told != told[0]).any():
            raise ValueError(
                f"{self.name} draws under conditions rows of one class at a time, or "
                "of the same attributes: give one y for all."
            )
        found = copy(self)
        found.hierarchy = self.hierarchy.told_only(told[0])
        return found

    def outputs(self, rng, told=None):
        """Outputs of the decoder for latent units drawn from their prior, one row for
        each stream, and the streams; ``told`` are its other inputs, by default
        drawn."""
        given = self.latent(rng), rng.fold(_DOWN)
        return self.hierarchy.downwards(*self.net, *given, told=told), rng

    def latent(self, rng):
        """Draw latent units from their prior, one row for each stream."""
        params, statistics = self.net
        return self.hierarchy.top(params, rng.fold(_LATENT), statistics)

    def decode(self, Z, level=-1, told=None):
        """Expected data given latent units of a layer; see ``inverse_transform``."""
        with one_blas_thread():
            out = self.hierarchy.downwards(*self.net, Z, level=level, told=told)
            layer = self.hierarchy.data
            v = layer.mean(self.net[0], out) if layer else self.output.mean(out)
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
            # What is filled in is not missing.
            model.output = self.output.present()
            if layer is not None:
                model.hierarchy = copy(self.hierarchy)
                model.hierarchy.data = layer.of(model.output)

        def filled(v, rng, *told):
            given = v, model._guess(v, *told), rng, n_steps, method
            if sampler == "importance":
                value, number = model._weighed(*given, *told)
                numbers.append(number)
                return value
            return model._chained(*given, sampler == "metropolis", *told)

        X = self.widened(X)
        told = self._told(codes, y, _num_samples(X), self.dtype)
        given = None if told is None else Given(told)
        whole = fill(self, X, method, random_state, filled, given=given)
        if numbers:
            few = np.concatenate(numbers), least_number(n_steps)
            tell_few(self.name, *few, 'n_steps, or take sampler="metropolis"')
        return self.decoded(whole, X)

    def _by_content(self, function, rows, beside=None):
        return self.by_content(function, rows, _ROWS // self.width, beside=beside)

    def _means(self, v):
        x = self.output.inputs(v, self.share)
        means = self.hierarchy.upwards(*astype(self.net, v.dtype), x)
        return np.concatenate(means, axis=1)

    def _draws(self, v, rng, n_draws, exact=False, told=None):
        """Yield log-likelihoods and gaps of some draws at a time, a column for each;
        of likelihoods given other inputs of the decoder, if these are ``told``."""
        (params, statistics), width = astype(self.net, v.dtype), self.width
        x = self.output.inputs(v, self.share)
        # Independent of the number of rows, so that a row's draws are, too.
        at_once = max(1, _ROOM // (width * max(1, _ROWS // width)))
        for number, first in enumerate(range(0, n_draws, at_once)):
            n_each = min(at_once, n_draws - first)
            noise = self.hierarchy.noise(rng.fold(number), n_each)
            how = {"exact": exact, "given": (v, rng.fold(number, _FILL))}
            parts, each = [], [(told, 0.0)]
            if told is None and self.hierarchy.told is not None:
                each = self.hierarchy.told.each()
            for own, log_share in each:
                given = params, statistics, x, noise
                found = self.hierarchy.through(*given, **how, told=own)
                parts.append(log_share - self.output.nll(found.out, v, params.own))
            log_p = parts[0] if len(parts) == 1 else logsumexp(parts, axis=0)
            yield log_p.reshape(len(v), -1), found.gap.reshape(len(v), -1)

    def _guess(self, v, told=None):
        """Rows with missing entries filled by means, iterated."""
        missing, hierarchy, guess = np.isnan(v), self.hierarchy, v
        for _ in range(_SETTLED):
            x = self.output.inputs(guess, self.share)
            out = hierarchy.rebuilt(*self.net, x, told)
            if hierarchy.data is not None:
                out = hierarchy.data.outputs(self.net[0], out, x)
            mean = self.output.mean(out)
            guess = np.where(missing, mean, v)
        return guess

    def _weighed(self, v, guess, rng, n_steps, method, told=None):
        """Fill by weighted draws: values, and effective numbers of draws."""
        net, parts = astype(self.net, v.dtype), []
        kind = self.hierarchy.units.proposal
        # Draws of latent units of all rounds are kept.
        width = max(self.width, _KEPT * sum(self.hierarchy.n_latent))
        for block in gen_batches(len(v), max(1, _ROOM // (AT_ONCE * width))):
            rows = v[block], guess[block], None if told is None else told[block]

            def draw(index, rng, counts, proposal=None, near=False, rows=rows):
                rows = [None if x is None else x[index] for x in rows]
                # Rounds of a proposal that learns have no use for values.
                how = method if near or counts.prior else None
                return self._drawn_by(net, rows, rng, counts, proposal, near, how)

            own = len(rows[0]), rng.take(block), n_steps, method, kind
            parts.append(by_enough(draw, *own))
        found = Weighed(*map(np.concatenate, zip(*parts)))
        return self._chosen(found.value.astype(v.dtype), rng, method), found.number

    def _drawn_by(self, net, rows, rng, counts, proposal, near, method):
        """:class:`Draws` of rows by encoder, prior and a proposal, and how many of the
        prior are near what is seen, or None; see
        :func:`~skdgm.latent.weighing.by_enough`."""
        hierarchy, parts, close = self.hierarchy, [], None
        for number, n in enumerate(counts):
            if not n:
                continue
            if number == 0:
                source = hierarchy.noise(rng, n)
            else:
                own = rng.fold(_DOWN, number).each(n)
                z = hierarchy.dream(*net, own)
                if number == 2:
                    new = proposal.draw(rng.fold(_DOWN), n).astype(rows[0].dtype)
                    new = np.split(new.reshape(len(own.ids), -1), self._ends, axis=1)
                    z = *new, *z[len(new) :]
                source = hierarchy.noise_of(z, own)
            made = self._proposed(net, *rows, source, rng.fold(_FILL, number), method)
            found, log_p, value = made
            terms = log_p, sum(found.log_p), found.gap
            z = np.concatenate(found.z[: len(hierarchy.n_latent)], axis=1)
            terms = (part.astype(np.float64).reshape(-1, n) for part in terms)
            value = None if method is None else value.reshape(-1, n, value.shape[1])
            parts.append(Draws(z.reshape(-1, n, z.shape[1]), *terms, value))
            if near and number == 1:
                close = self._nearness(found.out, rows[0], net[0].own)
        if len(parts) == 1:
            return parts[0], close
        *terms, values = zip(*parts)
        joined = [np.concatenate(pair, axis=1) for pair in terms]
        return Draws(*joined, np.concatenate(values, axis=1)), close

    @property
    def _ends(self):
        return np.cumsum(self.hierarchy.n_latent)[:-1]

    def _chosen(self, value, rng, method):
        """Values of means, or of the draws that were chosen."""
        if method == "mean":
            return self.output.value(value)
        if self.hierarchy.data is not None:
            return value
        return self.output.draw(value, rng.fold(_DATA), self.net[0].own)

    def _proposed(self, net, v, guess, told, source, rng, method):
        """Several draws of rows by latent units of a source of noise: a :class:`Pass`,
        log-likelihoods of seen entries, and values by a method, unless that is None."""
        layer, output = self.hierarchy.data, self.output
        x = output.inputs(guess, self.share)
        found = self.hierarchy.through(*net, x, source, given=(v, rng), told=told)
        value = found.out if layer is None else found.whole
        if method == "mean" and layer is None:
            value = output.expected(found.out)
        elif method == "mean":
            holes = np.repeat(v, len(value) // len(v), axis=0)
            value = layer.expected(found.out, holes, value)
        return found, -output.nll(found.out, v, net[0].own), value

    def _nearness(self, out, v, own):
        """Numbers of draws near which all seen entries, and each column, are as
        probable as any value, (n_rows, 1 + n_columns), float64."""
        holes = np.isnan(np.repeat(v, len(out) // len(v), axis=0))
        mode = np.where(holes, np.nan, self.output.mode(out)).astype(v.dtype)
        gap = self.output.log_p(out, v, own) - self.output.log_p(out, mode, own)
        gap = np.minimum(gap, 0).astype(np.float64)
        both = np.concatenate([gap.sum(axis=1, keepdims=True), gap], axis=1)
        return np.exp(both).reshape(len(v), -1, both.shape[1]).sum(axis=1)

    def chain(self, v, guess, correct, told=None):
        """Markov chain of latent units and missing entries."""
        return LatentChain(self, v, guess, correct, told)

    def _chained(self, v, guess, rng, n_steps, method, correct, *told):
        """Fill by Markov chains: a mean over their steps, or the last state of one."""
        rows, width = (v, guess, *told), self.width

        def make(v, guess, *told):
            return self.chain(v, guess, correct, *told)

        found = by_chain(make, rows, rng, n_steps, method, width)
        return found if method == "sample" else self.output.value(found)
