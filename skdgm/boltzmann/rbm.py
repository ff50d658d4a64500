r"""Restricted Boltzmann machines.

.. math:: E(v, h) = -b^\top v - c^\top h - v^\top W h

One layer of visible and one of hidden units, joined by W.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.base import GenerativeModel
from skdgm.boltzmann._fitting import FittingMixin
from skdgm.boltzmann._likelihood import LikelihoodMixin
from skdgm.boltzmann._sampling import SamplingMixin
from skdgm.boltzmann._trainer import TrainState
from skdgm.boltzmann._visible import BernoulliVisible
from skdgm.energies import LayeredEnergy, Params, plain
from skdgm.inference import mean_field
from skdgm.units import Bernoulli
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import tree_map


class BernoulliRBM(
    FittingMixin, SamplingMixin, LikelihoodMixin, BernoulliVisible, GenerativeModel
):
    r"""Restricted Boltzmann machine with binary visible and hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -b^\top v - c^\top h - v^\top W h

    so that both conditionals factorise: :math:`p(h_j = 1 \mid v) =
    \sigma(c_j + v^\top W_{:j})` and :math:`p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)`.

    Parameters are those of :class:`sklearn.neural_network.BernoulliRBM`, and more. Data
    are 0 or 1, or probabilities of 1 (grey values). NaN is a missing value, in every
    method. Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=256
        Number of hidden units.
    learning_rate : float, default=0.1
        At the start; see ``schedule``.
    batch_size : int, default=10
        Rows for each update.
    n_iter : int, default=20
        Epochs.
    gradient : {"pcd", "cd"}, default="pcd"
        Where the chains of the negative phase start: where the last update left them
        (persistent contrastive divergence [2]_), or at the data (contrastive
        divergence [1]_).
    n_steps : int or tuple of int, default=1
        Gibbs steps of these chains for each update. A tuple's values share the epochs
        evenly, in order.
    n_chains : int or None, default=50
        Number of persistent chains; as many as ``batch_size`` if None.
    momentum : float, default=0.0
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        For ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times their absolute sum and l2 / 2 times their sum
        of squares, taken from the log-likelihood per row.
    resample : bool, default=False
        If True, grey values are drawn as bits anew at each presentation. If False, they
        are taken as they are.
    init : {"marginals", "zeros"}, default="marginals"
        The visible biases at the start: those with which independent units have the
        means of the data, or zeros. Weights start as normal numbers of scale 0.01.
    early_stopping : bool, default=False
        Hold out rows, stop when their pseudo-likelihood no longer rises, and keep the
        parameters with which it was highest.
    validation_fraction : float, default=0.1
        The share of the rows to hold out.
    n_iter_no_change : int, default=5
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        In nats per row.
    warm_start : bool, default=False
        If True, ``fit`` goes on from the parameters there are.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For initial weights, order of rows and sampling.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The weights, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        The hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        The visible biases b.
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains.
    log_Z_ : float
        Log partition function, computed at first use.
    log_Z_se_ : float
        Its standard error; 0 where it is exact.
    density_kind_ : {"exact", "estimate"}
        What :meth:`score_samples` is: exact where the smaller layer has at most 20
        units.
    loss_curve_ : list of float
        For each epoch minus the pseudo-likelihood of training rows, estimated from some
        of their units, in nats per row.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

    See Also
    --------
    sklearn.neural_network.BernoulliRBM : The same model with PCD-1 only, whose
        ``score_samples`` is a random estimate of the pseudo-likelihood.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [2] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [3] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
       networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (1797, 16)
    >>> rbm.density_kind_
    'exact'
    >>> print(f"{rbm.score(X):.0f} nats")
    -25 nats
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_iter": [Interval(Integral, 0, None, closed="left")],
        "gradient": [StrOptions({"pcd", "cd"})],
        "n_steps": [Integral, tuple],
        "n_chains": [Interval(Integral, 1, None, closed="left"), None],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "schedule": [StrOptions({"constant", "invscaling", "linear"})],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "resample": ["boolean"],
        "init": [StrOptions({"marginals", "zeros"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=256,
        *,
        learning_rate=0.1,
        batch_size=10,
        n_iter=20,
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        momentum=0.0,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        resample=False,
        init="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.momentum = momentum
        self.schedule = schedule
        self.power_t = power_t
        self.l1 = l1
        self.l2 = l2
        self.resample = resample
        self.init = init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    def transform(self, X):
        r"""Hidden units' means :math:`p(h_j = 1 \mid v)`.

        Missing entries are found by mean field, together with the hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        H : ndarray of shape (n_samples, n_components)
        """
        check_is_fitted(self)
        rows = self._rows(X)
        energy, params = self._energy(), self._params_for(rows)

        def hidden_means(v):
            return mean_field(energy, params, *self._present(v))[0][1]

        return self._blockwise(hidden_means, rows, hidden_means)

    def inverse_transform(self, H):
        r"""Visible units' means :math:`p(v_i = 1 \mid h)`.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_components)
            Hidden units, or their means.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        energy, params = self._energy(), self._params()
        H = check_array(H, dtype=params.units[0].dtype)
        if H.shape[1] != self._n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} hidden units."
            )
        with one_blas_thread():
            received = energy.received(params, (None, H), 0)
            return energy.units[0].mean(energy.field(params, 0, received))

    def _energy(self, n_hidden=None):
        hidden = Bernoulli(n_hidden or self._n_features_out)
        return LayeredEnergy([[Bernoulli(self.n_features_in_)], [hidden]])

    def _params(self, dtype=None):
        biases = self.intercept_visible_, self.intercept_hidden_
        params = Params(biases, (self.components_.T,))
        return tree_map(
            lambda array: array.astype(dtype or array.dtype, copy=False), params
        )

    def _state(self):
        """The training state that the fitted attributes hold."""
        return TrainState(
            self._params(), self._velocity, (self.chains_, self.h_samples_)
        )

    def _attributes(self, state):
        """A training state as fitted attributes."""
        (b, c), (W,) = plain(state.params)
        v, h = map(np.asarray, state.chains)
        return {
            "components_": W.T,
            "intercept_visible_": b,
            "intercept_hidden_": c,
            "chains_": v,
            "h_samples_": h,
            "_velocity": plain(state.velocity),
        }

    @property
    def _n_features_out(self):
        return self.components_.shape[0]
