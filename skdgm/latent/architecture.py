"""The role of nets of models with latent units, as functions of their variables."""

from abc import ABC, abstractmethod

from skdgm.nets import layers_of, listed


class Architecture(ABC):
    """Encoders and decoders of latent units in several groups, one after the other.

    Methods take ``net``, :class:`~skdgm.nets.Variables`: parameters are a NamedTuple
    with ``own``, those of the data's distribution that are no outputs, ``encoders`` and
    ``decoders``.

    Attributes
    ----------
    units : LatentUnits
        Distribution of the encoders' draws.
    n_latent : tuple of int
        Number of units of each group.
    data : DataLayer or None
        Links between columns.
    covariates : DecoderCovariates or None
        Classes or attributes that the data are conditional on, too.
    """

    data = covariates = None

    @abstractmethod
    def init(self, rng, out, dispersion, dtype):
        """Initial parameters and statistics, with which outputs for the data are
        ``out``, and the data's distribution has the parameters ``dispersion``."""

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
        """Draw latent units that :meth:`downwards` decodes, (n_rows, n_units), with a
        stream for each row."""

    @abstractmethod
    def dream(self, net, rng):
        """Draw latent units of all groups from the prior, one row for each stream: as
        many arrays as :meth:`noise_of` takes."""

    @abstractmethod
    def upwards(self, net, x):
        """Means of all latent units of rows x, each group given the means of previous
        groups: a list of arrays."""

    @abstractmethod
    def downwards(self, net, z, rng=None, level=-1, covariates=None):
        """Outputs for the data, (n_rows, n_outputs), given latent units of a layer, or
        those of :meth:`top`, and covariates."""

    @abstractmethod
    def rebuilt(self, net, x, covariates=None):
        """Outputs for the data given the means of latent units of rows x."""

    @abstractmethod
    def lowest(self, H, layers):
        """Latent units that :meth:`downwards` decodes, of the features of ``layers``,
        and their level."""

    def constrain(self, params):  # noqa: B027  Most have no limits.
        """Project parameters onto their limits, in place, after an update."""

    @property
    def wholes(self):
        """Numbers of units of parts, each of which should have active ones."""
        return self.n_latent

    def batch(self, x):
        """A batch of inputs, in the form in which learning is faster."""
        return listed(x)

    def width(self, params):
        """Most numbers of a row at once: units of the widest layer."""
        return max(max(layer.W.shape) for layer in layers_of(params))

    def noise(self, rng, n_draws):
        """Source of noise of ``n_draws`` for each row, with a stream for each, as
        :meth:`through` takes it."""

        def source(level, stats):
            n = self.units.n_noise(self.n_latent[level])
            noise = self.units.noise(rng.fold(level), n_draws * n, stats.dtype.type)
            return noise.reshape(-1, n)

        return source

    def noise_of(self, z, rng=None):
        """Source of the noise for which latent units have given values, one for each
        row; noise that values do not determine is drawn, with a stream for each row."""

        def source(level, stats):
            streams = None if rng is None else rng.fold(level)
            return self.units.noise_of(z[level], stats, streams)

        return source
