"""Tables of several kinds of columns, by every estimator that reads such."""

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import (
    RBM,
    ConditionalRBM,
    GANClassifier,
    GatedRBM,
    GeneratorNet,
    GSNClassifier,
)
from skdgm.stacks import TunedNetwork
from skdgm.utils.bits import takes
from tests.common.instances import CLASSES, cases

pd = pytest.importorskip("pandas")


READ_MIXED = [own for own in CLASSES if takes(own, "mixed") or isinstance(own, RBM)]
# Those are columns of y, for which there are tests of their own.
_GIVEN = ConditionalRBM | GatedRBM
READ_MIXED = [model for model in READ_MIXED if not isinstance(model, _GIVEN)]


def fitted(estimator, X, y, **options):
    """Copy that is fitted to X, and to y if it needs targets."""
    own = clone(estimator).set_params(column_types="mixed")
    if isinstance(own, GeneratorNet | GANClassifier | GSNClassifier | TunedNetwork):
        return own.fit(X, y, **options)
    return own.fit(X, **options)


@pytest.mark.parametrize("estimator", cases(READ_MIXED))
def test_weights_are_repetitions_and_zero_is_absence(estimator):
    rng = np.random.default_rng(0)
    name = rng.integers(0, 4, 150)
    X = pd.DataFrame({"x": rng.normal(size=150), "name": np.array(list("abcd"))[name]})
    X["y"] = X["x"] + 3 * (name == 1)
    y, weight = rng.integers(0, 2, 150), rng.integers(1, 4, 150)
    weight[100:] = 0
    found = fitted(estimator, X, y, sample_weight=weight)
    rows = np.repeat(np.arange(150), weight)
    expected = fitted(estimator, X.iloc[rows].reset_index(drop=True), y[rows])
    drawn = {"y": y[:20]} if isinstance(estimator, GeneratorNet) else {}
    own, other = (
        model.sample(20, random_state=0, **drawn) for model in (found, expected)
    )
    pd.testing.assert_frame_equal(*map(pd.DataFrame, (own, other)))
    if hasattr(estimator, "score_samples") and not drawn:
        own, other = (model.score_samples(X) for model in (found, expected))
        np.testing.assert_allclose(own, other, rtol=1e-9)


@pytest.mark.parametrize("estimator", cases(READ_MIXED))
def test_numbers_of_few_values_are_codes_by_rank(estimator):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "from 1": np.where(rng.random(200) < 0.95, 1, 2),
            "constant": np.full(200, 7),
            "apart": np.where(rng.random(200) < 0.95, -3.0, 7.5),
            "name": rng.choice(["a", "b", "c"], 200),
        }
    )
    y = rng.integers(0, 2, 200)
    own = fitted(estimator, X, y)
    drawn = own.sample(200, **({"y": y} if isinstance(own, GeneratorNet) else {}))
    for name in ("from 1", "constant", "apart"):
        assert set(drawn[name]) <= set(X[name])
        assert drawn[name].mode()[0] == X[name].mode()[0]
