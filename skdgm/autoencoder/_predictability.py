r"""Predictability minimization: nets that guess units, and one whose codes evade them.

.. math:: \min_P \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2, \qquad
   \max_f \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2 + \rho \log p(x; g(h)), \qquad
   h = f(x)

Output layers of predictors are least squares given running moments of their inputs, so
that they follow the code; hidden layers learn by gradients. Predictors approach
conditional expectations, and the encoder has

.. math:: \mathbb{E} \sum_k (h_k - \mathbb{E}[h_k \mid h_{-k}])^2 =
   \sum_k \operatorname{Var} h_k -
   \sum_k \operatorname{Var} \mathbb{E}[h_k \mid h_{-k}]

maximised: units vary, and others do not predict how [1]_ [2]_. The decoder g learns in
any case, and the encoder heeds it by the weight :math:`\rho`.

References
----------
.. [1] Schmidhuber (1992). Learning factorial codes by predictability minimization.
   Neural Computation.
.. [2] Schmidhuber, Eldracher and Foltin (1996). Semilinear predictability minimization
   produces well-known feature detectors. Neural Computation.
"""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import cross_val_predict

from skdgm.autoencoder._model_options import EvasionOptions
from skdgm.autoencoder._reconstruction import Reconstruction
from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.nets import Part, Parts, Variables, layers, listed, nll
from skdgm.nets.codes import heard
from skdgm.nets.guesses import Guesses, GuessMoments, folds, squared_gap
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.utils import random
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Variance of a unit that is as good as constant.
_CONSTANT = 1e-8


class EvasionState(NamedTuple):
    """Training state: that of encoder and decoder, as of
    :class:`~skdgm.nets.NetState`; the predictors, a Part; and their moments."""

    params: tuple
    optimiser: tuple
    statistics: tuple
    mean: tuple
    predictors: Part
    moments: GuessMoments

    @property
    def learned(self):
        """Parameters of encoder and decoder: their average if there is one."""
        return self.mean.params if self.mean else self.params


class Evasion(Reconstruction):
    """Codes whose units nets cannot guess, and from which rows are reconstructed.

    ``predictors`` is the net of guesses. The watched loss is that of autoencoders.
    """

    predictors = None

    def __init__(self, run, **reconstruction):
        super().__init__(run, **reconstruction)
        self._parts = Parts(self.options)

    def start(self):
        """Initial state, with newly drawn parameters."""
        rng = random.stream(self.seed, self.INIT).generator()
        params, statistics = self.init(rng)
        guesses, kept, moments = self.predictors.init(rng, self.rows.dtype)
        part = Part(guesses, kept)
        return self.resume(EvasionState(params, (), statistics, (), part, moments))

    def resume(self, state):
        """State to continue from; optimisers are kept if the solver is the same."""
        state = super().resume(state)
        return state._replace(predictors=self._parts.ready(state.predictors))

    def step(self, state, batch, clock):
        """Update hidden layers of predictors some times, find their output layers, and
        update encoder and decoder."""
        _, statistics, x, _ = super().prepare(state, batch, clock)
        h, _ = self._encode(state.params, statistics, x)
        part, share = state.predictors, -1 / len(x)
        for _ in range(self.options.n_predictor_steps * self.predictors.deep):
            params = traced_leaves(part.params)
            gaps = self.gaps(params, part.statistics, h)
            grads = pulled_back(gaps, params, lambda gaps: np.full_like(gaps, share))
            part = self._parts.ascend("predictors", part, grads, clock, len(x))
        now = self.predictors.moments(part.params, part.statistics, h)
        moments = state.moments.followed(now, len(x))
        self.predictors.solve(part.params, moments.mean, moments.product)
        state = state._replace(predictors=part, moments=moments)
        return super().step(state, batch, clock)

    def prepare(self, state, batch, clock):
        """Rows, running statistics, inputs, and predictors."""
        v, statistics, x, _ = super().prepare(state, batch, clock)
        return v, statistics, x, state.predictors

    def forward(self, params, batch):
        """Loss of each row, and updated statistics of the encoder."""
        v, statistics, x, part = batch
        h, kept = self._encode(params, statistics, x)
        known = heard(h, self.options.reconstruction)
        out = self.coder.decode(Variables(params, statistics), known)
        loss = nll(out, params.own, v, self.output)
        return loss - self.gaps(part.params, part.statistics, h), (kept, statistics[1])

    def gaps(self, params, statistics, h):
        """Squared distance of each row's code from the predictors' guess."""
        return squared_gap(self.predictors.apply(params, statistics, h), h)

    def _encode(self, params, statistics, x):
        net, x = self.coder.encoder, listed(x) if self.coder.dense else x
        return net.apply(params.encoder, statistics[0], x, train=True)


class EvasionDensity(ReconstructionDensity):
    """Rows given their reconstructions, with the net and parameters of ``predictors``
    of codes."""

    predictors = None

    def predictability(self, X, regressor=None):
        """Share of each unit's variance that others explain; see the estimator."""
        return self.explained(self.features(X), regressor)

    def survey(self, rows, index):
        """Predictability by the predictors, of the codes of the rows at an index."""
        return self.explained(self.features_of(rows, index))

    def explained(self, H, regressor=None):
        """Share of the variance of each column of codes that others explain."""
        if regressor is not None:
            return _share(H, _by_regressor(regressor, H))
        H, (net, part) = H.astype(np.float64), self.predictors
        params, statistics = astype((part.params, part.statistics), H.dtype)
        with one_blas_thread():
            # The mean is a predictor, too.
            shares = [np.zeros(H.shape[1])]
            shares.append(_share(H, net.held_out(params, statistics, H)))
            if net.deep:
                linear = Guesses(net.n_units)
                params, statistics, _ = linear.init(np.random.default_rng(0), H.dtype)
                shares.append(_share(H, linear.held_out(params, statistics, H)))
        return np.max(shares, axis=0)


def _by_regressor(regressor, H):
    """Guesses of each column of codes by a cross-validated regressor."""
    guesses = [
        cross_val_predict(regressor, np.delete(H, k, axis=1), H[:, k], cv=folds(len(H)))
        for k in range(H.shape[1])
    ]
    return np.stack(guesses, axis=1)


def _share(H, guesses):
    """Share of the variance of each column of codes that guesses explain."""
    error = np.mean((guesses - H) ** 2, axis=0, dtype=np.float64)
    variance = H.var(axis=0, dtype=np.float64)
    constant = variance < _CONSTANT
    return np.where(constant, 1.0, 1 - error / np.where(constant, 1.0, variance))


class EvasionModel(ReconstructionModel[EvasionOptions]):
    """An encoder, a decoder, and predictors of the units of codes."""

    objective_class, density_class = Evasion, EvasionDensity

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        super().check(options)
        check_layer_sizes(options.predictor_layer_sizes, "predictor_layer_sizes")

    def structure(self, facts):
        """Options that the nets depend on."""
        structure, options = super().structure(facts), facts.options
        binary = options.codes == "binary"
        structure.codes = options.codes
        structure.code_activation = "logistic" if binary else "identity"
        structure.predictor_layer_sizes = layer_sizes(options.predictor_layer_sizes)
        return structure

    def parts(self, facts):
        """Nets, corruption, and the distribution of rows given outputs."""
        coder, *rest = super().parts(facts)
        if facts.structure.codes == "real":
            coder.encoder = layers.serial(coder.encoder, layers.standard())
        return coder, *rest

    def predictors(self, facts):
        """Net that guesses each unit of a code from all others."""
        structure = facts.structure
        return Guesses(
            structure.n_components,
            structure.predictor_layer_sizes,
            structure.activation,
            facts.options.init_weights,
        )

    def objective(self, facts, table, before):
        """Evasion of predictors, an :class:`Evasion`."""
        objective = super().objective(facts, table, before)
        objective.predictors = self.predictors(facts)
        return objective

    def density(self, facts, state):
        """Density of the fitted parameters, an :class:`EvasionDensity`."""
        density = super().density(facts, state)
        density.predictors = self.predictors(facts), state.predictors
        return density
