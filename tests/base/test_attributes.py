"""Methods that read what an estimator has learned."""

import inspect

import numpy as np
import pytest

import skdgm
from skdgm.registry import ESTIMATORS

FLAGS = [
    (name, method, option)
    for name in ESTIMATORS
    for method, function in inspect.getmembers(getattr(skdgm, name, None), callable)
    if not method.startswith(("_", "get_"))
    for option, parameter in inspect.signature(function).parameters.items()
    if isinstance(parameter.default, bool)
]


@pytest.mark.parametrize("name, method, option", FLAGS)
@pytest.mark.parametrize("value", [None, "yes", [True, False], np.ones(2)], ids=str)
def test_flags_of_methods_are_true_or_false(name, method, option, value):
    estimator = getattr(skdgm, name)()
    with pytest.raises(TypeError, match=f"{option} must be an instance of"):
        getattr(type(estimator), method)(estimator, None, **{option: value})


def test_methods_have_flags():
    assert {"return_se", "return_y", "apc"} == {option for _, _, option in FLAGS}
