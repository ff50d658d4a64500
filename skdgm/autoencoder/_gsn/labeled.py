r"""Generative stochastic networks whose chains also draw labels.

.. math:: \mathcal{L} = \frac1n \sum_{t=1}^n \mathbb{E} [\log p(y \mid h^{(t)}) +
   \lambda \log p(x \mid h^{(t)})]

The label of a row is an additional last column of codes, NaN where unknown.
"""

import numpy as np
from scipy.special import entr

from skdgm.autoencoder._gsn.model import GSNModel
from skdgm.autoencoder._gsn.unrolled import Unrolled, UnrolledDensity
from skdgm.autoencoder._model_options import LabeledGSNOptions
from skdgm.distributions import CategoricalOutput, Output
from skdgm.utils import addresses

_UNKNOWN, _LABEL = addresses.LABELED_ROWS


class LabeledOutput(Output):
    """Distribution of rows and of their labels, in the last column. ``weights``
    multiply the two log-likelihoods; class ``frequencies`` are the inputs for unknown
    labels."""

    def __init__(self, output, frequencies, weights=(1.0, 1.0)):
        self.frequencies, self.weights = frequencies, weights
        self.n_classes = len(frequencies)
        self.parts = output, CategoricalOutput(np.array([self.n_classes]))
        self.n_inputs, self.n_outputs = (
            np.concatenate([getattr(output_part, name) for output_part in self.parts])
            for name in ("n_inputs", "n_outputs")
        )

    def present(self):
        """The same distribution, whose draws are never missing."""
        present = self.parts[0].present()
        return type(self)(present, self.frequencies, self.weights)

    def start(self, share):
        row_start = self.parts[0].start(share)
        return np.concatenate([row_start, self.parts[1].start(self.frequencies)])

    def initial_parameters(self, dtype):
        return self.parts[0].initial_parameters(dtype)

    def inputs(self, v, share=None):
        row, label = _split(v, 1)
        return _joined(self.parts[0].inputs(row, share), self.label(label))

    def label(self, codes):
        """Inputs for label codes, (n_rows, 1)."""
        return self.parts[1].inputs(codes, self.frequencies)

    def value(self, inputs):
        row, label = _split(inputs, self.n_classes)
        return _joined(self.parts[0].value(row), self.parts[1].value(label))

    def nll(self, out, v, dispersion=()):
        nll = 0.0
        for part, weight, z, x, own in self._weighted(out, v, dispersion):
            nll = nll + out.dtype.type(weight) * part.nll(z, x, own)
        return nll

    def nll_grad(self, out, v, weight, dispersion=()):
        grads, dispersion_grad = [], ()
        for part, scale, z, x, own in self._weighted(out, v, dispersion):
            scaled = weight * out.dtype.type(scale)
            grad, by_dispersion = part.nll_grad(z, x, scaled, own)
            grads.append(grad)
            dispersion_grad = (
                dispersion_grad if part is self.parts[1] else by_dispersion
            )
        return np.concatenate(grads, axis=1), dispersion_grad

    def _weighted(self, out, v, dispersion):
        outs, values = _split(out, self.n_classes), _split(v, 1)
        return zip(self.parts, self.weights, outs, values, (dispersion, ()))

    def log_p(self, out, v, dispersion=()):
        log_p = [
            p.log_p(z, x, o) for p, _, z, x, o in self._weighted(out, v, dispersion)
        ]
        return np.concatenate(log_p, axis=1)

    def expected(self, out):
        row, label = _split(out, self.n_classes)
        return _joined(self.parts[0].expected(row), self.parts[1].expected(label))

    def expected_grad(self, out, grad):
        (row, label), (by_first, by_label) = (
            _split(x, self.n_classes) for x in (out, grad)
        )
        return _joined(
            self.parts[0].expected_grad(row, by_first),
            self.parts[1].expected_grad(label, by_label),
        )

    def draw(self, out, rng, dispersion=()):
        row, label = _split(out, self.n_classes)
        drawn = self.parts[0].draw(row, rng, dispersion)
        return _joined(drawn, self.parts[1].draw(label, rng.fold(_LABEL)))


def _split(x, n_last):
    """Split an array into its first columns and its ``n_last`` last columns."""
    return tuple(map(np.ascontiguousarray, (x[:, :-n_last], x[:, -n_last:])))


def _joined(a, b):
    return np.concatenate([a, b], axis=1)


class LabeledCorruption:
    """Corruption of rows; labels are hidden with probability ``level``."""

    def __init__(self, corrupt, output, level):
        self.corrupt, self.output, self.level = corrupt, output, level
        self.share = corrupt.share

    def with_labels(self):
        """Corruption of rows that never hides labels."""
        return type(self)(self.corrupt, self.output, 0.0)

    def __call__(self, v, rng):
        """Inputs for corrupted rows v, with a random stream for each row."""
        row, label = _split(v, 1)
        hidden = rng.fold(_UNKNOWN).uniform(1, v.dtype.type) < self.level
        codes = np.where(hidden, v.dtype.type(np.nan), label)
        return _joined(self.corrupt(row, rng), self.output.label(codes))


class LabeledUnrolled(Unrolled):
    """Log-likelihood of rows and labels given the steps of a chain that starts from
    them."""

    def __init__(self, run, *, output, **reconstruction):
        super().__init__(run, output=output, **reconstruction)
        of_rows, of_labels = output.weights
        entropy = entr(output.frequencies).sum()
        self.limit = _unlimited(self.limit)
        self.independent_loss = of_rows * self.independent_loss + of_labels * entropy

    def values(self, index):
        """Rows with label codes as the last column."""
        v, codes = super().values(index), self.rows.accompanying(index)
        return _joined(v, np.where(codes < 0, np.nan, codes)[:, None].astype(v.dtype))

    def clamped_values(self, v):
        """Clamped rows if only labels are learned, otherwise None."""
        if self.output.weights[0]:
            return None
        return _joined(v[:, :-1], np.full_like(v[:, -1:], np.nan))


def _unlimited(limit):
    """Limits of columns, extended by infinity for the label; None if there are none."""
    return None if limit is None else np.append(limit, np.inf)


class LabeledGSNDensity(UnrolledDensity):
    """Density of rows and labels given the steps of chains that draw both. The training
    weights of their likelihoods do not affect the density."""

    def __init__(self, context, *, output, **reconstruction):
        unweighted = LabeledOutput(output.parts[0], output.frequencies)
        super().__init__(context, output=unweighted, **reconstruction)
        self._learns_rows = output.weights[0] > 0

    @property
    def capabilities(self):
        """As without labels, and samples given labels; only features if rows were not
        learned."""
        inherited = super().capabilities
        if not self._learns_rows:
            return {"features": inherited["features"]}
        return inherited | {
            "sample": {"unconditional": "estimate", "labels": "estimate"}
        }

    def log_prob(self, X):
        self.require("log_prob", "complete")
        return super().log_prob(X)

    def fill(self, X, method="mean", random_state=None, **options):
        self.require("fill", "missing")
        return super().fill(X, method, random_state, **options)

    def drawn(self, n_samples, random_state=None, *, codes=None, **options):
        """Draw rows and label codes; ``codes``, one for all chains or one for each,
        clamps the labels."""
        self.require("sample", "unconditional" if codes is None else "labels")
        clamped = None
        if codes is not None:
            clamped = np.full((1, len(self.output.n_inputs)), np.nan, self.dtype)
            clamped = np.repeat(clamped, len(codes), axis=0)
            clamped[:, -1] = codes
        options["clamped"] = clamped
        (v,) = self._run_chains(
            lambda state: (state.x,), n_samples, random_state, **options
        )
        rows = self.domain.to_data(self.columns, self.parted(v))
        return self.decoded(rows), v[:, -1].astype(int)

    def chain(self, start, clamped=None):
        """As without labels; a chain that is clamped to a label never hides it."""
        chain = super().chain(start, clamped)
        if clamped is not None and not np.isnan(clamped[:, -1]).any():
            chain.corrupt = chain.corrupt.with_labels()
        return chain

    def sample(self, n_samples, random_state=None, **options):
        return self.drawn(n_samples, random_state, **options)[0]

    def log_labels(self, rows):
        """Logits of labels, (n_rows, n_classes), after steps without noise in which the
        row is clamped and its label unknown."""

        def of_rows(v, _):
            out = self.rebuild(self.completed(v))
            return out[:, -self.output.n_classes :]

        return self._by_content(of_rows, rows)

    @property
    def limit(self):
        """As without labels, with infinity for the label."""
        return _unlimited(super().limit)

    def joined(self, v):
        """Rows with an unknown label as the last column."""
        return _joined(v, np.full((len(v), 1), np.nan, v.dtype))

    def parted(self, v):
        """Rows without the label."""
        return v[:, :-1]


class LabeledModel(GSNModel[LabeledGSNOptions]):
    """Hidden layers of a chain that draws rows and labels."""

    objective_class, density_class = LabeledUnrolled, LabeledGSNDensity

    def outputs(self, facts):
        """Distribution of rows and labels, with the weights of their likelihoods."""
        options, output = facts.options, super().outputs(facts)
        weight = options.generative_weight * (options.objective == "hybrid")
        frequencies = facts.known.frequencies
        return LabeledOutput(output, frequencies, (weight, 1.0))

    def corruption(self, facts, output):
        """Corruption of rows and of labels."""
        of_rows = super().corruption(facts, output.parts[0])
        return LabeledCorruption(of_rows, output, facts.options.label_corruption)
