r"""Prior distributions of the highest layer of real latent units.

.. math:: \mathcal{N}(0, 1), \qquad
   \sum_k \pi_k \, \mathcal{N}(z; \mu_k, e^{s_k}), \qquad
   \frac1K \sum_k \mathcal{N}(z; \mu(u_k), e^{s(u_k)})

   \mathcal{N}(f(z); 0, 1) \left\lvert \det \frac{\partial f}{\partial z} \right\rvert,
   \qquad \prod_i \mathcal{N}(z_i; \mu_i(z_{<i}), e^{s_i(z_{<i})})

These are the standard normal distribution, a mixture, the mixture of an encoder's
distributions at learned pseudo-inputs u [1]_, a flow, and an autoregressive net [2]_.

References
----------
.. [1] Tomczak and Welling (2018). VAE with a VampPrior. AISTATS.
.. [2] Chen, Kingma, Salimans, Duan, Dhariwal, Schulman, Sutskever and Abbeel (2017).
   Variational lossy autoencoder. ICLR.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from skdgm.nets import (
    bounded,
    by_degrees,
    halves,
    layers,
    log_normal,
    log_prior,
    masked_dense,
)
from skdgm.nets.bijections import affine, coupling, permutation, triangular
from skdgm.nets.stochastic.mixtures import component, log_mixture
from skdgm.utils.random import stream

# Number of bins of splines, and the bound beyond which splines are the identity.
BINS, BOUND = 5, 5.0
# Standard deviation of initial pseudo-inputs. Similar pseudo-inputs would make the
# distributions of all rows similar.
_SPREAD = 0.5
_CHOICE, _ORDERS = 1, 2**17 + 3


class LatentPrior(ABC):
    """Distribution of latent units z, (n_rows, n_units), with parameters.

    Attributes
    ----------
    inferred : bool
        Whether the prior's parameters are inputs of an encoder, whose outputs are the
        parameters of draws and densities.
    standard : bool
        Whether it is the standard normal distribution.
    width : int
        Number of values that its density needs at once for a row.
    """

    inferred = standard = False
    width = 1

    @abstractmethod
    def init(self, n_units: int, rng: np.random.Generator, dtype: type) -> Any:
        """Initial parameters, drawn with a NumPy generator."""

    @abstractmethod
    def log_prob(self, z, params):
        """Differentiable log-density of each row, (n_rows,), in nats."""

    @abstractmethod
    def draw(self, params, rng, n_units, dtype):
        """Draw latent units, (n_rows, n_units), with a random stream for each row."""

    def constrain(self, params):  # noqa: B027  Most have no limits.
        """Project parameters onto their constraints, in place."""


class StandardPrior(LatentPrior):
    """Standard normal distribution."""

    standard = True

    def init(self, n_units, rng, dtype):
        return ()

    def log_prob(self, z, params):
        return log_prior(z)

    def draw(self, params, rng, n_units, dtype):
        return rng.normal(n_units, dtype)


class MixturePrior(LatentPrior):
    """Mixture of n normal distributions; parameters are means and log-variances, and
    logits of the weights."""

    def __init__(self, n):
        self.n = self.width = n

    def init(self, n_units, rng, dtype):
        stats = np.zeros((self.n, 2 * n_units), dtype)
        stats[:, :n_units] = rng.standard_normal((self.n, n_units))
        return stats, np.zeros(self.n, dtype)

    def log_prob(self, z, params):
        return log_mixture(z, bounded(params[0]), params[1])

    def draw(self, params, rng, n_units, dtype):
        return _of_components(bounded(params[0]), params[1], rng, n_units, dtype)


class VampPrior(LatentPrior):
    """Equally weighted mixture of an encoder's distributions at n pseudo-inputs.
    Initial pseudo-inputs are drawn around ``start``, (n_inputs,), the means of inputs.
    Inputs in the mask ``share`` stay between 0 and 1."""

    inferred = True

    def __init__(self, n, start, share):
        self.n = self.width = n
        self.start, self.share = start, share

    def init(self, n_units, rng, dtype):
        noise = rng.standard_normal((self.n, len(self.start)))
        inputs = (self.start + _SPREAD * noise).astype(dtype)
        self.constrain(inputs)
        return inputs

    def constrain(self, params):
        params[:, self.share] = params[:, self.share].clip(0, 1)

    def log_prob(self, z, params):
        return log_mixture(z, params, np.zeros(self.n, z.dtype))

    def draw(self, params, rng, n_units, dtype):
        return _of_components(params, np.zeros(self.n), rng, n_units, dtype)


def _of_components(stats, logits, rng, n_units, dtype):
    """Draw components by their weights, and units from the components."""
    mean, s = halves(stats[component(rng.fold(_CHOICE), logits)])
    noise = rng.normal(n_units, dtype)
    return (mean + np.exp(0.5 * s) * noise).astype(dtype, copy=False)


class FlowPrior(LatentPrior):
    """Distribution of latent units that a flow maps to a standard normal distribution.
    The nets of ``n_couplings`` coupling layers have hidden ``sizes``."""

    def __init__(self, n_couplings, sizes, activation):
        hidden = layers.serial(*(layers.dense(n, activation) for n in sizes))
        self.n_couplings, self.hidden = n_couplings, hidden
        self.width = 3 * BINS

    def _net(self, n_units):
        """Layers of the flow, and their constant statistics."""
        nets = [affine(), triangular(True), triangular()]
        for coupling_number in range(self.n_couplings):
            order = stream(0, _ORDERS, coupling_number).generator().permutation(n_units)
            nets += [permutation(order), coupling(self.hidden, BINS, BOUND)]
        net = layers.serial(*nets)
        return net, net.init(np.random.default_rng(0), n_units, np.float32)[2]

    def init(self, n_units, rng, dtype):
        return self._net(n_units)[0].init(rng, n_units, dtype)[1]

    def log_prob(self, z, params):
        net, net_statistics = self._net(z.shape[1])
        code, log_det = net.log_det(params, net_statistics, z)
        return log_prior(code) + log_det

    def draw(self, params, rng, n_units, dtype):
        net, net_statistics = self._net(n_units)
        return net.inverse(params, net_statistics, rng.normal(n_units, dtype))


class AutoregressivePrior(LatentPrior):
    """Normal distribution of each unit given previous units; a masked net with hidden
    ``sizes`` predicts means and log-variances."""

    def __init__(self, sizes, activation):
        self.sizes, self.activation = sizes, activation

    def _net(self, n_units):
        units = np.arange(n_units)
        degrees = [np.arange(size) % max(1, n_units - 1) for size in self.sizes]
        *masks, last = by_degrees(units, degrees, np.tile(units, 2), direct=False)
        hidden = (masked_dense(mask, self.activation) for mask in masks)
        net = layers.serial(*hidden, masked_dense(last, "identity"))
        return net, ((),) * (len(masks) + 1)

    def init(self, n_units, rng, dtype):
        params = self._net(n_units)[0].init(rng, n_units, dtype)[1]
        params[-1].W[:] = 0
        return params

    def _stats(self, params, z):
        net, net_statistics = self._net(z.shape[1])
        return bounded(net.apply(params, net_statistics, z)[0])

    def log_prob(self, z, params):
        return log_normal(z, self._stats(params, z))

    def draw(self, params, rng, n_units, dtype):
        noise = rng.normal(n_units, dtype)
        z = np.zeros_like(noise)
        for j in range(n_units):
            mean, s = halves(self._stats(params, z))
            z[:, j] = mean[:, j] + np.exp(0.5 * s[:, j]) * noise[:, j]
        return z
