"""The role of nets of models with latent units, as functions of their variables."""

from abc import ABC, abstractmethod
from typing import Any

from skdgm.nets import layers_of, lists_if_sparse


class Architecture(ABC):
    """Encoders and decoders of latent units in consecutive groups.

    Methods take ``net``, :class:`~skdgm.nets.Variables`, whose parameters are a
    NamedTuple with ``encoders``, ``decoders`` and ``dispersion``, further parameters of
    the distribution of the data.

    Attributes
    ----------
    units : LatentUnits
        Distribution of the encoders' draws.
    n_latent : tuple of int
        Number of units of each group.
    data : DataLayer or None
        Links between columns.
    covariates : DecoderCovariates or None
        Classes or attributes that also condition the data.
    """

    data: Any = None
    covariates: Any = None
    units: Any
    n_latent: Any

    @abstractmethod
    def init(self, rng, out, dispersion, dtype):
        """Initial parameters and statistics; outputs for the data are initially
        ``out``, and ``dispersion`` are the further parameters of its distribution."""

    @abstractmethod
    def through(
        self,
        net,
        x,
        source,
        *,
        exact=False,
        entries=None,
        training=None,
        covariates=None,
    ):
        """Draw latent units of rows x, (n_rows, n_inputs), and decode them: a
        :class:`~skdgm.latent.data_layer.Pass`; see :meth:`Hierarchy.through`."""

    @abstractmethod
    def top(self, net, rng):
        """Draw latent units for :meth:`downwards`, (n_rows, n_units), with a random
        stream for each row."""

    @abstractmethod
    def dream(self, net, rng):
        """Draw latent units of all groups from the prior, one row for each random
        stream: a tuple of arrays, as :meth:`noise_of` takes."""

    @abstractmethod
    def upwards(self, net, x):
        """Means of all latent units of rows x, each group given the means of previous
        groups: a list of arrays."""

    @abstractmethod
    def downwards(self, net, z, rng=None, level=-1, covariates=None):
        """Outputs for the data, (n_rows, n_outputs), given latent units of a layer, or
        from :meth:`top`, and covariates."""

    @abstractmethod
    def rebuilt(self, net, x, covariates=None):
        """Outputs for the data given the means of latent units of rows x."""

    @abstractmethod
    def lowest(self, H, layers):
        """Latent units for :meth:`downwards`, and their level, from the features H of
        ``layers``."""

    def constrain(self, params):  # noqa: B027  Most have no limits.
        """Project parameters onto their constraints, in place."""

    @property
    def activity_groups(self):
        """Numbers of units of groups that should each have an active unit."""
        return self.n_latent

    def batch(self, x):
        """Inputs of a minibatch, in the form in which training is fastest."""
        return lists_if_sparse(x)

    def width(self, params):
        """Largest number of activations for one row: the width of the widest layer."""
        return max(max(layer.W.shape) for layer in layers_of(params))

    def noise(self, rng, n_draws):
        """Source of noise for ``n_draws`` draws of each row, as :meth:`through` takes
        it."""

        def source(level, stats):
            n = self.units.n_noise(self.n_latent[level])
            noise = self.units.noise(rng.fold(level), n_draws * n, stats.dtype.type)
            return noise.reshape(-1, n)

        return source

    def noise_of(self, z, rng=None):
        """Source of the noise for which latent units have the values z. Noise that z
        does not determine is drawn, with a random stream for each row."""

        def source(level, stats):
            streams = None if rng is None else rng.fold(level)
            return self.units.noise_of(z[level], stats, streams)

        return source
