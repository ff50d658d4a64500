"""Classes, attributes and lengths given beside rows, read as numbers.

A table has it as :class:`~skdgm.utils.given.Given`. Where rows are to be drawn, one
value may stand for all of them.
"""

import numpy as np

from skdgm.utils.counts import WHOLE


def refuse_both(options):
    """Raise ValueError for options that ask for classes and for attributes."""
    if options.class_conditional and options.attribute_conditional:
        raise ValueError(
            "class_conditional and attribute_conditional exclude each other: with the "
            "latter, classes are attributes."
        )


def attribute_numbers(attributes, y, owner, n_rows):
    """Numbers of the attributes y of rows, or of all; ValueError if the owner depends
    on none."""
    if attributes is None:
        raise ValueError(
            f"{owner} is not conditional: leave out y, or fit with "
            "attribute_conditional=True and y."
        )
    return attributes.of_rows(y, owner, n_rows)


def shares_of(counts):
    """Frequencies of classes, each counted once more; None of no classes."""
    return None if counts is None else (counts + 1) / (counts + 1).sum()


def given_lengths(lengths, n_rows=None):
    """Lengths of documents or sequences that a user asks for, in float64; one may stand
    for all rows.

    ValueError if they are not numbers from 0 to 2 ** 53, or not as many as rows.
    """
    found = np.asarray(lengths)
    wrong = found.dtype.kind not in "iuf" or found.ndim > 1
    if wrong or not ((found >= 0) & (found <= WHOLE)).all():
        raise ValueError(
            "lengths must be a number from 0 to 2 ** 53, or one for each; got "
            f"{lengths!r}."
        )
    if n_rows is None:
        return np.atleast_1d(found).astype(np.float64)
    if found.ndim and len(found) != n_rows:
        raise ValueError(f"{len(found)} lengths are given for {n_rows} rows.")
    return np.broadcast_to(found, n_rows).astype(np.float64)
