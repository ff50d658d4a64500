"""Base class of estimators whose nets are trained by epochs."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.base import Estimator
from skdgm.nets.feed_forward import Layer
from skdgm.nets.objective import SOLVERS
from skdgm.training import AUTO, Budget

_COUNT = Interval(Integral, 1, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
# Constraints of the training options.
LEARNING = {
    "solver": [StrOptions(set(SOLVERS))],
    "alpha": [_NOT_NEGATIVE],
    "batch_size": [_COUNT],
    "learning_rate": [_POSITIVE],
    "schedule": [StrOptions({"constant", "invscaling", "linear"})],
    "power_t": [_NOT_NEGATIVE],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "clip_norm": [_POSITIVE, None],
    "n_iter": [Interval(Integral, 0, None, closed="left"), StrOptions({AUTO})],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [_COUNT],
    "tol": [_NOT_NEGATIVE],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}
# Constraints of the options of a Tuner.
TUNING = {
    **{name: value for name, value in LEARNING.items() if name != "clip_norm"},
    "solver": [StrOptions({"sgd", "adam"})],
    "dropout": [Interval(Real, 0, 1, closed="left"), tuple],
    "max_norm": [_POSITIVE, None],
}


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
        return self._BUDGET.epochs(asked.n_iter, table, asked.batch_size)

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
            f"Lower learning_rate (now {asked.learning_rate:g}), raise "
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
