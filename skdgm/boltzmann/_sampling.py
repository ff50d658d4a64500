"""A mixin that belief/ derives from until it has densities."""

from sklearn.utils.validation import check_is_fitted

from skdgm.data import fill
from skdgm.utils.counts import count


class ImputeMixin:
    """Imputation, for a :class:`~skdgm.boltzmann._machine.TabularModel` with
    ``_filled(v, rng, n_steps, method)``."""

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
            Observed entries are unchanged.

        Raises
        ------
        TypeError
            ``n_steps`` is not a whole number.
        ValueError
            ``method`` is unknown, or ``n_steps`` is less than 1.
        """
        check_is_fitted(self)
        n_steps = count(n_steps, "n_steps")

        def filled(v, rng):
            return self._filled(v, rng, n_steps, method)

        return fill(self, X, method, random_state, filled)
