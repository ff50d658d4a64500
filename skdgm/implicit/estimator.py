"""Base class of estimators that train a generator of rows."""

import numpy as np
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base.frames import as_frame
from skdgm.base.given import class_codes, count_classes, given_classes
from skdgm.implicit.inversion import invert
from skdgm.implicit.watch import tell
from skdgm.nets import NetEstimator
from skdgm.typing import ArrayLike, ArrayOrFrame, Data, Seed
from skdgm.utils.counts import count, count_rows


class ImplicitEstimator(NetEstimator):
    """Base class of estimators of rows drawn by a generator.

    A subclass has options and an :class:`~skdgm.implicit.ImplicitModel`. ``transform``
    returns hidden units of the discriminator, or latent units; see :meth:`invert`.

    Parameters
    ----------
    activation
        Activation function of the generator's hidden units.
    batch_norm
        Whether hidden units of the generator have batch normalization.
    tol
        Smallest improvement that counts.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows and latent units.

    Attributes
    ----------
    n_updates_ : int
        Number of updates of the generator.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Maximum mean discrepancy between some training rows and generated rows after
        each epoch.
    """

    _MODEL_READS = "_gray", "classes_", "_label_counts"
    # Advice if all generated rows are similar.
    _DIVERSIFY = (
        'Set loss="relativistic" and loss__gradient_penalty above 0, '
        "discriminator__packing=2 or discriminator__minibatch_kernels, or lower "
        "learning_rate."
    )

    def sample(
        self, n_samples: int = 1, random_state: Seed = None, *, y: object = None
    ) -> ArrayOrFrame:
        """Draw latent units, and rows of the generator.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None: NumPy's global generator, with different rows at each call.
        y : object or array-like of shape (n_samples,), default=None
            Class of all rows, or of each row, for a conditional model. By default
            classes are drawn with smoothed frequencies (add one).

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            If a class is unknown, or the model is not conditional.
        """
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        codes = self._codes_of(y, n_samples)
        return as_frame(self, density.sample(n_samples, random_state, codes=codes))

    def generate(self, Z: ArrayLike, y: object = None) -> ArrayOrFrame:
        """Generate rows from given latent units.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent units.
        y : object or array-like of shape (n_samples,), default=None
            Class of all rows, or of each row; required by conditional models.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Bits and categories are the most probable values.

        Raises
        ------
        ValueError
            If Z does not have a column for each latent unit, y is missing, or a class
            is unknown.
        """
        codes = self._codes_of(y, _num_samples(Z))
        return as_frame(self, self.density_.decode(Z, codes), Z)

    def invert(self, X: Data, y: object = None, *, n_steps: int = 200) -> np.ndarray:
        r"""Latent units whose generated rows are closest to given rows.

        .. math:: \min_z \lVert x - g(z) \rVert^2 + \tfrac{1}{100} \lVert z \rVert^2

        by Adam, starting from the latent units of the nearest of ``n_draws`` draws by
        the kernels of :meth:`score_samples` [1]_.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, which has no part in distances.
        y : object or array-like of shape (n_samples,), default=None
            Class of all rows, or of each row, for a conditional model. By default each
            row has the class of its nearest draw.
        n_steps : int, default=200
            Number of steps.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)

        References
        ----------
        .. [1] Zhu, Krähenbühl, Shechtman and Efros (2016). Generative visual
           manipulation on the natural image manifold. ECCV.
        """
        codes = self._codes_of(y, _num_samples(X))
        return invert(self.density_, X, count(n_steps, "n_steps"), codes)

    def _codes_of(self, y, n_rows):
        """Class codes of rows, (n_rows,), or None."""
        check_is_fitted(self)
        return class_codes(self, y, n_rows)

    def _label(self, rows, y, fresh, classes):
        """Rows with class codes, and a dict of the classes, if the model is
        conditional."""
        if not self._options.class_conditional:
            return rows, {}
        return given_classes(self, rows, y, fresh)

    def _count(self, table, fresh):
        """Count classes, and detect probabilities in place of bits, before training."""
        super()._count(table, fresh)
        self._find_gray(table, fresh)
        count_classes(self, table, fresh)

    def _report(self, learned, n_epochs, watch):
        self.coverage_, fault = watch.collapse(learned.state)
        super()._report(learned, n_epochs, watch)
        if self.n_iter_:
            tell(self._name, self.n_updates_, fault, self._DIVERSIFY)
