r"""Sigmoid belief networks.

.. math:: p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1})

with layers of bits, each a logistic regression on the layer above.
"""

from math import nan
from typing import Literal

import numpy as np

from skdgm.base.options import KW_ONLY, Count, Positive, Several, within
from skdgm.directed._mean_field import likelihood_bound
from skdgm.directed._model import SigmoidBeliefModel, link_weights
from skdgm.directed._options import OBJECTIVES, BeliefObjective
from skdgm.latent import LatentEstimator
from skdgm.latent.options import BitOptions
from skdgm.training import Budget
from skdgm.typing import Data


class SigmoidBeliefNetwork(BitOptions, LatentEstimator):
    r"""Sigmoid belief network: layers of bits, each given the layer above.

    .. math::

        p(z_l \mid z_{l+1}) = \prod_j \operatorname{Bernoulli}\bigl(z_{lj};
        \sigma(b_{lj} + z_{l+1} W_{lj})\bigr),

    .. math::

        q(z_l \mid z_{l-1}) = \prod_j \operatorname{Bernoulli}\bigl(z_{lj};
        \sigma(c_{lj} + z_{l-1} R_{lj})\bigr)

    down to the data, :math:`z_0 = x`, whose columns may be of any kind [1]_. The
    inference net q has parameters of its own. No gradient passes through a bit: both
    nets learn by one of the ways that ``objective`` names. The log-likelihood is
    estimated by importance sampling. NaN is a missing value, in every method. Float64
    data are computed in float64, all others in float32.

    Parameters
    ----------
    autoregressive
        Whether the bits of a layer of the model, and the columns, depend on previous
        ones besides the layer above: if True, log odds (and means) are linear in
        them, as of DARN [10]_; "nade": by hidden units, as many as the layer has, as of
        :class:`~skdgm.NADE` [2]_. Draws are then made of one after another. Not "nade"
        with "concrete" and "straight-through"; with these and "disarm" no column may
        have missing values in ``fit``.
    recognition_autoregressive
        The same of the inference net's bits. Only with "rws", "vimco", "nvil",
        "reinforce" and "wake-sleep".
    ordering : {"given", "random"} or tuple of int
        Order in which columns are predicted with ``autoregressive``: that of X, a
        random one, or the numbers of all columns, from 0.
    objective
        How the nets learn: reweighted wake-sleep [2]_; the importance weighted bound,
        each draw compared with the others [3]_; REINFORCE with the signal of each layer
        [4]_, or with the whole one, less baselines [9]_; antithetic bits [5]_;
        wake-sleep [6]_; gradients through relaxed draws, which are biased [7]_; the
        bound of independent bits with means of each row's own [8]_, for columns of one
        kind, "gaussian" ones with variances that do not differ by row; or a Markov
        chain for each training row, of which the network keeps a hash of the row and
        the bits [1]_.
    alpha
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more. As
        ``clip_norm`` of the solver, it includes nets of baselines.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of the inference net, from the data up, and then of the model's layers,
        those next to the data first. By "nade" the outputs of a layer are its log odds
        and then the biases of its link's hidden units.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of the same layers.
    prior_intercept_ : ndarray of shape (n_outputs,)
        The same of the highest layer of the model: log odds of its bits.
    link_coefs_, recognition_link_coefs_ : list
        Weights of columns, and of the bits of each layer, for later ones, if
        ``autoregressive``, and of bits of the inference net, if that is: arrays of
        shape (n_inputs, n_outputs), or by "nade" pairs of U and V.
    loss_curve_ : list of float
        Negative importance weighted bound of some training rows after each epoch, by
        as many draws as in training ("gibbs": ten at least; of less than 240 rows so
        many altogether), in nats per row, with real columns standardised.
    gradient_variance_curve_ : list of float
        Variance of the gradient of a batch after each epoch, summed over the parameters
        of both nets, with ``gradient_draws``; NaN for epochs without.

    References
    ----------
    .. [1] Neal (1992). Connectionist learning of belief networks. Artificial
       Intelligence.
    .. [2] Bornschein and Bengio (2015). Reweighted wake-sleep. ICLR.
    .. [3] Mnih and Rezende (2016). Variational inference for Monte Carlo objectives.
       ICML.
    .. [4] Mnih and Gregor (2014). Neural variational inference and learning in belief
       networks. ICML.
    .. [5] Dong, Mnih and Tucker (2020). DisARM: an antithetic gradient estimator for
       binary latent variables. NeurIPS.
    .. [6] Hinton, Dayan, Frey and Neal (1995). The wake-sleep algorithm for
       unsupervised neural networks. Science.
    .. [7] Maddison, Mnih and Teh (2017). The concrete distribution: a continuous
       relaxation of discrete random variables. ICLR.
    .. [8] Saul, Jaakkola and Jordan (1996). Mean field theory for sigmoid belief
       networks. Journal of Artificial Intelligence Research.
    .. [9] Greensmith, Bartlett and Baxter (2004). Variance reduction techniques for
       gradient estimates in reinforcement learning. Journal of Machine Learning
       Research.
    .. [10] Gregor, Danihelka, Mnih, Blundell and Wierstra (2014). Deep autoregressive
       networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import SigmoidBeliefNetwork
    >>> X = load_digits().data
    >>> sbn = SigmoidBeliefNetwork((32, 16), n_iter=5, random_state=0).fit(X)
    >>> sbn.transform(X).shape
    (1797, 48)
    >>> sbn.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(sbn.loss_curve_[-1] < sbn.loss_curve_[0])
    True
    """

    _: KW_ONLY
    autoregressive: bool | Literal["nade"] = False
    recognition_autoregressive: bool | Literal["nade"] = False
    ordering: Literal["given", "random"] | tuple = "given"
    objective: Literal[*OBJECTIVES] | BeliefObjective = "rws"
    n_importance: Count | None = within("objective", None)
    recognition_phase: Literal["both", "wake", "sleep"] = within("objective", "both")
    baseline: Literal["net", "mean", "optimal", "none"] = within("objective", "net")
    normalise_signal: bool = within("objective", True)
    temperature: Positive = within("objective", 0.5)
    mean_field_steps: Count = within("objective", 1)
    n_steps: Count = within("objective", 1)
    gradient_draws: Several | None = within("objective", None)

    _MODEL, _BUDGET = SigmoidBeliefModel(), Budget(4_500, 20, 120)
    _REVIVE = (
        "Raise objective__n_importance, learning_rate or n_iter, or take fewer layers."
    )

    def mean_field_bound(self, X: Data, *, n_steps: int = 20) -> np.ndarray:
        """Saul's lower bound on the log-likelihood of each row, in nats.

        That of independent bits with means of the row's own, in closed form. For
        columns of one kind, of which "gaussian" ones have the same variances in all
        rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_steps : int, default=20
            Sweeps over the means, which begin at those of :meth:`transform`.

        Returns
        -------
        bound : ndarray of shape (n_samples,), float64

        Raises
        ------
        ValueError
            Columns are of several kinds, or layers are autoregressive.
        """
        return likelihood_bound(self.density_, X, n_steps)

    @property
    def link_coefs_(self) -> list[np.ndarray]:
        """Weights within layers of the model."""
        return link_weights(self.density_)[1]

    @property
    def recognition_link_coefs_(self) -> list[np.ndarray]:
        """Weights within layers of the inference net."""
        return link_weights(self.density_)[0]

    def _report(self, learned, n_epochs, watch):
        variances = getattr(watch, "variances", [])
        n_before = self.n_iter_ - len(learned.losses)
        earlier = getattr(self, "gradient_variance_curve_", []) if n_before else []
        if earlier or variances:
            variances = [*variances, *[nan] * len(learned.losses)][
                : len(learned.losses)
            ]
            earlier = [*earlier, *[nan] * n_before][:n_before]
            self.gradient_variance_curve_ = earlier + variances
        else:
            vars(self).pop("gradient_variance_curve_", None)
        super()._report(learned, n_epochs, watch)
