"""Classes or attributes that condition a net."""

from typing import NamedTuple

import numpy as np

from skdgm.data.attributes import Attributes
from skdgm.data.given import attribute_numbers


class Covariates(NamedTuple):
    """Covariates of a net: one-hot indicators of ``n_classes``, or ``attributes`` and a
    constant 1, or none. A zero vector means that a row's covariates are unknown."""

    n_classes: int = 0
    attributes: Attributes | None = None

    @property
    def n_inputs(self):
        """Number of inputs of the net for the covariates."""
        if self.attributes is None:
            return self.n_classes
        return int(self.attributes.sizes.sum()) + 1

    def inputs(self, values, dtype):
        """Inputs of the net, (n_rows, n_inputs), for class codes, (n_rows,), or numeric
        attributes, (n_rows, n_attributes)."""
        if self.attributes is None:
            return np.eye(self.n_classes, dtype=dtype)[values]
        inputs = self.attributes.inputs(values, dtype)
        return np.concatenate([inputs, np.ones((len(inputs), 1), dtype)], axis=1)

    def requested(self, codes, y, name, n_rows, dtype):
        """Inputs of the net for class ``codes`` or attributes y that a user passed to
        the estimator ``name``; zeros if both are None."""
        if y is not None:
            codes = attribute_numbers(self.attributes, y, name, n_rows)
        if codes is None:
            return np.zeros((n_rows, self.n_inputs), dtype)
        return self.inputs(codes, dtype)
