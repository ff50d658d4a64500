"""Equality of fitted estimators, to the bit and to the type."""

from types import SimpleNamespace

import numpy as np
from sklearn.base import BaseEstimator


def assert_identical(a, b, where="estimator"):
    """Fail, naming the place, unless two objects are of the same types and values."""
    assert type(a) is type(b), where
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, where
        assert a.shape == b.shape, where
        assert b.flags.writeable, where
        contiguous = a.flags.c_contiguous or a.flags.f_contiguous
        if contiguous:
            assert a.flags.f_contiguous == b.flags.f_contiguous, where
            assert a.flags.c_contiguous == b.flags.c_contiguous, where
        if a.dtype == object:
            assert_identical(a.ravel().tolist(), b.ravel().tolist(), where)
        else:
            assert a.tobytes() == b.tobytes(), where
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for number, pair in enumerate(zip(a, b)):
            assert_identical(*pair, f"{where}[{number}]")
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for name in a:
            assert_identical(a[name], b[name], f"{where}.{name}")
    elif isinstance(a, np.random.RandomState):
        assert_identical(a.get_state(legacy=False), b.get_state(legacy=False), where)
    elif isinstance(a, BaseEstimator | SimpleNamespace):
        assert_identical(vars(a), vars(b), where)
    elif isinstance(a, np.generic):
        # Long doubles have bytes that mean nothing.
        same = a == b if a.dtype == np.longdouble else a.tobytes() == b.tobytes()
        assert same, where
    elif hasattr(a, "identical"):
        assert a.identical(b), where
    elif a is not None and hasattr(a, "requests"):
        assert str(a) == str(b), where
    else:
        assert repr(a) == repr(b), where
