r"""Sigmoid belief networks.

.. math:: p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1})

Each binary layer is a logistic regression on the layer above.
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
    r"""Sigmoid belief network: binary layers, each conditional on the layer above.

    .. math::

        p(z_l \mid z_{l+1}) = \prod_j \operatorname{Bernoulli}\bigl(z_{lj};
        \sigma(b_{lj} + z_{l+1} W_{lj})\bigr),

    .. math::

        q(z_l \mid z_{l-1}) = \prod_j \operatorname{Bernoulli}\bigl(z_{lj};
        \sigma(c_{lj} + z_{l-1} R_{lj})\bigr)

    down to the data, :math:`z_0 = x`, whose columns may be of any type [1]_. The
    inference net q has separate parameters. Since bits have no gradients, ``objective``
    selects a gradient estimator for both nets. The log-likelihood is estimated by
    importance sampling. NaN marks a missing value in every method. Computations are in
    float64 for float64 data, and in float32 otherwise.

    Parameters
    ----------
    autoregressive
        Whether bits of a layer of the model, and columns, depend on the previous bits
        or columns of the same layer. If True, log odds (and means) are linear in them,
        as in DARN [10]_; "nade": through as many hidden units as the layer has, as in
        :class:`~skdgm.NADE` [2]_. Sampling is then sequential. "nade" excludes the
        objectives "concrete" and "straight-through". With these and "disarm", columns
        must be complete in ``fit``.
    recognition_autoregressive
        Like ``autoregressive``, for the bits of the inference net. Only with "rws",
        "vimco", "nvil", "reinforce" and "wake-sleep".
    ordering : {"given", "random"} or tuple of int
        Order of columns with ``autoregressive``: the order of X, a random order, or a
        permutation of the column numbers.
    objective
        Training objective and gradient estimator. "rws" is reweighted wake-sleep [2]_.
        "vimco" is the importance weighted bound with leave-one-out baselines [3]_.
        Score functions have a learning signal for each layer with "nvil" [4]_, and one
        signal with "reinforce", both with baselines [9]_. "disarm" uses antithetic bits
        [5]_. "wake-sleep" trains q on samples of p [6]_. "concrete" and
        "straight-through" have biased gradients through relaxed bits [7]_. "mean-field"
        is Saul's bound with variational means for each row [8]_, for columns of one
        type, and for "gaussian" columns only if variances do not differ by row. "gibbs"
        is Monte Carlo EM [1]_ with a Markov chain for each training row, for which the
        network stores a hash of the row and the bits.
    alpha
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows, so smaller batches are penalized more. Like
        ``clip_norm`` of the solver, it includes baseline nets.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of the inference net, then of the model, each starting next to the data.
        With "nade", the outputs of a layer are its log odds, then the biases of the
        hidden units of its links.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of all layers.
    prior_intercept_ : ndarray of shape (n_outputs,)
        Biases of the highest layer of the model: log odds of its bits.
    link_coefs_, recognition_link_coefs_ : list
        Autoregressive weights within the columns and within each layer of the model,
        and of the inference net: arrays of shape (n_inputs, n_outputs), or pairs U, V
        with "nade". Layers without such weights are omitted.
    loss_curve_ : list of float
        Negative importance weighted bound of a sample of training rows after each
        epoch, in nats per row of standardized columns, with as many draws as in
        training ("gibbs": at least ten; in total at least 240).
    gradient_variance_curve_ : list of float
        Variance of the gradient of a batch after each epoch, summed over the parameters
        of both nets, with ``gradient_draws``; NaN for epochs trained without it.

    See Also
    --------
    HelmholtzMachine : The same layers, trained by wake-sleep.
    DBN : Directed layers below a restricted Boltzmann machine.
    VAE : Continuous latent units.

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
    normalize_signal: bool = within("objective", True)
    temperature: Positive = within("objective", 0.5)
    mean_field_steps: Count = within("objective", 1)
    n_steps: Count = within("objective", 1)
    gradient_draws: Several | None = within("objective", None)

    _MODEL, _BUDGET = SigmoidBeliefModel(), Budget(4_500, 20, 120)
    _REVIVE = (
        "Raise objective__n_importance, learning_rate or n_iter, or take fewer layers."
    )

    def mean_field_bound(self, X: Data, *, n_steps: int = 20) -> np.ndarray:
        """Saul's mean-field lower bound on the log-likelihood of each row, in nats.

        The bound of independent bits, with variational means for each row, has a closed
        form. Columns must be of one type, and "gaussian" columns must have the same
        variances in all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        n_steps : int, default=20
            Number of sweeps over the means, which are initialized by :meth:`transform`.

        Returns
        -------
        bound : ndarray of shape (n_samples,), float64

        Raises
        ------
        ValueError
            Columns are of several types, or layers are autoregressive.
        """
        return likelihood_bound(self.density_, X, n_steps)

    @property
    def link_coefs_(self) -> list[np.ndarray]:
        """Autoregressive weights within layers of the model."""
        return link_weights(self.density_)[1]

    @property
    def recognition_link_coefs_(self) -> list[np.ndarray]:
        """Autoregressive weights within layers of the inference net."""
        return link_weights(self.density_)[0]

    def _report(self, learned, n_epochs, watch):
        variances = getattr(watch, "variances", [])
        n_before = self.n_iter_ - len(learned.losses)
        previous = getattr(self, "gradient_variance_curve_", []) if n_before else []
        if previous or variances:
            variances = [*variances, *[nan] * len(learned.losses)][
                : len(learned.losses)
            ]
            previous = [*previous, *[nan] * n_before][:n_before]
            self.gradient_variance_curve_ = previous + variances
        else:
            self.__dict__.pop("gradient_variance_curve_", None)
        super()._report(learned, n_epochs, watch)
