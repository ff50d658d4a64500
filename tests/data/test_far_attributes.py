"""Attributes far from those of all training rows."""

import warnings

import numpy as np
import pytest

from skdgm import VAE, Diffusion, Flow, GeneratorNet
from skdgm.exceptions import DataRangeWarning
from tests.options import grouped

RNG = np.random.default_rng(0)
OPTIONS = {"attribute_conditional": True, "n_iter": 5, "random_state": 0}
MODELS = [
    grouped(Diffusion, (4,), n_steps=3, early_stopping=False, **OPTIONS),
    grouped(Flow, 1, (4,), early_stopping=False, **OPTIONS),
    grouped(VAE, 2, (4,), column_types="gaussian", **OPTIONS),
    GeneratorNet((4,), column_types="gaussian", n_iter=5, random_state=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_attributes_beyond_the_range_are_read_as_the_end_of_it(model):
    """The range is not symmetric, and grows with the rows of later calls."""
    X = RNG.normal(size=(20, 3)).astype(np.float32)
    y = RNG.exponential(size=20).astype(np.float32)
    model = model.fit(X, y)
    seen = [
        (model.score_samples(X, own), model.sample(2, random_state=0, y=own))
        for own in (y.min(), y.max())
    ]
    low = y.min() - y.max() / 2
    for end, values in ((0, (low, -1e300)), (1, (2 * y.max(), 1e39))):
        for far in values:
            with pytest.warns(DataRangeWarning, match="Attribute 0 is far beyond"):
                scores = model.score_samples(X, far)
            np.testing.assert_allclose(scores, seen[end][0], rtol=1e-4)
            with pytest.warns(DataRangeWarning, match="clipped to the end"):
                drawn = model.sample(2, random_state=0, y=far)
            np.testing.assert_allclose(drawn, seen[end][1], rtol=1e-3, atol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.score_samples(X, y.max() + 0.1)
        model.partial_fit(X[:2], np.array([low, 1.0], np.float32))
        model.sample(2, random_state=0, y=low)
