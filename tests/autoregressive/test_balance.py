"""Frequencies of bits and categories, on average over training rows."""

import numpy as np
import pytest

from skdgm import FVBN, MADE, NADE, NeuralAutoregressive
from skdgm.autoregressive._balance import any_coded, counts, shifts
from skdgm.distributions import MixedOutput, standard_mixture
from tests.options import grouped

pd = pytest.importorskip("pandas")


def table(n_rows=2000):
    """A class of 1 % that depends on whether two others are the same."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, (2, n_rows))
    rare = rng.random(n_rows) < np.where(a == b, 0.025, 0.0025)
    other = np.where(rng.random(n_rows) < 0.4, "u", "v")
    X = pd.DataFrame({"a": a, "b": b, "c": np.where(rare, "r", other)}).astype(str)
    return X.assign(bit=(rng.random(n_rows) < 0.02) | (rare & (a == 0)))


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (NADE, {}),
        (NADE, {"ordering": (3, 1, 0, 2), "n_orderings": 2}),
        (NADE, {"early_stopping": True, "n_iter": 4}),
        (MADE, {}),
        (MADE, {"n_masks": 2}),
        (NeuralAutoregressive, {}),
        (FVBN, {"early_stopping": True, "n_iter": 2}),
    ],
)
def test_rare_classes_are_as_frequent_as_they_are(cls, options):
    """NADE's were 5 to 17 % too rare given other columns."""
    own = {"n_components": 16} if cls is NADE else {}
    own |= {"hidden_layer_sizes": (16,)} if cls is MADE else {}
    X = table()
    model = grouped(cls, column_types="mixed", random_state=0, **own, **options).fit(X)
    for name in ("c", "bit"):
        values = X[name].unique()
        log_p = [model.score_features(X.assign(**{name: v})) for v in values]
        p = np.exp([part[name] for part in log_p])
        real = [(X[name] == v).mean() for v in values]
        # Means over orders are of logarithms.
        loose = "n_orderings" in options
        np.testing.assert_allclose(p.mean(axis=1), real, rtol=0.1 if loose else 0.02)


@pytest.mark.parametrize("cls", [NADE, MADE, NeuralAutoregressive, FVBN])
def test_frequencies_are_those_of_incomplete_rows_too(cls):
    """The third bit is missing in most rows with the first; the rows without gaps have
    a share of 9 %."""
    rng, n = np.random.default_rng(0), 2000
    first = rng.random(n) < 0.5
    second = np.where(rng.random(n) < 0.8, first, ~first)
    X = np.column_stack([first, second, rng.random(n) < 0.3]).astype(float)
    X[first & (rng.random(n) < 0.9), 2] = np.nan
    model = grouped(cls, random_state=0).fit(X)
    error = 4 * 0.5 / np.sqrt(4000)
    drawn = model.sample(4000, random_state=0).mean(axis=0)
    assert abs(drawn[0] - first.mean()) < error + 0.02
    assert abs(drawn[2] - 0.3) < 2 * error


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.CostWarning")
def test_frequencies_are_those_of_all_rows_of_a_stream():
    da = pytest.importorskip("dask.array")
    rng, n = np.random.default_rng(0), 70_000
    share = np.where(np.arange(n) < n // 2, 0.1, 0.9)
    X = np.column_stack([rng.random(n) < share, rng.normal(size=n)]).astype(np.float32)
    types = "bernoulli", "gaussian"
    model = grouped(NADE, 4, column_types=types, n_iter=1, random_state=0)
    model.set_params(early_stopping=True).fit(da.from_array(X, chunks=(10_000, 2)))
    assert abs(model.sample(4000, random_state=0)[:, 0].mean() - 0.5) < 0.05


def test_biases_of_known_columns_change_by_log_ratios():
    kinds = np.array(["categorical", "bernoulli", "gaussian", "categorical"])
    mixture = standard_mixture(1, "gaussian", 1e-4)
    gapped = np.array([False, False, False, True])
    output = MixedOutput(kinds, np.array([3, 1, 1, 2]), mixture, gapped=gapped)
    rng, n = np.random.default_rng(0), 50
    v = np.column_stack([rng.integers(0, 2, n), rng.random((n, 3)) < 0.3]).astype(float)
    v[:9, 0], v[5:20, 1] = np.nan, np.nan
    weight, out = rng.random(n), rng.normal(size=(n, output.n_outputs.sum()))
    found = shifts(output, *counts(output, out, v, weight))
    p, known = np.exp(out[:, :3]), np.isfinite(v[:, 0]) * weight
    p = known @ (p / p.sum(axis=1, keepdims=True))
    real = np.array([known @ (v[:, 0] == k) for k in range(3)])
    expected = np.log(real[:2] / p[:2]).clip(-1, 1)
    np.testing.assert_allclose(found[:2], expected)
    assert found[2] == 0  # None of these was seen.
    known = np.isfinite(v[:, 1]) * weight
    q, f = known @ (1 / (1 + np.exp(-out[:, 3]))), known @ np.nan_to_num(v[:, 1])
    n = known.sum()
    expected = np.log(f / (n - f) * (n - q) / q)
    np.testing.assert_allclose(found[3], np.clip(expected, -1, 1))
    assert (found[4:] == 0).all()
    assert any_coded(output)
    assert not any_coded(output.take([2, 3]))
