"""Base class of estimators whose nets are trained by epochs."""

from skdgm.base import Estimator
from skdgm.nets.feed_forward import Layer
from skdgm.training import Budget


class NetEstimator(Estimator):
    """Base class of estimators of a density by nets.

    A subclass has ``_structure``, the options that cannot change while training
    continues, besides what :class:`~skdgm.base.Estimator` asks; its objective is a
    :class:`NetObjective`.
    """

    # Batches are dense arrays.
    _LISTED = False
    _BUDGET = Budget(10_000, 20, 300)

    def _check_unchanged(self):
        """Raise ValueError if options changed that the learned nets depend on."""
        asked = self._structure
        if asked != self._learned:
            names = [name for name in asked if asked[name] != self._learned[name]]
            raise ValueError(
                f"{', '.join(names)} changed since nets were learned: keep what it "
                "was, or fit with warm_start=False."
            )

    def _n_epochs(self, table):
        asked = self._options
        return self._BUDGET.epochs(asked.max_iter, table, asked.batch_size)

    def _attributes(self, state):
        """Fitted attributes of a training state."""
        dense = list(layers_of(state.learned))
        return {
            "coefs_": [layer.W for layer in dense],
            "intercepts_": [layer.b for layer in dense],
            "_training": state,
            "_learned": self._structure,
        }

    def _state(self):
        return self._training

    def _remedy(self):
        asked = self._options
        return (
            f"Lower learning_rate_init (now {asked.learning_rate_init:g}), raise "
            f"batch_size (now {asked.batch_size}) or set clip_norm."
        )

    @property
    def _dtype(self):
        return self.intercepts_[0].dtype.type


def layers_of(tree):
    """Yield each :class:`Layer` of a tree of parameters, in order."""
    if isinstance(tree, Layer):
        yield tree
    elif isinstance(tree, tuple):
        for part in tree:
            yield from layers_of(part)
