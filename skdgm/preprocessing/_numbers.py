"""Error messages for values that are not numbers."""

from contextlib import contextmanager

# Parts of NumPy's and scikit-learn's messages about values that are not numbers.
_NO_NUMBER = "could not convert", "float() argument must be", "arrays of bytes/strings"


@contextmanager
def taking_numbers(step):
    """Re-raise errors about values that are not numbers with the step and a remedy.

    Parameters
    ----------
    step : estimator
        Transformer that the message names.

    Raises
    ------
    TypeError, ValueError
        An error of the same type as the original one, which becomes its cause. Errors
        about anything else pass unchanged.
    """
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
