r"""Density of stacks of autoencoders: codes and reconstructions of all layers.

.. math:: h^k = f^k(h^{k-1}), \qquad \hat h^{k-1} = g^k(\hat h^k), \qquad h^0 = x, \quad
   \hat h^L = h^L
"""

from typing import Any

import numpy as np

from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.base import Context, by_blocks
from skdgm.utils.counts import chosen
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype


class StackCoder:
    """Composition of the encoders and decoders of a stack, like a
    :class:`~skdgm.autoencoder._coder.Coder`; ``parts`` are the densities of the layers,
    from the bottom up."""

    def __init__(self, parts):
        self.parts = parts

    def codes(self, x, depth):
        """Codes of the lowest ``depth`` layers for inputs x, a list."""
        codes = []
        for density in self.parts[:depth]:
            if codes:
                x = density.completed(_standard(density, codes[-1]))
            codes.append(density.coder.encode(astype(density.net, x.dtype), x))
        return codes

    def outputs(self, h, depth):
        """Outputs of the lowest layer for codes h of the layer ``depth``, counted from
        1."""
        out: Any = None
        for density in self.parts[depth - 1 :: -1]:
            out = density.coder.decode(astype(density.net, h.dtype), h)
            h = density.domain.to_data(density.columns, density.output.mean(out))
        return out

    def encode(self, net, x):
        """Codes of the highest layer for inputs x of the lowest layer."""
        return self.codes(x, len(self.parts))[-1]

    def decode(self, net, h):
        """Outputs of the lowest layer for codes h of the highest layer."""
        return self.outputs(h, len(self.parts))

    def rebuilt(self, net, x):
        """Outputs of the lowest layer for its inputs x."""
        return self.decode(net, self.encode(net, x))


class StackDensity(ReconstructionDensity):
    """Density of rows given their reconstructions by all layers of a stack.
    ``machines`` are the fitted autoencoders, from the bottom up;
    ``current_option("feature_layer")`` is the current value of this option."""

    def __init__(self, name, read, *, seed, machines, current_option):
        self.parts, self.current_option = (
            [machine.density_ for machine in machines],
            current_option,
        )
        bottom = self.parts[0]
        super().__init__(
            Context(name, read, bottom.domain, bottom.columns, seed),
            coder=StackCoder(self.parts),
            net=bottom.net,
            output=bottom.output,
            corrupt=bottom.corrupt,
            n_draws=bottom.n_draws,
        )

    @property
    def widths(self):
        """Number of hidden units of each layer."""
        return [density.n_features_out for density in self.parts]

    @property
    def layers(self):
        """Indices of the layers whose codes are features."""
        return chosen(self.current_option("feature_layer"), len(self.parts))

    @property
    def n_features_out(self):
        return sum(self.widths[level] for level in self.layers)

    def features(self, X, *, layers=None):
        """Codes of some layers, concatenated; by default of the layers of
        ``feature_layer``."""
        levels = list(self.layers if layers is None else layers)

        def of_rows(v):
            codes = self.coder.codes(self.completed(v), 1 + max(levels))
            return np.concatenate([codes[level] for level in levels], axis=1)

        return by_blocks(of_rows, self.read(X), lists=False)

    def inverse(self, H):
        """Expected rows, computed downwards from the lowest layer of features."""
        H, levels = self.checked(H, self.dtype, "hidden units"), list(self.layers)
        lowest = min(levels)
        start = sum(self.widths[n] for n in levels[: levels.index(lowest)])
        H = H[:, start : start + self.widths[lowest]]
        with one_blas_thread():
            v = self.output.mean(self.coder.outputs(H, 1 + lowest))
        return self.decoded(self.domain.to_data(self.columns, v))


def _standard(part, h):
    """Codes h, standardized as inputs of the next layer."""
    columns = part.columns
    return ((h - columns.mean) / columns.scale).astype(h.dtype, copy=False)
