r"""Generative stochastic networks whose chains draw labels, too.

.. math:: \mathcal{L} = \frac1n \sum_{t=1}^n \mathbb{E} [\log p(y \mid h^{(t)}) +
   \lambda \log p(x \mid h^{(t)})]

A row with its label is a row with one column more, of codes, NaN where unknown.
"""

import numpy as np
from scipy.special import entr

from skdgm.autoencoder._gsn.model import GSNModel
from skdgm.autoencoder._gsn.unrolled import Unrolled, UnrolledDensity
from skdgm.autoencoder._model_options import LabelledChainOptions
from skdgm.distributions import CategoricalOutput, Output
from skdgm.utils import addresses

_UNKNOWN, _LABEL = addresses.LABELLED_ROWS


class LabelledOutput(Output):
    """Distribution of rows and, in the last column, of a label.

    ``weights`` are those of the likelihoods of both; ``frequencies`` of labels are the
    inputs for an unknown one.
    """

    def __init__(self, output, frequencies, weights=(1.0, 1.0)):
        self.frequencies, self.weights = frequencies, weights
        self.n_classes = len(frequencies)
        self.parts = output, CategoricalOutput(np.array([self.n_classes]))
        self.n_inputs, self.n_outputs = (
            np.concatenate([getattr(part, name) for part in self.parts])
            for name in ("n_inputs", "n_outputs")
        )

    def present(self):
        """The same, of which draws are never absent."""
        present = self.parts[0].present()
        return type(self)(present, self.frequencies, self.weights)

    def start(self, share):
        first = self.parts[0].start(share)
        return np.concatenate([first, self.parts[1].start(self.frequencies)])

    def own(self, dtype):
        return self.parts[0].own(dtype)

    def inputs(self, v, share=None):
        first, label = _split(v, 1)
        return _joined(self.parts[0].inputs(first, share), self.label(label))

    def label(self, codes):
        """Inputs for codes of labels, (n_rows, 1)."""
        return self.parts[1].inputs(codes, self.frequencies)

    def value(self, inputs):
        first, label = _split(inputs, self.n_classes)
        return _joined(self.parts[0].value(first), self.parts[1].value(label))

    def nll(self, out, v, own=()):
        total = 0.0
        for part, weight, z, x, dispersion in self._weighted(out, v, own):
            total = total + out.dtype.type(weight) * part.nll(z, x, dispersion)
        return total

    def nll_grad(self, out, v, weight, own=()):
        grads, last = [], ()
        for part, scale, z, x, dispersion in self._weighted(out, v, own):
            scaled = weight * out.dtype.type(scale)
            grad, by_dispersion = part.nll_grad(z, x, scaled, dispersion)
            grads.append(grad)
            last = last if part is self.parts[1] else by_dispersion
        return np.concatenate(grads, axis=1), last

    def _weighted(self, out, v, own):
        outs, values = _split(out, self.n_classes), _split(v, 1)
        return zip(self.parts, self.weights, outs, values, (own, ()))

    def log_p(self, out, v, own=()):
        log_p = [p.log_p(z, x, o) for p, _, z, x, o in self._weighted(out, v, own)]
        return np.concatenate(log_p, axis=1)

    def expected(self, out):
        first, label = _split(out, self.n_classes)
        return _joined(self.parts[0].expected(first), self.parts[1].expected(label))

    def expected_grad(self, out, grad):
        (first, label), (by_first, by_label) = (
            _split(x, self.n_classes) for x in (out, grad)
        )
        return _joined(
            self.parts[0].expected_grad(first, by_first),
            self.parts[1].expected_grad(label, by_label),
        )

    def draw(self, out, rng, own=()):
        first, label = _split(out, self.n_classes)
        drawn = self.parts[0].draw(first, rng, own)
        return _joined(drawn, self.parts[1].draw(label, rng.fold(_LABEL)))


def _split(x, n_last):
    """Columns of an array but for the last ones, and these."""
    return tuple(map(np.ascontiguousarray, (x[:, :-n_last], x[:, -n_last:])))


def _joined(a, b):
    return np.concatenate([a, b], axis=1)


class LabelledCorruption:
    """Corruption of rows, whose labels are unknown with a probability ``level``."""

    def __init__(self, corrupt, output, level):
        self.corrupt, self.output, self.level = corrupt, output, level
        self.share = corrupt.share

    def with_labels(self):
        """Corruption of rows whose labels stay known."""
        return type(self)(self.corrupt, self.output, 0.0)

    def __call__(self, v, rng):
        """Inputs of corrupted rows, with a stream for each."""
        first, label = _split(v, 1)
        hidden = rng.fold(_UNKNOWN).uniform(1, v.dtype.type) < self.level
        codes = np.where(hidden, v.dtype.type(np.nan), label)
        return _joined(self.corrupt(first, rng), self.output.label(codes))


class LabelledUnrolled(Unrolled):
    """Log-likelihood of rows and their labels given steps of a chain from both."""

    def __init__(self, run, *, output, **reconstruction):
        super().__init__(run, output=output, **reconstruction)
        of_rows, of_labels = output.weights
        entropy = entr(output.frequencies).sum()
        self.limit = _unlimited(self.limit)
        self.independent = of_rows * self.independent + of_labels * entropy

    def values(self, index):
        """Values of rows, with codes of labels."""
        v, codes = super().values(index), self.rows.beside(index)
        return _joined(v, np.where(codes < 0, np.nan, codes)[:, None].astype(v.dtype))

    def held(self, v):
        """Rows that the chain does not change, if only labels are learned."""
        if self.output.weights[0]:
            return None
        return _joined(v[:, :-1], np.full_like(v[:, -1:], np.nan))


def _unlimited(limit):
    """Limits of columns, with none of labels; None if there are none."""
    return None if limit is None else np.append(limit, np.inf)


class LabelledGSNDensity(UnrolledDensity):
    """Rows and labels given the steps of chains that draw both; ``output`` has the
    weights of their likelihoods in training, which have no part in a density."""

    def __init__(self, context, *, output, **reconstruction):
        plain = LabelledOutput(output.parts[0], output.frequencies)
        super().__init__(context, output=plain, **reconstruction)
        self._learns_rows = output.weights[0] > 0

    @property
    def capabilities(self):
        """As without labels, and given these; of rows that were not learned, none."""
        inherited = super().capabilities
        if not self._learns_rows:
            return {"features": inherited["features"]}
        return inherited | {"sample": {"nothing": "estimate", "labels": "estimate"}}

    def log_prob(self, X):
        self.require("log_prob", "complete")
        return super().log_prob(X)

    def fill(self, X, method="mean", random_state=None, **options):
        self.require("fill", "missing")
        return super().fill(X, method, random_state, **options)

    def drawn(self, n_samples, random_state=None, *, codes=None, **options):
        """Rows and codes of their labels, which are clamped to ``codes`` if there are
        any: one of all chains, or of each."""
        self.require("sample", "nothing" if codes is None else "labels")
        clamped = None
        if codes is not None:
            clamped = np.full((1, len(self.output.n_inputs)), np.nan, self.dtype)
            clamped = np.repeat(clamped, len(codes), axis=0)
            clamped[:, -1] = codes
        options["clamped"] = clamped
        (v,) = self._along(lambda state: (state.x,), n_samples, random_state, **options)
        rows = self.domain.to_data(self.columns, self.parted(v))
        return self.decoded(rows), v[:, -1].astype(int)

    def chain(self, start, clamped=None):
        """Chain as without labels; one that is clamped to a label knows it always."""
        chain = super().chain(start, clamped)
        if clamped is not None and not np.isnan(clamped[:, -1]).any():
            chain.corrupt = chain.corrupt.with_labels()
        return chain

    def sample(self, n_samples, random_state=None, **options):
        return self.drawn(n_samples, random_state, **options)[0]

    def log_labels(self, rows):
        """Logits of the labels of rows, after steps without noise in which a row stays
        and its label is unknown."""

        def of_rows(v, _):
            out = self.rebuild(self.completed(v))
            return out[:, -self.output.n_classes :]

        return self._by_content(of_rows, rows)

    @property
    def limit(self):
        """As without labels, of which there are no limits."""
        return _unlimited(super().limit)

    def joined(self, v):
        """Values, with a label that is unknown."""
        return _joined(v, np.full((len(v), 1), np.nan, v.dtype))

    def parted(self, v):
        """Values without the label."""
        return v[:, :-1]


class LabelledModel(GSNModel[LabelledChainOptions]):
    """Hidden layers of a chain that draws rows and labels."""

    objective_class, density_class = LabelledUnrolled, LabelledGSNDensity

    def outputs(self, facts):
        """Distribution of rows and labels, with the weights of their likelihoods."""
        options, output = facts.options, super().outputs(facts)
        weight = options.generative_weight * (options.objective == "hybrid")
        frequencies = facts.known.frequencies
        return LabelledOutput(output, frequencies, (weight, 1.0))

    def corruption(self, facts, output):
        """Corruption of rows, and of labels."""
        first = super().corruption(facts, output.parts[0])
        return LabelledCorruption(first, output, facts.options.label_corruption)
