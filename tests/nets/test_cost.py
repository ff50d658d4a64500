"""What learning needs, in numbers that users read."""

import numpy as np
import pytest

from skdgm import RNNNADE, VRNN, Diffusion
from skdgm.exceptions import CostWarning
from skdgm.nets import estimator
from skdgm.utils.tree import leaves

BITS = (np.random.default_rng(0).random((20, 3)) < 0.5).astype(float)
GIB, N = 2**30, 20_000_000
COST = estimator.TrainingSize(
    n_weights=N, n_nets=3, shared=False, batch=1000, n_rows=50_000, item=4
)
# Twelve copies of the weights of three nets and of a batch, and a mask for each weight.
N_BYTES = 12 * 4 * (3 * N + 1000 * 12) + 3 * N


def _check(sizes, shared=False, rough=False):
    cost, names = COST._replace(shared=shared), ["a", "b", "c"]
    sizes = np.array(sizes)
    estimator.check_cost("Net", sizes, names, cost, "use fewer units.", rough=rough)


def _told(sizes, shared=False, rough=False):
    with pytest.warns(CostWarning) as found:
        _check(sizes, shared, rough)
    return str(found[0].message)


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """The memory of a machine, which tests set."""
    found = [2**40]
    monkeypatch.setattr(estimator, "physical", lambda: found[0])
    return found


@pytest.mark.parametrize("shared", [False, True])
def test_memory_and_work_are_counted(shared):
    told, copies = _told([3, 4, 5], shared=shared), 1 if shared else 3
    n_bytes = 12 * 4 * (copies * N + 1000 * 12) + 3 * N
    assert f"has {copies * N:,} weights for 3 columns with 12 categories" in told
    assert f"about {n_bytes / GIB:.1f} GiB" in told
    assert f"{3 * N * 50_000 * copies:.0e} multiplications" in told
    assert told.endswith("Merge rare categories, or use fewer units.")


def test_causes_are_named():
    told = _told([1, 1, 1])
    assert "for 3 columns, and" in told
    assert told.endswith("multiplications. Use fewer units.")
    assert "the 9 categories of column 'b'" in _told([3, 9, 5])
    # Half of all is not more than that.
    assert "3 columns with 18 categories" in _told([4, 9, 5])
    assert "3 columns with 5 categories" in _told([1, 2, 3])


def test_what_is_too_much_is_refused_unless_it_is_rough(memory):
    memory[0] = N_BYTES
    assert "GiB" in _told([3, 4, 5])
    memory[0] = N_BYTES - 1
    assert _told([3, 4, 5], rough=True).endswith("or use fewer units.")
    with pytest.raises(MemoryError, match=f"has {memory[0] / GIB:.1f}. Merge rare"):
        _check([3, 4, 5])


def test_what_is_little_is_not_told_of(monkeypatch):
    monkeypatch.setattr(estimator, "_WARNING_BYTES", N_BYTES)
    _check([3, 4, 5])
    monkeypatch.setattr(estimator, "_WARNING_BYTES", N_BYTES - 1)
    _told([3, 4, 5])


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (Diffusion((7, 6)), None),
        (Diffusion((7, 6), class_conditional=True), BITS[:, 0]),
        (Diffusion((7,), column_types="bernoulli"), None),
        (RNNNADE(4, n_recurrent=6), None),
        (RNNNADE(4, n_recurrent=6, cell="lstm"), None),
        (VRNN(2, n_recurrent=6), None),
    ],
    ids=lambda case: type(case).__name__,
)
def test_costs_are_of_all_weights(model, y):
    series = hasattr(model, "n_recurrent")
    model.set_params(n_iter=0).fit([BITS] if series else BITS, y)
    found = model._MODEL.n_weights(model._facts())
    found = found[0] if series else found
    weights = [leaf for leaf in leaves(model._state().learned) if np.ndim(leaf) > 1]
    assert found == sum(leaf.size for leaf in weights)
