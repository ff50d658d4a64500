"""Attributes far from those of all training rows."""

import numpy as np
import pytest

from skdgm import VAE, Diffusion, Flow
from skdgm.exceptions import DataRangeWarning

RNG = np.random.default_rng(0)
MODELS = [
    Diffusion((4,), attribute_conditional=True, n_iter=5, n_steps=3, random_state=0),
    Flow(1, (4,), attribute_conditional=True, n_iter=5, random_state=0),
    VAE(2, (4,), column_types="gaussian", attribute_conditional=True, n_iter=5),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_attributes_beyond_all_floats_of_a_model_are_read_as_far(model):
    X, y = (RNG.normal(size=shape).astype(np.float32) for shape in ((20, 3), 20))
    model = model.set_params(early_stopping=False).fit(X, y)
    for far in 1e39, -1e300:
        with pytest.warns(DataRangeWarning, match="Attribute 0 is more than 1000"):
            assert np.isfinite(model.score_samples(X, far)).all()
        with pytest.warns(DataRangeWarning, match="read as this far off"):
            assert np.isfinite(model.sample(2, random_state=0, y=far)).all()
