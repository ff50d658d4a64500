"""Kinds of columns that an estimator reads from the data of its first fit.

``_reading`` is what was decided, a pair as of :func:`~skdgm.data.auto.reading_of`, that
:func:`~skdgm.base.fits.asked_of` puts in the place of "auto". Attributes of a class say
how it reads: ``_GREY`` and ``_NUMBERS`` are the kinds of grey columns and of other
numbers; ``_LEVELS_APART`` tells whether few levels of grey are numbers with
probabilities of their own, and ``_IMAGES`` whether rows are images, of which values in
[0, 1] are grey.
"""

from skdgm.data import column_types_of, inputs
from skdgm.data.auto import AUTO, reading_of
from skdgm.utils.bits import kinds_allowed


def read_kinds(estimator, X, weight=None):
    """Read the kinds of columns, at a first fit with ``column_types="auto"``."""
    vars(estimator).pop("_reading", None)
    asked = estimator._present_options()
    kinds = estimator._readable_kinds(asked)
    if kinds:
        with inputs.explained(estimator, X, estimator._asked_domain):
            estimator._reading = reading_of(estimator, X, kinds, asked, weight)


def kinds_in_words(estimator):
    """Text that says how the columns of the data are read, also of a stack that has
    no machine yet."""
    if "_columns" in vars(estimator):
        return column_types_of(estimator).summary
    kinds, top = estimator._reading
    return f"{estimator.n_features_in_} {'grey' if top != 1 else kinds}"


def readable_kinds(estimator, options):
    """Set of the kinds of columns that the model can read, empty where options say
    which they are."""
    undecided = getattr(options, "column_types", None) == AUTO
    return kinds_allowed(estimator) if undecided else set()
