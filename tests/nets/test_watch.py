"""Losses of held-out rows that are random."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdgm import VAE, VRNN, Autoencoder, DenoisingAutoencoder, Flow
from skdgm.flows._likelihood import FlowObjective
from skdgm.nets.objective import NetWatch
from skdgm.training.batches import canonical
from skdgm.utils import random
from skdgm.utils.rows import Rows


def random_losses(state, index, rng):
    return index + rng.normal(1)[:, 0]


@pytest.mark.parametrize("n, n_draws", [(50, 8), (2000, 2), (4001, 1)])
def test_losses_of_few_held_out_rows_are_means_of_draws(n, n_draws):
    """Of one draw, differences of epochs would be those of its errors."""
    table = canonical(Rows(np.arange(float(n))[:, None], float), np.ones(n))
    found, seeds = [], range(60)
    for seed in seeds:
        objective = SimpleNamespace(
            seed=seed,
            PROBE=random.PROBE,
            independent_loss=None,
            monitoring_stride=1,
            max_held_out_draws=8,
        )
        objective.losses = random_losses
        watch = NetWatch(objective, table, table, None)
        assert watch(None) == watch(None)
        found.append(watch(None)[1])
    expected = 1 / np.sqrt(n * n_draws)
    assert abs(np.std(found) / expected - 1) < 4 / np.sqrt(2 * len(seeds))
    assert abs(np.mean(found) - (n - 1) / 2) < 4 * expected / np.sqrt(len(seeds))


@pytest.mark.parametrize(
    "estimator, n_draws",
    [
        (VAE(2, column_types="gaussian"), 8),
        (VRNN(2), 8),
        (DenoisingAutoencoder(2), 32),
        (Autoencoder(2), 1),
    ],
)
def test_random_losses_are_known(estimator, n_draws, monkeypatch):
    held = []
    kept = NetWatch.held_out_loss

    def held_out_loss(self, state):
        held.append(self.objective.max_held_out_draws)
        return kept(self, state)

    monkeypatch.setattr(NetWatch, "held_out_loss", held_out_loss)
    X = np.random.default_rng(0).random((40, 3)).round()
    how = {"lengths": [10] * 4} if isinstance(estimator, VRNN) else {}
    estimator.set_params(n_iter=1, early_stopping=True).fit(X, **how)
    assert set(held) == {n_draws}
    assert np.isfinite(estimator.validation_curve_).all()


def test_losses_of_flows_are_means_of_draws_where_entries_are_missing(monkeypatch):
    seen, kept = [], FlowObjective.losses

    def losses(self, state, index, rng):
        seen.append(len(index))
        return kept(self, state, index, rng)

    monkeypatch.setattr(FlowObjective, "losses", losses)
    X = np.random.default_rng(0).normal(size=(100, 2))
    flow = Flow(n_iter=1, early_stopping=True, validation_fraction=0.2)
    for holes, n in ((0, 20), (1, 8 * 20)):
        X[:holes, 0] = np.nan
        flow.fit(X)
        assert n in seen
        seen.clear()
