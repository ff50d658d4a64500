"""Estimators of skdgm in Pipelines, which skops keeps."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from skops import io

from skdgm.persistence import TRUSTED_TYPES
from skdgm.preprocessing import Dequantizer
from tests.common.instances import CLASSES, name_of
from tests.common.shapes import having
from tests.common.test_contract import Data
from tests.persistence.same import assert_identical


@pytest.mark.short("NADE", "BernoulliRBM", "DBN", "VAE")
@pytest.mark.parametrize("instance", CLASSES, ids=name_of)
def test_pipelines_need_no_more_than_the_list(instance):
    estimator, data = having(clone(instance), n_iter=1), Data(instance)
    first = StandardScaler() if data.real else MinMaxScaler()
    pipeline = make_pipeline(first, estimator).fit(data.X, **data.y())
    kept = io.dumps(pipeline)
    assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
    other = io.loads(kept, trusted=list(TRUSTED_TYPES))
    assert_identical(*(p.score_samples(data.X) for p in (pipeline, other)))


def test_transformers():
    kept = io.dumps(Dequantizer(random_state=0).fit(np.arange(6).reshape(3, 2)))
    assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
