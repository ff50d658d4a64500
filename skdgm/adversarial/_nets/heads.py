"""Several classifiers of categories on top of one net, of which the best is selected.

The predictions of a head for two views of a row should share information. From random
initial weights, training ends in one of many optima; in some, two clusters become one
category, and another cluster becomes two. Heads that share all hidden units end in
different optima [1]_, and the head with the most information is the best, which needs
no labels.

References
----------
.. [1] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
   unsupervised image classification and segmentation. ICCV.
"""

from typing import NamedTuple

import numpy as np

# Weight of an update in the running mean of a head's information, and the margin, in
# nats, by which another head must exceed the selected head to replace it, which changes
# the meaning of categories. Means start from 0, so the first head is not replaced
# before some dozens of updates.
_RATE, _MARGIN = 0.005, 0.03


class Heads(NamedTuple):
    """Outputs of a net for codes: categories by each of n heads, then continuous
    codes."""

    codes: object
    n: int

    @property
    def n_outputs(self):
        """Number of outputs of all heads."""
        return self.codes.n_outputs + (self.n - 1) * sum(self.codes.categories)

    def start(self):
        """Initial ``head_information``, (2, n), float64: information of each head, in
        nats, and an indicator of the selected head."""
        head_information = np.zeros((2, self.n))
        head_information[1, 0] = 1
        return head_information

    def columns(self, head):
        """Indices of the outputs for the codes of one head."""
        width = sum(self.codes.categories)
        categories = np.arange(head * width, (head + 1) * width)
        return np.append(categories, np.arange(self.n * width, self.n_outputs))

    def chosen(self, out, head_information):
        """Index of the selected head, and its outputs, (n_rows, codes.n_outputs)."""
        head = int(head_information[1].argmax())
        return head, out[:, self.columns(head)]

    def shared(self, out, other, head_information, stays=False):
        """Gradients of the information shared by two views, summed over heads, with
        respect to the outputs. Updates ``head_information`` in place; the same head
        remains selected if ``stays``."""
        information, chosen = head_information
        gradients = np.zeros_like(out), np.zeros_like(other)
        for head in range(self.n):
            columns = self.columns(head)
            shared, slopes = self.codes.shared(out[:, columns], other[:, columns])
            information[head] += _RATE * (shared - information[head])
            for gradient, slope in zip(gradients, slopes):
                gradient[:, columns] += slope
        threshold = information[chosen.argmax()] + _MARGIN
        if information.max() > threshold and not stays:
            chosen[:] = np.arange(self.n) == information.argmax()
        return gradients
