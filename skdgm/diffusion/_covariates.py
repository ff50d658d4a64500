"""Classes, or attributes, on which a net is conditional."""

from typing import NamedTuple

import numpy as np

from skdgm.data.attributes import Attributes
from skdgm.data.given import attribute_numbers


class Covariates(NamedTuple):
    """Inputs on which a net is conditional: indicators of ``n_classes``, or
    ``attributes`` and a 1; or none. Zeros stand for rows of any class or attributes."""

    n_classes: int = 0
    attributes: Attributes | None = None

    @property
    def n_inputs(self):
        """Number of inputs of a net."""
        if self.attributes is None:
            return self.n_classes
        return int(self.attributes.sizes.sum()) + 1

    def inputs(self, values, dtype):
        """Inputs of rows by codes of classes, (n_rows,), or numbers of attributes,
        (n_rows, n_attributes)."""
        if self.attributes is None:
            return np.eye(self.n_classes, dtype=dtype)[values]
        inputs = self.attributes.inputs(values, dtype)
        return np.concatenate([inputs, np.ones((len(inputs), 1), dtype)], axis=1)

    def requested(self, codes, y, name, n_rows, dtype):
        """Inputs of rows by the ``codes`` of classes, or the attributes y, that a user
        of the model of this name passes; zeros of neither."""
        if y is not None:
            codes = attribute_numbers(self.attributes, y, name, n_rows)
        if codes is None:
            return np.zeros((n_rows, self.n_inputs), dtype)
        return self.inputs(codes, dtype)
