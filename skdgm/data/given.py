"""Classes, attributes and lengths on which rows are conditional, as numbers.

Tables store them as :class:`~skdgm.utils.given.Given`. For draws, one value may stand
for all rows.
"""

import numpy as np

from skdgm.utils.counts import WHOLE


def refuse_both(options):
    """Raise ValueError for options that ask for both classes and attributes."""
    if options.class_conditional and options.attribute_conditional:
        raise ValueError(
            "class_conditional and attribute_conditional exclude each other: with the "
            "latter, classes are attributes."
        )


def attribute_numbers(attributes, y, owner, n_rows):
    """Attributes y of ``n_rows`` rows as numbers; ValueError if the owner is not
    conditional."""
    if attributes is None:
        raise ValueError(
            f"{owner} is not conditional: leave out y, or fit with "
            "attribute_conditional=True and y."
        )
    return attributes.of_rows(y, owner, n_rows)


def shares_of(counts):
    """Frequencies of classes with Laplace smoothing; None if counts are None."""
    return None if counts is None else (counts + 1) / (counts + 1).sum()


def given_lengths(lengths, n_rows=None):
    """Requested lengths of documents or sequences, in float64; one may apply to all
    rows.

    ValueError unless they are numbers from 0 to 2 ** 53, one for all rows or one for
    each.
    """
    array = np.asarray(lengths)
    is_invalid = array.dtype.kind not in "iuf" or array.ndim > 1
    if is_invalid or not ((array >= 0) & (array <= WHOLE)).all():
        raise ValueError(
            "lengths must be a number from 0 to 2 ** 53, or one for each; got "
            f"{lengths!r}."
        )
    if n_rows is None:
        return np.atleast_1d(array).astype(np.float64)
    if array.ndim and len(array) != n_rows:
        raise ValueError(f"{len(array)} lengths are given for {n_rows} rows.")
    return np.broadcast_to(array, n_rows).astype(np.float64)
