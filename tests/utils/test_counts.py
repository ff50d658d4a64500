from numbers import Integral, Real

import numpy as np
import pandas as pd
import pytest

from skdgm import BernoulliRBM, metrics
from skdgm.imputation import GenerativeImputer
from skdgm.utils import counts
from skdgm.utils.counts import (
    check_choice,
    check_sizes,
    chosen,
    count,
    count_rows,
    is_a,
    per_layer,
)


def test_truth_is_no_number():
    assert is_a(Integral, np.uint8(3))
    assert is_a(Real, 0.5)
    assert is_a(Real, 3)
    assert not any(is_a(Real, value) for value in (True, np.True_, "3", None))


def test_counts_are_ints():
    found = count(np.int8(100), "n_steps")
    assert found == 100
    assert type(found) is int
    assert count(0, "burn_in", 0) == 0


@pytest.mark.parametrize("value", [True, np.True_, 2.0, "2", None])
def test_what_is_no_count_is_named(value):
    with pytest.raises(TypeError, match="n_steps must be an instance of int"):
        count(value, "n_steps")


@pytest.mark.parametrize("value", [0, 6, -(10**30)])
def test_bounds_are_named(value):
    with pytest.raises(ValueError, match=f"n_steps == {value}"):
        count(value, "n_steps", 1, 5)


def test_rows_must_have_room():
    assert count_rows(np.int16(1000), 64) == 1000
    with pytest.raises(ValueError, match="n_samples=1000000000000000, but"):
        count_rows(10**15, 64)


@pytest.mark.parametrize("digits", [40, 5000])
def test_counts_beyond_a_machine_word_are_named(digits):
    with pytest.raises(ValueError, match="n_steps must be less"):
        count(10**digits, "n_steps")
    with pytest.raises(ValueError, match="n_samples must be less"):
        count_rows(10**digits, 4)
    with pytest.raises(ValueError, match="burn_in (must be at least|==)"):
        count(-(10**digits), "burn_in", 0)


TABLE = pd.DataFrame({"a": np.arange(8.0)})
BITS = np.eye(4)
RBM = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)


@pytest.mark.parametrize("value", [2**63, 10**400, -(10**5000)], ids=["64", "", "-"])
@pytest.mark.parametrize(
    ("function", "data", "names"),
    [
        (metrics.partition_bracket, (RBM,), "n_chains n_betas burn_in n_steps"),
        (metrics.likelihood_bracket, (RBM, BITS), "n_draws n_bit_draws"),
        (metrics.csl_log_likelihood, (RBM, BITS), "n_samples n_steps"),
        (metrics.raise_log_likelihood, (RBM, BITS), "n_betas n_chains n_samples"),
        (metrics.chain_diagnostics, (RBM,), "n_chains n_draws thin burn_in"),
        (metrics.likelihood_table, ([RBM], BITS), "n_bit_draws n_chains"),
        (metrics.tabular_report, (TABLE, TABLE), "max_rows"),
        (metrics.maximum_mean_discrepancy, (BITS, BITS), "n_permutations"),
        (GenerativeImputer(RBM).fit(BITS).draw, (BITS,), "n_draws"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_functions_name_counts_beyond_a_machine_word(function, data, names, value):
    for name in names.split():
        with pytest.raises(ValueError, match=name) as caught:
            function(*data, **{name: value})
        assert len(str(caught.value)) < 400


def test_a_choice_is_one_of_those_known():
    for fine in ("a", np.str_("a"), None):
        check_choice("by", fine, ("a", "b", None))
    for wrong in ("c", 1, np.array(2), np.array([1, 2]), pd.NA, [], {}):
        with pytest.raises(ValueError, match="by must be 'a' or 'b', not"):
            check_choice("by", wrong, ("a", "b"))


def test_sizes():
    assert check_sizes(3) == (3,)
    assert check_sizes([3, 2]) == (3, 2)
    for wrong in ((), 0, (3, 0), (3, 2.5), ("a",)):
        with pytest.raises(ValueError, match="hidden_layer_sizes"):
            check_sizes(wrong)


def test_one_value_for_each_layer():
    assert per_layer("rate", 0.1, 3) == (0.1, 0.1, 0.1)
    assert per_layer("steps", ((1, 5), 1), 2) == ((1, 5), 1)
    with pytest.raises(ValueError, match="rate"):
        per_layer("rate", (0.1, 0.2), 3)


def test_layers_that_are_named():
    assert chosen("all", 3) == (0, 1, 2)
    assert chosen(-1, 3) == (2,)
    assert chosen((-1, 0), 3) == (2, 0)
    for wrong in (3, -4, (0, 3), ()):
        with pytest.raises(ValueError, match="feature_layer"):
            chosen(wrong, 3)


def test_rows_that_just_fit_into_memory(monkeypatch):
    """Eight bytes or so of each entry, and some of each row."""
    for n_columns in 1, 7:
        each = counts._ENTRY * n_columns + counts._ROW
        monkeypatch.setattr(counts, "physical", lambda each=each: 1000 * each)
        assert count_rows(1000, n_columns) == 1000
        with pytest.raises(ValueError, match=f"1001, but as many rows of {n_columns}"):
            count_rows(1001, n_columns)
