"""Cases that every density and every objective passes: test classes inherit them."""

import numpy as np
import pytest
from sklearn.base import clone

from skdgm.base import Density, MissingCapability
from skdgm.optim import Clock
from skdgm.training import Objective
from skdgm.utils.tree import copy, leaves


class DensityCase:
    """Tests of the density of a fitted estimator; needs fixtures ``estimator``, fitted,
    and ``X``, rows of its domain."""

    def test_it_is_a_density(self, estimator):
        assert isinstance(estimator.density_, Density)
        assert estimator.density_.kind == estimator.density_kind_
        assert estimator.density_.kind in ("exact", "lower bound", "estimate")
        assert estimator.density_.name == type(estimator).__name__

    def test_log_probabilities_are_the_scores_of_rows(self, estimator, X):
        log_p = estimator.density_.log_prob(X)
        assert log_p.shape == (len(X),)
        assert log_p.dtype == np.float64
        assert np.isfinite(log_p).all()
        np.testing.assert_array_equal(log_p, estimator.score_samples(X))
        np.testing.assert_array_equal(log_p, estimator.density_.log_prob(X))

    def test_samples_are_rows_and_depend_on_the_seed(self, estimator, X):
        one, same, other = (
            estimator.density_.sample(20, random_state=seed) for seed in (0, 0, 1)
        )
        assert one.shape == (20, X.shape[1])
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()

    @pytest.mark.parametrize("method", ["mean", "sample"])
    def test_what_is_known_stays(self, estimator, X, method):
        holed = np.where(np.eye(*X.shape, dtype=bool), np.nan, X)
        filled = estimator.density_.fill(holed, method, random_state=0)
        np.testing.assert_array_equal(np.where(np.isnan(holed), np.nan, filled), holed)
        assert np.isfinite(filled).all()

    def test_features_are_those_of_transform(self, estimator, X):
        H = estimator.density_.features(X)
        assert H.shape == (len(X), len(estimator.get_feature_names_out()))
        np.testing.assert_array_equal(H, estimator.transform(X))

    def test_log_Z_is_known_or_said_to_be_missing(self, estimator):
        if hasattr(estimator, "log_Z_"):
            log_Z, se = estimator.density_.log_partition()
            assert (log_Z, se) == (estimator.log_Z_, estimator.log_Z_se_)
            assert np.isfinite(log_Z)
            assert se >= 0
        else:
            with pytest.raises(MissingCapability, match="partition function"):
                estimator.density_.log_partition()


class ObjectiveCase:
    """Tests of an objective; needs fixtures ``estimator``, fitted, and ``begun``, the
    objective of another fit and the table of its rows."""

    def test_it_is_an_objective(self, begun):
        assert isinstance(begun[0], Objective)
        assert isinstance(begun[0].quantity, str)

    def test_a_start_is_the_same_each_time(self, begun):
        one, same = begun[0].start(), begun[0].start()
        assert_same_leaves(one, same)

    def test_training_goes_on_from_what_was_fitted(self, estimator, begun):
        objective, table = begun
        state = objective.resume(estimator._state())
        kept = estimator._attributes(copy(state))
        for name in kept.keys() & {"components_", "coefs_", "intercept_visible_"}:
            assert_same_leaves(tuple(kept[name]), tuple(getattr(estimator, name)))
        batches = list(objective.draw(table, 0))
        objective.step(state, batches[0], Clock(0, 1, 0, len(batches)))

    def test_batches_cover_the_rows(self, begun):
        objective, table = begun
        assert len(objective.draw(table, 0)) == -(
            -table.n_draws // objective.recipe.batch_size
        )

    def test_a_step_learns_and_is_the_same_each_time(self, begun):
        objective, table = begun
        states = []
        for _ in range(2):
            batches = list(objective.draw(table, 0))
            clock = Clock(0, 1, 0, len(batches))
            states.append(objective.step(objective.start(), batches[0], clock))
        assert_same_leaves(*states)
        pairs = zip(leaves(objective.start().params), leaves(states[0].params))
        assert any((np.asarray(a) != np.asarray(b)).any() for a, b in pairs)

    def test_losses_are_watched(self, begun):
        objective, table = begun
        state = objective.start()
        watch = objective.watch(table, None, state)
        loss, none = watch(state)
        assert none is None
        assert loss <= watch.limit
        assert not watch.is_useless(loss)
        train, held_out = objective.split(table)
        found = objective.watch(train, held_out, state)(state)
        assert np.isfinite(found).all()


def begin(estimator, X, y=None):
    """Objective of a fit that begins, and the table of its rows."""
    estimator = clone(estimator)
    table = estimator._begin(X, y, None, True)
    return estimator._objective(table, 0), table


def assert_same_leaves(one, other):
    """Assert that two trees have equal arrays."""
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
