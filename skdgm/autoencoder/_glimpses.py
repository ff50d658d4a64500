r"""Images that a recurrent decoder paints, and a recurrent encoder reads, by glimpses.

.. math:: r_t = \operatorname{read}(x, x - \operatorname{E}[x \mid c_{t-1}],
   h^d_{t-1}), \quad h^e_t = \text{RNN}(h^e_{t-1}, r_t, h^d_{t-1}), \quad
   z_t \sim q(z \mid h^e_t)

   h^d_t = \text{RNN}(h^d_{t-1}, z_t), \qquad
   c_t = c_{t-1} + \operatorname{write}(h^d_t), \qquad x \sim p(x \mid c_T)

The canvas c, a row of outputs, has planes: of each of the outputs of a pixel, one for
each channel of the image [1]_.

References
----------
.. [1] Gregor, Danihelka, Graves, Rezende and Wierstra (2015). DRAW: a recurrent neural
   network for image generation. ICML.
"""

import numpy as np

from skdgm.latent import Architecture, HierarchyParams, NormalUnits, Pass
from skdgm.nets import dense, layers, pick, to_draws
from skdgm.nets.constrained import beside
from skdgm.nets.images.attention import N_OUTPUTS, FilterGrid, glimpse, lacking, stroke

# Initial weights of where to attend, as a share of those of other layers. With grids
# that move at random from the beginning, latent units are often ignored for good.
_STEADY = 0.1


class Glimpses(Architecture):
    """Nets that paint images of a ``shape``, (height, width, channels), in ``n_latent``
    steps with so many latent units each.

    Columns have ``output``, a distribution with one or two outputs for each; ``cell``,
    a :class:`~skdgm.nets.recurrent.Walk`, is that of both recurrent nets; ``read`` and
    ``write`` are sizes of the grids of filters, or None without attention; ``init`` is
    the initialiser of weights.
    """

    def __init__(self, shape, output, *, n_latent, cell, read, write, init):
        self.units, self.n_latent, self.rule = NormalUnits(), n_latent, init
        self.cell, (height, width, channels) = cell, shape
        self.n_pixels, self.kind = height * width * channels, output.kind
        self.n_outputs = int(output.n_outputs.sum())
        self.reader, self.writer = (
            n and FilterGrid.of(shape, n) for n in (read, write)
        )
        # Pixels of planes, where these are not the pixels in order.
        self.planes = self.rows = None
        if channels > 1:
            pixels = np.arange(self.n_outputs).reshape(-1, height * width, channels)
            self.rows = np.argsort(pixels.swapaxes(1, 2).ravel())
            self.planes = np.argsort(self.rows)

    @property
    def wholes(self):
        """All latent units together: not each step must tell something."""
        return (sum(self.n_latent),)

    def batch(self, x):
        """A batch of inputs, as an array, of which filters read."""
        return x

    def width(self, params):
        """How many numbers of a row there are at once, those of filters too."""
        filters = [grid.n_weights for grid in (self.reader, self.writer) if grid]
        return max(super().width(params), 4 * max([self.n_outputs, *filters]))

    def init(self, rng, out, dispersion, dtype):
        """Initial parameters: at first filters cover all of the image."""
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

        inner = [
            self.cell.init(self.rule, rng, n_inputs, dtype)
            for n_inputs in (sizes[0] + n, n_latent)
        ]
        posterior, patch = layer(2 * n_latent), layer(sizes[1])
        posterior.W[:, n_latent:] = 0
        ups = inner[0], posterior, attends(self.reader, False)
        blank = out if self.planes is None else out[self.planes]
        downs = inner[1], patch, attends(self.writer, True), blank.astype(dtype)
        return HierarchyParams(ups, downs, dispersion), ()

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
        """Draw latent units of rows x, and paint: a :class:`Pass`, whose tuples have an
        array for each step. If ``exact``, log q is less that of the prior, in
        expectation given the steps before."""
        units, log_q, log_p, z, all_stats = self.units, [], [], [], []

        def settle(step, stats):
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

        out = self._rows(self._painted(net.params, x, settle))
        log_q, log_p, z, all_stats = map(tuple, (log_q, log_p, z, all_stats))
        return Pass(out, log_q, log_p, z, all_stats, net.statistics)

    def upwards(self, net, x):
        """Means of latent units of each step, given the means of previous steps."""
        means = []

        def settle(step, stats):
            means.append(self.units.mean(stats))
            return means[-1]

        self._painted(net.params, x, settle)
        return means

    def rebuilt(self, net, x, covariates=None):
        """Outputs for the data given the means of all latent units of rows x."""
        canvas = self._painted(net.params, x, lambda _, stats: self.units.mean(stats))
        return self._rows(canvas)

    def _painted(self, params, x, settle):
        """Canvas after the last step, of rows x; ``settle(step, stats)`` returns latent
        units, of which each row may have several consecutive ones."""
        images = x if self.planes is None else x[:, self.planes[: self.n_pixels]]
        ends, canvas = self._start(params, len(x))
        reader, decoder = ends
        for step in range(len(self.n_latent)):
            seen = self._read(params, images, canvas, self.cell.units(decoder))
            seen = beside(seen, self.cell.units(decoder))
            reader = self.cell.step(params.encoders[0], reader, seen)
            raw = _linear(self.cell.units(reader), params.encoders[1])
            z = settle(step, self.units.stats(raw))
            if len(z) != len(images):
                images = np.repeat(images, len(z) // len(images), axis=0)
                parts = reader, decoder, canvas
                reader, decoder, canvas = (to_draws(part, len(z)) for part in parts)
            decoder, canvas = self._write(params, decoder, canvas, z)
        return canvas

    def _start(self, params, n_rows):
        """States of both recurrent nets, and the blank canvas."""
        blank = params.decoders[3].reshape((1, -1))
        cells = params.encoders[0], params.decoders[0]
        ends = [self.cell.start(cell, n_rows) for cell in cells]
        return ends, to_draws(blank, n_rows)

    def _read(self, params, images, canvas, h):
        """Inputs of the encoder: images, and their distance from the canvas."""
        logistic = self.kind == "bernoulli"
        if self.reader is None:
            return lacking(images, canvas, logistic)
        where = _linear(h, params.encoders[2])
        return glimpse(images, canvas, where, self.reader, logistic)

    def _write(self, params, decoder, canvas, z):
        """State of the decoder and canvas after latent units of a step."""
        decoder = self.cell.step(params.decoders[0], decoder, z)
        h = self.cell.units(decoder)
        patch = _linear(h, params.decoders[1])
        if self.writer is None:
            return decoder, canvas + patch
        where = _linear(h, params.decoders[2])
        return decoder, stroke(canvas, patch, where, self.writer)

    def _rows(self, canvas):
        """Outputs for the data, of a canvas."""
        return canvas if self.rows is None else pick(canvas, self.rows)

    def top(self, net, rng):
        """Draw the latent units of all steps, side by side."""
        dtype = net.params.decoders[3].dtype.type
        return self.units.draw_prior((), rng, sum(self.n_latent), dtype)

    def dream(self, net, rng):
        return np.split(self.top(net, rng), len(self.n_latent), axis=1)

    def lowest(self, H, layers):
        """Latent units of all steps: the features."""
        return H, -1

    def canvases(self, params, z):
        """Yield outputs for the data after each step, given latent units of all."""
        (_, decoder), canvas = self._start(params, len(z))
        for part in np.split(z, len(self.n_latent), axis=1):
            decoder, canvas = self._write(params, decoder, canvas, part)
            yield self._rows(canvas)

    def downwards(self, net, z, rng=None, level=-1, covariates=None):
        """Outputs for the data, (n_rows, n_outputs), given latent units of all
        steps."""
        *_, out = self.canvases(net.params, z)
        return out


def _linear(x, layer):
    return dense(x, layer.W, layer.b, "identity")
