"""Rows that are given as a dict by name of column."""

import numpy as np
import pytest

from skdgm import VAE, BernoulliRBM, Diffusion, EoNADE
from tests.options import grouped

pd = pytest.importorskip("pandas")

X = pd.DataFrame({"c": list("aab") * 20, "n": np.arange(60.0) % 3})
OWN = {"column_types": "mixed", "n_iter": 2, "random_state": 0}


@pytest.mark.parametrize(
    "model", [grouped(EoNADE, (4,), **OWN), grouped(Diffusion, (4,), **OWN)]
)
def test_missing_entries_are_drawn_given_a_dict_as_given_a_table(model):
    model.fit(X)
    one = model.conditional_sample({"c": "a"}, n_samples=3, random_state=0)
    assert one["c"].tolist() == ["a"] * 3
    assert one["n"].isin([0, 1, 2]).all()
    several = model.conditional_sample({"c": ["a", "b"]}, random_state=0)
    table = pd.DataFrame({"c": ["a", "b"], "n": np.nan})
    expected = model.conditional_sample(table, random_state=0)
    pd.testing.assert_frame_equal(several, expected)
    with pytest.raises(ValueError, match="names 'd', but the columns are"):
        model.conditional_sample({"d": 1})
    with pytest.raises(ValueError, match="sample.conditions"):
        model.conditional_sample({"c": ["a", "b"], "n": [1.0]})


@pytest.mark.parametrize(
    "model", [grouped(EoNADE, (4,), **OWN), grouped(VAE, 2, (4,), **OWN)]
)
def test_other_methods_say_what_to_give(model):
    model.fit(X)
    for method in (model.impute, model.score_samples, model.transform, model.fit):
        with pytest.raises(TypeError, match="X is a dict: give pd.DataFrame"):
            method({"c": ["a"], "n": [1.0]})
    with pytest.raises(TypeError, match="BernoulliRBM .* X is a dict"):
        BernoulliRBM(2).fit({"a": [1, 0]})
