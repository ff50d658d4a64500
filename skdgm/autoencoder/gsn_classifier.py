r"""Generative stochastic networks with labels: discriminant and hybrid ones.

.. math:: \max \; \frac1n \sum_{t=1}^n \mathbb{E} [\log p(y \mid h_t) +
   \lambda \log p(x \mid h_t)]
"""

from typing import Literal

from skdgm.autoencoder._gsn.labelled import LabelledModel
from skdgm.autoencoder.gsn import GSNEstimator
from skdgm.base import Classifier
from skdgm.base.common_groups import Hybrid
from skdgm.base.frames import framed
from skdgm.base.given import chain_codes
from skdgm.base.options import KW_ONLY, NotNegative, Share, within
from skdgm.typing import Any, ArrayLike, Seed


class GSNClassifier(Classifier, GSNEstimator):
    r"""Generative stochastic network as a classifier, whose chain draws labels, too.

    .. math:: \max \; \frac1n \sum_{t=1}^n \mathbb{E} [\log p(y \mid h_t) +
        \lambda \log p(x \mid h_t)]

    As in :class:`GSN`, but the first hidden layer is given a row and its label, and
    both are drawn given it. The label is unknown to it with a probability
    (``label_corruption``), so that the network learns to tell it. The hybrid network
    [2]_ draws rows of any label, and labels with rows; in the discriminant one [1]_ the
    row stays in the chain, and only its label is learned. Labels are predicted after
    steps without noise, in which the row stays and its label is unknown. NaN is a
    missing value, in every method. By default it is more than .02 behind a logistic
    regression on biopsy and crabs, of seven small sets
    (``doc/benchmarks/untuned.md``).

    Parameters
    ----------
    objective
        Log-likelihoods to maximise: of labels and, times ``generative_weight``
        (:math:`\lambda`), of rows; or of labels alone, and no rows can be drawn.
    label_corruption
        Probability that the first layer is not given the label.
    unlabeled
        Value of y for rows without a label: the model of rows learns from them, and
        :meth:`score` leaves them out. None means that all rows are labelled.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.

    References
    ----------
    .. [1] Zhou and Troyanskaya (2014). Deep supervised and convolutional generative
       stochastic network for protein secondary structure prediction. ICML.
    .. [2] Zöhrer and Pernkopf (2014). General stochastic networks for classification.
       NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GSNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = GSNClassifier(64, n_iter=20, random_state=0).fit(X[:1000], y[:1000])
    >>> clf.score(X[1000:], y[1000:]) > 0.75
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    _: KW_ONLY
    objective: Literal["hybrid", "discriminative"] | Hybrid = "hybrid"
    generative_weight: NotNegative = within("objective", 0.1)
    label_corruption: Share = 0.5
    unlabeled: object = None

    _MODEL, _KNOWN = LabelledModel(), ("_means", "classes_", "_frequencies")

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh:
            # As of columns, later rows do not change inputs for unknown labels.
            self._frequencies = self._label_frequencies

    def _logits(self, rows):
        return self.density_.log_labels(rows)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        y: object = None,
        init: str | ArrayLike = "noise",
        n_steps: int = 100,
        burn_in: int = 0,
        thin: int | None = None,
        return_y: bool = False,
    ) -> Any:
        """Draw rows, and labels, by chains of corruption and reconstruction.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        y : object or array-like of shape (n_samples,), default=None
            Label of all rows, or of each row, to which the chains are clamped; the
            first layer is then given it at each step. If None, labels are drawn, too.
        init, n_steps, burn_in, thin
            As in :meth:`GSN.sample`.
        return_y : bool, default=False
            If True, return labels, too.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.
        y : ndarray of shape (n_samples,)
            Labels of the rows. Only returned if ``return_y`` is True.

        Raises
        ------
        ValueError
            A label is unknown; y has one label for each row, but not ``n_samples`` of
            them, or ``thin`` is given; or as in :meth:`GSN.sample`.
        MissingCapability
            The objective is "discriminative".
        """
        X, codes = self.density_.drawn(
            n_samples,
            random_state,
            codes=None if y is None else chain_codes(self, y, n_samples, thin),
            init=init,
            n_steps=n_steps,
            burn_in=burn_in,
            thin=thin,
        )
        X = framed(self, X)
        return (X, self.classes_[codes]) if return_y else X
