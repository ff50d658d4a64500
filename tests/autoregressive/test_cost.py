import warnings

import numpy as np
import pytest
from sklearn.base import clone

import skdgm
from skdgm import DBM, FVBN, MADE, NADE, RNADE, EoNADE, NeuralAutoregressive
from skdgm.exceptions import CostWarning
from skdgm.nets import estimator
from tests.autoregressive.models import FAMILIES, OUTPUT, made
from tests.autoregressive.models import data as rows_of
from tests.options import assign

# One code is a key.
KEYS = np.array([[60_000.0, 0], [1, 1], [3, 1]], np.float32)


@pytest.fixture
def usual(monkeypatch):
    """A machine of 16 GiB."""
    monkeypatch.setattr(estimator, "physical", lambda: 2**34)


@pytest.mark.parametrize("kind", OUTPUT)
@pytest.mark.parametrize("name", FAMILIES)
def test_weights_are_counted_before_there_are_any(name, kind):
    own = made(name, kind, n_orders=2)
    facts, model = own._facts(own._learned), own._MODEL
    conditionals, _ = model.conditionals(facts)
    n_weights, n_nets, shared = model.n_weights(facts, conditionals)
    n_there = 1 if shared else n_nets
    of_mask = getattr(own._training.learned, "mask_weights", np.zeros(0)).size
    found = sum(W.size for W in own.coefs_)
    assert n_there * n_weights == found + of_mask


def test_weights_of_rnade_are_counted():
    own = RNADE(3, n_mixtures=2, n_iter=0).fit(rows_of("real"))
    facts, model = own._facts(own._learned), own._MODEL
    conditionals, _ = model.conditionals(facts)
    found = model.n_weights(facts, conditionals)[0]
    assert found == sum(W.size for W in own.coefs_)


@pytest.mark.filterwarnings("ignore:The column 'key' has 40,000 categories")
@pytest.mark.parametrize("model", [FVBN(), MADE(), NeuralAutoregressive()])
def test_codes_that_ask_for_more_than_there_is_are_named(model, usual):
    model.set_params(column_types="categorical", n_iter=1)
    message = r"has [\d,]+ weights for the 60,001 categories of column 0, .* [\d.]+ GiB"
    with pytest.raises(MemoryError, match=message + r".* has 16.0\. Merge rare cat"):
        model.fit(KEYS)
    assert not hasattr(model, "n_features_in_")
    pd = pytest.importorskip("pandas")
    names = [f"key {number}" for number in range(40_000)]
    keys = pd.DataFrame({"b": [1.5, 2] * 20_000, "key": names})
    with pytest.raises(MemoryError, match="the 40,000 categories of column 'key'"):
        model.set_params(column_types="mixed").fit(keys)


def test_what_is_large_is_told_and_what_is_small_is_not(usual, monkeypatch):
    model = NeuralAutoregressive(2, n_iter=2)
    X = np.eye(20, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CostWarning)
        clone(model).fit(X)
    monkeypatch.setattr(estimator, "_WARNING_BYTES", 2**10)
    # 20 inputs, 38 hidden units, 20 outputs: three products for 40 rows.
    message = r"has 1,920 weights for 20 columns, .* 0.0 GiB of memory and 2e\+05 mult"
    with pytest.warns(CostWarning, match=message):
        model.fit(X)
    with pytest.warns(CostWarning, match="for 20 columns with 40 categories"):
        model.set_params(column_types="categorical").fit(X)


@pytest.mark.parametrize(
    "model", [FVBN(), MADE(), NADE(), EoNADE(), NeuralAutoregressive(), RNADE()]
)
def test_categories_are_to_be_merged_where_there_are_any(model, monkeypatch):
    monkeypatch.setattr(estimator, "_WARNING_BYTES", 0)
    X = np.eye(4)
    model.set_params(n_iter=1)
    with pytest.warns(CostWarning, match=r"multiplications\. (Drop|Lower|Set)"):
        model.fit(X)
    if hasattr(model, "column_types"):
        with pytest.warns(CostWarning, match=r"\. Merge rare categories, or [a-z]"):
            model.set_params(column_types="categorical").fit(X)


@pytest.mark.parametrize("name", ["VAE", "DenoisingAutoencoder", "GAN", "RBM", "GMMN"])
@pytest.mark.parametrize("kind", ["categorical", "mixed"])
def test_codes_of_many_categories_are_told_by_all_families(name, kind, monkeypatch):
    monkeypatch.setattr(estimator, "_WARNING_BYTES", 2**18)
    X = np.c_[np.arange(400) % 100, np.arange(400) % 2].astype(np.float32)
    few = {"n_iter": 1, "batch_size": 100, "random_state": 0}
    own = getattr(skdgm, name)(4, column_types=kind, **few)
    if kind == "mixed":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame(
            {"city": [f"city {v}" for v in X[:, 0]], "sex": map(str, X[:, 1])}
        )
        if name != "RBM":
            assign(clone(own), max_categories=3).fit(X)
    cause = "column 'city'" if kind == "mixed" else "column 0"
    with pytest.warns(CostWarning, match=f"the 100 categories of {cause}.* Merge rare"):
        own.fit(X)


def test_what_a_machine_has_may_be_unknown(monkeypatch):
    monkeypatch.setattr(estimator, "physical", lambda: None)
    with pytest.raises(MemoryError, match="this machine has 16.0"):
        FVBN("categorical").fit(KEYS)


def test_categories_cost_some_in_proportion(usual):
    EoNADE((2,), column_types="categorical", n_iter=0).fit(KEYS)


def test_sizes_of_layers_may_be_any_sequence():
    X = np.random.default_rng(0).integers(0, 2, (20, 3)).astype(float)
    for sizes in [2, 2], np.array([2, 2]):
        DBM(sizes, n_iter=1, random_state=0).fit(X)
