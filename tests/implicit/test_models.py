"""All generators: their scores and what they fill in are those of kernels around draws,
and draws have that density."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import GAN, GMMN, LAPGAN, BiGAN, GANClassifier, InfoGAN, StackGAN
from tests.numerical import assert_means

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)) * [1, 10, 0.1, 1] + [0, 5, 1, -2]
Y = RNG.integers(0, 2, 60)
MODELS = [BiGAN, GAN, GANClassifier, GMMN, InfoGAN, LAPGAN, StackGAN]


@pytest.fixture(scope="module", params=MODELS, ids=lambda cls: cls.__name__)
def fitted(request):
    options = {"hidden_layer_sizes": (4,), "n_components": 2, "n_draws": 2000}
    model = request.param(column_types="gaussian", n_iter=2, random_state=0, **options)
    if request.param in (LAPGAN, StackGAN):
        model.set_params(image_shape=(2, 2))
    return model.fit(X, Y)


def test_scores_and_filled_entries_are_those_of_kernels(fitted):
    kernels, scale = fitted.density_.kernels(), X.std(axis=0)
    holes = X[:5].copy()
    holes[:3, 0] = holes[2:4, 2] = np.nan
    v = (holes - X.mean(axis=0)) / scale
    log_w = norm(kernels.centers, kernels.width).logpdf(v[:, None])
    log_w = np.nansum(log_w, axis=2)
    expected = logsumexp(log_w, axis=1) - np.log(len(kernels.centers))
    expected -= (np.log(scale) * ~np.isnan(holes)).sum(axis=1)
    np.testing.assert_allclose(fitted.score_samples(holes), expected, rtol=1e-6)
    w = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
    mean = w @ kernels.centers * scale + X.mean(axis=0)
    expected = np.where(np.isnan(holes), mean, holes)
    np.testing.assert_allclose(fitted.impute(holes), expected, rtol=1e-6)


def test_draws_have_the_density(fitted):
    kernels = fitted.density_.kernels()
    drawn = (fitted.sample(2000, random_state=1) - X.mean(axis=0)) / X.std(axis=0)
    # Both are of draws, the centers without the noise of kernels.
    for power in 1, 2:
        given, expected = drawn**power, (kernels.centers**power).mean(axis=0)
        assert_means(given, expected, 6)
    both = kernels.centers[:, :2].prod(axis=1).mean()
    assert_means(drawn[:, 0] * drawn[:, 1], both, 6)
