import pytest

from skdgm.utils.layers import check_sizes, chosen, per_layer


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
