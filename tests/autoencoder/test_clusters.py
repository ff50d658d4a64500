"""Clusters of rows, which tables of several kinds of columns often have."""

import numpy as np
import pytest

from skdgm import VAE

pd = pytest.importorskip("pandas")


def towns(n_rows=500):
    rng = np.random.default_rng(0)
    place = rng.choice(3, n_rows, p=[0.6, 0.3, 0.1])
    warm = np.array([2.5, 10, 30])[place] + rng.normal(0, 2, n_rows)
    return pd.DataFrame({"town": np.array(list("abc"))[place], "warm": warm})


@pytest.mark.exhaustive
def test_rows_in_groups_are_more_probable():
    rng = np.random.default_rng(0)
    group, centers = rng.integers(0, 8, 800), 2 * rng.normal(size=(8, 3))
    X = pd.DataFrame(centers[group] + 0.4 * rng.normal(size=(800, 3))).add_prefix("x")
    X["kind"] = group.astype(str)
    how = {"n_iter": 120, "column_types": "mixed", "random_state": 0}
    scores = [
        VAE(8, (64,), prior=prior, **how).fit(X[:500]).score(X[500:])
        for prior in ("normal", "auto")
    ]
    assert scores[1] > scores[0] + 0.2


def test_the_prior_follows_the_kinds_of_columns():
    bits = np.random.default_rng(0).random((20, 3)) < 0.5
    how = {"hidden_layer_sizes": (4,), "n_components": 2, "n_iter": 0}
    found = {
        "plain": VAE(**how).fit(bits),
        "mixed": VAE(**how, column_types="mixed").fit(towns(20)),
        "tuple": VAE(**how, column_types=("bernoulli",) * 3).fit(bits),
        "vamp": VAE(**how, prior="vamp").fit(bits),
        "other": VAE(**how, prior="normal", column_types="mixed").fit(towns(20)),
    }
    learned = {name: vars(model._learned) for name, model in found.items()}
    pairs = {
        name: (own["prior"], own["n_prior_components"]) for name, own in learned.items()
    }
    assert pairs["plain"] == pairs["other"] == ("normal", None)
    assert pairs["mixed"] == pairs["tuple"] == ("mixture", 10)
    assert pairs["vamp"] == ("vamp", 100)
