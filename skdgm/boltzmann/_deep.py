"""Base class of machines with several hidden layers."""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.boltzmann._deep_likelihood import DeepLikelihoodMixin
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._pretraining import layerwise
from skdgm.boltzmann._state import TrainState
from skdgm.boltzmann._visible import BINARY, REAL
from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered, plain
from skdgm.inference import bound, mean_field
from skdgm.optim import check_piecewise
from skdgm.samplers import gibbs
from skdgm.training import AUTO, Budget, Verbose
from skdgm.utils.counts import is_a
from skdgm.utils.layers import check_sizes, chosen, per_layer
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.warn import warn

_RESTART = 2**17
_BUDGET = Budget(25_000, 10, 200)
# Options of pairs of layers, which are trained by plain contrastive divergence.
_PLAIN = {
    "gradient": "cd",
    "solver": "sgd",
    "centering": None,
    "sparsity_target": None,
    "quadratic": False,
}


class DeepMachine(DeepLikelihoodMixin, Machine):
    """Base class of machines with a visible layer and several hidden ones."""

    _SIZES = "hidden_layer_sizes"

    _parameter_constraints: dict = {
        **Machine._parameter_constraints,
        "hidden_layer_sizes": ["array-like", Integral],
        "visible": [StrOptions({"bernoulli", "gaussian"})],
        "n_iter": [*Machine._parameter_constraints["n_iter"], StrOptions({AUTO})],
        "gradient": [StrOptions({"pcd", "fpcd", "tempering"})],
        "precision": [StrOptions({"diagonal", "scalar", "fixed"})],
        "min_variance": [Interval(Real, 0, 1, closed="both")],
        "negative": [StrOptions({"samples", "means"})],
        "mean_field_steps": [Interval(Integral, 1, None, closed="left")],
        "inference_steps": [Interval(Integral, 1, None, closed="left")],
        "inference_tol": [Interval(Real, 0, None, closed="left")],
        "n_restarts": [Interval(Integral, 0, None, closed="left")],
        "sparsity_target": [Interval(Real, 0, 1, closed="both"), tuple, None],
        "pretrain": [StrOptions({"layerwise"}), None],
        "pretrain_iter": [Interval(Integral, 0, None, closed="left"), tuple],
        "pretrain_learning_rate": [Interval(Real, 0, None, closed="neither"), tuple],
        "pretrain_steps": [Interval(Integral, 1, None, closed="left"), tuple],
        "feature_layer": [Integral, tuple, StrOptions({"all"})],
    }

    def transform(self, X):
        """Means of the hidden units, by mean field.

        Missing entries are inferred jointly with the hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_units)
            Means of the layers that ``feature_layer`` names, side by side.
        """
        check_is_fitted(self)
        rows, blocks = self._rows(X), self._feature_blocks
        energy, params = self._energy(), self._params_for(rows)

        def of_rows(v):
            means = self._inferred(energy, params, *self._present(v))
            return np.concatenate([means[block] for block in blocks], axis=1)

        return self._blockwise(of_rows, rows, of_rows)

    def inverse_transform(self, H):
        """Means of the visible units given hidden ones, by mean field.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_units)
            States or means of the units in the layers that ``feature_layer`` names.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            In the units of the columns; probabilities where these are binary.

        Raises
        ------
        ValueError
            H does not have one column for each of these units.
        """
        check_is_fitted(self)
        energy, params = self._energy(), self._params()
        H = check_array(H, dtype=params.dtype)
        if H.shape[1] != self._n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} hidden units in the layers "
                f"feature_layer={self.feature_layer!r}."
            )
        nothing = np.full((len(H), self.n_features_in_), np.nan, params.dtype)
        (v, *nobody), _ = self._present(nothing)
        x, clamp = [v, *nobody], [None, *nobody]
        edges = np.cumsum([energy.units[block].size for block in self._feature_blocks])
        for block, part in zip(self._feature_blocks, np.split(H, edges[:-1], axis=1)):
            x[block], clamp[block] = part, True
        with one_blas_thread():
            v = self._inferred(energy, params, tuple(x), tuple(clamp))[0]
        return self._domain.to_data(self._columns, v)

    def _inferred(self, energy, params, x, clamp):
        """Means by mean field within the limits of inference; with restarts, for each
        row those with the highest bound."""
        budget = self._budget
        best, info = mean_field(energy, params, x, clamp, **budget)
        settled = info.converged
        for number in range(self._now("n_restarts")):
            rng, start = stream(self._seed, _RESTART, number), list(x)
            for block in energy.rest():
                if clamp[block] is None:
                    size, real = energy.units[block].size, params.dtype.type
                    mean = rng.fold(block).uniform(size, real)
                    start[block] = np.repeat(mean, len(x[0]), axis=0)
            means, info = mean_field(energy, params, tuple(start), clamp, **budget)
            better = bound(energy, params, means, clamp) > bound(
                energy, params, best, clamp
            )
            settled = np.where(better, info.converged, settled)
            best = tuple(
                old if clamped is True else np.where(better[:, None], new, old)
                for old, new, clamped in zip(best, means, clamp)
            )
        if not settled.all():
            warn(
                f"Mean field of {np.count_nonzero(~settled)} rows still moved by more "
                f"than inference_tol={budget['tol']:g} after inference_steps="
                f"{budget['max_sweeps']} sweeps: raise one of them.",
                ConvergenceWarning,
            )
        return best

    @property
    def _budget(self):
        """Limits of inference, as arguments of :func:`mean_field`."""
        names = {"max_sweeps": "inference_steps", "tol": "inference_tol"}
        return {name: self._now(option) for name, option in names.items()}

    def _chains_from(self, v, rng):
        energy, params = self._energy(), self._params()
        x, clamp = self._present(v)
        means = list(mean_field(energy, params, x, clamp)[0])
        for block in energy.rest()[1:]:
            means[block] = energy.units[block].draw(means[block], rng.fold(block))
        return gibbs.State((x[0], *means[1:]))

    def _start(self, trainer, table, fresh):
        state = super()._start(trainer, table, fresh)
        if not fresh:
            return state
        curves = []
        if self._options.pretrain is not None:
            params, curves = layerwise(
                trainer.energy,
                self._pair_recipes(),
                table,
                self._seed,
                trainer.fill,
                trainer.moments,
                self._pair_hooks,
            )
            state = trainer.resume(TrainState(params, (), ()))
        self.pretrain_loss_curves_ = curves
        return state

    def _n_epochs(self, table):
        return _BUDGET.epochs(self._options.n_iter, table, self._options.batch_size)

    def _pair_hooks(self, number):
        if not self.verbose:
            return ()
        name = f"{type(self).__name__}, hidden layer {number + 1}"
        return (Verbose(name, "log-likelihood given the layer above"),)

    def _pair_recipes(self):
        """Training options of each pair of neighbouring layers, from below."""
        own = vars(self._options) | _PLAIN
        own["mean_field_steps"] = Machine._IMPLIED["mean_field_steps"]
        names = "pretrain_iter", "pretrain_learning_rate", "pretrain_steps"
        depth = len(self._sizes)
        asked = self._options
        values = [per_layer(name, getattr(asked, name), depth) for name in names]
        recipes = []
        for n_iter, rate, n_steps in zip(*values):
            own |= {"n_iter": n_iter, "learning_rate": rate, "n_steps": n_steps}
            recipes.append(SimpleNamespace(**own))
            # Later pairs draw bits from the means below at each presentation.
            own["resample"] = True
        return recipes

    def _check_options(self):
        super()._check_options()
        asked, depth = self._options, len(self._sizes)
        for name, kind, low in (
            ("pretrain_iter", Integral, 0),
            ("pretrain_learning_rate", Real, 0),
            ("pretrain_steps", Integral, 1),
        ):
            values = per_layer(name, getattr(asked, name), depth)
            # Only the number of steps may change while a layer is pre-trained.
            for value in values if name == "pretrain_steps" else [values]:
                check_piecewise(name, value, kind, low)
        targets = per_layer("sparsity_target", asked.sparsity_target, depth)
        if asked.sparsity_target is not None and not all(
            is_a(Real, target) and 0 <= target <= 1 for target in targets
        ):
            raise ValueError(
                "sparsity_target must be None, a number from 0 to 1, or a tuple "
                "with such a number for each hidden layer; got "
                f"{asked.sparsity_target!r}."
            )
        self._blocks(asked.feature_layer, depth)

    @property
    def _domain(self):
        return BINARY if self._options.visible == "bernoulli" else REAL

    @property
    def _sizes(self):
        return check_sizes(self._options.hidden_layer_sizes)

    @property
    def _learned_sizes(self):
        return tuple(len(bias) for bias in self.intercepts_[1:])

    @property
    def _depth(self):
        return (
            len(self.intercepts_) - 1
            if hasattr(self, "intercepts_")
            else len(self._sizes)
        )

    @property
    def _feature_blocks(self):
        return self._blocks(self._now("feature_layer"), self._depth)

    @staticmethod
    def _blocks(layers, depth):
        """Blocks of the layers named by number, the first hidden layer by 0."""
        return tuple(1 + number for number in chosen(layers, depth))

    def _energy(self, sizes=None):
        visible = self._domain.unit(self, self.n_features_in_)
        hidden = [[Bernoulli(n)] for n in sizes or self._learned_sizes]
        return layered([[visible], *hidden, *self._above()])

    def _above(self):
        """Further layers above the hidden ones."""
        return ()

    def _params(self, dtype=None):
        visible, *hidden = self.intercepts_
        own = self._visible_params(visible), *hidden
        return astype(Params(own, tuple(self.coefs_)), dtype)

    def _attributes(self, state):
        units, couplings = plain(state.params)
        attributes, visible, chains = self._common_attributes(state)
        return attributes | {
            "coefs_": list(couplings),
            "intercepts_": [visible, *units[1:]],
            "h_samples_": list(chains[1:]),
        }

    @property
    def _n_features_out(self):
        energy = self._energy()
        return sum(energy.units[block].size for block in self._feature_blocks)
