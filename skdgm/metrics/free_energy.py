r"""Test for overfitting of a model with an energy, without its partition function.

.. math:: \frac1n \sum_i F(v_i^\text{valid}) - \frac1m \sum_j F(v_j^\text{train})

log Z cancels in the difference, which grows as a model overfits its training rows [1]_.

References
----------
.. [1] Hinton (2012). A practical guide to training restricted Boltzmann machines.
   Section 6.
"""

from sklearn.utils.validation import check_is_fitted


def free_energy_gap(estimator, X_train, X_valid):
    r"""Mean free energy of validation rows minus that of training rows, in nats.

    .. math:: \frac1n \sum_i F(v_i^\text{valid}) - \frac1m \sum_j F(v_j^\text{train})

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``free_energy``.
    X_train, X_valid : {array-like, sparse matrix} of shape (n_samples, n_features)
        As many training rows as validation rows suffice.

    Returns
    -------
    gap : float
        About 0 without overfitting, and larger the more the model overfits.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no ``free_energy``.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import free_energy_gap
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(64, n_iter=20, random_state=0).fit(X[:300])
    >>> bool(free_energy_gap(rbm, X[:300], X[300:600]) > 0)
    True
    """
    check_is_fitted(estimator)
    if not hasattr(estimator, "free_energy"):
        raise TypeError(
            "free_energy_gap is for estimators with free_energy (BernoulliRBM, "
            f"GaussianRBM, RBMClassifier, DBM, DBMClassifier); "
            f"{type(estimator).__name__} has none."
        )
    valid, train = (estimator.free_energy(X).mean() for X in (X_valid, X_train))
    return float(valid - train)
