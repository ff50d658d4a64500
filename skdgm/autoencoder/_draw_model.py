"""Recurrent nets with attention, built from options."""

from math import isqrt
from types import SimpleNamespace

import numpy as np
from sklearn.utils import check_random_state

from skdgm.autoencoder._bound import VariationalBound
from skdgm.autoencoder._glimpses import Glimpses
from skdgm.autoencoder._model_options import DrawOptions
from skdgm.latent import LatentDensity, LatentModel
from skdgm.nets.recurrent import Walk
from skdgm.utils.counts import count_rows
from skdgm.utils.images import image_shape
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread


class DrawDensity(LatentDensity):
    """Density of images that are written in steps."""

    def canvases(self, n_samples, random_state=None):
        """Means of pixels after each step, (n_samples, n_steps, n_columns), for the
        latent units that :meth:`sample` draws with the same seed."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        seed, means = check_random_state(random_state).randint(MAX_SEED), []
        with one_blas_thread():
            z = self.latent(stream(seed).rows(n_samples))
            for out in self.hierarchy.canvases(self.net.params, z):
                mean = self.output.mean(out)
                means.append(self.domain.to_data(self.columns, mean))
        return np.stack(means, axis=1)


class DrawModel(LatentModel[DrawOptions]):
    """Normal latent units in each step of a recurrent decoder."""

    objective_class, density_class = VariationalBound, DrawDensity
    FEATURES = "all"

    def structure(self, facts):
        options, n_columns = facts.options, len(facts.columns.seen)
        shape = options.image_shape
        if shape is None and isqrt(n_columns) ** 2 != n_columns:
            shape = 1, n_columns
        variance = options.variance if isinstance(options.variance, str) else "fixed"
        return SimpleNamespace(
            n_components=options.n_components,
            n_glimpses=options.n_glimpses,
            n_recurrent=options.n_recurrent,
            cell=options.cell,
            read_size=options.read_size,
            write_size=options.write_size,
            image_shape=image_shape(n_columns, shape, subject=facts.name),
            column_types=options.column_types,
            variance=variance,
        )

    def hierarchy(self, facts):
        """:class:`Glimpses` architecture of the nets."""
        structure = facts.structure
        return Glimpses(
            structure.image_shape,
            self.output(facts),
            n_latent=(structure.n_components,) * structure.n_glimpses,
            cell=Walk(structure.cell, structure.n_recurrent),
            read=structure.read_size,
            write=structure.write_size,
            init=facts.options.init_weights.replace("he", "glorot"),
        )
