"""Data as training takes them, and as callbacks are told of them."""

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from skdgm.training import canonical

# How NumPy's complaint about text begins.
_NO_NUMBER = "could not convert string to float"


def tabulate(rows, sample_weight, in_memory=True):
    """The table of validated rows and of weights that are not valid yet."""
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, rows.X, dtype=np.float64, ensure_non_negative=True
        )
    return canonical(rows.in_memory() if in_memory else rows, sample_weight)


def for_callbacks(X, y, sample_weight):
    """Data as scikit-learn's callbacks are told of them."""
    weights = None if sample_weight is None else {"sample_weight": sample_weight}
    # Its ScoringMonitor passes over data without y.
    y = np.zeros(X.shape[0]) if y is None else y
    return {"X": X, "y": y, "metadata": weights}


def refuse_dates(X):
    """Raise TypeError where X has dates, of which NumPy would make some numbers."""
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        types = [(f"Column {name!r}", d) for name, d in zip(X.columns, X.dtypes)]
    else:
        types = [("X", getattr(X, "dtype", None))]
    for what, dtype in types:
        if getattr(dtype, "kind", "") in ("m", "M"):
            raise TypeError(
                f"{what} has the dtype {dtype}, which is neither of numbers nor of "
                "categories: make numbers of it (of a date the days since another), "
                "or drop it."
            )


def refuse_text(model, X, error):
    """Raise ValueError that tells the column and what to do, if the error was that
    there is text where numbers are wanted."""
    place = _text_column(X) if str(error).startswith(_NO_NUMBER) else None
    if place is None:
        return
    name = X.columns[place] if hasattr(X, "columns") else place
    mixed = ', or give it in a DataFrame, which output="mixed" takes by its types'
    raise ValueError(
        f"{type(model).__name__} takes numbers, but column {name!r} has text "
        f"({error}): encode it, with sklearn.preprocessing.OneHotEncoder or "
        f"OrdinalEncoder{mixed if 'output' in vars(model) else ''}."
    ) from error


def _text_column(X):
    """The place of the first column with text, None if there is no such table."""
    frame = hasattr(X, "iloc")
    values = X if frame else np.asarray(X, dtype=object)
    for j in range(values.shape[1] if values.ndim == 2 else 0):
        try:
            np.asarray(X.iloc[:, j] if frame else values[:, j], dtype=np.float64)
        except ValueError:
            return j
        except TypeError:
            continue
    return None
