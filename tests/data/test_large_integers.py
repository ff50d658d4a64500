"""Integers that float64 does not represent are refused by name: they would merge."""

import numpy as np
import pytest

from skdgm import (
    NADE,
    RBM,
    VAE,
    DBNClassifier,
    DBNRegressor,
    EoNADE,
    GaussianRBM,
)
from tests.options import grouped

pd = pytest.importorskip("pandas")

IDS = 2**62 + np.repeat(np.arange(6), 10)
Z = np.random.default_rng(0).normal(size=60)
FORMS = {
    "int64": IDS,
    "uint64": IDS.astype(np.uint64) + np.uint64(2**62),
    "nullable": pd.array(IDS, dtype="Int64"),
    "least": IDS - 2**62 + 2**53,
    "negative": -IDS,
}
SMALL = {"n_iter": 1, "random_state": 0}


@pytest.mark.parametrize("kind", [EoNADE, NADE, VAE, RBM])
@pytest.mark.parametrize("form", FORMS)
def test_columns_of_frames_are_refused_by_name(kind, form):
    X = pd.DataFrame({"z": Z, "id": FORMS[form]})
    with pytest.raises(
        ValueError, match=r"Column 'id' has whole numbers beyond 2 \*\*"
    ):
        grouped(kind, column_types="mixed", **SMALL).fit(X)
    # Their least subtracted, all are kept.
    small = X.assign(id=X["id"] - X["id"].min())
    grouped(kind, column_types="mixed", **SMALL).fit(small)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries_are_refused_by_name(library):
    module = pytest.importorskip(library)
    table = module.DataFrame if library == "polars" else module.table
    with pytest.raises(ValueError, match="Column 'id' has whole numbers beyond"):
        grouped(NADE, 3, "mixed", **SMALL).fit(table({"id": IDS, "z": Z}))


def test_arrays_are_refused_by_number():
    for kind in (
        grouped(GaussianRBM, 3, **SMALL),
        grouped(NADE, 3, "gaussian", **SMALL),
    ):
        with pytest.raises(ValueError, match="column 1 has whole numbers beyond"):
            kind.fit(np.column_stack([np.arange(60), IDS]))


def test_targets_are_refused_and_labels_kept():
    X = np.random.default_rng(0).random((60, 3))
    with pytest.raises(ValueError, match="y has whole numbers beyond"):
        grouped(DBNRegressor, 4, **SMALL).fit(X, IDS)
    own = grouped(DBNClassifier, 4, **SMALL).fit(X, IDS)
    np.testing.assert_array_equal(own.classes_, np.unique(IDS))


def test_categories_and_conditions_are_exact():
    X, kinds = pd.DataFrame({"id": IDS, "z": Z}), {"id": "categorical", "z": "numeric"}
    own = grouped(NADE, 3, kinds, **SMALL).fit(X)
    assert set(own.sample(300, random_state=0)["id"]) == set(IDS.tolist())
    drawn = own.sample(5, random_state=0, conditions={"id": 2**62 + 3})
    assert (drawn["id"] == 2**62 + 3).all()
    plain = grouped(NADE, 3, "mixed", **SMALL).fit(X.assign(id=IDS - 2**62))
    with pytest.raises(ValueError, match="Column 'id' has whole numbers beyond"):
        plain.sample(5, conditions={"id": 2**62 + 3})
