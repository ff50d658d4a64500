r"""Density of rows conditional on attributes, and marginal density of rows.

.. math:: p(x) = \sum_k w_k \, p(x \mid a_k), \qquad
   p(a_k \mid x) = \frac{w_k \, p(x \mid a_k)}{p(x)}

The sum is over the distinct attribute vectors :math:`a_k` of the training rows, with
their shares :math:`w_k`.
"""

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.utils import check_random_state, gen_batches

from skdgm.base import Density, of_rows
from skdgm.data import fill
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread

_DATA, _CHOICE = addresses.SUPERVISED
# Number of outputs that are computed at a time.
_BATCH_OUTPUTS = 2**22


class AttributeDensity(Density):
    """Density of rows conditional on attributes.

    The ``net`` maps attributes to parameters of the distribution ``output`` of rows.
    The training ``state`` has the parameters of both. ``known`` are the attributes of
    the training rows (:mod:`skdgm.data.attributes`), and ``gray`` tells whether binary
    columns had gray values in training.
    """

    # Known values far outside the training range are clipped to it.
    bounded = True

    def __init__(self, context, *, net, output, state, attributes, known, gray):
        super().__init__(context)
        self.net, self.output, self.gray = net, output, gray
        (self.params, self.dispersion), self.statistics = (
            state.learned,
            state.statistics,
        )
        self.attributes, self.known, self._mixture = attributes, known, None

    @property
    def capabilities(self):
        return {
            "log_prob": of_rows("exact", attributes="exact", gray="lower bound"),
            "features": of_rows("exact"),
            "inverse": {"unconditional": "exact"},
            "sample": dict.fromkeys(("unconditional", "attributes"), "exact"),
            "fill": {"missing": "exact"},
        }

    @property
    def dtype(self):
        """Floating-point type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    def outputs(self, inputs):
        """Outputs of the net for encoded attributes, (n_rows, n_inputs)."""
        return self.net.apply(self.params, self.statistics, inputs)[0]

    def mixture(self):
        """Log shares of the training attributes, and outputs of the net for them."""
        if self._mixture is None:
            inputs = self.attributes.inputs(self.known.numbers, self.dtype)
            with one_blas_thread():
                out = self.outputs(inputs)
            share = self.known.weight / self.known.weight.sum()
            self._mixture = np.log(share), out
        return self._mixture

    def log_joint(self, v):
        """Log joint probability of training attributes and rows in model units,
        (n_rows, n_attribute_rows), float64."""
        log_w, out = self.mixture()
        log_p = -self.output.nll(np.tile(out, (len(v), 1)), v, self.dispersion)
        return log_p.reshape(len(v), -1).astype(np.float64) + log_w

    def log_prob(self, X, *, y=None):
        """Log-likelihood of each row conditional on attributes y; marginal if y is
        None."""
        rows = self.read(X)
        volume = self.domain.log_volume(self.columns, rows)
        if y is None:
            return self._of_rows(self._log_sum, rows) + volume
        inputs, log_p = self._inputs(y, rows.shape[0]), np.empty(rows.shape[0])
        with one_blas_thread():
            for block in rows.blocks():
                out = self.outputs(inputs[block])
                log_p[block] = -self.output.nll(out, rows.take(block), self.dispersion)
        return log_p + volume

    def _log_sum(self, v, _):
        return logsumexp(self.log_joint(v), axis=1)

    def _of_rows(self, function, rows):
        size = self.mixture()[1].size
        return self.by_content(function, rows, _BATCH_OUTPUTS // size)

    def _inputs(self, y, n_rows=None):
        if n_rows is None:
            numbers = self.attributes.numbers(y, self.name)
        else:
            numbers = self.attributes.of_rows(y, self.name, n_rows)
        return self.attributes.inputs(numbers, self.dtype)

    def sample(self, n_samples, random_state=None, *, y=None):
        """Draw rows conditional on y, or on attributes of training rows drawn by
        weight."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        rng = stream(check_random_state(random_state).randint(MAX_SEED)).rows(n_samples)
        with one_blas_thread():
            if y is not None:
                out = self.outputs(self._inputs(y, n_samples))
            else:
                u = rng.fold(_CHOICE).uniform(1)[:, 0]
                out = self.mixture()[1][self.known.chosen(u)]
            v = self.output.draw(out, rng.fold(_DATA), self.dispersion)
        return self.decoded(self.domain.to_data(self.columns, v))

    def decode(self, inputs):
        """Expected rows for inputs of the net."""
        with one_blas_thread():
            v = self.output.mean(self.outputs(inputs.astype(self.dtype)))
        return self.decoded(self.domain.to_data(self.columns, v))

    def inverse(self, H):
        """Expected rows given encoded attributes or convex combinations of them."""
        H = self.checked(H, np.float64)
        return self.decode(self.attributes.standardized(H))

    @property
    def n_features_out(self):
        return int(self.attributes.sizes.sum())

    def expected(self, y):
        """Expected rows given attributes."""
        return self.decode(self._inputs(y))

    def fill(self, X, method="mean", random_state=None):
        """Impute missing entries conditional on the observed entries, through the
        posterior of the attributes."""
        output = self.output

        def part(v, rng):
            log_w, (_, out) = self.log_joint(v), self.mixture()
            if method == "sample":
                noisy = log_w + rng.fold(_CHOICE).gumbel(log_w.shape[1])
                out = out[noisy.argmax(axis=1)]
                return output.draw(out, rng.fold(_DATA), self.dispersion)
            mean = softmax(log_w, axis=1) @ output.expected(out)
            return output.value(mean.astype(v.dtype))

        def filled(block):
            v, rng = block.v, block.rng
            size = max(1, _BATCH_OUTPUTS // self.mixture()[1].size)
            batches = gen_batches(len(v), size)
            return np.concatenate([part(v[b], rng.take(b)) for b in batches])

        imputed = fill(self, self.with_missing_columns(X), method, random_state, filled)
        return self.decoded(imputed, X)

    def features(self, X):
        """Posterior mean of encoded attributes: class probabilities and means."""
        rows = self.read(X)
        encoded = self.attributes.encoded(self.known.numbers)

        def expected(v, _):
            return softmax(self.log_joint(v), axis=1) @ encoded

        return self._of_rows(expected, rows).astype(self.dtype)
