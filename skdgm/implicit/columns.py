"""Columns of bits that are grey."""

from skdgm.data import has_grey
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.threading.callers import warn


def find_grey(model, table, fresh):
    """Find out whether a model's columns of bits are grey. A generator of bits remains
    one: where grey rows follow, this warns."""
    if not fresh and model._grey:
        return
    grey = bool(has_grey(table.rows, model._domain.bits(model._columns)))
    if fresh:
        model._grey = grey
    elif grey:
        warn(
            f"{model._name} got grey rows, with values between 0 and 1, after rows of "
            "bits: it goes on drawing bits. Show it grey rows from the start.",
            DataRangeWarning,
        )
