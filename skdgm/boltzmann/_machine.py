"""Base class of Boltzmann machines on one table of data."""

from numbers import Integral, Real

from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base import Estimator, forget_log_Z, lazy_log_Z
from skdgm.base.frames import filled_in, framed
from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann._learning.objective import EnergyObjective
from skdgm.boltzmann._learning.state import TrainState
from skdgm.boltzmann._options import IMPLIED
from skdgm.boltzmann._structure.restricted import RESTRICTED
from skdgm.boltzmann._structure.visible import BINARY, REAL
from skdgm.optim import check_piecewise
from skdgm.training import Budget


class Machine(Estimator):
    """Base class of estimators with a layered energy whose first block is visible.

    Subclasses have options and documentation, and name

    - ``_layers``, the :class:`~skdgm.boltzmann._structure.layers.Layers` of the
    machine,
    - ``_DENSITY`` and ``_OBJECTIVE``, classes of the density and of the objective.

    Models that machines are part of use ``_given``, the initial parameters of data and
    hidden units; ``_pair(dtype)``, their energy and parameters; ``_ended``, which says
    how training ended; ``_attributes(state)``, of a
    :class:`~skdgm.boltzmann._learning.state.TrainState`; and ``density_``.
    """

    _layers, _DENSITY, _OBJECTIVE = RESTRICTED, EnergyDensity, EnergyObjective
    _given = None
    _SLOWED = True
    # Number of epochs with n_iter="auto".
    _BUDGET = Budget(25_000, 10, 200)
    _IMPLIED = IMPLIED
    _TRANSIENT = "swap_rates_", "precision_", "mean_", "scale_", "_log_precision"

    @property
    def density_(self):
        """Density of rows: the fitted parameters, and what can be asked of them."""
        if "_training" not in vars(self):
            check_is_fitted(self)
        return self._layers.density(self)

    @property
    def density_kind_(self):
        """Kind of density that :meth:`score_samples` returns: "exact", "lower bound" or
        "estimate"."""
        return self.density_.kind

    __getattr__, _forget = lazy_log_Z, forget_log_Z

    def transform(self, X):
        r"""Means of the hidden units, :math:`p(h_j = 1 \mid v)`.

        With several hidden layers, by mean field. Missing entries are inferred by mean
        field, jointly with the hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
            Probabilities; of several layers, side by side, those that ``feature_layer``
            names.
        """
        return self.density_.features(X)

    def inverse_transform(self, H):
        r"""Means of the visible units, :math:`\mathbb{E}[v \mid h]`.

        With several hidden layers, by mean field.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)
            States or means of the hidden units, as :meth:`transform` returns them.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            In the units of the columns; probabilities where these are binary. A
            DataFrame if H and what the model was fitted to are such.

        Raises
        ------
        ValueError
            H does not have one column for each of these units.
        """
        return framed(self, self.density_.inverse(H), H)

    def sample(
        self,
        n_samples=1,
        random_state=None,
        *,
        init="chains",
        n_steps=100,
        burn_in=0,
        thin=None,
    ):
        """Draw rows from the model by blocked Gibbs sampling.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        init : {"chains", "noise"} or array-like of shape (n, n_features), \
                default="chains"
            Start of the chains: the last states of the training chains (see
            ``chains_``); noise, which is fair coins, or standard normal numbers in
            standardised real columns; or given rows. If there are more chains than
            starts, these are used in turn.
        n_steps : int, default=100
            Number of Gibbs steps of each chain after ``burn_in``.
        burn_in : int, default=0
            Number of Gibbs steps before those.
        thin : int, default=None
            Keep every ``thin``-th state of a chain, and run as many chains as this
            takes. By default each chain gives one row, its last state.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Chain after chain, each in the order of time. A DataFrame if ``fit`` was
            given one.

        Raises
        ------
        TypeError
            A number is not a whole number.
        ValueError
            A number is too low, ``thin`` is more than ``n_steps``, or ``init`` is
            unknown or not as wide as the model.
        """
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        found = self.density_.sample(n_samples, random_state, **options)
        return framed(self, found)

    def gibbs(self, v):
        """Take one step of Gibbs sampling.

        Parameters
        ----------
        v : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible values to start from.

        Returns
        -------
        v_new : ndarray of shape (n_samples, n_features)
            Different values at each call, since ``random_state`` advances. Binary
            columns are of type bool.
        """
        check_is_fitted(self)
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        given = _num_samples(v), self.random_state_
        sample = self.density_.sample(*given, init=v, n_steps=1)
        kind = self._domain.sample_type
        return sample if kind is None else sample.astype(kind)

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries, given the others of their row.

        A chain of Gibbs steps with the observed entries clamped starts at the
        mean-field solution.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" fills in means (probabilities, where units are binary), averaged over
            the chain, the same at each call; "sample" fills in the chain's last state.
        n_steps : int, default=100
            Number of Gibbs steps.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged. A DataFrame with its index if X
            and what the model was fitted to are such.

        Raises
        ------
        TypeError
            ``n_steps`` is not a whole number.
        ValueError
            ``method`` is unknown, or ``n_steps`` is less than 1.
        """
        filled = self.density_.fill(X, method, random_state, n_steps=n_steps)
        return filled_in(self, X, filled)

    def free_energy(self, X):
        r"""Free energy of each row, in nats.

        .. math:: F(v) = -\log \sum_h e^{-E(v, h)} \le \min_Q \mathbb{E}_Q[E(v, h)] -
           H(Q)

        With several hidden layers it is the right-hand side, the variational free
        energy, for factorial Q found by mean field. Missing entries (NaN) are summed
        out with the hidden units: exactly where the smaller of two layers has at most
        20 units, otherwise by the same bound, which makes the free energy too high.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
        """
        return self.density_.free_energy(X)

    def score_samples(self, X):
        r"""Log-likelihood of each row, in nats, or a lower bound on it.

        .. math:: \log p(v) = -F(v) - \log Z

        With several hidden layers, whose :meth:`free_energy` is variational, this is a
        lower bound, as it is for rows with missing entries where log Z is an estimate.
        Log Z, computed at the first call, is exact where the even or the odd layers
        have at most 20 units. Otherwise it is an estimate by annealed importance
        sampling from both sides, with the standard error ``log_Z_se_``. A brief run is
        enough where this is at most 0.07 nats and both sides agree with parallel
        tempering; else a run as long as that of
        :func:`~skdgm.metrics.partition_bracket` follows, and where its sides differ by
        more than a nat, the higher one is taken, with a warning. For grey values in [0,
        1] the result is a lower bound on the mean log-likelihood of binary rows drawn
        with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            Weights or biases are not finite, so that there is no log Z.
        """
        return self.density_.log_prob(X)

    @property
    def _domain(self):
        return BINARY if self._options.column_types == "bernoulli" else REAL

    def _energy(self, sizes=None):
        return self._layers.energy(self, sizes)

    def _params(self, dtype=None):
        return self._layers.params(self, dtype)

    def _pair(self, dtype=None):
        """Energy and parameters of data and hidden units, without a label."""
        return self._layers.pair(self, dtype)

    def _moments(self, energy):
        return self._layers.moments(self, energy)

    def _state(self):
        return TrainState.of(self._params(), self._training)

    def _attributes(self, state):
        return self._layers.attributes(self, state)

    def _objective(self, table, before):
        return self._layers.objective(self, table, before)

    @property
    def _dtype(self):
        return self._params().dtype.type

    @property
    def _n_features_out(self):
        return self.density_.n_features_out

    def _n_epochs(self, table):
        return self._BUDGET.epochs(
            self._options.n_iter, table, self._options.batch_size
        )

    def _check_options(self):
        check_piecewise("n_steps", self._options.n_steps, Integral, 1)
        check_piecewise("momentum", self._options.momentum, Real, 0, 1)
        self._layers.check_options(self._options)

    def _check_unchanged(self):
        self._layers.check_unchanged(self)

    def _remedy(self):
        options = self._options
        return (
            f"Lower learning_rate (now {options.learning_rate:g}) or momentum (now "
            f"{options.momentum}), or raise batch_size (now {options.batch_size})."
        )

    def _report(self, learned, n_epochs, watch):
        super()._report(learned, n_epochs, watch)
        self._layers.warn(self)
