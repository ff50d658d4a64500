r"""Recurrent encoder and decoder with attention, which read and write images.

.. math:: r_t = \operatorname{read}(x, x - \operatorname{E}[x \mid c_{t-1}],
   h^d_{t-1}), \quad h^e_t = \text{RNN}(h^e_{t-1}, r_t, h^d_{t-1}), \quad
   z_t \sim q(z \mid h^e_t)

   h^d_t = \text{RNN}(h^d_{t-1}, z_t), \qquad
   c_t = c_{t-1} + \operatorname{write}(h^d_t), \qquad x \sim p(x \mid c_T)

The canvas c consists of planes, one for each channel and output of a pixel [1]_.

References
----------
.. [1] Gregor, Danihelka, Graves, Rezende and Wierstra (2015). DRAW: a recurrent neural
   network for image generation. ICML.
"""

import numpy as np

from skdgm.latent import Architecture, HierarchyParams, NormalUnits, Pass
from skdgm.nets import dense, layers, pick, to_draws
from skdgm.nets.constrained import join_columns
from skdgm.nets.images.attention import (
    N_OUTPUTS,
    FilterGrid,
    glimpse,
    stroke,
    with_residual,
)

# Scale of the initial weights of attention, relative to other layers. With grids that
# initially move at random, latent units often collapse for good.
_STEADY = 0.1


class Glimpses(Architecture):
    """Recurrent nets that write images of a ``shape``, (height, width, channels), with
    ``n_latent`` latent units in each step. ``output`` is the distribution of pixels,
    with one or two outputs each. Both nets have the recurrent ``cell``; ``read`` and
    ``write`` are the sizes of the filter grids, or None without attention; ``init``
    initializes weights."""

    def __init__(self, shape, output, *, n_latent, cell, read, write, init):
        self.units, self.n_latent, self.rule = NormalUnits(), n_latent, init
        self.cell, (height, width, channels) = cell, shape
        self.n_pixels, self.kind = height * width * channels, output.kind
        self.n_outputs = int(output.n_outputs.sum())
        self.reader, self.writer = (
            n and FilterGrid.of(shape, n) for n in (read, write)
        )
        # Permutations between the order of pixels and the order of planes.
        self.planes = self.rows = None
        if channels > 1:
            pixels = np.arange(self.n_outputs).reshape(-1, height * width, channels)
            self.rows = np.argsort(pixels.swapaxes(1, 2).ravel())
            self.planes = np.argsort(self.rows)

    @property
    def activity_groups(self):
        """The latent units of all steps as one layer, since single steps may be
        uninformative."""
        return (sum(self.n_latent),)

    def batch(self, x):
        """A minibatch of inputs as an array, as the filters require."""
        return x

    def width(self, params):
        """Largest number of activations for one row, including filters."""
        filters = [grid.n_weights for grid in (self.reader, self.writer) if grid]
        return max(super().width(params), 4 * max([self.n_outputs, *filters]))

    def init(self, rng, out, dispersion, dtype):
        """Initial parameters; the grids initially cover the whole image."""
        n, n_latent = self.cell.n_units, self.n_latent[0]
        n_planes = 2 * self.n_pixels, self.n_outputs
        sizes = list(n_planes)
        for number, grid in enumerate((self.reader, self.writer)):
            if grid:
                sizes[number] //= grid.height * grid.width
                sizes[number] *= grid.size

        def layer(n_above):
            return layers.dense(n_above, init=self.rule).init(rng, n, dtype)[1]

        def attends(grid, paints):
            if not grid:
                return ()
            where = layer(N_OUTPUTS)
            where.b[:] = grid.start(paints)
            where.W[:] *= _STEADY
            return where

        cells = [
            self.cell.init(self.rule, rng, n_inputs, dtype)
            for n_inputs in (sizes[0] + n, n_latent)
        ]
        posterior, patch = layer(2 * n_latent), layer(sizes[1])
        posterior.W[:, n_latent:] = 0
        encoder_params = cells[0], posterior, attends(self.reader, False)
        blank = out if self.planes is None else out[self.planes]
        decoder_params = (
            cells[1],
            patch,
            attends(self.writer, True),
            blank.astype(dtype),
        )
        return HierarchyParams(encoder_params, decoder_params, dispersion), ()

    def through(
        self,
        net,
        x,
        source,
        *,
        exact=False,
        entries=None,
        training=None,
        covariates=None,
    ):
        """Infer latent units of rows x and write images; returns a :class:`Pass` with
        an array for each step. With ``exact``, log q - log p is replaced by its
        expectation given the previous steps."""
        units, log_q, log_p, z, all_stats = self.units, [], [], [], []

        def infer_step(step, stats):
            noise = source(step, stats)
            stats = to_draws(stats, len(noise))
            z.append(units.draw(stats, noise))
            if exact:
                log_q.append(units.divergence(stats, ()))
            else:
                log_q.append(units.log_drawn(stats, noise, z[-1]))
                log_p.append(units.log_prior(z[-1], ()))
            all_stats.append(stats)
            return z[-1]

        out = self._rows(self._painted(net.params, x, infer_step))
        log_q, log_p, z, all_stats = map(tuple, (log_q, log_p, z, all_stats))
        return Pass(out, log_q, log_p, z, all_stats, net.statistics)

    def upwards(self, net, x):
        """Mean latent units of each step, given the means of previous steps."""
        means = []

        def infer_step(step, stats):
            means.append(self.units.mean(stats))
            return means[-1]

        self._painted(net.params, x, infer_step)
        return means

    def rebuilt(self, net, x, covariates=None):
        """Outputs given the mean latent units of rows x."""
        canvas = self._painted(net.params, x, lambda _, stats: self.units.mean(stats))
        return self._rows(canvas)

    def _painted(self, params, x, infer_step):
        """Canvas after the last step for rows x. ``infer_step(step, stats)`` returns
        latent units, possibly several consecutive draws for each row."""
        images = x if self.planes is None else x[:, self.planes[: self.n_pixels]]
        states, canvas = self._start(params, len(x))
        reader, decoder = states
        for step in range(len(self.n_latent)):
            glimpsed = self._read(params, images, canvas, self.cell.units(decoder))
            glimpsed = join_columns(glimpsed, self.cell.units(decoder))
            reader = self.cell.step(params.encoders[0], reader, glimpsed)
            raw = _linear(self.cell.units(reader), params.encoders[1])
            z = infer_step(step, self.units.stats(raw))
            if len(z) != len(images):
                images = np.repeat(images, len(z) // len(images), axis=0)
                parts = reader, decoder, canvas
                reader, decoder, canvas = (to_draws(part, len(z)) for part in parts)
            decoder, canvas = self._write(params, decoder, canvas, z)
        return canvas

    def _start(self, params, n_rows):
        """Initial states of both recurrent nets, and the blank canvas."""
        blank = params.decoders[3].reshape((1, -1))
        cells = params.encoders[0], params.decoders[0]
        states = [self.cell.start(cell, n_rows) for cell in cells]
        return states, to_draws(blank, n_rows)

    def _read(self, params, images, canvas, h):
        """Inputs of the encoder: the image and the error of the canvas."""
        logistic = self.kind == "bernoulli"
        if self.reader is None:
            return with_residual(images, canvas, logistic)
        where = _linear(h, params.encoders[2])
        return glimpse(images, canvas, where, self.reader, logistic)

    def _write(self, params, decoder, canvas, z):
        """State of the decoder, and canvas, after the latent units of a step."""
        decoder = self.cell.step(params.decoders[0], decoder, z)
        h = self.cell.units(decoder)
        patch = _linear(h, params.decoders[1])
        if self.writer is None:
            return decoder, canvas + patch
        where = _linear(h, params.decoders[2])
        return decoder, stroke(canvas, patch, where, self.writer)

    def _rows(self, canvas):
        """Outputs in the order of pixels, from a canvas."""
        return canvas if self.rows is None else pick(canvas, self.rows)

    def top(self, net, rng):
        """Draw the latent units of all steps, concatenated."""
        dtype = net.params.decoders[3].dtype.type
        return self.units.draw_prior((), rng, sum(self.n_latent), dtype)

    def dream(self, net, rng):
        return np.split(self.top(net, rng), len(self.n_latent), axis=1)

    def lowest(self, H, layers):
        """Latent units of all steps: the features."""
        return H, -1

    def canvases(self, params, z):
        """Yield the outputs after each step, given the latent units z of all steps."""
        (_, decoder), canvas = self._start(params, len(z))
        for step_z in np.split(z, len(self.n_latent), axis=1):
            decoder, canvas = self._write(params, decoder, canvas, step_z)
            yield self._rows(canvas)

    def downwards(self, net, z, rng=None, level=-1, covariates=None):
        """Outputs, (n_rows, n_outputs), given the latent units z of all steps."""
        *_, out = self.canvases(net.params, z)
        return out


def _linear(x, layer):
    return dense(x, layer.W, layer.b, "identity")
