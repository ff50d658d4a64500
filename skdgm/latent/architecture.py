"""What models with latent units are, as functions of parameters: the role of nets."""

from abc import ABC, abstractmethod

from skdgm.nets import layers_of, listed


class Architecture(ABC):
    """Encoders and decoders of latent units in several groups, one after the other.

    Parameters of all methods are a NamedTuple with ``own``, those of the data's
    distribution that are no outputs, and ``encoders`` and ``decoders``; statistics are
    running ones.

    Attributes
    ----------
    units : LatentUnits
        Distribution of the encoders' draws.
    n_latent : tuple of int
        Number of units of each group.
    data : DataLayer or None
        Links between columns.
    told : Told or None
        Classes or attributes on which the data depend, too.
    """

    data = told = None

    @abstractmethod
    def init(self, rng, out, own, dtype):
        """Initial parameters and statistics, with which outputs for the data are
        ``out``, and the data's distribution has the parameters ``own``."""

    @abstractmethod
    def through(
        self,
        params,
        statistics,
        x,
        source,
        *,
        exact=False,
        given=None,
        rng=None,
        train=False,
        decoded=True,
        told=None,
    ):
        """Draw latent units of rows x, (n_rows, n_inputs), and decode them: a
        :class:`~skdgm.latent.data_layer.Pass`; see :meth:`Hierarchy.through`."""

    @abstractmethod
    def top(self, params, rng, statistics=None):
        """Draw latent units that :meth:`downwards` decodes, (n_rows, n_units), with a
        stream for each row; ``statistics`` are needed for priors by an encoder."""

    @abstractmethod
    def dream(self, params, statistics, rng):
        """Draw latent units of all groups from the prior, one row for each stream: as
        many arrays as :meth:`noise_of` takes."""

    @abstractmethod
    def upwards(self, params, statistics, x):
        """Means of all latent units of rows x, each group given the means of those
        before: a list of arrays."""

    @abstractmethod
    def downwards(self, params, statistics, z, rng=None, level=-1, told=None):
        """Outputs for the data, (n_rows, n_outputs), given latent units of a layer, or
        those of :meth:`top`, and what is ``told`` beside."""

    @abstractmethod
    def rebuilt(self, params, statistics, x, told=None):
        """Outputs for the data given the means of latent units of rows x."""

    @abstractmethod
    def lowest(self, H, layers):
        """Latent units that :meth:`downwards` decodes, of the features of ``layers``,
        and their level."""

    def constrain(self, params):  # noqa: B027  Most have no limits.
        """Project parameters onto their limits, in place, after an update."""

    @property
    def wholes(self):
        """Numbers of units of parts, of each of which some should be active."""
        return self.n_latent

    def batch(self, x):
        """A batch of inputs, in the form in which learning is faster."""
        return listed(x)

    def width(self, params):
        """How many numbers of a row there are at once: units of the widest layer."""
        return max(max(layer.W.shape) for layer in layers_of(params))

    def noise(self, rng, n_draws):
        """Source of noise of ``n_draws`` for each row, with a stream for each, as
        :meth:`through` takes it."""

        def source(level, stats):
            n = self.units.n_noise(self.n_latent[level])
            own = rng.fold(level), n_draws * n, stats.dtype.type
            return self.units.noise(*own).reshape(-1, n)

        return source

    def noise_of(self, z, rng=None):
        """Source of the noise for which latent units have given values, one for each
        row; what these do not tell is drawn, with a stream for each row."""

        def source(level, stats):
            own = None if rng is None else rng.fold(level)
            return self.units.noise_of(z[level], stats, own)

        return source
