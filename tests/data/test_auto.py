"""Kinds of columns that are read from the data: one answer for all containers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.preprocessing import minmax_scale

import skdgm
from skdgm import DBN, FVBN, NADE, RBM, BernoulliRBM, DBMClassifier, RBMClassifier
from skdgm.data.auto import AUTO
from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import average_over_draws
from skdgm.registry import MODELS
from skdgm.utils.bits import kinds_allowed
from tests.options import grouped

DIGITS, IRIS = load_digits().data, load_iris().data
WINE = load_wine().data
BITS = (DIGITS > 8).astype(float)
REAL = FVBN, DBN, RBM, RBMClassifier


def reading(model, X, weight=None):
    """Reading of a table by an unfitted model."""
    model._read_kinds(X, weight)
    return model._inferred_types


def with_holes(X):
    X = X.copy()
    X[::7, 1] = np.nan
    return X


def test_weights_are_repetitions():
    rng = np.random.default_rng(0)
    polar = rng.choice([0.03, 0.97], (100, 4)) + rng.uniform(-0.03, 0.03, (100, 4))
    even, weight = rng.uniform(0.2, 0.8, (100, 4)), np.repeat([6, 1], 100)
    X = np.concatenate([polar, even])
    assert reading(NADE(), X)[0] == ("numeric",) * 4
    assert reading(NADE(), X, weight)[0] == "bernoulli"
    assert reading(NADE(), X.repeat(weight, axis=0))[0] == "bernoulli"
    X[3, 2] = np.nan
    for model in (NADE(), DBN(), skdgm.Diffusion(), skdgm.VAE()):
        for w in (weight, weight[::-1]):
            assert reading(model, X, w) == reading(model, X.repeat(w, axis=0))
    # Levels that repeat in some rows only, whatever the unit of weights.
    levels = np.append(np.arange(9), [0, 8] * 12) / 8
    few, repeats = rng.permuted(np.tile(levels, (3, 1)), axis=1).T, np.ones(33)
    weights = None, 10 * repeats, 2.5 * repeats, repeats / 1000
    read = [reading(skdgm.Diffusion(), few, weight)[0] for weight in weights]
    assert read == ["gaussian", ("ordinal",) * 3, "gaussian", "gaussian"]
    assert reading(skdgm.Diffusion(), few.repeat(10, axis=0))[0] == read[1]
    # Scales of other weights do not matter, and invalid weights are refused later.
    assert reading(NADE(), X, 1e306 * weight)[0] == "bernoulli"
    for invalid in (["a"] * 200, -weight, np.ones(3), np.zeros(200)):
        assert reading(NADE(), X, invalid)[0] == ("numeric",) * 4


@pytest.mark.parametrize(
    "X, kind, top",
    [
        (BITS, "bernoulli", 1),
        (with_holes(BITS), "bernoulli", 1),
        (BITS.astype(bool), "bernoulli", 1),
        (DIGITS, "bernoulli", 16),
        (with_holes(DIGITS), "bernoulli", 16),
        (DIGITS.astype(np.uint8), "bernoulli", 16),
        (DIGITS / 16, "bernoulli", 1),
        ((DIGITS / 16).astype(np.float32), "bernoulli", 1),
        (minmax_scale(DIGITS), "bernoulli", 1),
        (IRIS, "gaussian", 1),
        (with_holes(WINE), "gaussian", 1),
        (minmax_scale(IRIS), "gaussian", 1),
        (minmax_scale(WINE), "gaussian", 1),
        (DIGITS - 8, "gaussian", 1),
        (DIGITS + 0.5, "gaussian", 1),
    ],
)
@pytest.mark.parametrize(
    "wrap", [np.asarray, np.ndarray.tolist, sp.csr_array, pd.DataFrame]
)
def test_values_decide(X, kind, top, wrap):
    if wrap is sp.csr_array and np.isnan(np.asarray(X, float)).any():
        X = np.asarray(X, float)
    assert reading(DBN(), wrap(X)) == (kind, top)


def test_columns_of_an_array_are_read_one_by_one():
    X = np.column_stack([IRIS, BITS[:150, 20], np.zeros(150)])
    kinds = ("numeric",) * 4 + ("bernoulli", "numeric")
    assert reading(NADE(), X) == (kinds, 1)
    kinds = ("gaussian",) * 4 + ("bernoulli", "gaussian")
    assert reading(RBM(), X) == (kinds, 1)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_types_of_a_frame_decide_unless_all_are_bits_or_gray(library):
    names = [f"x{j}" for j in range(64)]
    levels = library(dict(zip(names, DIGITS.T)))
    assert reading(skdgm.Autoencoder(), levels) == ("bernoulli", 16)
    assert reading(NADE(), levels) == ("mixed", 1)
    assert reading(NADE(), library({"a": [0, 1, 1], "b": [1, 0, 0]}))[1] == 1
    assert reading(NADE(), library({"a": [0.5, 7.0], "b": [1, 0]})) == ("mixed", 1)
    assert reading(NADE(), library({"a": ["u", "v"], "b": [1, 0]})) == ("mixed", 1)


def test_streams_are_read_as_arrays_are():
    da = pytest.importorskip("dask.array")
    for X in (BITS, DIGITS, WINE):
        X = X[:150]
        blocks = skdgm.data.streams.streamed(da.from_array(X, chunks=(40, -1)))
        assert reading(NADE(), blocks) == reading(NADE(), X)


def test_rows_without_weight_are_not_read():
    X = np.vstack([BITS[:50], np.full((1, 64), 7.0)])
    weight = np.append(np.ones(50), 0)
    assert reading(DBN(), X)[0] == "gaussian"
    assert reading(DBN(), X, weight)[0] == "bernoulli"


def test_one_late_value_decides():
    X = np.tile(BITS, (20, 1))
    X[-1, 3] = 2.0
    found, _ = reading(NADE(), X)
    assert found[3] == "numeric"
    assert found[20] == "bernoulli"


@pytest.mark.parametrize("name", MODELS)
def test_defaults_read_the_data(name):
    kind = getattr(skdgm, name)
    kinds = kinds_allowed(kind)
    if {"bernoulli", "gaussian"} <= kinds and "condition_types" not in vars(kind()):
        assert kind().column_types == AUTO
        for X in (IRIS, WINE):
            found, _ = reading(kind(), X)
            assert "bernoulli" not in np.ravel(found)
        assert reading(kind(), BITS) == ("bernoulli", 1)


def test_levels_are_shares_or_numbers_by_the_family():
    assert reading(skdgm.Autoencoder(), DIGITS) == ("bernoulli", 16)
    assert set(reading(skdgm.Diffusion(), WINE)[0]) == {"numeric"}
    for model in NADE(), skdgm.VAE(), skdgm.Diffusion():
        assert set(reading(model, DIGITS)[0]) == {"numeric", "bernoulli"}
    for model in NADE(), skdgm.VAE():
        assert reading(model, DIGITS / 16) == ("bernoulli", 1)
    for X in DIGITS / 16, minmax_scale(DIGITS):
        assert set(reading(skdgm.Diffusion(), X)[0]) <= {"ordinal", "bernoulli"}
        assert "ordinal" in reading(skdgm.Diffusion(), pd.DataFrame(X))[0]
    # Few rows have few values.
    fine = np.random.default_rng(0).beta(0.2, 0.2, (500, 64))
    for n in 15, 30, 500:
        assert reading(skdgm.Diffusion(), fine[:n]) == ("gaussian", 1)
    assert reading(skdgm.VAE(architecture="conv"), DIGITS) == ("bernoulli", 16)
    assert reading(skdgm.Diffusion(architecture="conv"), DIGITS) == ("gaussian", 1)
    # Bytes have too many levels.
    assert reading(NADE(), 15 * DIGITS) == ("bernoulli", 255)
    fine = DIGITS + 0.01 * np.random.default_rng(0).random(DIGITS.shape)
    assert reading(skdgm.Diffusion(), fine / 17) == ("gaussian", 1)


def test_gray_levels_are_read_as_their_shares():
    model = FVBN(batch_size=2_000, n_iter=3, random_state=0)
    levels, shares = 15 * DIGITS, 15 * DIGITS / 255
    by_levels, by_shares = (
        model.fit(levels),
        grouped(FVBN, **model.get_params()).fit(shares),
    )
    found, right = by_levels.score_samples(levels), by_shares.score_samples(shares)
    assert_allclose(found, right, rtol=1e-6)
    assert set(np.unique(by_levels.sample(50, random_state=0))) == {0, 255}
    drawn = by_levels.sample(5, conditions={20: 255, 21: 0}, random_state=0)
    assert (drawn[:, 20:22] == [255, 0]).all()
    with pytest.raises(ValueError, match="its values are 0 and 255"):
        by_levels.sample(conditions={20: 1})
    mean, se = average_over_draws(by_levels, levels[:50])
    right, _ = average_over_draws(by_shares, shares[:50])
    assert_allclose(mean, right, rtol=1e-6)
    assert (se > 0).all()


@pytest.mark.parametrize("model", [RBM(8), DBN((8,)), skdgm.GMMN(8), skdgm.GSN((8,))])
def test_answers_about_gray_levels_are_in_their_range(model):
    model.set_params(n_iter=1, random_state=0).fit(DIGITS[:200])
    holes = with_holes(DIGITS[:20])
    filled, known = model.impute(holes), ~np.isnan(holes)
    assert (filled[known] == holes[known]).all()
    assert (filled >= 0).all()
    assert (filled <= 16).all()
    drawn = model.sample(20, random_state=0)
    assert drawn.max() <= 16
    assert drawn.min() >= 0
    assert (drawn == np.rint(drawn)).all()
    assert drawn.max() > 1
    assert model.column_types_[0].high == 16


def test_explicit_kinds_win():
    model = NADE(8, "gaussian", n_iter=1).fit(BITS[:50])
    assert model.column_types_[0].kind == "gaussian"
    assert NADE(8, n_iter=1).fit(BITS[:50]).column_types_[0].kind == "bernoulli"


@pytest.mark.parametrize("kind", REAL)
def test_a_later_batch_that_contradicts_is_refused_by_name(kind):
    y = np.arange(100) % 2
    model = kind(random_state=0)
    given = {"classes": [0, 1]} if kind is RBMClassifier else {}
    model.partial_fit(BITS[:100], y, **given)
    before = model.score_samples(BITS[:5]) if kind is FVBN else None
    with pytest.raises(ValueError, match="column_types"):
        model.partial_fit(DIGITS[:100], y)
    if before is not None:
        assert (model.score_samples(BITS[:5]) == before).all()
    with pytest.warns(DataRangeWarning, match="fitted to values from 0 to 1"):
        model.transform(DIGITS[:5]) if kind is not FVBN else model.score_samples(
            DIGITS[:5]
        )


def test_a_later_fit_reads_anew_and_a_warm_start_does_not():
    model = RBM(4, n_iter=1, random_state=0).fit(BITS[:50])
    assert model.fit(IRIS).column_types_[0].kind == "gaussian"
    assert model.fit(BITS[:50]).column_types_[0].kind == "bernoulli"
    model.set_params(warm_start=True)
    with pytest.raises(ValueError, match="column_types"):
        model.fit(DIGITS[:50])


def test_layers_given_explicitly_read_the_data():
    model = DBN(layers=[("a", BernoulliRBM(4, n_iter=1))])
    model._read_kinds(IRIS)
    assert model.fit(BITS[:50]).column_types_[0].kind == "bernoulli"
    stack = skdgm.StackedAutoencoder(
        layers=[
            ("a", skdgm.Autoencoder(8, (), code_activation="logistic", n_iter=1)),
            ("b", skdgm.Autoencoder(4, (), n_iter=1)),
        ],
        random_state=0,
    ).fit(IRIS)
    assert stack.column_types_[0].kind == "numeric"
    assert stack.layers_[1].column_types_[0].kind == "bernoulli"


def test_a_classifier_reads_for_its_machine():
    y = load_iris().target
    machine = skdgm.DBM((4, 4), n_iter=1)
    model = DBMClassifier(machine, n_iter=1, random_state=0).fit(IRIS, y)
    assert model.column_types_[0].kind == "gaussian"
    model = DBMClassifier(
        machine, column_types="bernoulli", n_iter=1, random_state=0
    ).fit(minmax_scale(IRIS), y)
    assert model.column_types_[0].kind == "bernoulli"


def test_kinds_are_shown_a_line_a_column():
    frame = pd.DataFrame({"a": ["u", "v"] * 20, "b": np.arange(40) / 2})
    shown = FVBN(n_iter=1).fit(frame).column_types_
    assert repr(shown).splitlines() == [
        "2 columns: 1 categorical, 1 numeric",
        "a: category u, v",
        "b: number from 0 to 19.5 in steps of 0.5",
    ]
    assert "<td>category u, v</td>" in shown._repr_html_()
    many = RBM(2, n_iter=1).fit(BITS).column_types_
    assert len(repr(many).splitlines()) == 62


def test_a_verbose_fit_says_how_columns_are_read(capsys):
    FVBN(n_iter=1, verbose=1).fit(BITS[:20])
    assert "[FVBN] Columns: 64 bernoulli" in capsys.readouterr().out
