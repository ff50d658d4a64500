r"""Codes of rows: real columns moved along the flow to noise, and masked columns.

.. math:: h = (y_1, \phi(x_\text{masked})), \qquad y_1 = y_0 + \int_0^1
   v(y, t \mid x_\text{masked}) \frac{\mathrm{d} \psi}{\mathrm{d} t} \mathrm{d} t

where :math:`\phi(x_\text{masked})` are the inputs of the net for masked columns.
"""

from typing import NamedTuple

import numpy as np

from skdgm.diffusion._field import Field, heun_steps
from skdgm.diffusion._layout import ColumnLayout
from skdgm.diffusion._noise import Whitening


class RowCoder(NamedTuple):
    """Map from complete rows, in units of the model, to codes, and its inverse: a flow
    along ``field`` over a grid of ``times``."""

    layout: ColumnLayout
    whitening: Whitening
    field: Field
    times: np.ndarray

    @property
    def size(self):
        """Number of columns of a code."""
        return len(self.layout.noisy) + self.layout.n_value_inputs

    def codes(self, v):
        """Codes of rows v, (n_rows, size)."""
        real, categories = self.layout.split(v)
        extra = self._extra_inputs(categories)
        y = heun_steps(self.field, self.whitening.components(real), self.times, extra)
        return np.hstack([y, extra[:, : self.layout.n_value_inputs]])

    def rows(self, H):
        """Rows, in units of the model, of codes H, (n_rows, size)."""
        y, inputs = np.hsplit(H, [len(self.layout.noisy)])
        output = self.layout.output
        categories = output.value(inputs) if output else inputs
        y = heun_steps(self.field, y, self.times[::-1], self._extra_inputs(categories))
        return self.layout.joined(self.whitening.rows(y), categories)

    def _extra_inputs(self, categories):
        covariates = np.zeros(
            (len(categories), self.field.n_covariates), categories.dtype
        )
        return self.layout.extra_inputs(categories, covariates)
