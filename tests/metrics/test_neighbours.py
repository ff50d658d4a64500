import numpy as np
import pytest
from scipy.stats import kstest

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import nearest_training_neighbours


def tables(*sizes, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) for n in sizes]


@pytest.mark.parametrize("d", [2, 40])
def test_distances_and_shares_by_brute_force(d):
    samples, X_train, X_valid = tables(30, 50, 20, d=d)
    found = nearest_training_neighbours(samples, X_train, X_valid)
    table = np.sqrt(((samples[:, None] - X_train) ** 2).sum(axis=2))
    valid = np.sqrt(((X_valid[:, None] - X_train) ** 2).sum(axis=2)).min(axis=1)
    np.testing.assert_array_equal(found.index, table.argmin(axis=1))
    np.testing.assert_allclose(found.distance, table.min(axis=1))
    np.testing.assert_allclose(found.valid_distance, valid)
    nearer = (table.min(axis=1)[:, None] < valid).mean()
    assert found.closer == pytest.approx(nearer)
    assert found.copied == found.valid_copied == 0


def test_ties_count_one_half():
    found = nearest_training_neighbours(
        [[1.0], [1.0], [3.0]], [[0.0]], [[1.0], [2.0], [0.0]]
    )
    # Of nine pairs samples are nearer in two, and as near in two.
    assert found.closer == pytest.approx((2 + 0.5 * 2) / 9)
    assert found.valid_copied == pytest.approx(1 / 3)


@pytest.mark.parametrize("d", [3, 64])
def test_copies_are_found(d):
    X_train, X_valid = tables(100, 100, d=d)
    X_train *= 100
    samples = np.concatenate([X_train[:30], 100 * X_valid[:10]])
    found = nearest_training_neighbours(samples, X_train, 100 * X_valid[10:])
    assert found.copied == 0.75
    np.testing.assert_array_equal(found.index[:30], np.arange(30))
    assert found.closer > 0.75
    assert found.p_value < 1e-6


@pytest.mark.parametrize("d", [3, 64])
def test_copies_far_from_zero_are_found(d):
    (X_train,) = tables(100, d=d)
    X_train += 1e9
    found = nearest_training_neighbours(X_train[:30], X_train)
    assert found.copied == 1
    np.testing.assert_array_equal(found.index, np.arange(30))


def test_p_values_of_data_are_uniform():
    # Given the training rows, samples and validation rows are alike.
    p = [
        nearest_training_neighbours(*tables(40, 60, 50, seed=seed)).p_value
        for seed in range(200)
    ]
    assert kstest(p, "uniform").pvalue > 0.01
    samples, X_train, X_valid = tables(40, 60, 50)
    assert nearest_training_neighbours(3 * samples, X_train, X_valid).p_value > 0.999


def test_without_validation_rows():
    samples, X_train = tables(5, 9)
    found = nearest_training_neighbours(samples, X_train)
    assert len(found.distance) == 5
    assert found[3:] == (None,) * 4


def test_bad_input():
    samples, X_train, X_valid = tables(5, 9, 7)
    holed = np.full((2, 3), np.nan)
    for message, given in (
        ("samples contains NaN", (holed, X_train)),
        ("X_train contains NaN", (samples, holed)),
        ("X_valid contains NaN", (samples, X_train, holed)),
        ("samples has 2 features, but X_train has 3", (samples[:, :2], X_train)),
        ("X_valid has 2 features", (samples, X_train, X_valid[:, :2])),
    ):
        with pytest.raises(ValueError, match=message):
            nearest_training_neighbours(*given)
    with pytest.warns(DataRangeWarning, match="samples has values"):
        nearest_training_neighbours(samples, 16 * X_train)
