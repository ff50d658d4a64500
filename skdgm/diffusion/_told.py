"""Classes, or attributes, of rows that a net is given beside."""

from typing import NamedTuple

import numpy as np

from skdgm.data.attributes import Attributes
from skdgm.data.given import attribute_numbers


class Told(NamedTuple):
    """Number of classes of rows, or what their attributes are; or neither.

    Inputs of a net are indicators of classes, or attributes and a one, which tells them
    from zeros: these say nothing.
    """

    n_classes: int = 0
    attributes: Attributes | None = None

    @property
    def n_inputs(self):
        """Number of inputs of a net."""
        own = self.attributes
        return self.n_classes if own is None else int(own.sizes.sum()) + 1

    def read(self, values, dtype):
        """Inputs of rows: codes of classes, (n_rows,), or numbers of attributes,
        (n_rows, n_attributes)."""
        if self.attributes is None:
            return np.eye(self.n_classes, dtype=dtype)[values]
        found = self.attributes.inputs(values, dtype)
        return np.concatenate([found, np.ones((len(found), 1), dtype)], axis=1)

    def asked(self, codes, y, name, n_rows, dtype):
        """Inputs of rows by ``codes`` of classes or attributes y that a user of a model
        of some name gives; zeros of neither."""
        if y is not None:
            codes = attribute_numbers(self.attributes, y, name, n_rows)
        if codes is None:
            return np.zeros((n_rows, self.n_inputs), dtype)
        return self.read(codes, dtype)
