"""Several classifiers of categories above one net, of which the best counts.

The outputs of a head for two views of a row shall inform on each other. From random
initial weights this ends in one of many optima, in some of which two clusters are one
category and another is two. Heads that share all hidden units end in different ones
[1]_, and those of more information are better, without any label.

References
----------
.. [1] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
   unsupervised image classification and segmentation. ICCV.
"""

from typing import NamedTuple

import numpy as np

# Share of an update in the running mean of a head's information, and how many nats
# more than the chosen one another must have to be chosen in its place: the
# meaning of each category changes then. Means begin at 0, so that no head is chosen
# in place of the first one before some dozens of updates.
_RATE, _MARGIN = 0.005, 0.03


class Heads(NamedTuple):
    """Outputs of a net for codes: categories by each of n heads, and continuous
    codes."""

    codes: object
    n: int

    @property
    def n_outputs(self):
        """Number of outputs of all heads."""
        return self.codes.n_outputs + (self.n - 1) * sum(self.codes.categories)

    def start(self):
        """Before any update: information of each head, and 1 for the chosen one;
        of shape (2, n), float64."""
        ranks = np.zeros((2, self.n))
        ranks[1, 0] = 1
        return ranks

    def columns(self, head):
        """Numbers of the outputs for the codes by one head."""
        width = sum(self.codes.categories)
        categories = np.arange(head * width, (head + 1) * width)
        return np.append(categories, np.arange(self.n * width, self.n_outputs))

    def chosen(self, out, ranks):
        """Number of the chosen head, and its outputs, of shape
        (n_rows, codes.n_outputs), given ``ranks`` as of :meth:`start`."""
        head = int(ranks[1].argmax())
        return head, out[:, self.columns(head)]

    def shared(self, out, other, ranks, stays=False):
        """Gradients of the information that two views share, summed over heads.
        ``ranks``, (2, n), are as of :meth:`start`, and updated in place; the chosen
        head changes unless it ``stays``."""
        information, chosen = ranks
        backs = np.zeros_like(out), np.zeros_like(other)
        for head in range(self.n):
            columns = self.columns(head)
            shared, slopes = self.codes.shared(out[:, columns], other[:, columns])
            information[head] += _RATE * (shared - information[head])
            for back, slope in zip(backs, slopes):
                back[:, columns] += slope
        least = information[chosen.argmax()] + _MARGIN
        if information.max() > least and not stays:
            chosen[:] = np.arange(self.n) == information.argmax()
        return backs
