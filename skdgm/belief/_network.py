"""Base class of belief networks, with or without a label in the top-level machine."""

from typing import Any

from skdgm.base import forget_log_Z, lazy_log_Z
from skdgm.base.attributes import shared
from skdgm.base.options import KW_ONLY, within
from skdgm.belief._density import N_DRAWS
from skdgm.belief._options import BeliefColumns, HiddenSizes
from skdgm.belief._stack import BeliefNetworkModel, requested_domain
from skdgm.belief._training import Refinement
from skdgm.boltzmann import methods
from skdgm.stacks import StackedNetwork
from skdgm.stacks.model import unfitted_machines
from skdgm.typing import Data


class BeliefNetwork(StackedNetwork):
    """Base class of directed layers below a restricted Boltzmann machine.

    Parameters
    ----------
    samples
        If True, layers above the first are trained on samples of the units below, which
        are drawn again in each presentation; if False, on their means.
    layers : list of (str, machine) or None
        Explicit stack of machines, like the steps of a Pipeline, which replaces all
        parameters that describe the layers. Machines are BernoulliRBM, or GaussianRBM
        at the bottom. Clones of them are fitted. Their parameters can be set as
        ``name__parameter``.

    Attributes
    ----------
    layers_ : list of machines
        Fitted machines from the bottom up; refinement changes only the last machine.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Recognition weights of each layer.
    intercepts_ : list of ndarray of shape (n_above,)
        Recognition biases (of the units above).
    generative_coefs_ : list of ndarray of shape (n_above, n_below)
        Generative weights of each layer; without refinement, the transposed recognition
        weights.
    generative_intercepts_ : list of ndarray of shape (n_below,)
        Generative biases (of the units below).
    log_Z_ : float
        Log partition function of the top-level machine, computed at first use.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 if log Z is exact.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Kind of :meth:`score_samples`. It is "lower bound" (in expectation over draws)
        if log Z is exact, that is, if one block of the top-level machine has at most 20
        units, and "estimate" otherwise. A single layer has the kind of a BernoulliRBM.
    n_iter_ : int
        Total number of epochs, over all layers and refinement.
    """

    _: KW_ONLY
    samples: bool = True
    hidden_layer_sizes: HiddenSizes = (256, 256)
    column_types: BeliefColumns = "auto"
    resample: bool = within("column_types", True)
    layers: list | None = None

    _MODEL, _MODEL_READS = BeliefNetworkModel(), ("layers_", "_untied", "_losses")
    _requested_domain = requested_domain

    def _initial_attributes(self):
        return super()._initial_attributes() | {"_untied": (), "_losses": []}

    def _n_epochs(self, table):
        return self._options.refine_iter

    @property
    def _refined(self):
        """True if layers are refined jointly, which needs at least two layers."""
        return self._options.refine is not None and len(unfitted_machines(self)) > 1

    def _n_callback_steps(self, n_epochs, fresh):
        return super()._n_callback_steps(n_epochs, fresh) + self._refined

    def _stages(self, table, epochs, fresh, is_fit, layer=None):
        """Training stages of all layers, or of one layer, and of refinement."""
        untied = bool(self._untied)
        if untied and layer is not None:
            raise ValueError(
                f"layer={layer}, but the layers were refined: they learn together now."
            )
        if not untied:
            yield from super()._stages(table, epochs, fresh, is_fit, layer)
        if self._refined if is_fit else untied:
            yield Refinement(self, table, len(epochs), is_fit)

    __getattr__, _forget = lazy_log_Z, forget_log_Z

    @shared(methods.sample)
    def sample(self): ...

    @shared(methods.impute)
    def impute(self): ...

    def likelihood_bound(
        self, X: Data, *, n_draws: int = N_DRAWS, return_se: bool = False
    ) -> Any:
        r"""Variational bound on the log-likelihood of each row, in nats.

        :meth:`score_samples` is this bound with 20 draws. For a single layer, it is the
        log-likelihood. If log Z is estimated, the bound is an estimate, too.

        .. math:: \mathbb{E}_Q\Big[\sum_k \log P(h^{k-1} \mid h^k) + H(Q(h^k \mid
            h^{k-1})) + \log P^*(h^{L-1})\Big] - \log Z

        The expectation is over draws from the recognition distribution Q, which are the
        same in each call; entropies are exact. A single layer needs no draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        n_draws : int, default=20
            Number of draws for each row.
        return_se : bool, default=False
            If True, also return standard errors.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard error over draws, without the error of log Z; only if ``return_se``
            is True.
        """
        bound, se = self.density_.bound(X, n_draws)
        return (bound, se) if return_se else bound

    def importance_likelihood(
        self, X: Data, *, n_draws: int = N_DRAWS, return_se: bool = False
    ) -> Any:
        r"""Log-likelihood of each row by importance sampling, in nats.

        .. math:: \log \frac1n \sum_i \frac{P(v, h_i)}{Q(h_i \mid v)}, \qquad
            h_i \sim Q

        The expectation is a lower bound on the log-likelihood that tightens with the
        number of draws.

        Parameters
        ----------
        X, n_draws, return_se
            As in :meth:`likelihood_bound`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard error over draws, without the error of log Z; only if ``return_se``
            is True.
        """
        log_p, se = self.density_.importance(X, n_draws)
        return (log_p, se) if return_se else log_p
