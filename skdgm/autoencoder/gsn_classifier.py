r"""Generative stochastic networks with labels, discriminative or hybrid.

.. math:: \max \; \frac1n \sum_{t=1}^n \mathbb{E} [\log p(y \mid h_t) +
   \lambda \log p(x \mid h_t)]
"""

from typing import Literal

from skdgm.autoencoder._gsn.labeled import LabeledModel
from skdgm.autoencoder.gsn import GSNEstimator
from skdgm.base import Classifier
from skdgm.base.common_groups import Hybrid
from skdgm.base.frames import as_frame
from skdgm.base.given import chain_codes
from skdgm.base.options import KW_ONLY, NotNegative, Share, within
from skdgm.typing import Any, ArrayLike, Seed


class GSNClassifier(Classifier, GSNEstimator):
    r"""Generative stochastic network whose chain also draws labels.

    .. math:: \max \; \frac1n \sum_{t=1}^n \mathbb{E} [\log p(y \mid h_t) +
        \lambda \log p(x \mid h_t)]

    As in :class:`GSN`, but the first hidden layer receives a row and its label, and
    predicts both. The label is hidden with probability ``label_corruption``, so that
    the network learns to infer it. The hybrid network [2]_ draws rows of any label, and
    rows together with labels; in the discriminative network [1]_ the row is clamped,
    and only its label is predicted. Predictions follow steps without noise in which the
    row is clamped and its label unknown. NaN is a missing value in every method. By
    default its accuracy is more than .02 below that of logistic regression on biopsy
    and crabs, of seven small data sets (``doc/benchmarks/untuned.md``).

    Parameters
    ----------
    objective
        Log-likelihood that is maximized: "hybrid", of labels and, with weight
        ``generative_weight`` (:math:`\lambda`), of rows; or "discriminative", of labels
        alone, which cannot draw rows.
    label_corruption
        Probability that the label is hidden from the first layer.
    unlabeled
        Value of y for unlabeled rows, which train the model of rows and are ignored by
        :meth:`score`. None: all rows are labeled.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.

    See Also
    --------
    GSN : Chain without labels.
    DBMClassifier : Deep Boltzmann machine of data and labels.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 14 s of one core, 26 times as
    long as ``MLPClassifier``. Each update passes through several steps of a chain, one
    after the other. A :class:`DBNClassifier` takes a third of the time.

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

    _MODEL, _MODEL_READS = LabeledModel(), ("_means", "classes_", "_frequencies")

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh:
            # Later fits do not change the inputs for unknown labels.
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
            None: NumPy's global generator, with different rows at each call.
        y : object or array-like of shape (n_samples,), default=None
            Label of all rows, or of each row, to which the chains are clamped; the
            first layer then always receives it. None: labels are drawn with the rows.
        init, n_steps, burn_in, thin
            As in :meth:`GSN.sample`.
        return_y : bool, default=False
            If True, also return the labels.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.
        y : ndarray of shape (n_samples,)
            Labels of the rows. Only returned if ``return_y`` is True.

        Raises
        ------
        ValueError
            If a label is unknown, or y has a label for each row but another length than
            ``n_samples`` or is combined with ``thin``; also as in :meth:`GSN.sample`.
        MissingCapability
            If the objective is "discriminative".
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
        X = as_frame(self, X)
        return (X, self.classes_[codes]) if return_y else X
