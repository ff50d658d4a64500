r"""Predictability minimization: predictors of units, and an encoder that evades them.

.. math:: \min_P \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2, \qquad
   \max_f \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2 + \rho \log p(x; g(h)), \qquad
   h = f(x)

Output layers of predictors are solved by least squares, given running moments of their
inputs, and hidden layers learn by gradients. If the predictors are conditional
expectations, the encoder maximizes

.. math:: \mathbb{E} \sum_k (h_k - \mathbb{E}[h_k \mid h_{-k}])^2 =
   \sum_k \operatorname{Var} h_k -
   \sum_k \operatorname{Var} \mathbb{E}[h_k \mid h_{-k}]

that is the variance of each unit that the other units do not explain [1]_ [2]_. The
log-likelihood of the decoder g has weight 1 in the gradient of g, and weight
:math:`\rho` in the gradient of the encoder.

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

from skdgm.autoencoder._model_options import PredictabilityMinimizationOptions
from skdgm.autoencoder._reconstruction import Reconstruction
from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.nets import Part, Parts, Variables, layers, lists_if_sparse, nll
from skdgm.nets.codes import scale_gradient
from skdgm.nets.predictors import PredictorMoments, UnitPredictors, folds, squared_gap
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.utils import random
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Units with a smaller variance are treated as constant.
_CONSTANT = 1e-8


class PredictabilityMinimizationState(NamedTuple):
    """Training state of encoder and decoder, as :class:`~skdgm.nets.NetState`, of the
    ``predictors``, and of the running ``moments`` of their inputs."""

    params: tuple
    optimizer: tuple
    statistics: tuple
    mean: tuple
    predictors: Part
    moments: PredictorMoments

    @property
    def learned(self):
        """Parameters of encoder and decoder, averaged if an average is maintained."""
        return self.mean.params if self.mean else self.params


class PredictabilityMinimizationObjective(Reconstruction):
    """Objective of an encoder whose units ``predictors`` cannot predict, and of a
    decoder. The monitored loss is the reconstruction loss."""

    predictors = None

    def __init__(self, run, **reconstruction):
        super().__init__(run, **reconstruction)
        self._parts = Parts(self.options)

    def start(self):
        rng = random.stream(self.seed, self.INIT).generator()
        params, statistics = self.init(rng)
        predictors, predictor_statistics, moments = self.predictors.init(
            rng, self.rows.dtype
        )
        part = Part(predictors, predictor_statistics)
        return self.resume(
            PredictabilityMinimizationState(params, (), statistics, (), part, moments)
        )

    def resume(self, state):
        state = super().resume(state)
        return state._replace(predictors=self._parts.ready(state.predictors))

    def step(self, state, batch, clock):
        """Update the hidden layers of predictors, solve their output layers, and update
        encoder and decoder."""
        _, statistics, x, _ = super().prepare(state, batch, clock)
        h, _ = self._encode(state.params, statistics, x)
        player, weight = state.predictors, -1 / len(x)
        for _ in range(self.options.n_predictor_steps * self.predictors.deep):
            params = traced_leaves(player.params)
            gaps = self.gaps(params, player.statistics, h)
            grads = pulled_back(gaps, params, lambda gaps: np.full_like(gaps, weight))
            player = self._parts.ascend("predictors", player, grads, clock, len(x))
        moments_now = self.predictors.moments(player.params, player.statistics, h)
        moments = state.moments.followed(moments_now, len(x))
        self.predictors.solve(player.params, moments.mean, moments.product)
        state = state._replace(predictors=player, moments=moments)
        return super().step(state, batch, clock)

    def prepare(self, state, batch, clock):
        """Rows, running statistics, inputs, and predictors."""
        v, statistics, x, _ = super().prepare(state, batch, clock)
        return v, statistics, x, state.predictors

    def forward(self, params, batch):
        v, statistics, x, predictors = batch
        h, state = self._encode(params, statistics, x)
        h_for_decoder = scale_gradient(h, self.options.reconstruction)
        out = self.coder.decode(Variables(params, statistics), h_for_decoder)
        loss = nll(out, params.dispersion, v, self.output)
        return loss - self.gaps(predictors.params, predictors.statistics, h), (
            state,
            statistics[1],
        )

    def gaps(self, params, statistics, h):
        """Squared prediction error of each row's code."""
        return squared_gap(self.predictors.apply(params, statistics, h), h)

    def _encode(self, params, statistics, x):
        net, x = self.coder.encoder, lists_if_sparse(x) if self.coder.dense else x
        return net.apply(params.encoder, statistics[0], x, train=True)


class PredictabilityMinimizationDensity(ReconstructionDensity):
    """Density of rows given their reconstructions, with ``predictors``, a net and its
    parameters."""

    predictors = None

    def predictability(self, X, regressor=None):
        """Share of each unit's variance that other units explain; see the estimator."""
        return self.explained(self.features(X), regressor)

    def survey(self, rows, index):
        """Share of each unit's variance that other units explain, for the rows at an
        index."""
        return self.explained(self.features_of(rows, index))

    def explained(self, H, regressor=None):
        """Share of the variance of each column of codes H that other columns
        explain."""
        if regressor is not None:
            return _share(H, _by_regressor(regressor, H))
        H, (net, predictors) = H.astype(np.float64), self.predictors
        params, statistics = astype((predictors.params, predictors.statistics), H.dtype)
        with one_blas_thread():
            # The mean of the unit is also a predictor.
            shares = [np.zeros(H.shape[1])]
            shares.append(_share(H, net.held_out(params, statistics, H)))
            if net.deep:
                linear = UnitPredictors(net.n_units)
                params, statistics, _ = linear.init(np.random.default_rng(0), H.dtype)
                shares.append(_share(H, linear.held_out(params, statistics, H)))
        return np.max(shares, axis=0)


def _by_regressor(regressor, H):
    """Cross-validated predictions of each column of codes H."""
    predictions = [
        cross_val_predict(regressor, np.delete(H, k, axis=1), H[:, k], cv=folds(len(H)))
        for k in range(H.shape[1])
    ]
    return np.stack(predictions, axis=1)


def _share(H, predictions):
    """Share of the variance of each column of codes H that predictions explain."""
    error = np.mean((predictions - H) ** 2, axis=0, dtype=np.float64)
    variance = H.var(axis=0, dtype=np.float64)
    constant = variance < _CONSTANT
    return np.where(constant, 1.0, 1 - error / np.where(constant, 1.0, variance))


class PredictabilityMinimizationModel(
    ReconstructionModel[PredictabilityMinimizationOptions]
):
    """Encoder, decoder, and predictors of the units of codes."""

    objective_class, density_class = (
        PredictabilityMinimizationObjective,
        PredictabilityMinimizationDensity,
    )

    def check(self, options):
        super().check(options)
        check_layer_sizes(options.predictor_layer_sizes, "predictor_layer_sizes")

    def structure(self, facts):
        structure, options = super().structure(facts), facts.options
        binary = options.codes == "binary"
        structure.codes = options.codes
        structure.code_activation = "logistic" if binary else "identity"
        structure.predictor_layer_sizes = layer_sizes(options.predictor_layer_sizes)
        return structure

    def parts(self, facts):
        """Nets, corruption, and distribution of rows given outputs."""
        coder, *corruption_and_output = super().parts(facts)
        if facts.structure.codes == "real":
            coder.encoder = layers.serial(coder.encoder, layers.standard())
        return coder, *corruption_and_output

    def predictors(self, facts):
        """Net that predicts each unit of a code from the other units."""
        structure = facts.structure
        return UnitPredictors(
            structure.n_components,
            structure.predictor_layer_sizes,
            structure.activation,
            facts.options.init_weights,
        )

    def objective(self, facts, table, epochs_before):
        objective = super().objective(facts, table, epochs_before)
        objective.predictors = self.predictors(facts)
        return objective

    def density(self, facts, state):
        density = super().density(facts, state)
        density.predictors = self.predictors(facts), state.predictors
        return density
