"""Text that stands for numbers or dates, which would be read as categories."""

import numpy as np

from skdgm.exceptions import CostWarning
from skdgm.utils.threading.callers import warn

# Minimum number of distinct values, and share of those that can be converted. At most
# as many values are examined.
_MANY, _SHARE, _MOST = 50, 0.9, 1000
# Dates with the year first or last.
_DATE = r"(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})\b"


def warn_of_text(frame, codec):
    """Warn about columns of text with many values, of which most are numbers or dates.

    ``codec`` is the :class:`~skdgm.data.frames.Codec` of the DataFrame. Columns of a
    category dtype are meant to be categories.
    """
    import pandas as pd

    for j, kind in enumerate(codec.kinds):
        column = frame.iloc[:, j]
        if kind != "categorical" or isinstance(column.dtype, pd.CategoricalDtype):
            continue
        names = codec.categories[j]
        if len(names) < _MANY or not isinstance(names[0], str):
            continue
        names = pd.Series(names[np.linspace(0, len(names) - 1, _MOST).astype(int)])
        names = names.drop_duplicates()
        are_numbers = pd.to_numeric(names, errors="coerce").notna()
        for meaning, found, function in (
            ("numbers", are_numbers, "to_numeric"),
            ("dates", names.str.match(_DATE), "to_datetime"),
        ):
            if found.mean() >= _SHARE:
                warn(
                    f"Column {column.name!r} has {len(codec.categories[j]):,} "
                    f"different texts, of which most are {meaning}. They are read as "
                    "categories without order: convert them by "
                    f'pandas.{function}(..., errors="coerce"), or make them a category '
                    "dtype if they are names.",
                    CostWarning,
                )
