"""Displays and metrics of rows that they cannot take: errors that say so."""

import numpy as np
import pytest

from skdgm import FVBN, LAPGAN, MeanProductOfT, SpikeSlabRBM, StackGAN
from skdgm.metrics import (
    classifier_two_sample_test,
    maximum_mean_discrepancy,
    mode_coverage,
    nearest_training_neighbors,
    parzen_log_likelihood,
    r_hat,
    tabular_report,
)
from skdgm.plotting import (
    ComponentsDisplay,
    LikelihoodBracketDisplay,
    MarginalsDisplay,
    ReconstructionDisplay,
    SamplesDisplay,
)

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(30, 4))
BITS = RNG.integers(0, 2, (30, 64)) * 1.0
MIXED = pd.DataFrame({"r": REAL[:, 0], "c": ["a", "b"] * 15})


def test_tables_are_no_images():
    model = FVBN(column_types="mixed", n_iter=1, random_state=0).fit(MIXED)
    shape = {"image_shape": (1, 2)}
    told = "takes rows of numbers, and column .* has none"
    holes = MIXED.assign(c=None)
    filled = model.impute(holes)
    for draw in (
        lambda: SamplesDisplay.from_estimator(model, n_samples=3, **shape),
        lambda: SamplesDisplay(MIXED, **shape).plot(),
        lambda: SamplesDisplay(REAL[:, :2], neighbors=MIXED, **shape).plot(),
        lambda: ReconstructionDisplay.from_estimator(model, MIXED, **shape),
        lambda: ReconstructionDisplay(MIXED, filled, **shape).plot(),
        lambda: ComponentsDisplay(MIXED, **shape).plot(),
        lambda: parzen_log_likelihood(MIXED, MIXED, sigma=1.0),
        lambda: r_hat(MIXED),
    ):
        with pytest.raises(ValueError, match=told):
            draw()


@pytest.mark.parametrize(
    "compare",
    [
        nearest_training_neighbors,
        maximum_mean_discrepancy,
        classifier_two_sample_test,
        parzen_log_likelihood,
        tabular_report,
        lambda X, Y: mode_coverage(X, Y, np.arange(30)),
    ],
)
def test_nothing_is_no_rows(compare):
    for pair in ((REAL, None), (None, REAL)):
        options = {"sigma": 1.0} if compare is parzen_log_likelihood else {}
        with pytest.raises(TypeError, match="is None"):
            compare(*pair, **options)
    model = FVBN(column_types="gaussian").fit(REAL)
    with pytest.raises(TypeError, match="X is None"):
        MarginalsDisplay.from_estimator(model, None)


@pytest.mark.parametrize("kind", [StackGAN, LAPGAN])
def test_layers_that_are_in_no_chain_have_no_filters(kind):
    model = kind(2, (4,), image_shape=(8, 8), n_iter=1, random_state=0).fit(BITS)
    with pytest.raises(ValueError, match="layer=-1 of .* has no filters"):
        ComponentsDisplay.from_estimator(model, layer=-1, image_shape=(8, 8))


@pytest.mark.parametrize(
    "model", [MeanProductOfT(2, 2, n_iter=1, n_chains=4), SpikeSlabRBM(2, n_iter=1)]
)
@pytest.mark.filterwarnings("ignore")
def test_brackets_of_machines_of_covariances(model):
    model.set_params(random_state=0).fit(REAL)
    options = {"n_chains": 4, "n_betas": 10, "burn_in": 2, "n_steps": 3}
    display = LikelihoodBracketDisplay.from_estimator(model, **options)
    found = display.bracket
    assert (display.forward_ is None) == (found.forward is None)
    assert display.axes_[0].get_legend_handles_labels()[1]
