r"""Densities of rows with columns of any type.

.. math:: \log p(v) = \sum_j \log w_j(v_j) + A\big(c + \textstyle\sum_j T_j(v_j)
   W_{j:}\big) - \log Z

There is a block of visible units for each type of column.
"""

from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.inference import mean_field
from skdgm.utils.tree import astype


class TableDensity(EnergyDensity):
    """Density of a machine with one hidden layer and the visible blocks of a layout."""

    @property
    def n_visible(self):
        return len(self.layout.units)

    @property
    def capabilities(self):
        """As for one type of visible units, without sums over all values of a
        column."""
        kinds = super().capabilities
        del kinds["pseudo_likelihood"]
        if self.n_visible > 1:
            del kinds["visible_fields"]
        return kinds

    def clamp_rows(self, v):
        return self.layout.clamp_rows(v)

    def hidden_means(self, params, x, clamp):
        return mean_field(self.energy, params, x, clamp)[0][-1]

    def visible_means(self, H):
        x = (None,) * self.n_visible + (H,)
        return self.visible_of(
            [
                unit.mean(self._field(self.params, x, block))
                for block, unit in enumerate(self.layout.units)
            ]
        )

    def visible_of(self, x):
        return self.layout.to_table(x[: self.n_visible])

    def params_for(self, rows, dtype=None, index=None):
        """Parameters for all rows or the rows at an index; tiled only for bits."""
        if self.energy.is_binary_chain:
            return super().params_for(rows, dtype, index)
        return astype(self.params, dtype)
