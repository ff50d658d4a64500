"""Rare and unknown categories: which are grouped, and what becomes of others."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder

from skdgm import RBM, VAE, EoNADE
from skdgm.data.rare import Rare
from skdgm.exceptions import CostWarning
from tests.options import assign

COUNTS = np.array([7.0, 2, 30, 2, 0, 11, 1])


@pytest.mark.parametrize(
    "options",
    [
        {"min_frequency": 2},
        {"min_frequency": 3},
        {"min_frequency": 100},
        {"min_frequency": 0.1},
        {"max_categories": 1},
        {"max_categories": 4},
        {"max_categories": 5, "min_frequency": 3},
        {"max_categories": 2, "min_frequency": 0.1},
    ],
)
def test_groups_are_those_of_scikit_learn(options):
    codes = np.repeat(np.arange(7), COUNTS.astype(int))[:, None]
    encoder = OneHotEncoder(categories=[np.arange(7)], **options).fit(codes)
    expected = encoder.infrequent_categories_[0]
    found = Rare(**options).groups(COUNTS)
    np.testing.assert_array_equal(np.flatnonzero(found.rare), expected)
    assert found.size == 8 - len(expected)
    p = np.full(7, 1 / 7)
    np.testing.assert_allclose(found.merged(p).sum(), 1)
    np.testing.assert_allclose(found.merged(p)[-1], len(expected) / 7)


def test_shares_are_frequencies():
    for how, more in (("ignore", 0), ("infrequent_if_exist", 1)):
        found = Rare(min_frequency=3, handle_unknown=how).groups(COUNTS)
        expected = np.array([2, 2, 0.5, 1]) / (5.5 + more)
        np.testing.assert_allclose(found.share[[1, 3, 4, 6]], expected)
        np.testing.assert_array_equal(found.share[[0, 2, 5]], 1)
        np.testing.assert_array_equal(found.units, [0, 3, 1, 3, 3, 2, 3])
        codes = np.array([0, 6, 7, 99, np.nan])
        own = 7 if more else np.nan
        np.testing.assert_array_equal(found.forward(codes), [0, 6, own, own, np.nan])
        if more:
            assert found.shares[-1] == pytest.approx(1 / 6.5)


def test_nothing_is_grouped_by_default():
    found = Rare(handle_unknown="infrequent_if_exist").groups(COUNTS)
    np.testing.assert_array_equal(found.units, np.arange(7))
    assert not found.catches
    assert np.isnan(found.forward(np.array([7.0]))).all()
    asked = SimpleNamespace(min_frequency=2, max_categories=None, handle_unknown="auto")
    assert Rare.of(asked) == Rare(2)


NAMES = [f"u{i}" for i in range(150)]
IDENTIFIERS = {
    "frame": lambda pd: pd.DataFrame({"id": NAMES, "x": np.arange(150.0) % 7}),
    "codes": lambda pd: np.c_[np.arange(150.0), np.arange(150) % 3],
}


# One epoch need not explain rows.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", [EoNADE, VAE, RBM])
@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers_are_warned_of(cls, name):
    X = IDENTIFIERS[name](pytest.importorskip("pandas"))
    kinds = "mixed" if name == "frame" else "categorical"
    model = cls(2, column_types=kinds, n_iter=1, random_state=0)
    column = "'id'" if name == "frame" else "0"
    with pytest.warns(CostWarning, match=f"column {column} has 150 categories in 150"):
        model.fit(X)
    # Neither later, nor of categories that are seen several times or are in groups.
    with warnings.catch_warnings():
        warnings.simplefilter("error", CostWarning)
        if cls is not RBM:
            assign(clone(model), max_categories=20).fit(X)
        clone(model).fit(X, sample_weight=np.full(150, 3))
        clone(model).fit(X[:99])
