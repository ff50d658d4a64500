"""Kinds of columns that an estimator reads from the data of its first fit.

``_reading`` is what was decided, a pair as of :func:`~skdgm.data.auto.reading_of`, that
:func:`~skdgm.base.fits.asked_of` puts in the place of "auto". Attributes of a class,
``_GREY``, ``_NUMBERS``, ``_IMAGES`` and ``_LEVELS_APART``, are its
:class:`~skdgm.data.auto.Habits`.
"""

from skdgm.data import ColumnType, ColumnTypes, inputs, names_of
from skdgm.data.auto import Habits, is_auto, reading_of
from skdgm.utils.bits import kinds_allowed


def read_kinds(estimator, X, weight=None):
    """Read the kinds of columns, at a first fit with ``column_types="auto"``."""
    vars(estimator).pop("_reading", None)
    asked = estimator._present_options()
    kinds = estimator._readable_kinds(asked)
    if kinds:
        with inputs.explained(estimator, X, estimator._asked_domain):
            habits = Habits(
                grey=estimator._GREY,
                numbers=estimator._NUMBERS,
                images=estimator._IMAGES,
                levels_apart=estimator._LEVELS_APART,
            )
            estimator._reading = reading_of(
                estimator, X, kinds, asked, habits, weight=weight
            )


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
    return kinds_allowed(estimator) if is_auto(options.column_types) else set()


def column_types_of(estimator):
    """How a fitted model reads each column: a dict of :class:`ColumnType` by name, or
    by number."""
    names, found = (
        names_of(estimator),
        getattr(estimator._columns, "column_types", None),
    )
    domain = estimator._domain
    plain = ColumnType(domain.kind)
    if domain.top != 1:
        plain = plain._replace(low=0.0, high=domain.top)
    types = [plain] * len(names) if found is None else found()
    return ColumnTypes(zip(names, types))
