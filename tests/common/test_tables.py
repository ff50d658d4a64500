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
    own, y = clone(estimator).set_params(column_types="mixed"), rng.integers(0, 2, 200)
    kinds = GeneratorNet | GANClassifier | GSNClassifier | TunedNetwork
    labeled = isinstance(own, kinds)
    own.fit(X, y) if labeled else own.fit(X)
    drawn = own.sample(200, **({"y": y} if isinstance(own, GeneratorNet) else {}))
    for name in ("from 1", "constant", "apart"):
        assert set(drawn[name]) <= set(X[name])
        assert drawn[name].mode()[0] == X[name].mode()[0]
