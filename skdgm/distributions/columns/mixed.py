r"""Columns of several types, given outputs of one net.

.. math:: \log p(x \mid z) = \sum_j \log p_j(x_j; z_j)

The outputs of a column are contiguous, and so are its inputs.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from skdgm.distributions.bernoulli import BernoulliOutput
from skdgm.distributions.categorical import CategoricalOutput, OrdinalOutput
from skdgm.distributions.columns.gapped import GappedOutput
from skdgm.distributions.columns.grouped import GroupedOutput
from skdgm.distributions.columns.mixture import MixtureOutput, standard_mixture
from skdgm.distributions.columns.numeric import NumericOutput
from skdgm.distributions.gaussian import NormalOutput
from skdgm.distributions.roles import Output

# Number of components for dates given latent units: a season is a mode in each year.
_N_WAVES = 30


class ColumnBlock(NamedTuple):
    """Columns of one type, with their positions among columns, inputs and outputs."""

    output: Output
    columns: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray


class MixedOutput(Output):
    """Columns of several types, as blocks of one type each.

    ``kinds``, an array of "bernoulli", "categorical", "ordinal", "gaussian" or
    "numeric", and ``sizes``, numbers of categories or 1, have an entry for each column.
    ``mixture`` is the density of real columns, and ``of_waves`` that of columns with
    phases, such as dates, by default the same. ``scales`` has an entry for each ordinal
    and numeric column, and for categories in groups: see :class:`OrdinalOutput`,
    :class:`NumericOutput` and :class:`GroupedOutput`. ``gapped``, a mask, marks columns
    whose values may be absent, as in :class:`GappedOutput`; if ``whole``, draws are
    never absent.
    """

    def __init__(
        self,
        kinds,
        sizes,
        mixture,
        *,
        scales=None,
        gapped=None,
        whole=False,
        of_waves=None,
    ):
        self.kinds, self.sizes, self.mixture = kinds, sizes, mixture
        self.scales, self.whole, self.of_waves = scales, whole, of_waves
        self.gapped = np.zeros(len(kinds), bool) if gapped is None else gapped
        self.n_inputs, self.n_outputs = np.empty((2, len(kinds)), int)
        wavy = np.zeros(len(kinds), bool)
        if of_waves and of_waves != mixture:
            wavy[self.date_columns] = True
        outputs = []
        for kind, gapped, waves in dict.fromkeys(zip(kinds, self.gapped, wavy)):
            is_same_kind = (kinds == kind) & (self.gapped == gapped)
            places = np.flatnonzero(is_same_kind & (wavy == waves))
            base = _output(kind, sizes, of_waves if waves else mixture, scales, places)
            outputs.append((GappedOutput(base, whole) if gapped else base, places))
            self.n_inputs[places] = outputs[-1][0].n_inputs
            self.n_outputs[places] = outputs[-1][0].n_outputs
        self.blocks = [
            ColumnBlock(
                output,
                places,
                places_of(places, self.n_inputs),
                places_of(places, self.n_outputs),
            )
            for output, places in outputs
        ]

    @cached_property
    def single(self):
        """Distributions of each single column, a list."""
        return [self.take([j]) for j in range(len(self.kinds))]

    @property
    def scaling(self):
        """Mask of outputs that are log weights or log scales of real columns. The last
        outputs of such a column are log weights, means and log scales."""
        mask = np.zeros(self.n_outputs.sum(), bool)
        for output, members, *_ in self.blocks:
            base = output.base if self.gapped[members[0]] else output
            mixture = getattr(getattr(base, "values", base), "mixture", None)
            if mixture:
                k = mixture.n_components
                for last in np.cumsum(self.n_outputs)[members]:
                    mask[last - 3 * k : last - 2 * k] = mask[last - k : last] = True
        return mask

    @property
    def date_columns(self):
        """Columns with phases, such as dates. They precede other columns in orders of
        columns: a column that depends on a phase has a simple distribution given the
        date, whereas the date given that column has many separate modes."""
        scales = self.scales or ()
        return np.flatnonzero([len(getattr(scale, "waves", ())) for scale in scales])

    def take(self, columns):
        """Distributions of selected columns, in the given order."""
        return type(self)(
            self.kinds[columns],
            self.sizes[columns],
            self.mixture,
            scales=self.scales and [self.scales[j] for j in columns],
            gapped=self.gapped[columns],
            whole=self.whole,
            of_waves=self.of_waves,
        )

    def present(self):
        """The same distributions with draws that are never absent."""
        return type(self)(
            self.kinds,
            self.sizes,
            self.mixture,
            scales=self.scales,
            gapped=self.gapped,
            whole=True,
            of_waves=self.of_waves,
        )

    def start(self, share):
        out = np.zeros(self.n_outputs.sum())
        for block in self.blocks:
            out[block.outputs] = block.output.start(_at(share, block.inputs))
        return out

    def inputs(self, v, share=None):
        if len(self.blocks) == 1:
            return self.blocks[0].output.inputs(v, share)
        x = np.empty((len(v), self.n_inputs.sum()), v.dtype)
        for block in self.blocks:
            of_block = _at(share, block.inputs)
            x[:, block.inputs] = block.output.inputs(v[:, block.columns], of_block)
        return x

    def value(self, inputs):
        v = np.empty((len(inputs), len(self.kinds)), inputs.dtype)
        for block in self.blocks:
            v[:, block.columns] = block.output.value(inputs[:, block.inputs])
        return v

    def nll(self, out, v, dispersion=()):
        if len(self.blocks) == 1:
            return self.blocks[0].output.nll(out, v)
        return sum(
            block.output.nll(out_part, v_part)
            for block, out_part, v_part in self._parts(out, v)
        )

    def nll_grad(self, out, v, weight, dispersion=()):
        if len(self.blocks) == 1:
            return self.blocks[0].output.nll_grad(out, v, weight)
        grad = np.empty_like(out)
        for block, out_part, v_part in self._parts(out, v):
            of_block, _ = block.output.nll_grad(out_part, v_part, weight)
            grad[:, block.outputs] = of_block
        return grad, ()

    def _parts(self, out, v):
        """Blocks with their outputs and values."""
        for block in self.blocks:
            values = np.ascontiguousarray(v[:, block.columns])
            yield block, np.take(out, block.outputs, axis=1), values

    def log_p(self, out, v, dispersion=()):
        """Log probability of each entry, float64; 0 for missing entries."""

        def log_p(block, out):
            return block.output.log_p(out, v[:, block.columns])

        return self._of_entries(out, log_p).astype(np.float64)

    def log_likelihood(self, out, v):
        if len(self.blocks) == 1:
            return self.blocks[0].output.log_likelihood(out, v)
        return super().log_likelihood(out, v)

    def expected(self, out):
        if len(self.blocks) == 1:
            return self.blocks[0].output.expected(out)
        x = np.empty((len(out), self.n_inputs.sum()), out.dtype)
        for block in self.blocks:
            x[:, block.inputs] = block.output.expected(out[:, block.outputs])
        return x

    def expected_grad(self, out, grad):
        if len(self.blocks) == 1:
            return self.blocks[0].output.expected_grad(out, grad)
        by_out = np.empty_like(out)
        for block in self.blocks:
            of_block = grad[:, block.inputs]
            by_out[:, block.outputs] = block.output.expected_grad(
                out[:, block.outputs], of_block
            )
        return by_out

    def mode(self, out):
        return self._of_entries(out, lambda block, out: block.output.mode(out))

    def draw(self, out, rng, dispersion=()):
        def drawn(block, out):
            return block.output.draw(out, rng.fold(block.columns[0]))

        return self._of_entries(out, drawn)

    def _of_entries(self, out, function):
        entries = np.empty((len(out), len(self.kinds)), out.dtype)
        for block in self.blocks:
            entries[:, block.columns] = function(block, out[:, block.outputs])
        return entries


def _at(share, inputs):
    return None if share is None else share[inputs]


def _output(kind, sizes, mixture, scales, at):
    if kind == "numeric":
        return NumericOutput([scales[j] for j in at], mixture)
    if kind == "ordinal":
        return OrdinalOutput([scales[j] for j in at])
    if kind == "categorical" and scales and scales[at[0]] is not None:
        return GroupedOutput([scales[j] for j in at])
    if kind == "gaussian":
        return MixtureOutput(sizes[at], mixture)
    kind_of_output = BernoulliOutput if kind == "bernoulli" else CategoricalOutput
    return kind_of_output(sizes[at])


def places_of(columns, sizes):
    """Positions of the inputs, or outputs, of given columns, in the order of the
    columns; ``sizes`` are the numbers of inputs, or outputs, of all columns."""
    column_sizes = sizes[columns]
    first = np.cumsum(sizes)[columns] - np.cumsum(column_sizes)
    return np.repeat(first, column_sizes) + np.arange(column_sizes.sum())


def column_slices(sizes):
    """Positions of the inputs, or outputs, of each column, a list of slices."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes.tolist())]


def decoder_output(options, columns, n_mixtures=1):
    """Distribution of columns given outputs of a decoder, an :class:`Output`, according
    to the options ``column_types``, ``variance`` and ``min_variance``. Real columns
    have mixtures of ``n_mixtures`` normal distributions. Gradients are not rescaled, as
    an encoder weighs them against a divergence."""
    sizes, floor = columns.sizes, options.min_variance
    if options.column_types == "bernoulli":
        return BernoulliOutput(sizes)
    if options.column_types == "gaussian":
        return NormalOutput(sizes, options.variance, floor)
    if not hasattr(columns, "kinds"):
        return CategoricalOutput(sizes)
    normal, several = (
        standard_mixture(n, "gaussian", floor, rescaled=False)
        for n in (n_mixtures, _N_WAVES)
    )
    return MixedOutput(
        columns.kinds,
        sizes,
        normal,
        scales=columns.scales,
        gapped=columns.gaps,
        of_waves=several,
    )
