"""Errors that say what to do where there are no numbers."""

from contextlib import contextmanager

# What complaints of NumPy and of scikit-learn about other values have in them.
_NO_NUMBER = "could not convert", "float() argument must be", "arrays of bytes/strings"


@contextmanager
def taking_numbers(step):
    """Name the step and the remedy in errors about values that are no numbers."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not any(part in str(error) for part in _NO_NUMBER):
            raise
        raise type(error)(
            f"{type(step).__name__} takes numbers, but X has other values ({error}): "
            "encode these with sklearn.preprocessing.OrdinalEncoder, or keep their "
            "columns out of it with sklearn.compose.ColumnTransformer."
        ) from error
