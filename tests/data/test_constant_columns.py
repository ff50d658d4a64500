"""Columns with a single value have this value in samples and imputed rows."""

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import (
    DBM,
    DBN,
    FVBN,
    GAN,
    GMMN,
    GSN,
    MADE,
    NADE,
    RBM,
    RNADE,
    VAE,
    Autoencoder,
    Diffusion,
    EoNADE,
    Flow,
    GaussianRBM,
    MeanCovarianceRBM,
    SigmoidBeliefNetwork,
)
from skdgm.exceptions import MissingDataWarning

RNG = np.random.default_rng(0)
X = np.column_stack([RNG.normal(size=(60, 2)), np.full(60, 7.3)])
KINDS = [DBM, DBN, FVBN, GAN, GMMN, GSN, MADE, NADE, RBM, RNADE, VAE, Autoencoder]
KINDS += [Diffusion, EoNADE, Flow, GaussianRBM, MeanCovarianceRBM, SigmoidBeliefNetwork]


@pytest.mark.parametrize("kind", KINDS)
def test_constant_columns_and_columns_without_a_value(kind):
    model = kind(n_iter=1, random_state=0).fit(X)
    np.testing.assert_array_equal(model.sample(9, random_state=0)[:, 2], 7.3)
    holes = np.where([False, False, True], np.nan, X)
    if hasattr(model, "impute"):
        np.testing.assert_array_equal(model.impute(holes[:4])[:, 2], 7.3)
    with pytest.warns(MissingDataWarning, match="no observed value"):
        model = clone(model).fit(holes)
    np.testing.assert_array_equal(model.sample(9, random_state=0)[:, 2], 0)


def test_columns_that_vary_later_vary_in_samples():
    model = GaussianRBM(n_iter=1, random_state=0).partial_fit(X)
    model.partial_fit(X + [0, 0, 0.5])
    assert model.sample(9, random_state=0)[:, 2].std() > 0
