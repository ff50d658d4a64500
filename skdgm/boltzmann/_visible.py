"""What the visible units take, and how data are brought to them."""

from skdgm.boltzmann._trainer import present
from skdgm.energies import tiled
from skdgm.utils.domains import bernoulli_rows

# Rows: to put weights into tiles takes as long as a product of these.
_MANY = 100


class BernoulliVisible:
    """Binary visible units, for an estimator with an energy.

    Training adds what it sees of the columns up in ``_seen`` and ``_total``.
    """

    def _rows(self, X, *, dtype=None, reset=False, fitting=False):
        if not reset:
            dtype = dtype or self.components_.dtype.type
        return bernoulli_rows(self, X, reset=reset, fitting=fitting, dtype=dtype)

    def _params_for(self, rows, dtype=None):
        """Parameters for a method on rows: in tiles, where lists of them are many."""
        params = self._params(dtype)
        return tiled(params) if rows.listed and rows.shape[0] >= _MANY else params

    def _means(self):
        """Means of the columns, smoothed as if a 0 and a 1 had been seen too."""
        return (self._total + 1) / (self._seen + 2)

    def _initial_means(self):
        return (self._means() if self.init == "marginals" else None), None

    def _present(self, v):
        return present(v, self._means(), n_blocks=2)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
