"""Estimators of skdgm in Pipelines, which skops keeps."""

import pickle
from copy import deepcopy
from datetime import date

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from skops import io

from skdgm import (
    FVBN,
    NADE,
    VAE,
    ConstrainedTable,
    Diffusion,
    EoNADE,
    GenerativeImputer,
)
from skdgm.constraints import FixedCombinations, Inequality, Range
from skdgm.persistence import TRUSTED_TYPES
from skdgm.preprocessing import Dequantizer
from tests.common.instances import CLASSES, cases
from tests.common.shapes import having
from tests.common.test_contract import Data
from tests.persistence.same import assert_identical

pd = pytest.importorskip("pandas")


@pytest.mark.exhaustive(default=["NADE", "BernoulliRBM", "DBN", "VAE"])
@pytest.mark.parametrize("instance", cases(CLASSES))
def test_pipelines_need_no_more_than_the_list(instance):
    estimator, data = having(clone(instance), n_iter=1), Data(instance)
    first = StandardScaler() if data.real else MinMaxScaler()
    pipeline = make_pipeline(first, estimator).fit(data.X, **data.y())
    others = [through(pipeline)]
    # A score computes log Z of some models, which is kept, too.
    scores = pipeline.score_samples(data.X)
    others.append(through(pipeline))
    for other in others:
        assert_identical(scores, other.score_samples(data.X))
    assert_identical(pipeline[-1], others[1][-1])


def through(pipeline):
    """A Pipeline that skops has saved and loaded."""
    kept = io.dumps(pipeline)
    assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
    return io.loads(kept, trusted=list(TRUSTED_TYPES))


def table(n=40):
    """Columns of all kinds of dtypes that pandas has."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 99, n), "D")
    frame = pd.DataFrame({"a": rng.normal(size=n), "when": days})
    frame["zone"] = frame["when"].dt.tz_localize("Europe/Paris")
    frame["month"] = frame["when"].dt.to_period("M")
    frame["day"] = frame["when"].dt.date
    frame["span"] = frame["when"] - frame["when"].min()
    frame["text"] = rng.choice(["x", "y"], n)
    frame["name"] = pd.Categorical(rng.choice(["u", "v"], n), ordered=True)
    frame["many"] = pd.array(rng.integers(0, 40, n), dtype="Int16")
    frame["bit"] = pd.array(rng.random(n) < 0.5, dtype="boolean")
    frame["b"] = frame["a"] + rng.gamma(2, 1, n)
    return frame


@pytest.mark.parametrize(
    "model",
    [
        EoNADE((4,), column_types="mixed", n_iter=1),
        VAE(2, (4,), column_types="mixed", n_iter=1),
        Diffusion((8,), column_types="mixed", n_iter=1),
        ConstrainedTable(
            FVBN(column_types="mixed", n_iter=1),
            [
                Inequality("a", "b"),
                FixedCombinations(["text", "name"]),
                Range("when", pd.Timestamp("2022-01-01")),
                Range("day", date(2022, 1, 1)),
            ],
        ),
        GenerativeImputer(NADE(4, column_types="mixed", n_iter=1)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_of_tables(model):
    frame = table()
    model = clone(model).fit(frame)
    kept = io.dumps(model)
    assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
    others = io.loads(kept, trusted=list(TRUSTED_TYPES)), deepcopy(model)
    for other in (*others, pickle.loads(pickle.dumps(model))):
        assert repr(other) == repr(model)
        if isinstance(model, GenerativeImputer):
            holes = frame.assign(text=None)
            assert model.transform(holes).equals(other.transform(holes))
            continue
        drawn, again = (own.sample(5, random_state=0) for own in (model, other))
        pd.testing.assert_frame_equal(drawn, again)
        assert_identical(model.score_samples(frame), other.score_samples(frame))


def test_transformers():
    kept = io.dumps(Dequantizer(random_state=0).fit(np.arange(6).reshape(3, 2)))
    assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
